"""The action without Docker: `composite/action.yml` as act runs it on this machine, and what it starts as a process."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from installation import name_folder
from support.act import ACT, Act, WorkflowResult
from support.documents import documented_workflows
from support.fault_server import FaultServer
from support.github_app import HEAD, REPOSITORY, SERVER_URL, TOKEN, GitHub, create_github_app, pull, texts
from support.listeners import refusing_address
from support.runner_model import commands
from support.step import files_of_step, outputs_in

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, StepResult
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

START = ROOT / "composite" / "start.py"
CORE = ROOT / "requirements-core.txt"
STEP_SECONDS = 120
RunStart = Callable[..., StepResult]
TEXT = "The rollback is through."
INPUTS = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID, "status": "RESOLVED"}
PUSH = {
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_SERVER_URL": SERVER_URL,
    "GITHUB_SHA": HEAD,
}
JOB = """
name: Composite

on: push

permissions: {}

jobs:
  post:
    runs-on: ubuntu-24.04
    steps:
"""
STEP = """
      - uses: OWNER/onlineornot-incident-update/composite@v1
        with:
          api-token: ${{ secrets.ONLINEORNOT_API_TOKEN }}
          status-page-id: ${{ vars.ONLINEORNOT_STATUS_PAGE_ID }}
          incident-id: incident0001
          status: IDENTIFIED
          description: The cause has been identified.
"""
IN_VAIN = """
        env:
          PIP_CONFIG_FILE: /dev/null
          PIP_FIND_LINKS: ''
          PIP_INDEX_URL: http://127.0.0.1:9
"""
OLD_PYTHON = f"""#!/bin/sh
exec '{sys.executable}' -I -c 'import sys; sys.version_info = (3, 10, 12, "final", 0); exec(sys.argv[1])' "$3"
"""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a Python that has pip and nothing else."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


@pytest.fixture
def action(tmp_path: Path) -> Path:
    """Copy what a step gets of the action's repository."""
    folder = tmp_path / "action"
    for name in ("composite", "src/onlineornot_action"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, folder)
    return folder


