"""A model of the runner's parsers finds the commands and outputs that were meant, and no others."""

import base64
import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runner_model import Command, commands
from support.untrusted_text import texts

from onlineornot_action.report.actions import Level, Runner
from onlineornot_sandbox.output_file import parse_outputs

Write = Callable[[Runner], object]

always = settings(deadline=None, derandomize=True)

MEBIBYTE = 1024 * 1024
SECRET = 'a"secret\\token'
FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
CHANNELS: tuple[Callable[[Runner, str], None], ...] = (
    lambda runner, text: runner.log(text),
    lambda runner, text: runner.annotate(Level.ERROR, text),
    lambda runner, text: runner.set_outputs({"error": text}),
    lambda runner, text: runner.add_summary(text),
)


def log_of(write: Write, environ: Mapping[str, str] | None = None) -> str:
    log = io.StringIO()
    write(Runner(environ or {}, log))
    return log.getvalue()


def file_of(variable: str, write: Write) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        write(Runner({variable: str(path)}, None))
        return path.read_bytes().decode()


def everything_of(write: Write) -> str:
    """The log and both files, written after `SECRET` was masked."""

    def mask_and_write(runner: Runner) -> None:
        runner.mask(SECRET)
        write(runner)

    with TemporaryDirectory() as folder:
        log = log_of(mask_and_write, {variable: str(Path(folder, variable)) for variable in FILES})
        return log + "".join(path.read_text(encoding="utf-8") for path in Path(folder).iterdir())


def write_both_files(runner: Runner) -> None:
    runner.set_outputs({"a": "b"})
    runner.add_summary("c")


def open_group(runner: Runner, title: str, text: str) -> None:
    with runner.group(title):
        runner.log(text)


@pytest.fixture
def broken_pipe() -> Iterator[TextIO]:
    """A log whose reader has closed its end."""
    reader, writer = os.pipe()
    os.close(reader)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writer, "w", encoding="utf-8") as log:
        yield log


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("::error::100%25 %0Asure%0D", Command("error", "100% \nsure\r")),
        (" \t::error file=a%3Ab,line=1::x::y", Command("error", "x::y", {"file": "a:b", "line": "1"})),
        ("said ##[error file=a%5Db;line=1]x%3By", Command("error", "x;y", {"file": "a]b", "line": "1"})),
        ("x\r::error::y", Command("error", "y")),
        ("::error::%250A", Command("error", "%0A")),
    ],
)
def test_the_model_finds_the_commands_that_the_runner_finds(line: str, command: Command) -> None:
    assert commands(line) == [command]


@pytest.mark.parametrize("line", ["x ::error::y", "::error:y", "##[error", "# #[error]x", "::error\n::", ""])
def test_the_model_takes_other_lines_for_text(line: str) -> None:
    assert commands(line) == []


def test_the_model_reads_outputs_of_both_forms() -> None:
    text = "a=b=c<<d\n\ne<<END\nf=g\n\r\n\nEND\nh<<END\nEND\ni<<=j\n=j"

    assert parse_outputs(text) == {"a": "b=c<<d", "e": "f=g\n\r\n", "h": "", "i": ""}


@pytest.mark.parametrize("text", ["word\n", "=x\n", "<<END\nEND\n", "a<<\n\n", "a<<END\nb\n", "a<<END\nEND \n"])
def test_the_model_fails_on_an_output_file_that_fails_the_step(text: str) -> None:
    with pytest.raises(ValueError, match=r"no output|no delimiter|nothing ends"):
        parse_outputs(text)


