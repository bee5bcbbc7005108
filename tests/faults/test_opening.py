"""An incident is opened against a server that fails in every way: the store must hold what the step says."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from faults.test_create import LIES, Run
from support.fault_server import (
    CASES,
    FAULTS,
    FOREVER,
    LOST_ANSWERS,
    REFUSALS,
    STRANGE_ANSWERS,
    FaultServer,
    Phase,
    Play,
    VirtualClock,
)
from support.interference import lost_while
from support.runner_model import parse_outputs

from onlineornot_action.main import main
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.bodies import IncidentCreate
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.resources import Incident, ScheduledMaintenance
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID
from onlineornot_sandbox.store import Store

LIMITS = RunLimits(connect=1, response=0.25)
TITLE = "Deploys are failing"
TEXT = "The deploy went wrong; we are rolling it back."
PLAN = ScheduledMaintenance(id="maintenance1", start_date="2027-01-15T08:00:00.000Z", duration_minutes=30)

Open = Callable[..., Run]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> Store:
    return Store(lambda: datetime.fromtimestamp(clock.time(), UTC))


@pytest.fixture
def open_incident(clock: VirtualClock, store: Store, tmp_path: Path) -> Open:
    """Run the step that opens an incident unless it is there."""

    def run(*script: Play, store: Store = store, signal: Callable[[], int | None] = lambda: None, **inputs: str) -> Run:
        usual = {"incident_title": TITLE, "if_no_incident": "create", "status": "INVESTIGATING", "description": TEXT}
        given = {name.replace("_", "-"): value for name, value in (usual | inputs).items()}
        output, summary, log = tmp_path / "output", tmp_path / "summary", io.StringIO()
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        with FaultServer(script, store=store, now=clock.time) as server:
            where = {"api-token": EDIT_TOKEN, "api-url": server.url, "status-page-id": PAGE_ID}
            exit_status = main([], as_variables(given | where) | files, log, signal, clock=clock, limits=LIMITS)
            copies = sum(incident.title == TITLE for incident in server.store.incidents.values())
            posts = sum(request.method == "POST" for request in server.requests)
        outputs, page = output.read_text(encoding="utf-8"), summary.read_text(encoding="utf-8")
        outcome = parse_outputs(outputs)["outcome"]
        return Run(exit_status, outcome, copies, posts, server.connections, log.getvalue(), outputs, page, clock.slept)

    return run


@pytest.mark.parametrize("name", CASES)
def test_an_opening_that_meets_a_fault_ends_with_what_the_store_holds(open_incident: Open, name: str) -> None:
    run = open_incident(replace(CASES[name], method="POST"))

    assert run.is_honest, run.log
    assert run.is_quiet, run.log
    assert run.outcome != "unknown" or name in LIES, run.log


@pytest.mark.parametrize("name", FAULTS)
def test_a_list_that_meets_a_fault_once_is_read_again_unless_it_is_refused(open_incident: Open, name: str) -> None:
    run = open_incident(Play(FAULTS[name], method="GET"))

    assert run.outcome == ("rejected" if name in REFUSALS else "opened"), run.log
    assert run.is_honest
    assert run.is_quiet


@pytest.mark.parametrize("name", [*STRANGE_ANSWERS, "close", "500 envelope", "200 refusal", "total_count too low"])
def test_an_incident_that_is_there_is_not_opened_though_its_list_meets_a_fault(
    open_incident: Open, store: Store, name: str
) -> None:
    run = open_incident(Play(FAULTS[name], method="GET"), incident_title=INCIDENT_TITLE)

    assert run.outcome == ("rejected" if name in REFUSALS else "created"), run.log
    assert len(store.incidents) == 1


@pytest.mark.parametrize("name", ["500 envelope", "close", "200 not JSON", "429 for a second", "total_count too high"])
def test_a_list_that_can_never_be_read_opens_nothing(open_incident: Open, name: str) -> None:
    run = open_incident(Play(FAULTS[name], method="GET", times=FOREVER), timeout_seconds="10")

    assert (run.outcome, run.posts) == ("not-sent", 0), run.log


@pytest.mark.parametrize("fault", ["500 html", "200 empty list", "close", "total_count too low"])
@pytest.mark.parametrize("phase", Phase)
def test_a_lost_opening_is_reconciled_though_the_list_fails_too(open_incident: Open, fault: str, phase: Phase) -> None:
    baseline = Play(FAULTS["chunked"], method="GET")

    run = open_incident(baseline, Play(FAULTS["reset"], phase, "POST"), Play(FAULTS[fault], method="GET", times=3))

    assert (run.outcome, run.copies) == ("opened", 1), run.log
    assert run.is_honest


@pytest.mark.parametrize("seconds", [1, 5, 19])
def test_an_incident_that_comes_late_is_found(open_incident: Open, seconds: float) -> None:
    late = replace(LOST_ANSWERS["written late"], written_after=seconds)

    run = open_incident(Play(late, method="POST"))

    assert (run.outcome, run.copies, run.posts) == ("opened", 1, 1), run.log


def test_a_server_that_loses_every_opening_is_given_up_after_three(open_incident: Open) -> None:
    run = open_incident(Play(FAULTS["reset"], method="POST", times=FOREVER), timeout_seconds="600")

    assert (run.outcome, run.copies, run.posts) == ("not-sent", 0, 3), run.log


def test_an_incident_whose_text_cannot_be_read_is_not_opened_again(open_incident: Open) -> None:
    lists, texts = (
        Play(FAULTS[name], method="GET", times=times) for name, times in (("chunked", 2), ("close", FOREVER))
    )

    run = open_incident(Play(FAULTS["reset"], Phase.AFTER, "POST"), lists, texts)

    assert (run.outcome, run.copies, run.posts) == ("unknown", 1, 1), run.log


@pytest.mark.parametrize(
    ("changes", "outcome", "posts"),
    [
        ({"title": TITLE}, "unknown", 1),
        ({"title": f" {TITLE.upper()} "}, "unknown", 1),
        ({"title": TITLE, "created_at": "2020-01-01T00:00:00.000Z"}, "opened", 2),
        ({"title": TITLE, "scheduled_maintenance": PLAN}, "opened", 2),
        ({"title": f"[Automated] {TITLE}"}, "opened", 2),
        ({"title": "Something else"}, "opened", 2),
    ],
)
def test_only_a_new_incident_of_the_title_casts_doubt_on_a_lost_opening(
    open_incident: Open, store: Store, clock: VirtualClock, changes: dict[str, str], outcome: str, posts: int
) -> None:
    now = (datetime.fromtimestamp(clock.time(), UTC) + timedelta(seconds=1)).isoformat()
    other = replace(store.incidents[INCIDENT_ID], **{"id": "incident0009", "created_at": now, **changes})  # type: ignore[arg-type]  # a table
    appears = lost_while(partial(store.incidents.__setitem__, other.id, other))

    run = open_incident(Play(appears, method="POST"))

    assert (run.outcome, run.posts) == (outcome, posts), run.log
    assert (other.id in run.outputs) is (outcome == "unknown")


def test_a_cancelled_job_still_finds_the_incident_that_it_opened(open_incident: Open) -> None:
    signals: list[int] = []
    cancelled = lost_while(partial(signals.append, 15))

    run = open_incident(Play(cancelled, Phase.AFTER, "POST"), signal=lambda: next(iter(signals), None))

    assert (run.exit_status, run.outcome, run.copies) == (143, "cancelled", 1)
    assert "but the update was posted" in run.outputs


class RacingStore(Store):
    """A store in which somebody else is always a moment earlier."""

    def create_incident(self, body: IncidentCreate) -> Incident:
        """Open the other's incident, then the one that was asked for."""
        super().create_incident(body)
        return super().create_incident(body)


