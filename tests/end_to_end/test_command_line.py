"""The action as a command, for people with a terminal and for CI systems other than GitHub's; and its package."""

import json
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.documents import command_lines
from support.fault_server import FAULTS, FaultServer, Rule

from onlineornot_action.onlineornot import __version__
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox

COMMAND = [sys.executable, "-I", str(ROOT / "entrypoint.py")]
INCIDENT = ["--status-page-id", PAGE_ID, "--incident-id", INCIDENT_ID]
CREATE = ["--status", "RESOLVED", "--description", "All is well: ##[error]::error::"]
SECONDS = 60


def run(
    *arguments: str, command: Sequence[str] = COMMAND, piped: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with only the token in its environment, and a text on standard input."""
    return subprocess.run(
        [*command, *arguments],
        env={"ONLINEORNOT_API_TOKEN": EDIT_TOKEN, **environ},
        input=piped,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def test_a_create_prints_only_the_outputs_on_standard_output(sandbox: Sandbox) -> None:
    variables = {"INPUT_STATUS_PAGE_ID": PAGE_ID, "INPUT_INCIDENT_ID": INCIDENT_ID, "INPUT_API_URL": sandbox.url}

    ended = run(*CREATE, "--notify", "false", **variables)

    posted = sandbox.store.timeline()[-1]
    outputs = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert (outputs["outcome"], outputs["update-id"], outputs["notified"]) == ("created", posted.id, "false")
    assert (outputs["update"], outputs["updates"]) == (posted.as_json(), None)
    assert ended.stderr.startswith("notice: ")
    assert sandbox.store.mails == []


def test_documented_commands_lead_through_an_incident(sandbox: Sandbox) -> None:
    commands = [[word.replace("abcdefgh", PAGE_ID) for word in words] for words in command_lines()]

    ended = [run(*arguments, "--api-url", sandbox.url) for arguments in commands]

    assert [json.loads(each.stdout)["outcome"] for each in ended] == ["opened", "created", "created"]


def test_text_from_standard_input_is_posted(sandbox: Sandbox) -> None:
    text = ["--status", "UPDATE", "--description-file", "-"]

    ended = run(*INCIDENT, *text, "--api-url", sandbox.url, piped="Réglé.\nMerci.\n")

    assert json.loads(ended.stdout)["outcome"] == "created", ended.stderr
    assert sandbox.store.timeline()[-1].description == "Réglé.\nMerci."


def test_a_list_prints_the_updates_and_no_byte_of_the_token(sandbox: Sandbox, tmp_path: Path) -> None:
    dotenv = tmp_path / "update.env"

    ended = run(*INCIDENT, "--operation", "list", "--api-url", sandbox.url, "--dotenv", str(dotenv))

    assert [update["id"] for update in json.loads(ended.stdout)["updates"]] == [UPDATE_ID]
    assert EDIT_TOKEN not in ended.stdout + ended.stderr + dotenv.read_text(encoding="ascii")


@pytest.mark.parametrize("arguments", [["--help"], [*INCIDENT, "--status"]])
def test_a_full_disk_behind_standard_output_does_not_crash(arguments: list[str]) -> None:
    ended = run(*arguments, command=["/bin/sh", "-c", 'exec "$@" > /dev/full', "sh", *COMMAND])

    assert ended.returncode in (0, 1)
    assert "Traceback" not in ended.stderr


def test_a_file_in_a_working_directory_that_is_gone_is_invalid(tmp_path: Path) -> None:
    script = f'cd {tmp_path} && mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    command = ["/bin/sh", "-c", script, "sh", *COMMAND]

    ended = run(*INCIDENT, "--status", "UPDATE", "--description-file", "text", command=command)

    assert json.loads(ended.stdout)["outcome"] == "invalid"
    assert "description-file cannot be read" in ended.stderr


def test_wrong_usage_is_invalid_and_all_of_it_is_reported_at_once(sandbox: Sandbox) -> None:
    ended = run(*INCIDENT, "--status", "FIXED", "--stauts", "x", "--api-token", "x", "--api-url", sandbox.url)

    assert (ended.returncode, json.loads(ended.stdout)["outcome"]) == (1, "invalid")
    assert ended.stderr.count("\n") == len(["status", "--stauts", "--api-token", "description"])
    assert sandbox.store.requests == []


def test_a_command_in_a_step_of_a_workflow_writes_its_outputs_for_the_runner(sandbox: Sandbox, tmp_path: Path) -> None:
    output = tmp_path / "output"

    ended = run(*INCIDENT, *CREATE, "--api-url", sandbox.url, GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(output))

    assert ended.stdout.startswith(f"::add-mask::{EDIT_TOKEN}\n")
    assert "created" in output.read_text(encoding="utf-8")


def test_a_long_wait_says_what_it_is_for_and_an_interruption_that_nothing_was_written() -> None:
    with FaultServer([Rule(FAULTS["silence"])]) as server:
        process = subprocess.Popen(
            [*COMMAND, *INCIDENT, *CREATE, "--api-url", server.url],
            env={"ONLINEORNOT_API_TOKEN": EDIT_TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        with process:
            assert process.stderr
            line = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=SECONDS)

    assert re.match(rf"Waiting for {server.url.removeprefix('http://')} to respond; \d+ s left\n", line)
    assert (process.returncode, json.loads(stdout)["outcome"]) == (130, "cancelled")
    assert "nothing was written" in stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package, as pip does for `pipx run --spec git+…`."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        timeout=SECONDS,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_package_contains_only_the_action(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}

    assert folders == {"onlineornot_action", f"onlineornot_incident_update-{__version__}.dist-info"}


def test_the_command_of_the_package_is_the_action(wheel: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); from importlib.metadata import entry_points; "
        "(command,) = entry_points(group='console_scripts', name='onlineornot-incident-update'); command.load()()"
    )

    ended = run("--version", command=[sys.executable, "-I", "-c", code])

    assert (ended.returncode, ended.stdout) == (0, f"onlineornot-incident-update {__version__}\n"), ended.stderr
