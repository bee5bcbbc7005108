"""What is written outside GitHub: outputs on standard output, everything else on standard error."""

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from support.runner_model import commands, other_commands
from support.untrusted_text import texts

from onlineornot_action.inputs.variables import Environment
from onlineornot_action.masking import masker
from onlineornot_action.report.actions import Level
from onlineornot_action.report.console import ConsoleReporter

SECRET = 'a"secret\\token'


class Screen(io.StringIO):
    """A stream that shows colors."""

    def isatty(self) -> bool:
        """Say that a person reads it."""
        return True


def written(
    write: Callable[[ConsoleReporter], object],
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: str = "",
    stderr: io.StringIO | None = None,
) -> tuple[str, str]:
    """Return what is on standard output and on standard error."""
    stdout, stderr = io.StringIO(), stderr or io.StringIO()
    write(ConsoleReporter(Environment.of(environ or {}), stdout, stderr, masker([SECRET]), dotenv))
    return stdout.getvalue(), stderr.getvalue()


FOR_LATER_JOBS = dict.fromkeys(("outcome", "update_id", "incident_id", "incident_url", "status", "notified"), "")


def publish(**outputs: str) -> Callable[[ConsoleReporter], None]:
    def write(reporter: ConsoleReporter) -> None:
        reporter.set_outputs({name.replace("_", "-"): value for name, value in outputs.items()})
        reporter.publish_outputs()

    return write


def test_outputs_are_one_json_object_on_one_line_with_the_last_value_of_each() -> None:
    update = {"id": "update1234", "description": "Two\nlines, 🛠"}

    def write(reporter: ConsoleReporter) -> None:
        reporter.set_outputs({"outcome": "created", "incident-url": "", "update": json.dumps(update), "updates": ""})
        publish(incident_url="https://status.example.com/")(reporter)

    stdout, stderr = written(write)

    url = {"incident-url": "https://status.example.com/"}
    assert json.loads(stdout) == {"outcome": "created", "update": update, "updates": None, **url}
    assert (stdout.count("\n"), stderr) == (1, "")


@settings(deadline=None, derandomize=True)
@given(texts)
def test_no_text_is_a_command_or_controls_a_terminal(text: str) -> None:
    def write(reporter: ConsoleReporter) -> None:
        reporter.annotate(Level.ERROR, text)
        reporter.log(text)
        reporter.log_group(text, text)
        publish(error=text)(reporter)

    stdout, stderr = written(write)

    assert (commands(stdout + stderr), other_commands(stdout + stderr)) == ([], [])
    assert stderr.startswith("error: ")
    assert stdout.rstrip("\n").isascii()
    assert stdout.rstrip("\n").isprintable()
    assert json.loads(stdout) == {"error": text}


@pytest.mark.parametrize(
    "text",
    [
        *("##vso[task.setvariable variable=x]y", "##teamcity[buildStatus text='x']", "###[error]x", "\n::error::x"),
        *("section_start:1:x\r\x1b[0Kx", "\\##vso[x]##"),
    ],
)
def test_a_text_in_the_outputs_is_no_command_of_any_system_and_keeps_its_value(text: str) -> None:
    stdout, _ = written(publish(status=text, update=json.dumps({"description": text})))

    assert (commands(stdout), other_commands(stdout), stdout.count("\n")) == ([], [], 1)
    assert json.loads(stdout) == {"status": text, "update": {"description": text}}


def test_a_secret_is_in_no_byte() -> None:
    def write(reporter: ConsoleReporter) -> None:
        reporter.log(SECRET)
        reporter.annotate(Level.ERROR, SECRET)
        reporter.log_group(SECRET, SECRET)
        publish(error=SECRET, update=json.dumps({"description": SECRET}))(reporter)

    stdout, stderr = written(write)

    assert json.loads(stdout) == {"error": "***", "update": {"description": "***"}}
    assert stderr == "***\nerror: ***\n***:\n***\n"


def test_the_lines_of_a_message_are_indented() -> None:
    assert written(lambda reporter: reporter.annotate(Level.WARNING, "one\ntwo"))[1] == "warning: one\n  two\n"


