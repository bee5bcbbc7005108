"""A step against a server that fails as a script says, with real sockets and a virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from support.fault_run import RESPONSE_LIMITS, SILENCE_LIMITS
from support.fault_server import FaultServer, Rule, VirtualClock
from support.step import run_main

from onlineornot_sandbox.local_step import StepResult
from onlineornot_sandbox.seed import INCIDENT_ID
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
def store(clock: VirtualClock) -> Store:
    """Fill a status page."""
    return Store(lambda: datetime.fromtimestamp(clock.time(), UTC))


@pytest.fixture
def run_step(clock: VirtualClock, store: Store, tmp_path: Path) -> RunStep:
    """Run the action with these inputs against a server with this script; hyphens are written as underscores."""

    def run(*script: Rule, attempt: int = 1, signal: Callable[[], int | None] = lambda: None, **inputs: str) -> Ended:
        limits = SILENCE_LIMITS if any(rule.fault.is_endless for rule in script) else RESPONSE_LIMITS
        about = {} if "incident_title" in inputs else {"incident_id": INCIDENT_ID}
        step: Callable[..., StepResult] = partial(run_main, tmp_path, signal_received=signal, clock=clock)
        with FaultServer(script, store=store, now=clock.time) as server:
            environ = {"GITHUB_RUN_ATTEMPT": str(attempt)}
            result = step(environ=environ, limits=limits, api_url=server.url, **(about | inputs))
            requests = [f"{request.method} {request.path.partition('?')[0]}" for request in server.requests]
        return Ended(result.exit_status, dict(result.outputs), requests, result.log, result.summary)

    return run
