"""A model of the runner's parsers finds the commands and outputs that were meant, and no others."""

import contextlib
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runner_model import Command, commands, other_commands
from support.untrusted_text import texts

from onlineornot_action.inputs.variables import GitHubVariables
from onlineornot_action.masking import masker
from onlineornot_action.report.actions import ActionsReporter, Level, escape_commands, warn
from onlineornot_sandbox.output_file import parse_outputs

Write = Callable[[ActionsReporter], object]

always = settings(deadline=None, derandomize=True)

MEBIBYTE = 1024 * 1024
SECRET = 'a"secret\\token'
FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")


def reporter_to(log: TextIO | None, environ: Mapping[str, str] | None = None) -> ActionsReporter:
    return ActionsReporter(GitHubVariables.of(environ or {}), log, masker([SECRET]))


def log_of(write: Write, environ: Mapping[str, str] | None = None) -> str:
    write(reporter_to(log := io.StringIO(), environ))
    return log.getvalue()


def written(write: Write) -> tuple[str, str, str]:
    """The log, the outputs and the summary."""
    with TemporaryDirectory() as folder:
        paths = {variable: Path(folder, variable) for variable in FILES}
        paths["GITHUB_OUTPUT"].touch()
        log = log_of(write, {variable: str(path) for variable, path in paths.items()})
        output, summary = (path.read_bytes().decode() if path.exists() else "" for path in paths.values())
        return log, output, summary


def encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def everywhere(text: str, title: str, level: Level) -> Write:
    def write(reporter: ActionsReporter) -> None:
        reporter.log(text)
        reporter.log_group(title, text)
        reporter.annotate(level, text)
        reporter.set_outputs({"outcome": title, "error": text})
        reporter.add_summary(text)

    return write


def write_both_files(reporter: ActionsReporter) -> None:
    reporter.set_outputs({"a": "b"})
    reporter.add_summary("c")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("::error::100%25 %0Asure%0D", [Command("error", "100% \nsure\r")]),
        (" \t::error file=a%3Ab,line=1::x::y", [Command("error", "x::y", {"file": "a:b", "line": "1"})]),
        ("said ##[error file=a%5Db;line=1]x%3By", [Command("error", "x;y", {"file": "a]b", "line": "1"})]),
        ("x\r::error::y", [Command("error", "y")]),
        ("::error::%250A", [Command("error", "%0A")]),
        *((text, []) for text in ("x ::error::y", "::error:y", "##[error", "# #[error]x", "::error\n::", "")),
    ],
)
def test_the_model_finds_the_commands_that_the_runner_finds(line: str, found: list[Command]) -> None:
    assert commands(line) == found


def test_the_model_reads_outputs_of_both_forms() -> None:
    text = "a=b=c<<d\n\ne<<END\nf=g\n\r\n\nEND\nh<<END\nEND\ni<<=j\n=j"

    assert parse_outputs(text) == {"a": "b=c<<d", "e": "f=g\n\r\n", "h": "", "i": ""}


@pytest.mark.parametrize("text", ["word\n", "=x\n", "<<END\nEND\n", "a<<\n\n", "a<<END\nb\n", "a<<END\nEND \n"])
def test_the_model_fails_on_an_output_file_that_fails_the_step(text: str) -> None:
    with pytest.raises(ValueError, match=r"no output|no delimiter|nothing ends"):
        parse_outputs(text)


@pytest.mark.parametrize(
    "text",
    [
        *("::error::x", " \t::error::x", "\u3000::error::x", "\x1c::error::x", "a\n::error::x", "a\r ::error::x"),
        *("##[error]x", "a ##[error]x", "###[error]x", "a\r\n##[error]x", "##[##[error]x", "##\x00[error]x"),
        *("##vso[task.complete result=error]x", "a##vso[error]", "##teamcity[error]", "###VSO[##teamcity[error]"),
    ],
    ids=ascii,
)
def test_logged_text_that_looks_like_a_command_is_shown_as_text(text: str) -> None:
    log = log_of(lambda reporter: reporter.log(text))

    assert (commands(log), other_commands(log)) == ([], [])
    assert "error" in log


@always
@given(text=texts, title=texts, level=st.sampled_from(Level))
def test_any_text_is_written_by_the_commands_that_were_meant_and_read_as_it_is(
    text: str, title: str, level: Level
) -> None:
    log, output, summary = written(everywhere(text, title, level))

    assert [command.name for command in commands(log)] == ["group", "endgroup", level]
    assert other_commands(log) == []
    assert log.split("\n")[-2].startswith(f"::{level}::")
    assert parse_outputs(output) == {"outcome": encodable(title), "error": encodable(text)}
    assert summary == encodable(text)


@always
@given(secret=texts)
def test_a_mask_covers_whole_lines_and_does_nothing_else(secret: str) -> None:
    found = commands(log_of(lambda reporter: reporter.mask_log([secret])))

    assert {command.name for command in found} <= {"add-mask"}
    assert all(len(command.data) >= 8 for command in found)


def test_an_output_may_contain_the_text_of_an_output_file() -> None:
    _, earlier, _ = written(lambda reporter: reporter.set_outputs({"outcome": "created"}))

    _, again, _ = written(lambda reporter: reporter.set_outputs({"error": earlier}))

    assert parse_outputs(again) == {"error": earlier}


@pytest.mark.parametrize("text", ["##", "## x [y]", "#[x]", "## x\n[y]", "#x#[y]"])
def test_other_text_is_logged_as_it_is(text: str) -> None:
    assert log_of(lambda reporter: reporter.log(text)) == text.replace("\n", "\n| ") + "\n"