XTERM = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("level", "environ", "stderr", "shown"),
    [
        (Level.NOTICE, XTERM, Screen(), "\x1b[32mnotice:\x1b[0m no\n"),
        (Level.WARNING, XTERM, Screen(), "\x1b[33mwarning:\x1b[0m no\n"),
        (Level.ERROR, XTERM | {"NO_COLOR": ""}, Screen(), "\x1b[31merror:\x1b[0m no\n"),
        (Level.ERROR, XTERM | {"NO_COLOR": "1"}, Screen(), "error: no\n"),
        (Level.ERROR, {"TERM": "dumb"}, Screen(), "error: no\n"),
        (Level.ERROR, {}, Screen(), "error: no\n"),
        (Level.ERROR, XTERM, io.StringIO(), "error: no\n"),
    ],
)
def test_a_level_is_colored_only_on_a_terminal_that_wants_it(
    level: Level, environ: dict[str, str], stderr: io.StringIO, shown: str
) -> None:
    assert written(lambda reporter: reporter.annotate(level, "no"), environ, stderr=stderr)[1] == shown


def test_the_files_of_github_are_written_where_they_are_named(tmp_path: Path) -> None:
    environ = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}

    def write(reporter: ConsoleReporter) -> None:
        publish(outcome="created")(reporter)
        reporter.add_summary("# Done")

    written(write, environ)

    assert (tmp_path / "output").read_text(encoding="utf-8").startswith("outcome<<")
    assert (tmp_path / "summary").read_text(encoding="utf-8") == "# Done"


def test_files_of_github_that_are_not_named_cause_no_warning() -> None:
    assert written(lambda reporter: reporter.add_summary("# Done")) == ("", "")


def test_the_file_for_later_jobs_has_words_ids_and_addresses(tmp_path: Path) -> None:
    dotenv = tmp_path / "update.env"
    dotenv.write_text("OLD=1\n", encoding="utf-8")
    ids = {"update_id": "u-1", "incident_id": "i-1", "incident_url": "https://x/"}
    others = {"outcome": "created", "status": "RESOLVED", "notified": "true", "error": "e", "update": "{}"}

    written(publish(**ids, **others), dotenv=str(dotenv))

    assert dotenv.read_text(encoding="ascii") == (
        "ONLINEORNOT_OUTCOME=created\nONLINEORNOT_UPDATE_ID=u-1\nONLINEORNOT_INCIDENT_ID=i-1\n"
        "ONLINEORNOT_INCIDENT_URL=https://x/\nONLINEORNOT_STATUS=RESOLVED\nONLINEORNOT_NOTIFIED=true\n"
    )


@pytest.mark.parametrize("name", ["status", "update_id", "incident_url"])
@pytest.mark.parametrize(
    "value",
    [
        *("UPDATE\nPATH=/tmp", "$(id)", "`id`", "a;b", "a&b", "a|b", "a b", "a\tb", "a<b", "$HOME", "'a'"),
        *('"a"', "a\\b", "https://x/?a=$(id)", "https://x/&id", "https://x/;id", "javascript:x"),
        *("über", "a#b", "~", "*", "\x1b[2K", "a="),
    ],
)
def test_an_output_that_is_no_plain_word_id_or_address_is_empty_in_the_file(
    tmp_path: Path, name: str, value: str
) -> None:
    dotenv = tmp_path / "update.env"

    written(publish(**FOR_LATER_JOBS | {name: value}), dotenv=str(dotenv))

    variables = [f"ONLINEORNOT_{each.upper()}=" for each in FOR_LATER_JOBS]
    assert sorted(dotenv.read_text(encoding="ascii").splitlines()) == sorted(variables)


@pytest.mark.parametrize("name", ["missing/update.env", "\0", "pipe"])
def test_a_file_that_cannot_be_written_is_a_warning(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")  # which has no reader

    stdout, stderr = written(publish(**FOR_LATER_JOBS), dotenv=f"{tmp_path}/{name}")

    assert json.loads(stdout)
    assert stderr.startswith("warning: The file that --dotenv names cannot be written: ")


def test_outputs_that_cannot_be_written_cause_a_warning() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    stdout.close()

    publish(outcome="listed")(ConsoleReporter(Environment.of({}), stdout, stderr, str))

    assert stderr.getvalue() == "warning: The outputs cannot be written to standard output.\n"


def test_closed_streams_do_not_stop_the_work(tmp_path: Path) -> None:
    reporter = ConsoleReporter(Environment.of({}), None, None, str, str(tmp_path / "update.env"))

    reporter.log("lost")
    publish(**FOR_LATER_JOBS)(reporter)

    assert (tmp_path / "update.env").exists()
