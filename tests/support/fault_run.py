"""One step against a server that misbehaves: what the step says, beside what the store holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from support.fault_server import LOST_RESPONSES, STRANGE_RESPONSES, FaultServer, Rule, VirtualClock
from support.runner_model import Command, commands
from support.step import RunStep, run_main

from onlineornot_action.network.deadline import Limits
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult
from onlineornot_sandbox.store import Store

RESPONSE_LIMITS = RunLimits(exchange=Limits(connect=10, response=20))
"""Limits in real time that a healthy server meets even on a busy machine."""
SILENCE_LIMITS = RunLimits(exchange=Limits(connect=10, response=0.3, grace=0.3))
"""Limits for a server that falls silent, so that a test does not wait for long."""

SILENT = {"reset", "close", "silence", "written late", "103, then close", "103 for ever", "not HTTP"}
FALSE_CLAIMS = {f"{name}, before the write" for name in (STRANGE_RESPONSES | LOST_RESPONSES).keys() - SILENT}
"""Faults in which the server begins to claim a write that it did not do."""


@dataclass(frozen=True)
class FaultRun:
    """What a step says it did, and what the store says."""

    result: StepResult
    copies: int
    """How often the store has what the step was to post."""
    posts: int
    connections: int
    seconds: float
    """How long it took, on the virtual clock."""

    @property
    def log(self) -> str:
        """The log of the step."""
        return self.result.log

    @property
    def outputs(self) -> dict[str, str]:
        """The step's outputs."""
        return dict(self.result.outputs)

    @property
    def outcome(self) -> str:
        """The outcome that the step reports."""
        return self.outputs["outcome"]

    @property
    def is_honest(self) -> bool:
        """Whether the step says what the store holds."""
        done = self.outcome in ("created", "opened")
        allowed = {1} if done else {"rejected": {0}, "not-sent": {0}, "unknown": {0, 1}}[self.outcome]
        return self.copies in allowed and self.result.exit_status == int(not done)

    @property
    def is_quiet(self) -> bool:
        """Whether the token is nowhere, and the log has no unintended command."""
        mask, *others = commands(self.log)
        everything = self.log.replace(EDIT_TOKEN, "", 1) + str(self.outputs) + self.result.summary
        loud = [command for command in others if command.name not in ("notice", "error", "warning")]
        final = [command for command in others if command.name in ("notice", "error")]
        return (mask, loud, len(final)) == (Command("add-mask", EDIT_TOKEN), [], 1) and EDIT_TOKEN not in everything


def run_against(
    script: Sequence[Rule],
    store: Store,
    clock: VirtualClock,
    folder: Path,
    copies: Callable[[Store], int],
    inputs: Mapping[str, str],
    *,
    skew: float = 0.0,
    signal_received: Callable[[], int | None] = lambda: None,
    limits: RunLimits | None = None,
) -> FaultRun:
    """Run a step against a server that follows a script; sockets are real, waits between requests are virtual.

    Args:
        script: Which requests are met by which faults.
        store: What the server reads and writes; its clock should be the same.
        clock: What tells the time, of the step and of the server.
        folder: Where the step writes its outputs and its summary.
        copies: Counts in the store what the step was to post.
        inputs: The step's inputs; hyphens are written as underscores.
        skew: By how many seconds the server's clock is ahead.
        signal_received: Tells which signal has come to the step.
        limits: The limits in real time; by default, those that fit the script.
    """
    fitting = SILENCE_LIMITS if any(rule.fault.is_endless for rule in script) else RESPONSE_LIMITS
    with FaultServer(script, store=store, now=clock.time, date_offset=skew) as server:
        step: RunStep = partial(run_main, folder, signal_received=signal_received, clock=clock)
        result = step(api_url=server.url, limits=limits or fitting, **inputs)
        count = copies(server.store)
        posts = sum(request.method == "POST" for request in server.requests)
    return FaultRun(result, count, posts, server.connections, clock.slept)