def test_escaping_takes_linear_time() -> None:
    assert escape_commands(text := "##" * 500_000 + "x" * 500_000) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("100% sure:\r\nas, %0A, and ::x::\x1b[2K ##[error]", "100% sure:\nas, %0A, and ::x::\ufffd[2K ## [error]"),
        ("x" * 4_000, "x" * 4_000),
        ("x" * 4_001, "x" * 3_999 + "…"),
        ("%" * 4_001, "%" * 3_999 + "…"),
        ("x" * 3_990 + SECRET, "x" * 3_990 + "***"),
    ],
    ids=["of special characters", "short enough", "longer", "cut before it is escaped", "masked before it is cut"],
)
def test_an_annotation_keeps_its_lines_and_is_cut_to_what_github_shows(text: str, shown: str) -> None:
    log = log_of(lambda reporter: reporter.annotate(Level.ERROR, text))

    assert commands(log) == [Command("error", shown)]


def test_the_title_of_a_group_stays_on_its_line_without_control_characters() -> None:
    log = log_of(lambda reporter: reporter.log_group("100%\n::error::x\x1b[2K ##[error]", "inside"))

    assert commands(log) == [Command("group", "100%\n::error::x\ufffd[2K ## [error]"), Command("endgroup")]


def test_lines_after_the_first_are_marked_and_control_characters_replaced() -> None:
    log = log_of(lambda reporter: reporter.log("one\ntwo\rthree\r\nfour\x1b[2K\x07\u202eb\tc"))

    assert log == "one\n| two\n| three\n| four\ufffd[2K\ufffd\ufffdb\tc\n"


@pytest.mark.parametrize(
    ("secret", "masks"),
    [
        ("100%secret", ["100%secret"]),
        ("12345678", ["12345678"]),
        ("7 chars", []),
        ("", []),
        ("first line\nno\r\nthird line", ["first line", "third line"]),
    ],
)
def test_each_line_of_a_secret_is_a_mask_unless_it_is_short(secret: str, masks: list[str]) -> None:
    log = log_of(lambda reporter: reporter.mask_log([secret]))

    assert commands(log) == [Command("add-mask", mask) for mask in masks]


def test_a_secret_is_masked_wherever_it_is_written() -> None:
    everything = "".join(written(everywhere(f"<{SECRET}{SECRET}>", SECRET, Level.ERROR)))

    assert everything.count("<******>") == 5
    assert SECRET not in everything


@pytest.mark.parametrize("environ", [{}, dict.fromkeys(FILES, "")])
def test_a_missing_file_variable_is_mentioned_in_a_plain_line(environ: dict[str, str]) -> None:
    log = log_of(write_both_files, environ)

    assert commands(log) == []
    assert "GITHUB_OUTPUT is not set" in log
    assert "GITHUB_STEP_SUMMARY is not set" in log


def test_files_that_cannot_be_written_cause_a_warning(tmp_path: Path) -> None:
    log = log_of(write_both_files, dict.fromkeys(FILES, str(tmp_path)))

    assert [command.data for command in commands(log)] == [
        "The file that GITHUB_OUTPUT names cannot be written: Is a directory; later steps will not see the outputs.",
        "The file that GITHUB_STEP_SUMMARY names cannot be written: Is a directory.",
    ]


@pytest.mark.parametrize("name", ["output", "none/output"])
def test_outputs_that_later_steps_will_not_see_are_written_if_possible_and_cause_one_warning(
    tmp_path: Path, name: str
) -> None:
    reporter = reporter_to(log := io.StringIO(), {"GITHUB_OUTPUT": str(tmp_path / name)})

    reporter.set_outputs({"a": "b"})
    reporter.set_outputs({"c": "d"})

    [warning] = commands(log.getvalue())
    assert (warning.name, "later steps will not see the outputs." in warning.data) == ("warning", True)
    assert reporter.warnings == [warning.data]
    written = [parse_outputs(path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()]
    assert written == ([{"a": "b", "c": "d"}] if name == "output" else [])


def test_a_warning_is_kept_without_secrets_and_logged_once() -> None:
    reporter = reporter_to(log := io.StringIO())

    warn(reporter, SECRET)
    warn(reporter, SECRET)

    assert (reporter.warnings, commands(log.getvalue())) == (["***"], [Command("warning", "***")])


@pytest.mark.parametrize("log", ["missing", "closed", "broken pipe"])
def test_a_log_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path, log: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    (closed := io.StringIO()).close()

    with contextlib.suppress(BrokenPipeError), os.fdopen(writer, "w", encoding="utf-8") as pipe:
        stream = {"missing": None, "closed": closed, "broken pipe": pipe}[log]
        reporter = reporter_to(stream, {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
        reporter.annotate(Level.ERROR, "unheard")
        reporter.add_summary("seen")

    assert (tmp_path / "summary").read_text(encoding="utf-8") == "seen"


def test_a_log_in_another_encoding_does_not_stop_the_work() -> None:
    log = io.TextIOWrapper(stored := io.BytesIO(), encoding="ascii", errors="replace")

    reporter_to(log).log("Störung \ud800")

    assert stored.getvalue() == b"St?rung ?\n"


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ("", "ä" * (MEBIBYTE // 2)),
        ("x", "The summary of this step is too long for GitHub to show; the outputs contain everything.\n"),
    ],
    ids=["just short enough", "too long"],
)
def test_a_summary_of_over_a_mebibyte_is_replaced_by_a_sentence(more: str, shown: str) -> None:
    text = "ä" * (MEBIBYTE // 2) + more

    assert written(lambda reporter: reporter.add_summary(text))[2] == shown
