"""A step against a server that fails as a script says, with real sockets and a virtual clock."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.fault_server import FaultServer, Play, VirtualClock
from support.runner_model import parse_outputs

from onlineornot_action.main import main
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store


@dataclass(frozen=True)
class Ended:
    """What a step came to, and what it sent: method and path of each request, without the query."""

    exit_status: int
    outputs: dict[str, str]
    requests: list[str]
    log: str
    summary: str

    @property
    def outcome(self) -> str:
        """The outcome in one word."""
        return self.outputs["outcome"]

    @property
    def error(self) -> str:
        """The annotation of a failure."""
        return self.outputs["error"]


RunStep = Callable[..., Ended]


@pytest.fixture
def clock() -> VirtualClock:
    """Stop the time."""
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> Store:
    """Fill a status page."""
    return Store(lambda: datetime.fromtimestamp(clock.time(), UTC))


@pytest.fixture
def run_step(clock: VirtualClock, store: Store, tmp_path: Path) -> RunStep:
    """Run the action with these inputs against a server with this script; hyphens are written as underscores."""

    def run(*script: Play, attempt: int = 1, signal: Callable[[], int | None] = lambda: None, **inputs: str) -> Ended:
        output, summary, log = tmp_path / "output", tmp_path / "summary", io.StringIO()
        output.write_bytes(b"")
        summary.write_bytes(b"")
        environ = {
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_RUN_ATTEMPT": str(attempt),
        }
        with FaultServer(script, store=store, now=clock.time) as server:
            usual = {"api_token": EDIT_TOKEN, "api_url": server.url, "status_page_id": PAGE_ID}
            about = {} if "incident_title" in inputs else {"incident_id": INCIDENT_ID}
            given = {name.replace("_", "-"): value for name, value in (usual | about | inputs).items()}
            limits = RunLimits(connect=1, response=1)
            exit_status = main([], as_variables(given) | environ, log, signal, clock=clock, limits=limits)
            requests = [f"{request.method} {request.path.partition('?')[0]}" for request in server.requests]
        outputs = parse_outputs(output.read_text(encoding="utf-8"))
        return Ended(exit_status, outputs, requests, log.getvalue(), summary.read_text(encoding="utf-8"))

    return run
