"""The action without Docker: `composite/action.yml` as act runs it on this machine, and what it starts as a process."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from installation import name_folder
from support.act import ACT, Act, WorkflowResult
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
TEXT = "The rollback is through."
INPUTS = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID, "status": "RESOLVED"}
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
def act(sandbox: Sandbox, action: Path, tmp_path: Path) -> Act:
    """Run workflows on this machine, without a Docker engine, against the sandbox."""
    if not ACT.exists():
        reason = "act is not installed; `make .venv-tools/installed` does it"
        (pytest.fail if os.environ.get("REQUIRE_ENGINE") == "1" else pytest.skip)(reason)
    return Act("", tmp_path, sandbox.url, action=action, environ={"DOCKER_HOST": "unix:///nonexistent"})


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a RUNNER_TEMP with the core packages, as an earlier step of the job would."""
    folder = tmp_path_factory.mktemp("runner_temp")
    run_start(folder, {})
    assert (folder / name_folder(CORE.read_bytes())).is_dir()
    return folder


@pytest.fixture
def no_index() -> Iterator[dict[str, str]]:
    """Have pip look for packages where nobody listens."""
    with refusing_address() as address:
        yield index_at(address.sockaddr[1])


def index_at(port: int) -> dict[str, str]:
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple"}


def variables(folder: Path, inputs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the step; `folder` is its RUNNER_TEMP, unless the environment says otherwise."""
    of_pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    runner = {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(folder), **files_of_step(folder)}
    given = {"ONLINEORNOT_INPUTS": json.dumps(INPUTS | inputs)}
    return {"PATH": os.defpath, "HOME": str(Path.home()), **of_pip, **runner, **given, **environ}


def run_start(
    folder: Path, inputs: Mapping[str, str], environ: Mapping[str, str] | None = None, *, start: Path = START
) -> StepResult:
    """Run what the action starts as a process."""
    for file in files_of_step(folder).values():
        Path(file).write_bytes(b"")
    ended = subprocess.run(
        [sys.executable, "-I", str(start)],
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


def posted(store: Store) -> list[str]:
    return [update.description for update in store.timeline()[1:]]


def forge_hashes(lock: Path) -> None:
    lock.write_text(lock.read_text(encoding="utf-8").replace("--hash=sha256:", "--hash=sha256:0")[:], encoding="utf-8")


def put_first(folder: Path, **programs: str) -> dict[str, str]:
    """Return a PATH that has these scripts before all else."""
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
