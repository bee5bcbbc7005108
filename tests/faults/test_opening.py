"""An incident is opened against a server that fails in every way: the store must hold what the step reports."""

import html
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import (
    CASES,
    FALSE_CLAIMS,
    FAULTS,
    FOREVER,
    INTERCEPTED,
    JSON_TYPE,
    REJECTIONS,
    STRANGE_RESPONSES,
    Fault,
    Phase,
    Rule,
    envelope,
    lost_while,
    response,
)
from support.step import RESPONSE_LIMITS, RunStep

from onlineornot_sandbox.bodies import IncidentCreate
from onlineornot_sandbox.resources import Incident, ScheduledMaintenance
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE
from onlineornot_sandbox.store import Store

TITLE = "Deploys are failing"
TEXT = "The deploy went wrong; we are rolling it back."
PLAN = ScheduledMaintenance(id="maintenance1", start_date="2027-01-15T08:00:00.000Z", duration_minutes=30)


@pytest.fixture
def open_incident(step: RunStep) -> RunStep:
    """Run the step that opens an incident unless it is open already."""
    return partial(step, incident_title=TITLE, if_no_incident="create", status="INVESTIGATING", description=TEXT)


@pytest.mark.parametrize("name", CASES)
def test_an_opening_that_meets_a_fault_ends_with_what_the_store_holds(open_incident: RunStep, name: str) -> None:
    run = open_incident(replace(CASES[name], method="POST"))

    assert (run.is_honest, run.is_quiet) == (True, True), run.log
    assert run.outcome != "unknown" or name in FALSE_CLAIMS, run.log


@pytest.mark.parametrize("name", FAULTS)
def test_a_list_that_meets_a_fault_once_is_read_again_unless_it_is_refused(open_incident: RunStep, name: str) -> None:
    run = open_incident(Rule(FAULTS[name], method="GET"))

    assert run.outcome == ("rejected" if name in REJECTIONS | INTERCEPTED else "opened"), run.log
    assert (run.is_honest, run.is_quiet) == (True, True), run.log


@pytest.mark.parametrize("name", [*STRANGE_RESPONSES, "close", "500 envelope", "200 rejection", "total_count too low"])
def test_an_open_incident_is_not_opened_again_after_a_fault_in_the_list(
    open_incident: RunStep, store: Store, name: str
) -> None:
    run = open_incident(Rule(FAULTS[name], method="GET"), incident_title=INCIDENT_TITLE)

    assert run.outcome == ("rejected" if name in REJECTIONS else "created"), run.log
    assert len(store.incidents) == 1


def test_an_empty_list_without_a_count_hides_no_open_incident(open_incident: RunStep, store: Store) -> None:
    empty = response(200, envelope([]), JSON_TYPE)

    run = open_incident(Rule(empty, method="GET", times=3), incident_title=INCIDENT_TITLE)

    assert (run.outcome, len(store.incidents)) == ("created", 1), run.log


@pytest.mark.parametrize("name", ["500 envelope", "429 for a second"])
def test_nothing_is_opened_while_the_list_cannot_be_read(open_incident: RunStep, name: str) -> None:
    run = open_incident(Rule(FAULTS[name], method="GET", times=FOREVER), timeout_seconds="10")

    assert (run.outcome, run.posts) == ("not-sent", 0), run.log


@pytest.mark.parametrize("fault", ["500 html", "200 empty list", "close", "total_count too low"])
@pytest.mark.parametrize("phase", Phase)
def test_a_lost_opening_is_reconciled_even_if_the_list_fails_too(
    open_incident: RunStep, fault: str, phase: Phase
) -> None:
    baseline = Rule(FAULTS["chunked"], method="GET")

    run = open_incident(baseline, Rule(FAULTS["reset"], phase, "POST"), Rule(FAULTS[fault], method="GET", times=3))

    assert (run.outcome, run.copies) == ("opened", 1), run.log
    assert run.is_honest


def test_an_incident_whose_text_cannot_be_read_is_not_opened_again_but_the_page_is_to_be_looked_at(
    open_incident: RunStep,
) -> None:
    texts = Rule(FAULTS["close"], method="GET", times=FOREVER, path="/updates")

    run = open_incident(Rule(FAULTS["reset"], Phase.AFTER, "POST"), texts)

    assert (run.outcome, run.copies, run.posts, run.outputs["incident-url"]) == ("unknown", 1, 1, ""), run.log
    assert "**[Look at the status page](https://" in run.summary


