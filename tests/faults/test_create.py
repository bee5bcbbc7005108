"""A create against a server that fails in every way at every point: what the store holds must be what the step says.

The sockets are real, and so is the store behind the server; the waits between requests are virtual.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from support.fault_server import (
    CASES,
    FAULTS,
    FOREVER,
    GOOD_ANSWERS,
    JSON_TYPE,
    LOST_ANSWERS,
    STRANGE_ANSWERS,
    FaultServer,
    Phase,
    Play,
    VirtualClock,
    envelope,
    response,
)
from support.runner_model import Command, commands, parse_outputs

from onlineornot_action.main import main
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store

TEXT = "The rollback is through."
LIMITS = RunLimits(connect=1, response=0.1)

PAIRED = [
    *(
        "reset, before the write",
        "reset, after the write",
        "silence, after the write",
        "written late, before the write",
    ),
    *("headers cut between lines, after the write", "500 envelope, before the write", "500 envelope, after the write"),
    *("503 html, before the write", "408 empty, after the write", "200 empty list, before the write"),
    *("201 without an id, before the write", "429 for a second, before the write", "400 envelope, before the write"),
    *("403 html, before the write", "403 html, after the write"),
    *("401 envelope, before the write", "total_count too high, after the write"),
]
"""One fault of each kind, in the phases that make a difference; the others are met one at a time."""

SILENT = {"reset", "close", "silence", "written late", "103, then close", "103 for ever", "not HTTP"}
LIES = {f"{name}, before the write" for name in (STRANGE_ANSWERS | LOST_ANSWERS).keys() - SILENT}
"""Faults in which the server begins to say that it did what it did not do."""


@dataclass(frozen=True)
class Run:
    """What a step came to, by its own account and by the store's."""

    exit_status: int
    outcome: str
    copies: int
    posts: int
    connections: int
    log: str
    outputs: str
    summary: str
    seconds: float

    @property
    def is_honest(self) -> bool:
        """Whether the step says what the store holds."""
        done = self.outcome in ("created", "opened")
        allowed = {1} if done else {"rejected": {0}, "not-sent": {0}, "unknown": {0, 1}}[self.outcome]
        return self.copies in allowed and self.exit_status == int(not done)

    @property
    def is_quiet(self) -> bool:
        """Whether the token is nowhere, and the log has no command that was not meant."""
        mask, *others = commands(self.log)
        everything = self.log.replace(EDIT_TOKEN, "", 1) + self.outputs + self.summary
        loud = [command for command in others if command.name not in ("notice", "error", "warning")]
        final = [command for command in others if command.name in ("notice", "error")]
        return (mask, loud, len(final)) == (Command("add-mask", EDIT_TOKEN), [], 1) and EDIT_TOKEN not in everything


def create(folder: Path, script: Iterable[Play], seconds: int = 120, skew: float = 0.0) -> Run:
    clock = VirtualClock()
    store = Store(lambda: datetime.fromtimestamp(clock.time() + skew, UTC))
    inputs = {"status-page-id": PAGE_ID, "incident-id": INCIDENT_ID, "status": "RESOLVED", "description": TEXT}
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    log = io.StringIO()
    with FaultServer(script, store=store, now=clock.time, date_offset=skew) as server:
        where = {"api-token": EDIT_TOKEN, "api-url": server.url, "timeout-seconds": str(seconds)}
        exit_status = main([], as_variables(inputs | where) | files, log, clock=clock, limits=LIMITS)
        timeline = server.store.timeline()
        posts = sum(request.method == "POST" for request in server.requests)
    outputs = (folder / "output").read_text(encoding="utf-8")
    return Run(
        exit_status=exit_status,
        outcome=parse_outputs(outputs)["outcome"],
        copies=sum(update.description == TEXT for update in timeline),
        posts=posts,
        connections=server.connections,
        log=log.getvalue(),
        outputs=outputs,
        summary=(folder / "summary").read_text(encoding="utf-8"),
        seconds=clock.slept,
    )


def test_a_create_that_meets_no_fault_takes_one_connection(tmp_path: Path) -> None:
    run = create(tmp_path, [])

    assert (run.outcome, run.copies, run.posts, run.connections) == ("created", 1, 1, 1)


@pytest.mark.parametrize("name", CASES)
def test_a_post_that_meets_a_fault_ends_with_what_the_store_holds(tmp_path: Path, name: str) -> None:
    run = create(tmp_path, [replace(CASES[name], method="POST")])

    assert run.is_honest, run.log
    assert run.is_quiet, run.log
    assert run.outcome != "unknown" or name in LIES, run.log


@pytest.mark.parametrize("name", CASES)
def test_a_baseline_that_meets_a_fault_once_is_no_obstacle_unless_it_is_a_refusal(tmp_path: Path, name: str) -> None:
    run = create(tmp_path, [replace(CASES[name], method="GET")])

    assert run.is_honest, run.log
    assert run.is_quiet, run.log
    assert run.outcome == ("rejected" if name[:3] in ("401", "403", "404") else "created"), run.log


@pytest.mark.parametrize(("first", "second"), [*product(PAIRED, PAIRED)])
@pytest.mark.parametrize("methods", [("GET", "POST"), ("POST", "POST")], ids="-".join)
def test_two_faults_in_a_row_never_make_two_copies(
    tmp_path: Path, methods: tuple[str, str], first: str, second: str
) -> None:
    script = [replace(CASES[name], method=method) for name, method in zip((first, second), methods, strict=True)]

    run = create(tmp_path, script)

    assert run.is_honest, run.log
    assert run.is_quiet, run.log