def test_of_two_runs_that_open_at_the_same_time_the_later_names_both(open_incident: Open) -> None:
    store = RacingStore()

    run = open_incident(store=store)

    _, other, ours = store.incidents
    assert (run.outcome, parse_outputs(run.outputs)["incident-id"]) == ("opened", ours)
    assert (
        f"::warning::Somebody else opened an incident of this title before: {other}. This run opened {ours}" in run.log
    )


@pytest.mark.parametrize("fault", ["500 html", "429 for a second", "close"])
def test_what_is_only_good_to_know_afterwards_does_not_delay_or_fail_an_opening(
    open_incident: Open, clock: VirtualClock, fault: str
) -> None:
    baseline = Play(FAULTS["chunked"], method="GET")

    run = open_incident(baseline, Play(FAULTS[fault], method="GET", times=FOREVER))

    assert (run.outcome, parse_outputs(run.outputs)["incident-url"]) == ("opened", "")
    assert run.is_honest
    assert clock.slept <= LIMITS.follow_up


def test_components_and_notify_go_with_the_incident(open_incident: Open, store: Store) -> None:
    run = open_incident(components="Core / API: major_outage", notify="false")

    assert (run.outcome, store.components[API_ID].status, store.mails) == ("opened", "MAJOR_OUTAGE", [])