@pytest.mark.parametrize(
    ("changes", "outcome", "posts"),
    [
        ({"title": TITLE}, "unknown", 1),
        ({"title": f" {TITLE.upper()} "}, "unknown", 1),
        ({"title": TITLE, "created_at": "2020-01-01T00:00:00.000Z"}, "unknown", 1),
        ({"title": TITLE, "scheduled_maintenance": PLAN}, "opened", 2),
        ({"title": f"[Automated] {TITLE}"}, "opened", 2),
        ({"title": "Something else"}, "opened", 2),
    ],
)
def test_a_new_incident_of_the_title_with_another_text_casts_doubt_on_a_lost_opening(
    open_incident: RunStep, store: Store, changes: dict[str, Any], outcome: str, posts: int
) -> None:
    other = other_incident(store, **changes)

    run = open_incident(Rule(appearing(store, other), method="POST"))

    assert (run.outcome, run.posts) == (outcome, posts), run.log
    assert (other.id in str(run.outputs)) is (outcome == "unknown")


def test_a_cancelled_job_still_finds_the_incident_that_it_opened(open_incident: RunStep, store: Store) -> None:
    run = open_incident(Rule(FAULTS["close"], Phase.AFTER, "POST", cancels=True))

    assert (run.exit_status, run.outcome, run.copies) == (143, "cancelled", 1)
    _, opened = store.incidents.values()
    assert (run.outputs["update-id"], run.outputs["notified"]) == (opened.updates[0].id, "true")
    assert "but the update was posted" in run.outputs["error"]
    assert "There is nothing to do." in run.summary
    assert "Customers see the update; subscribers are notified." in run.summary


class RacingStore(Store):
    """A store in which another run always opens the same incident a moment earlier."""

    def create_incident(self, body: IncidentCreate) -> Incident:
        """Open the other run's incident, then the requested one."""
        super().create_incident(body)
        return super().create_incident(body)


def test_the_later_of_two_runs_that_open_at_the_same_time_names_both(open_incident: RunStep) -> None:
    store = RacingStore()

    run = open_incident(store=store)

    _, other, ours = store.incidents
    assert (run.outcome, run.outputs["incident-id"]) == ("opened", ours)
    assert (
        f"::warning::Somebody else opened an incident of this title before: {other}. This run opened {ours}" in run.log
    )


@pytest.mark.parametrize("fault", ["500 html", "429 for a second", "close"])
def test_reading_optional_information_neither_delays_nor_fails_an_opening(
    open_incident: RunStep, clock: SkippingClock, fault: str
) -> None:
    baseline = Rule(FAULTS["chunked"], method="GET")

    run = open_incident(baseline, Rule(FAULTS[fault], method="GET", times=FOREVER))

    assert (run.outcome, run.outputs["incident-url"]) == ("opened", "")
    assert run.is_honest
    assert clock.slept <= RESPONSE_LIMITS.follow_up


def test_components_and_notify_are_sent_with_the_incident(open_incident: RunStep, store: Store) -> None:
    run = open_incident(components="Core / API: major_outage", notify="false")

    assert (run.outcome, store.components[API_ID].status, store.mails) == ("opened", "MAJOR_OUTAGE", [])


KEPT_TITLES: dict[str, Callable[[str], str]] = {
    "escaped": html.escape,
    "escaped twice": lambda title: html.escape(html.escape(title)),
    "without emoji": lambda title: title.replace("\N{FIRE} ", ""),
    "cut": lambda title: title[:50],
    "cut, with an ellipsis": lambda title: f"{title[:41]}...",
    "in lower case": str.lower,
    "spaces normalized": lambda title: " ".join(title.split()),
    "something else": lambda _: "Incident",
}
"""How a page may keep a title."""

FOUND_AGAIN = ("escaped", "spaces normalized", "in lower case")
NOT_OURS = ("escaped twice", "something else")
ODD_TITLE = "\N{FIRE} Deploys &  rollbacks are failing (api), in Europe and elsewhere"


def keeping(store: Store, name: str) -> Store:
    """Make a store that changes titles in this way, with the incidents of another store."""
    odd = Store(store.now, keep_title=KEPT_TITLES[name])
    odd.incidents = store.incidents
    return odd


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize("name", KEPT_TITLES)
def test_an_incident_is_opened_once_however_the_page_keeps_its_title(
    open_incident: RunStep, store: Store, name: str, phase: Phase | None
) -> None:
    odd = keeping(store, name)
    script = [] if phase is None else [Rule(FAULTS["reset"], phase, "POST")]

    run = open_incident(*script, store=odd, incident_title=ODD_TITLE)

    incident = [*odd.incidents.values()][-1]
    is_unknown = phase is Phase.AFTER and name in NOT_OURS
    assert (run.outcome, run.copies) == ("unknown" if is_unknown else "opened", 1), run.log
    assert incident.id in run.outputs["error" if is_unknown else "incident-id"]
    is_warned = not is_unknown and name not in FOUND_AGAIN
    assert (f" will not find incident {incident.id}." in "".join(run.warnings)) is is_warned, run.log
    assert not is_warned or f" as '{incident.title}', so a later step" in "".join(run.warnings)