@pytest.mark.parametrize(("first", "second"), [*product(PAIRED, PAIRED)])
def test_a_lost_post_is_reconciled_though_the_list_fails_too(tmp_path: Path, first: str, second: str) -> None:
    baseline = Play(FAULTS["chunked"], Phase.AFTER, "GET")
    script = [baseline, replace(CASES[first], method="POST"), replace(CASES[second], method="GET", times=3)]

    run = create(tmp_path, script)

    assert run.is_honest, run.log
    assert run.is_quiet, run.log


@pytest.mark.parametrize("phase", Phase)
def test_an_outage_of_a_minute_that_takes_the_reads_with_it_ends_with_one_copy(tmp_path: Path, phase: Phase) -> None:
    script = [
        Play(FAULTS["503 html"], method="GET", times=9),
        Play(FAULTS["503 html"], phase, "POST"),
        Play(FAULTS["503 html"], method="GET", times=9),
    ]

    run = create(tmp_path, script)

    assert (run.outcome, run.copies) == ("created", 1), run.log
    assert run.seconds > 30


@pytest.mark.parametrize("name", ["500 envelope", "silence", "200 not JSON"])
@pytest.mark.parametrize("phase", Phase)
def test_a_list_that_never_answers_is_no_reason_to_post_again(tmp_path: Path, name: str, phase: Phase) -> None:
    script = [Play(FAULTS[name], method="GET", times=FOREVER), Play(FAULTS["reset"], phase, "POST")]

    run = create(tmp_path, script, seconds=60)

    assert (run.outcome, run.posts) == ("unknown", 1), run.log
    assert run.is_honest


@pytest.mark.parametrize("seconds", [1, 5, 19])
def test_a_write_that_comes_late_is_found(tmp_path: Path, seconds: float) -> None:
    late = replace(LOST_ANSWERS["written late"], written_after=seconds)

    run = create(tmp_path, [Play(late, method="POST")])

    assert (run.outcome, run.copies, run.posts) == ("created", 1, 1), run.log


@pytest.mark.parametrize("name", ["reset", "500 envelope", "silence"])
def test_a_server_that_loses_every_post_is_given_up_after_three(tmp_path: Path, name: str) -> None:
    run = create(tmp_path, [Play(FAULTS[name], method="POST", times=FOREVER)], seconds=600)

    assert (run.outcome, run.copies, run.posts) == ("not-sent", 0, 3), run.log


@pytest.mark.parametrize("name", STRANGE_ANSWERS)
def test_a_success_that_makes_no_sense_is_never_posted_again(tmp_path: Path, name: str) -> None:
    run = create(tmp_path, [Play(STRANGE_ANSWERS[name], method="POST", times=FOREVER)])

    assert (run.outcome, run.copies, run.posts) == ("unknown", 0, 1), run.log


@pytest.mark.parametrize("name", GOOD_ANSWERS)
def test_a_response_that_only_looks_unusual_is_believed(tmp_path: Path, name: str) -> None:
    run = create(tmp_path, [Play(GOOD_ANSWERS[name], Phase.AFTER, times=FOREVER)])

    assert (run.outcome, run.copies, run.posts) == ("created", 1, 1), run.log


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
def test_a_server_whose_clock_is_wrong_is_understood_all_the_same(tmp_path: Path, skew: float) -> None:
    script = [
        Play(FAULTS["500 empty"], method="GET", times=15),
        Play(FAULTS["reset"], Phase.AFTER, "POST"),
    ]

    run = create(tmp_path, script, skew=skew)

    assert (run.outcome, run.copies, run.posts) == ("created", 1, 1), run.log


@pytest.mark.parametrize(
    ("header", "seconds"), [("2", 2), ("Wed, 01 Jan 2020 00:00:00 GMT", 0), ("soon", 0), ("-5", 0), ("99.5", 0)]
)
def test_a_throttled_post_waits_as_told_or_backs_off(tmp_path: Path, header: str, seconds: float) -> None:
    throttled = response(429, envelope(success=False), JSON_TYPE | {"Retry-After": header})

    run = create(tmp_path, [Play(throttled, method="POST")])

    assert (run.outcome, run.copies, run.posts) == ("created", 1, 2), run.log
    assert seconds <= run.seconds <= seconds + 1


def test_a_retry_after_of_a_day_fails_at_once_and_says_so(tmp_path: Path) -> None:
    throttled = response(429, envelope(success=False), JSON_TYPE | {"Retry-After": "86400"})

    run = create(tmp_path, [Play(throttled, method="POST")])

    assert (run.outcome, run.posts, run.seconds) == ("not-sent", 1, 0), run.log
    assert "86,400 s" in run.outputs


def test_throttling_for_ever_ends_at_the_deadline(tmp_path: Path) -> None:
    run = create(tmp_path, [Play(FAULTS["429 without Retry-After"], method="POST", times=FOREVER)])

    assert run.outcome == "not-sent"
    assert 110 < run.seconds <= 120


def test_what_an_api_says_cannot_leak_the_token_or_give_the_runner_an_order(tmp_path: Path) -> None:
    says = f"no ##[error]{EDIT_TOKEN}\n::set-output name=outcome::created\r::error::{EDIT_TOKEN[:9]}"
    body = envelope(success=False).replace("Scripted failure", says.encode("unicode_escape").decode())

    run = create(tmp_path, [Play(response(422, body, JSON_TYPE), method="POST")])

    assert (run.outcome, run.is_quiet) == ("rejected", True), run.log
    assert "10001: no ## [error]" in run.outputs