@always
@given(text=texts)
def test_logged_text_is_never_a_command(text: str) -> None:
    assert commands(log_of(lambda runner: runner.log(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        *("::error::x", " \t::error::x", "\u3000::error::x", "\x1c::error::x", "a\n::error::x", "a\r ::error::x"),
        *("##[error]x", "a ##[error]x", "###[error]x", "a\r\n##[error]x", "##[##[error]x", "##\x00[error]x"),
    ],
    ids=ascii,
)
def test_logged_text_that_looks_like_a_command_is_shown_as_text(text: str) -> None:
    log = log_of(lambda runner: runner.log(text))

    assert commands(log) == []
    assert "error" in log


@always
@given(text=texts, level=st.sampled_from(Level))
def test_any_annotation_is_one_command(text: str, level: Level) -> None:
    log = log_of(lambda runner: runner.annotate(level, text))

    assert [command.name for command in commands(log)] == [level]
    assert log.count("\n") == 1


@always
@given(title=texts, text=texts)
def test_any_group_is_two_commands(title: str, text: str) -> None:
    log = log_of(lambda runner: open_group(runner, title, text))

    assert [command.name for command in commands(log)] == ["group", "endgroup"]


@always
@given(secret=texts)
def test_a_mask_hides_whole_lines_and_does_nothing_else(secret: str) -> None:
    found = commands(log_of(lambda runner: runner.mask(secret)))

    assert {command.name for command in found} <= {"add-mask"}
    assert all(len(command.data) >= 8 for command in found)


@always
@given(values=st.dictionaries(st.sampled_from(["outcome", "update-id", "error", "updates"]), texts))
def test_outputs_are_read_as_they_were_set(values: dict[str, str]) -> None:
    outputs = parse_outputs(file_of("GITHUB_OUTPUT", lambda runner: runner.set_outputs(values)))

    assert outputs == {name: value.encode(errors="replace").decode() for name, value in values.items()}


def test_an_output_may_contain_the_text_of_an_output_file() -> None:
    earlier = file_of("GITHUB_OUTPUT", lambda runner: runner.set_outputs({"outcome": "created"}))

    again = file_of("GITHUB_OUTPUT", lambda runner: runner.set_outputs({"error": earlier}))

    assert parse_outputs(again) == {"error": earlier}


@always
@given(text=texts)
def test_the_summary_is_written_unchanged(text: str) -> None:
    written = file_of("GITHUB_STEP_SUMMARY", lambda runner: runner.add_summary(text))

    assert written == text.encode(errors="replace").decode()


def test_the_title_of_a_group_stays_on_its_line() -> None:
    log = log_of(lambda runner: open_group(runner, "100%\n::error::x", "inside"))

    assert commands(log) == [Command("group", "100%\n::error::x"), Command("endgroup")]


def test_control_characters_in_annotations_and_titles_are_replaced() -> None:
    annotated = log_of(lambda runner: runner.annotate(Level.ERROR, "a\x1b[2K ##[error]"))
    grouped = log_of(lambda runner: open_group(runner, "a\x1b[2K ##[error]", "x"))

    assert commands(annotated)[0].data == commands(grouped)[0].data == "a\ufffd[2K ## [error]"


def test_an_annotation_keeps_its_lines_and_special_characters() -> None:
    log = log_of(lambda runner: runner.annotate(Level.NOTICE, "100% sure:\r\nas, %0A, and ::x::"))

    assert commands(log) == [Command("notice", "100% sure:\nas, %0A, and ::x::")]


@pytest.mark.parametrize(("length", "shown"), [(4_000, "x" * 4_000), (4_001, "x" * 3_999 + "…")])
def test_an_annotation_is_cut_to_what_github_shows(length: int, shown: str) -> None:
    log = log_of(lambda runner: runner.annotate(Level.ERROR, "x" * length))

    assert commands(log) == [Command("error", shown)]


def test_an_annotation_is_cut_before_it_is_escaped() -> None:
    log = log_of(lambda runner: runner.annotate(Level.ERROR, "%" * 4_001))

    assert commands(log) == [Command("error", "%" * 3_999 + "…")]


def test_lines_after_the_first_are_marked_as_its_continuation() -> None:
    assert log_of(lambda runner: runner.log("one\ntwo\rthree\r\nfour")) == "one\n| two\n| three\n| four\n"


def test_control_characters_in_the_log_are_replaced() -> None:
    assert log_of(lambda runner: runner.log("a\x1b[2K\x07\u202eb\tc")) == "a\ufffd[2K\ufffd\ufffdb\tc\n"


def test_a_mask_is_one_line() -> None:
    assert log_of(lambda runner: runner.mask("100%secret")) == "::add-mask::100%25secret\n"


@pytest.mark.parametrize("secret", ["", "7 chars"])
def test_a_short_secret_is_not_masked_because_it_appears_in_ordinary_text(secret: str) -> None:
    runner = Runner({}, log := io.StringIO())

    runner.mask(secret)
    runner.log("has 7 chars")

    assert log.getvalue() == "has 7 chars\n"


def test_a_secret_of_eight_characters_is_masked() -> None:
    runner = Runner({}, log := io.StringIO())

    runner.mask("12345678")
    runner.log("is 12345678")

    assert log.getvalue() == "::add-mask::12345678\nis ***\n"


def test_short_lines_of_a_secret_are_not_masked() -> None:
    found = commands(log_of(lambda runner: runner.mask("first line\nno\r\nthird line")))

    assert [command.data for command in found] == ["first line", "third line"]


@pytest.mark.parametrize("channel", CHANNELS, ids=["log", "annotation", "output", "summary"])
@pytest.mark.parametrize("shown", [SECRET, json.dumps(SECRET)[1:-1]], ids=["plain", "in JSON"])
def test_a_secret_is_scrubbed_wherever_it_is_written(channel: Callable[[Runner, str], None], shown: str) -> None:
    written = everything_of(lambda runner: channel(runner, f"<{shown}{shown}>"))

    assert written.count(SECRET) == 1
    assert written.startswith(f"::add-mask::{SECRET}\n")
    assert "<******>" in written
    assert json.dumps(SECRET)[1:-1] not in written


@pytest.mark.parametrize("channel", CHANNELS, ids=["log", "annotation", "output", "summary"])
@pytest.mark.parametrize("before", ["", "a", "x-access-token:b"])
def test_the_base64_of_a_secret_is_scrubbed_but_not_masked(channel: Callable[[Runner, str], None], before: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET}".encode()).decode()

    written = everything_of(lambda runner: channel(runner, f"<{encoded}>"))

    assert encoded[len(before) * 4 // 3 + 2 : -4] not in written
    assert "***" in written
    assert written.count("::add-mask::") == 1


def test_a_secret_is_scrubbed_before_the_text_is_cut() -> None:
    runner = Runner({}, log := io.StringIO())

    runner.mask(SECRET)
    runner.annotate(Level.ERROR, "x" * 3_990 + SECRET)

    assert commands(log.getvalue())[-1].data == "x" * 3_990 + "***"


@pytest.mark.parametrize("environ", [{}, dict.fromkeys(FILES, "")])
def test_a_missing_file_variable_is_mentioned_in_a_plain_line(environ: dict[str, str]) -> None:
    log = log_of(write_both_files, environ)

    assert commands(log) == []
    assert "GITHUB_OUTPUT is not set" in log
    assert "GITHUB_STEP_SUMMARY is not set" in log


@pytest.mark.parametrize(("name", "reason"), [(".", "Is a directory"), ("none/file", "No such file or directory")])
def test_files_that_cannot_be_written_are_warned_of(tmp_path: Path, name: str, reason: str) -> None:
    environ = dict.fromkeys(FILES, str(tmp_path / name))

    log = log_of(write_both_files, environ)

    assert commands(log) == [
        Command("warning", f"The file that {variable} names cannot be written: {reason}.") for variable in FILES
    ]


def test_files_are_appended_to(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a=b\n", encoding="utf-8")
    runner = Runner({"GITHUB_OUTPUT": str(tmp_path / "output")}, None)

    runner.set_outputs({"c": "d"})
    runner.set_outputs({"e": "f"})

    assert parse_outputs((tmp_path / "output").read_text(encoding="utf-8")) == {"a": "b", "c": "d", "e": "f"}


def test_files_are_written_even_without_a_log() -> None:
    assert parse_outputs(file_of("GITHUB_OUTPUT", lambda runner: runner.set_outputs({"a": "b"}))) == {"a": "b"}


def test_a_closed_log_does_not_stop_the_work(tmp_path: Path) -> None:
    log = io.StringIO()
    log.close()
    runner = Runner({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}, log)

    runner.log("unheard")
    runner.add_summary("seen")

    assert (tmp_path / "summary").read_text(encoding="utf-8") == "seen"


def test_a_broken_pipe_does_not_stop_the_work(tmp_path: Path, broken_pipe: TextIO) -> None:
    runner = Runner({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}, broken_pipe)

    runner.annotate(Level.ERROR, "unheard")
    runner.add_summary("seen")

    assert (tmp_path / "summary").read_text(encoding="utf-8") == "seen"


def test_a_log_in_another_encoding_does_not_stop_the_work() -> None:
    log = io.TextIOWrapper(stored := io.BytesIO(), encoding="ascii", errors="replace")

    Runner({}, log).log("Störung \ud800")

    assert stored.getvalue() == b"St?rung ?\n"


@pytest.mark.parametrize("text", ["x" * MEBIBYTE, "ä" * (MEBIBYTE // 2)], ids=["ASCII", "two bytes each"])
def test_a_summary_of_a_mebibyte_is_shown(text: str) -> None:
    assert file_of("GITHUB_STEP_SUMMARY", lambda runner: runner.add_summary(text)) == text


@pytest.mark.parametrize("text", ["x" * (MEBIBYTE + 1), "ä" * (MEBIBYTE // 2) + "x"], ids=["ASCII", "two bytes each"])
def test_a_longer_summary_is_replaced_by_a_sentence(text: str) -> None:
    written = file_of("GITHUB_STEP_SUMMARY", lambda runner: runner.add_summary(text))

    assert written == "The summary of this step is too long for GitHub to show; the outputs contain everything.\n"


def test_all_masked_secrets_are_scrubbed() -> None:
    def write(runner: Runner) -> None:
        runner.mask("first-secret")
        runner.mask("second-secret")
        runner.log("first-secret second-secret")

    assert log_of(write).splitlines()[-1] == "*** ***"