@pytest.fixture
def act(sandbox: Sandbox, action: Path, python: Path, tmp_path: Path) -> Act:
    """Run workflows on this machine, without a Docker engine, against the sandbox."""
    if not ACT.exists():
        reason = "act is not installed; `make .venv-tools/installed` does it"
        (pytest.fail if os.environ.get("REQUIRE_ENGINE") == "1" else pytest.skip)(reason)
    environ = {"DOCKER_HOST": "unix:///nonexistent", "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    return Act("", tmp_path, sandbox.url, action=action, in_containers=False, environ=environ)


@pytest.fixture
def start(python: Path, tmp_path: Path) -> RunStart:
    """Run what the action starts as a process."""
    return partial(run_start, python, tmp_path)


@pytest.fixture(scope="session")
def installed(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name a RUNNER_TEMP with the core packages in it, as an earlier step of the job leaves it."""
    folder = tmp_path_factory.mktemp("runner_temp")
    run_start(python, folder, {})
    assert (folder / name_folder(CORE.read_bytes())).is_dir()
    return {"RUNNER_TEMP": str(folder)}


@pytest.fixture
def no_index() -> Iterator[dict[str, str]]:
    """Have pip look for packages where nobody listens."""
    with refusing_address() as address:
        yield index_at(address[1][1])


def index_at(port: int) -> dict[str, str]:
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple"}


def variables(folder: Path, inputs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the step; `folder` is its RUNNER_TEMP, unless the environment says otherwise."""
    of_pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    runner = {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(folder), **files_of_step(folder)}
    given = {"ONLINEORNOT_INPUTS": json.dumps({**INPUTS, **inputs})}
    return {"PATH": os.defpath, "HOME": str(Path.home()), **of_pip, **runner, **given, **environ}


def run_start(
    python: Path, folder: Path, inputs: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> StepResult:
    for file in files_of_step(folder).values():
        Path(file).write_bytes(b"")
    ended = subprocess.run(
        [python, "-I", START],
        env=variables(folder, inputs, environ or {}),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=STEP_SECONDS,
        check=False,
    )
    return StepResult(ended.returncode, ended.stdout, outputs_in(folder), (folder / "summary").read_text("utf-8"))


def annotations(log: str) -> list[tuple[str, str]]:
    return [(each.name, each.data) for each in commands(log) if each.name in ("notice", "warning", "error")]


def annotations_in(result: WorkflowResult) -> list[str]:
    """Return the levels of the annotations of a workflow run."""
    entries = [json.loads(line) for line in result.log.splitlines() if line.startswith("{")]
    return [entry["command"] for entry in entries if entry.get("command") in ("notice", "warning", "error")]


def forge_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lock.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text), encoding="utf-8")


def put_first(folder: Path, **programs: str) -> dict[str, str]:
    """Return a PATH that has these scripts before all else."""
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_steps_of_a_job_share_what_the_first_installs(act: Act, store: Store) -> None:
    second = STEP.replace("IDENTIFIED", "MONITORING").rstrip() + IN_VAIN

    result = act.run(JOB + STEP + second, "push")

    assert (result.jobs, result.outcomes) == ({"post": "success"}, ["created", "created"])
    assert [update.status for update in store.timeline()[1:]] == ["IDENTIFIED", "MONITORING"]
    assert result.outputs[0]["update-id"] == store.timeline()[1].id
    assert annotations_in(result) == ["notice", "notice"]


def test_the_documented_job_posts(act: Act, store: Store) -> None:
    workflow = documented_workflows()["composite"].replace("ubuntu-slim", "ubuntu-24.04")

    result = act.run(workflow, "deployment")

    assert (result.jobs["tell-customers"], result.outcomes) == ("success", ["opened"])
    assert len(store.incidents) == 2


def test_an_interpreter_that_is_too_old_or_lacks_pip_is_left_alone(act: Act, store: Store, tmp_path: Path) -> None:
    path = put_first(tmp_path / "bin", python3=OLD_PYTHON, python=without_pip(tmp_path / "venv"))

    result = replace(act, environ={**act.environ, **path}).run(JOB + STEP, "push")

    assert (result.jobs, result.outcomes) == ({"post": "failure"}, ["not-sent"])
    assert annotations_in(result) == ["error"]
    assert "actions/setup-python" in result.outputs[0]["error"]
    assert store.requests == []


def test_python_is_used_where_python3_is_too_old(act: Act, store: Store, tmp_path: Path) -> None:
    path = put_first(tmp_path / "bin", python3=OLD_PYTHON, python=f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")

    result = replace(act, environ={**act.environ, **path}).run(JOB + STEP, "push")

    assert (result.outcomes, len(store.timeline())) == (["created"], 2)


def test_a_package_with_another_hash_is_not_installed(act: Act, action: Path, store: Store) -> None:
    forge_hashes(action / "requirements-core.txt")

    result = act.run(JOB + STEP + "          fail-on-error: false\n", "push")

    assert (result.jobs, result.outcomes) == ({"post": "failure"}, ["not-sent"])
    assert annotations_in(result) == ["error"]
    assert "lock file does not know" in result.outputs[0]["error"]
    assert store.requests == []


def test_without_an_index_one_annotation_says_what_to_set(act: Act, store: Store) -> None:
    result = act.run(JOB + STEP.rstrip() + IN_VAIN, "push")

    assert (result.jobs, result.outcomes) == ({"post": "failure"}, ["not-sent"])
    assert annotations_in(result) == ["error"]
    assert "PIP_INDEX_URL" in result.outputs[0]["error"]
    assert store.requests == []


def test_fail_on_error_false_makes_a_warning_of_a_missing_index(
    start: RunStart, sandbox: Sandbox, no_index: dict[str, str]
) -> None:
    step = start({"api-url": sandbox.url, "description": TEXT, "fail-on-error": "false"}, no_index)

    ((level, message),) = annotations(step.log)
    assert (step.end, level, message) == ((0, "not-sent"), "warning", step.outputs["error"])
    assert sandbox.store.requests == []


def test_the_output_of_pip_is_folded_and_shows_no_token(start: RunStart, no_index: dict[str, str]) -> None:
    step = start({"github-token": "github-token-1", "description": TEXT}, no_index)

    found = [(command.name, command.data) for command in commands(step.log)]
    masks = [("add-mask", EDIT_TOKEN), ("add-mask", "github-token-1")]
    assert found[:3] == [*masks, ("group", "Output of pip")]
    assert [name for name, _ in found[3:]] == ["endgroup", "error"]
    assert (step.log.count(EDIT_TOKEN), step.log.count("github-token-1")) == (1, 1)


def test_a_folder_that_cannot_be_written_is_said(start: RunStart, tmp_path: Path) -> None:
    step = start({"description": TEXT}, {"RUNNER_TEMP": str(tmp_path / "missing")})

    assert step.end == (1, "not-sent")
    assert [level for level, _ in annotations(step.log)] == ["error"]
    assert "RUNNER_TEMP" in step.outputs["error"]
    assert step.summary.startswith("### ❌ Nothing was sent\n\nThe action's packages cannot be installed")


def test_a_defect_is_said_in_the_outputs_by_its_place(act: Act, action: Path, store: Store) -> None:
    with (action / "composite/installation.py").open("a", encoding="utf-8") as module:
        module.write("\n\ndef name_folder(lock):\n    raise RuntimeError(lock)\n")

    result = act.run(JOB + STEP, "push")

    assert (result.jobs, result.outcomes) == ({"post": "failure"}, ["not-sent"])
    assert result.outputs[0]["error"].startswith("Internal error: RuntimeError in installation.py, line ")
    assert store.requests == []


def test_a_description_arrives_as_it_was_written(start: RunStart, sandbox: Sandbox, installed: dict[str, str]) -> None:
    text = 'She said "it\'s {fine}" \\o/\n\n##[error]no\n::error::no\n$HOME `id` ${{ x }} — ünïcode 🎉'

    step = start({"api-url": sandbox.url, "description": text}, installed)

    assert step.end == (0, "created")
    assert [update.description for update in sandbox.store.timeline()[1:]] == [text]
    assert [level for level, _ in annotations(step.log)] == ["notice"]


def test_inputs_of_an_action_around_this_one_do_not_count(
    start: RunStart, sandbox: Sandbox, installed: dict[str, str]
) -> None:
    of_another = {"INPUT_DRY-RUN": "true", "INPUT_STATUS": "MONITORING"}

    step = start({"api-url": sandbox.url, "description": TEXT}, {**installed, **of_another})

    assert step.end == (0, "created")
    assert step.outputs["status"] == INPUTS["status"]


def test_a_comment_whose_packages_cannot_be_had_is_a_warning_and_the_update_is_posted(
    start: RunStart, sandbox: Sandbox, installed: dict[str, str], no_index: dict[str, str]
) -> None:
    inputs = {"api-url": sandbox.url, "description": TEXT, "comment": "true", "github-token": "github-token-1"}

    step = start(inputs, {**installed, **no_index})

    assert (step.end, len(sandbox.store.timeline())) == ((0, "created"), 2)
    assert [level for level, _ in annotations(step.log)] == ["notice", "warning"]
    assert "PyGithub is not installed" in annotations(step.log)[1][1]


def test_a_comment_is_written_with_the_packages_of_its_lock(start: RunStart, sandbox: Sandbox) -> None:
    github = GitHub(pulls={HEAD: [pull(7)]})
    inputs = {"api-url": sandbox.url, "description": TEXT, "comment": "true", "github-token": TOKEN}

    with FaultServer(app=create_github_app(github)) as server:
        step = start(inputs, {"GITHUB_API_URL": server.url, **PUSH})

    assert step.end == (0, "created")
    assert [level for level, _ in annotations(step.log)] == ["notice"]
    assert [TEXT in text for text in texts(github)] == [True]


@pytest.mark.parametrize(("number", "exit_status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_pip_waits_ends_both_and_pip_knows_no_token(
    python: Path, tmp_path: Path, number: signal.Signals, exit_status: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(STEP_SECONDS)
        environ = variables(tmp_path, {"description": TEXT}, index_at(index.getsockname()[1]))
        command = [str(python), "-I", str(START)]
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process, index.accept()[0]:
            pip = child_of(process.pid)
            pip_knows = (pip / "environ").read_text(encoding="utf-8")
            process.send_signal(number)
            process.wait(STEP_SECONDS)

    outputs = outputs_in(tmp_path)
    assert (process.returncode, outputs["outcome"]) == (exit_status, "cancelled")
    assert "nothing was sent" in outputs["error"]
    assert not pip.exists()
    assert (EDIT_TOKEN in pip_knows, "PIP_INDEX_URL" in pip_knows) == (False, True)
    assert list(tmp_path.glob("onlineornot-*")) == []


def child_of(pid: int) -> Path:
    """Return where Linux tells about the only child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return Path("/proc", child)


def without_pip(folder: Path) -> str:
    """Make a Python that has no pip, and return a script that runs it."""
    venv.create(folder, with_pip=False)
    return f"#!/bin/sh\nexec '{folder}/bin/python' \"$@\"\n"