@pytest.mark.parametrize("silent", ["POST", "GET"])
def test_the_title_that_the_page_keeps_is_seen_in_the_response_or_in_the_list(
    open_incident: RunStep, store: Store, silent: str
) -> None:
    fault = Fault(lambda reply: [replace(reply, body=reply.body.replace(b'"title"', b'"heading"')).wire()])
    baseline = Rule(FAULTS["chunked"], method="GET")

    run = open_incident(
        baseline,
        Rule(fault, Phase.AFTER, silent, times=FOREVER),
        store=keeping(store, "cut"),
        incident_title=ODD_TITLE,
    )

    assert run.outcome == "opened"
    assert f"as '{ODD_TITLE[:50]}', so a later step" in "".join(run.warnings)


def other_incident(store: Store, number: int = 9, **changes: object) -> Incident:
    """Make an incident that somebody else opens a second after the start."""
    now = (store.now() + timedelta(seconds=1)).isoformat()
    fields: dict[str, object] = {"id": f"incident{number:04}", "created_at": now, "title": f"Other {number}"}
    return replace(store.incidents[INCIDENT_ID], **fields | changes)  # type: ignore[arg-type]  # a table


def appearing(store: Store, *incidents: Incident) -> Fault:
    """Make the fault that is a lost response while others open these incidents."""
    return lost_while(partial(store.incidents.update, {each.id: each for each in incidents}))


@pytest.mark.parametrize(
    ("text", "outcome", "posts"),
    [
        ("Somebody else's words.", "opened", 2),
        (TEXT, "unknown", 1),
        (f" {TEXT}\r\n", "unknown", 1),
        (TEXT.replace(";", "&#59;"), "unknown", 1),
        (TEXT.upper(), "opened", 2),
    ],
)
def test_a_new_incident_with_another_title_is_judged_by_its_first_update(
    open_incident: RunStep, store: Store, text: str, outcome: str, posts: int
) -> None:
    update = replace(store.timeline()[0], description=text, status="INVESTIGATING", components=())
    later = replace(update, id="update000009", created_at="2099-01-01T00:00:00.000Z", description="Later.")
    other = other_incident(store, updates=(update, later))

    run = open_incident(Rule(appearing(store, other), method="POST"))

    assert (run.outcome, run.posts) == (outcome, posts), run.log


@pytest.mark.parametrize(
    ("fault", "times", "outcome", "posts"),
    [
        ("close", FOREVER, "unknown", 1),
        ("404 envelope", FOREVER, "unknown", 1),
        ("200 empty list", FOREVER, "unknown", 1),
        ("total_count too high", FOREVER, "unknown", 1),
        ("500 html", 60, "opened", 2),
    ],
)
def test_a_new_incident_keeps_the_opening_from_being_repeated_until_it_can_be_read(
    open_incident: RunStep, store: Store, fault: str, times: float, outcome: str, posts: int
) -> None:
    other = other_incident(store)
    unreadable = Rule(FAULTS[fault], method="GET", times=times, path="/updates")

    run = open_incident(Rule(appearing(store, other), method="POST"), unreadable)

    assert (run.outcome, run.posts, run.copies) == (outcome, posts, posts - 1), run.log
    assert (f"could not be read: {other.id}" in run.outputs["error"]) is (outcome == "unknown")


def test_the_opened_incident_is_found_behind_one_that_cannot_be_read(open_incident: RunStep, store: Store) -> None:
    odd, other = keeping(store, "cut"), other_incident(store)
    unreadable = Rule(FAULTS["500 html"], method="GET", times=FOREVER, path=f"{other.id}/updates")

    run = open_incident(
        Rule(appearing(store, other), Phase.AFTER, "POST"), unreadable, store=odd, incident_title=ODD_TITLE
    )

    assert (run.outcome, run.copies, run.posts) == ("opened", 1, 1), run.log


@pytest.mark.parametrize(
    ("count", "phase", "outcome"),
    [(20, Phase.BEFORE, "opened"), (120, Phase.BEFORE, "unknown"), (120, Phase.AFTER, "opened")],
)
def test_many_new_incidents_are_each_read_once_that_with_the_title_first_and_too_many_end_as_unknown(
    open_incident: RunStep, store: Store, count: int, phase: Phase, outcome: str
) -> None:
    others = [other_incident(store, number) for number in range(1, count + 1)]

    run = open_incident(Rule(appearing(store, *others), phase, "POST"))

    assert (run.outcome, run.is_honest) == (outcome, True), run.log
    assert run.seconds < 60
    assert sum("/updates" in request for request in run.requests) <= min(count + 1, 101)


def test_of_two_new_incidents_with_the_same_text_the_one_with_the_title_is_ours(
    open_incident: RunStep, store: Store
) -> None:
    update = replace(store.timeline()[0], description=TEXT, status="INVESTIGATING", components=())
    other = other_incident(store, updates=(update,), created_at=store.now().isoformat())

    run = open_incident(Rule(appearing(store, other), Phase.AFTER, "POST"))

    assert (run.outcome, run.posts) == ("opened", 1), run.log
    assert run.outputs["incident-id"] != other.id
    assert "more than once" not in run.log
