"""The image, built by a Docker engine and run as GitHub's runner runs a step, against the sandbox."""

import json
import os
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from support.fault_server import FAULTS, FaultServer, Rule
from support.github_app import HEAD, REPOSITORY, TOKEN, GitHub, pull
from support.github_fixtures import *  # noqa: F403
from support.image import STEP_SECONDS, docker, run_python

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox

pytestmark = pytest.mark.container


MOUNTED = ("workspace", "home", "workflow", "file_commands")
RUNNER_ENVIRON = {
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_OUTPUT": "/github/file_commands/set_output_1f0c",
    "GITHUB_REPOSITORY": "example/shop",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "1234567890",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_STEP_SUMMARY": "/github/file_commands/step_summary_1f0c",
    "GITHUB_WORKSPACE": "/github/workspace",
    "HOME": "/github/home",
}


@dataclass(frozen=True)
class Step:
    """A step that uses the action; `folder` contains the four folders that the runner mounts."""

    image: str
    inputs: Mapping[str, str]
    folder: Path

    @property
    def name(self) -> str:
        """The container's name, unique on this machine."""
        return f"step-{os.getpid()}-{self.folder.name}"

    @property
    def output_file(self) -> Path:
        """What GITHUB_OUTPUT names, seen from outside."""
        return self.folder / "file_commands/set_output_1f0c"

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None, **inputs: str) -> StepResult:
        """Run the step once; an input's hyphens are written as underscores here."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        variables = {**RUNNER_ENVIRON, **(environ or {}), **as_variables({**self.inputs, **given})}
        names = [option for name in variables for option in ("-e", name)]
        mounts = [option for name in MOUNTED for option in ("-v", f"{self.folder / name}:/github/{name}")]
        start = ["run", "--rm", "--name", self.name, "--network", "host", "--workdir", "/github/workspace"]
        ended = docker(*start, *names, *mounts, self.image, *arguments, environ=variables)
        return StepResult(
            exit_status=ended.returncode,
            log=ended.stdout + ended.stderr,
            outputs=parse_outputs(self.output_file.read_text(encoding="utf-8")),
            summary=(self.folder / "file_commands/step_summary_1f0c").read_text(encoding="utf-8"),
        )


@pytest.fixture
def make_step(image: str, tmp_path: Path) -> Callable[[str], Step]:
    """Prepare the files of a step that talks to this address, as the runner does."""

    def make(url: str) -> Step:
        about = {"incident-id": INCIDENT_ID, "status-page-id": PAGE_ID}
        step = Step(image, {"api-token": EDIT_TOKEN, "api-url": url, **about}, tmp_path)
        for name in MOUNTED:
            (tmp_path / name).mkdir()
        step.output_file.touch()
        (tmp_path / "file_commands/step_summary_1f0c").touch()
        (tmp_path / "workflow/event.json").write_text("{}", encoding="utf-8")
        return step

    return make


@pytest.fixture
def step(make_step: Callable[[str], Step], sandbox: Sandbox) -> Step:
    """Prepare a step that talks to the sandbox over HTTP."""
    return make_step(sandbox.url)


def test_create_posts_the_update_and_outputs_its_id(step: Step, sandbox: Sandbox) -> None:
    result = step.run(status="identified", description="Zahlungen haken, wir prüfen 🛠")

    posted = sandbox.store.timeline()[-1]
    assert result.end == (0, "created"), result.log
    assert (posted.status, posted.description) == ("IDENTIFIED", "Zahlungen haken, wir prüfen 🛠")
    assert (result.outputs["update-id"], result.outputs["incident-id"]) == (posted.id, INCIDENT_ID)
    assert "Zahlungen haken, wir prüfen 🛠" in result.summary
    assert EDIT_TOKEN not in result.log.replace(f"::add-mask::{EDIT_TOKEN}", "")


AUTHORITY = "/github/workspace/authority.pem"


@pytest.mark.parametrize(
    ("environ", "end", "word"),
    [
        ({"REQUESTS_CA_BUNDLE": AUTHORITY}, (0, "created"), ""),
        ({"SSL_CERT_FILE": AUTHORITY}, (0, "created"), ""),
        ({}, (1, "not-sent"), "certificate"),
        ({"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}, (1, "not-sent"), "issuer"),
    ],
)
def test_https_trusts_only_the_certificates_that_the_workflow_names(
    make_step: Callable[[str], Step],
    tls: ssl.SSLContext,
    authority: trustme.CA,
    environ: dict[str, str],
    end: tuple[int, str],
    word: str,
) -> None:
    with Sandbox(ssl_context=tls) as sandbox:
        step = make_step(sandbox.url)
        authority.cert_pem.write_to_path(str(step.folder / "workspace/authority.pem"))
        result = step.run(status="RESOLVED", description="All is well.", environ=environ)

    assert result.end == end, result.log
    assert word in result.outputs["error"]
    assert bool(sandbox.store.requests) is (end == (0, "created"))


def test_the_pull_request_of_the_event_shows_what_customers_read(
    step: Step, github: GitHub, server: FaultServer
) -> None:
    github.pulls[HEAD] = [pull(7)]
    (step.folder / "workflow/event.json").write_text(json.dumps({"deployment": {"sha": HEAD}}), encoding="utf-8")
    environ = {"GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_NAME": "deployment"}

    about = {"status": "MONITORING", "description": "Rolled back.", "comment": "true", "github_token": TOKEN}
    result = step.run(environ=environ, **about)

    (comment,) = github.bodies(7)
    assert result.end == (0, "created"), result.log
    assert "\n> Rolled back.\n" in comment
    assert "::warning" not in result.log


def test_a_text_is_read_from_the_workspace_but_python_files_and_netrc_of_the_job_have_no_effect(
    step: Step, sandbox: Sandbox
) -> None:
    (step.folder / "workspace/notes.txt").write_text("Rolled back.\n", encoding="utf-8")
    for module in ("json", "onlineornot_action", "requests", "sitecustomize"):
        trap = f"raise SystemExit('{module} was imported from the workspace')"
        (step.folder / f"workspace/{module}.py").write_text(trap, encoding="utf-8")
    (step.folder / "home/.netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    environ = {"PYTHONPATH": "/github/workspace"}

    result = step.run(status="UPDATE", description_file="notes.txt", environ=environ)

    assert result.end == (0, "created"), result.log
    assert sandbox.store.timeline()[-1].description == "Rolled back."


def test_an_argument_fails_before_anything_is_sent(step: Step, sandbox: Sandbox) -> None:
    result = step.run("--verbose", status="UPDATE", description="Still at it.")

    assert result.end == (1, "invalid"), result.log
    assert sandbox.store.requests == []


def test_outputs_are_written_to_files_of_another_user(step: Step) -> None:
    take_away = f"import os; os.chown('/mnt/{step.output_file.name}', 12345, 12345)"
    run_python(step.image, take_away, "-v", f"{step.output_file.parent}:/mnt")

    result = step.run(operation="list")

    assert result.end == (0, "listed"), result.log
    assert [update["id"] for update in json.loads(result.outputs["updates"])] == [UPDATE_ID]
    assert step.output_file.stat().st_uid == 12345


@pytest.mark.parametrize(("name", "exit_status"), [("TERM", 143), ("INT", 130)])
def test_a_signal_ends_the_step_although_it_is_process_1(
    make_step: Callable[[str], Step], name: str, exit_status: int
) -> None:
    with FaultServer([Rule(FAULTS["silence"])]) as server, ThreadPoolExecutor() as pool:
        step = make_step(server.url)
        running = pool.submit(step.run, status="UPDATE", description="Still at it.")
        server.wait_for("GET")
        docker("kill", "--signal", name, step.name)
        result = running.result(STEP_SECONDS)

    assert result.end == (exit_status, "cancelled"), result.log
    assert len(server.requests) == 1
