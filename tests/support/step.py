"""The action in this process, run as a step of a workflow."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM

from support.clock import SkippingClock
from support.fault_server import End, FaultServer, Rule
from support.runner_model import Command, commands

from onlineornot_action.main import main
from onlineornot_action.network.connect import Resolve, install, resolve_name
from onlineornot_action.network.deadline import Clock, Limits
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store

RESPONSE_LIMITS = RunLimits(exchange=Limits(connect=10, response=20))
"""Limits that a healthy server meets even on a busy machine."""
SILENCE_LIMITS = RunLimits(exchange=Limits(connect=10, response=0.3, grace=0.3))
"""Limits for a server that falls silent, so that a test does not wait for long."""


@dataclass(frozen=True)
class Result(StepResult):
    """What a step reports, what it sent, and what the store holds afterwards."""

    requests: Sequence[str]
    """Method and path of each request, without the query."""
    connections: int
    seconds: float
    """How long it waited between requests, by its clock."""
    copies: int
    """How many updates have its description."""

    @property
    def outcome(self) -> str:
        """The outcome in one word."""
        return self.outputs["outcome"]

    @property
    def error(self) -> str:
        """The annotation of a failure."""
        return self.outputs["error"]

    @property
    def warnings(self) -> list[str]:
        """The warnings in the log."""
        return [command.data for command in commands(self.log) if command.name == "warning"]

    @property
    def posts(self) -> int:
        """How many POST requests were sent."""
        return sum(request.startswith("POST") for request in self.requests)

    @property
    def is_honest(self) -> bool:
        """Whether the outcome of a create says what the store holds."""
        done = self.outcome in ("created", "opened")
        allowed = {1} if done else {"rejected": {0}, "not-sent": {0}, "unknown": {0, 1}}[self.outcome]
        return self.copies in allowed and self.exit_status == int(not done)

    @property
    def is_quiet(self) -> bool:
        """Whether the token appears nowhere, and the log has no unintended command."""
        mask, *others = commands(self.log)
        everything = self.log.replace(EDIT_TOKEN, "", 1) + str(self.outputs) + self.summary
        loud = [command for command in others if command.name not in ("notice", "error", "warning")]
        final = [command for command in others if command.name in ("notice", "error")]
        return (mask, loud, len(final)) == (Command("add-mask", EDIT_TOKEN), [], 1) and EDIT_TOKEN not in everything


RunStep = Callable[..., Result]
"""Runs the action; the arguments are those of `run_main` without the folder."""


def store_on(clock: Clock) -> Store:
    """Fill a page with one open incident, on a clock."""
    return Store(lambda: datetime.fromtimestamp(clock.time(), UTC))


def files_of_step(folder: Path) -> dict[str, str]:
    """Name the files that a step writes, as its environment does."""
    return {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}


def outputs_in(folder: Path) -> dict[str, str]:
    """Read the outputs that a step has written so far."""
    return parse_outputs((folder / "output").read_text(encoding="utf-8"))


def run_main(
    folder: Path,
    *script: Rule,
    store: Store | None = None,
    arguments: Sequence[str] = (),
    attempt: int = 1,
    environ: Mapping[str, str] | None = None,
    signal_received: Callable[[], int | None] | None = None,
    clock: Clock | None = None,
    limits: RunLimits | None = None,
    resolve: Resolve | None = None,
    **inputs: str,
) -> Result:
    """Run the action once against the sandbox, on its page and its incident.

    Args:
        folder: Where its output and its summary are written.
        script: Which requests are met by which faults.
        store: What the sandbox serves; by default, a new one on the clock.
        arguments: The command line, which should be empty.
        attempt: The number of the attempt of the job.
        environ: The environment, besides inputs and files.
        signal_received: Returns the signal that was received; by default, SIGTERM once a rule has cancelled the job.
        clock: Tells the time; by default, one on which waiting takes no time.
        limits: How long each part of the work may take; by default, what the script needs.
        resolve: Returns the addresses of a name.
        inputs: The step's `with:`; hyphens are written as underscores. `api_url` names another server.
    """
    install(resolve or resolve_name)
    clock = clock or SkippingClock()
    files = files_of_step(folder)
    for file in files.values():
        Path(file).write_bytes(b"")
    fitting = SILENCE_LIMITS if any(rule.fault.end is End.SILENCE for rule in script) else RESPONSE_LIMITS
    log = io.StringIO()
    with FaultServer(script, store=store or store_on(clock)) as server:
        received = signal_received or (lambda: SIGTERM if server.cancelled else None)
        runner = {**files, "GITHUB_RUN_ATTEMPT": str(attempt)}
        variables = {**runner, **as_variables(_given(inputs, server.url)), **(environ or {})}
        status = main(arguments, variables, log, log, received, clock=clock, limits=limits or fitting)
        incidents = server.store.incidents.values()
        requests = [f"{request.method} {request.path.partition('?')[0]}" for request in server.requests]
    texts = [update.description for incident in incidents for update in incident.updates]
    return Result(
        exit_status=status,
        log=log.getvalue(),
        outputs=outputs_in(folder),
        summary=(folder / "summary").read_text(encoding="utf-8"),
        requests=requests,
        connections=server.connections,
        seconds=getattr(clock, "slept", 0.0),
        copies=texts.count(inputs.get("description", "")),
    )


def _given(inputs: Mapping[str, str], url: str) -> dict[str, str]:
    given = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "api-url": url}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    return given if "incident-title" in given else {"incident-id": INCIDENT_ID} | given
