"""`components: restore`: what each component goes back to, and what is left as it is, with the reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import ERROR_ENVELOPE, FAULTS, FOREVER, Rule, response
from support.step import RESPONSE_LIMITS, Result, RunStep, store_on

from onlineornot_sandbox.bodies import IncidentCreate, IncidentUpdateCreate
from onlineornot_sandbox.resources import Incident
from onlineornot_sandbox.seed import API_ID, PAGE_ID, SEARCH_ID
from onlineornot_sandbox.store import Store

UP, SLOW, PART, DOWN, WORKS = "OPERATIONAL", "DEGRADED_PERFORMANCE", "PARTIAL_OUTAGE", "MAJOR_OUTAGE", "MAINTENANCE"
PAGE = f"/v1/status_pages/{PAGE_ID}"
OURS = "Deploys are failing"
LONG_AGO = "2026-01-01T00:00:00.000Z"
CLOSE = {"status": "RESOLVED", "description": "It works again.", "components": "restore", "incident_title": OURS}


def as_settings(statuses: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": component_id, "status": status} for component_id, status in statuses.items()]


def opened(store: Store, title: str = "Other", **statuses: str) -> str:
    """Open an incident that sets components, given as `api="MAJOR_OUTAGE"`, and return its id."""
    fields = {"title": title, "description": "Down.", "status": "INVESTIGATING", "notify_subscribers": False}
    settings = as_settings({f"comp-{name}": status for name, status in statuses.items()})
    return store.create_incident(IncidentCreate.model_validate(fields | {"components": settings})).id


def updated(store: Store, incident_id: str, status: str = "UPDATE", **statuses: str) -> None:
    """Post an update that sets components."""
    settings = as_settings({f"comp-{name}": status for name, status in statuses.items()})
    fields = {"status": status, "description": "News.", "notify_subscribers": False, "components_affected": settings}
    store.create_incident_update(incident_id, IncidentUpdateCreate.model_validate(fields))


def planned(store: Store, begins: float, minutes: int = 60, *statuses: str) -> str:
    """Plan a maintenance of the API that begins in some minutes, post updates to it, and return its id."""
    first = {"status": "SCHEDULED", "description": "Soon.", "components_affected": as_settings({API_ID: WORKS})}
    body = IncidentUpdateCreate.model_validate(first)
    incident = store.create_maintenance("Upgrade", store.now() + timedelta(minutes=begins), minutes, body)
    for status in statuses:
        updated(store, incident.id, status)
    return incident.id


def by_hand(store: Store, status: Any, component_id: str = API_ID) -> None:
    store.components[component_id] = replace(store.components[component_id], status=status)


def earlier(store: Store, *, left: str = "", ended: str = "RESOLVED") -> None:
    """Add an incident that is over and that left the API down, or as given."""
    incident_id = opened(store, api=DOWN)
    updated(store, incident_id, ended, **({"api": left} if left else {}))


put_back = partial(earlier, left=UP)


def in_turn(*happenings: Callable[[Store], Any]) -> Callable[[Store], None]:
    def happen(store: Store) -> None:
        for each in happenings:
            each(store)

    return happen


def then_ours(before: Callable[[Store], Any], after: Callable[[Store], Any] = str) -> Callable[[Store], Any]:
    """Have our incident mark the API as down, between two other events."""

    def happen(store: Store) -> None:
        before(store)
        opened(store, OURS, api=DOWN)
        after(store)

    return happen


def ours(store: Store) -> Incident:
    return next(each for each in store.incidents.values() if each.title == OURS)


def with_change(store: Store, **change: Any) -> None:
    """Let the first update of our incident say something else about the API."""
    incident = ours(store)
    first = replace(incident.updates[0], components=(replace(incident.updates[0].components[0], **change),))
    store.incidents[incident.id] = replace(incident, updates=(first,))


def with_old_status(status: Any) -> Callable[[Store], None]:
    return partial(with_change, old_status=status)


def hand(status: Any) -> Callable[[Store], None]:
    return lambda store: by_hand(store, status)


nothing = in_turn()


def external(store: Store) -> None:
    store.components[API_ID] = replace(store.components[API_ID], is_external_component=True)


def in_another_form(store: Store) -> None:
    store.components[API_ID] = replace(store.components[API_ID], id="ext:api")
    with_change(store, id="ext:api")


SCENARIOS: dict[str, tuple[Callable[[Store], Any], str, str]] = {
    "nothing else": (then_ours(nothing), UP, ""),
    "slow before": (then_ours(hand(SLOW)), SLOW, ""),
    "down before": (then_ours(hand(DOWN)), DOWN, "'API' stays MAJOR_OUTAGE"),
    "no earlier status": (then_ours(hand(SLOW), with_old_status(None)), UP, ""),
    "an unknown earlier status": (then_ours(nothing, with_old_status("ON_FIRE")), UP, "'ON_FIRE', is not one that"),
    "left red by an earlier incident": (then_ours(earlier), UP, ""),
    "left red by one that a hand ended": (
        then_ours(lambda store: store.set_ended(opened(store, api=DOWN), LONG_AGO)),
        UP,
        "",
    ),
    "left red by the earlier, slow by hand": (then_ours(in_turn(earlier, hand(SLOW))), SLOW, ""),
    "put back by the earlier, slow by hand": (then_ours(in_turn(put_back, hand(SLOW))), SLOW, ""),
    "left slow by the last but one": (
        then_ours(in_turn(partial(earlier, left=PART), partial(opened, search=DOWN))),
        UP,
        "",
    ),
    "an open incident, too": (then_ours(lambda store: opened(store, api=PART)), DOWN, "the open incident 'Other'"),
    "a later open incident": (then_ours(nothing, lambda store: opened(store, api=PART)), PART, "incident 'Other'"),
    "one that ended meanwhile": (then_ours(nothing, earlier), UP, ""),
    "maintenance by hand": (then_ours(nothing, hand(WORKS)), WORKS, "somebody has set this status since"),
    "maintenance by our own update": (then_ours(nothing, lambda page: updated(page, ours(page).id, api=WORKS)), UP, ""),
    "an unknown status by hand": (then_ours(nothing, hand("ON_FIRE")), "ON_FIRE", "does not document this status"),
    "operational by hand": (then_ours(nothing, hand(UP)), UP, ""),
    "external": (then_ours(nothing, external), DOWN, "external component"),
    "a maintenance by its schedule": (then_ours(lambda store: planned(store, -5)), DOWN, "incident 'Upgrade'"),
    "a maintenance past its schedule": (then_ours(lambda store: planned(store, -90)), UP, ""),
    "one that takes longer": (then_ours(lambda store: planned(store, -90, 60, "IN_PROGRESS")), DOWN, "'Upgrade'"),
    "one that is completed": (then_ours(lambda store: planned(store, -5, 60, "IN_PROGRESS", "COMPLETED")), UP, ""),
    "one that began early": (then_ours(lambda store: planned(store, 30, 60, "IN_PROGRESS")), DOWN, "'Upgrade'"),
    "one that is to come": (then_ours(nothing, in_turn(partial(planned, begins=30), hand(DOWN))), UP, ""),
    "an id of another form": (then_ours(nothing, in_another_form), DOWN, "'ext:api', is not of the documented form"),
    "no longer there": (then_ours(nothing, lambda store: store.components.pop(API_ID)), "", ""),
}


def lines_of(ended: Result) -> list[str]:
    """Return the warnings of a step, which share an annotation."""
    return "\n".join(ended.warnings).splitlines()


def close(step: RunStep, *script: Rule, **inputs: Any) -> Result:
    ended = step(*script, **CLOSE | inputs)
    assert (ended.outcome, ended.posts) == ("created", 1), ended.log
    return ended


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_component_goes_back_or_a_warning_says_why_not(step: RunStep, store: Store, name: str) -> None:
    happens, status, warning = SCENARIOS[name]
    happens(store)

    ended = close(step)

    assert (store.components[API_ID].status if API_ID in store.components else "") == status
    assert [warning in each for each in lines_of(ended)] == [True] * bool(warning), ended.warnings


@pytest.mark.parametrize("named", ["changed", "empty", "none"])
def test_where_no_update_names_components_those_of_the_incident_become_operational(
    step: RunStep, clock: SkippingClock, named: Any
) -> None:
    store = Store(store_on(clock).now, named_components=named)
    by_hand(store, DOWN)
    opened(store, OURS, api=DOWN, search=DOWN)

    ended = close(step, store=store)

    restored = {SEARCH_ID: UP} if named == "changed" else {SEARCH_ID: UP, API_ID: UP}
    assert {each: store.components[each].status for each in restored} == restored
    assert ["does not confirm" in each for each in lines_of(ended)] == [True, True] * (named == "empty")


FAILURES = {
    **{name: FAULTS[name] for name in ("400 envelope", "401 envelope", "403 html", "404 envelope", "302 elsewhere")},
    **{name: FAULTS[name] for name in ("503 html", "close", "200 empty", "200 rejection", "silence")},
    "429 for long": response(429, ERROR_ENVELOPE, {"Retry-After": "90"}),
}


@pytest.mark.parametrize("name", FAILURES)
def test_another_open_incident_that_cannot_be_read_is_a_warning(
    step: RunStep, store: Store, clock: SkippingClock, name: str
) -> None:
    others = [opened(store, f"Other {number}", search=DOWN) for number in range(3)]
    opened(store, OURS, api=DOWN)
    script = [Rule(FAILURES[name], method="GET", times=FOREVER, path=f"incidents/{other}") for other in others]

    ended = close(step, *script)

    assert store.components[API_ID].status == UP
    assert sorted(line[:33] for line in lines_of(ended)) == [f"The open incident 'Other {n}' could" for n in range(3)]
    assert clock.slept <= RESPONSE_LIMITS.other_incidents + 1


@pytest.mark.parametrize("ends", ["before ours", "during ours"])
def test_an_incident_that_is_over_and_cannot_be_read_is_a_warning(step: RunStep, store: Store, ends: str) -> None:
    other = opened(store, api=PART)
    if ends == "before ours":
        updated(store, other, "RESOLVED")
    opened(store, OURS, api=DOWN)
    if ends == "during ours":
        updated(store, other, "RESOLVED")

    ended = close(step, Rule(FAULTS["500 html"], method="GET", times=FOREVER, path=f"incidents/{other}"))

    assert store.components[API_ID].status == PART
    assert [line[:38] for line in lines_of(ended)] == ["The incident 'Other' could not be read"]


@pytest.mark.parametrize(
    ("happens", "read"),
    [
        (nothing, 0),
        (in_turn(*[put_back] * 3), 0),
        (in_turn(partial(planned, begins=30), hand(UP)), 0),
        (in_turn(*[partial(opened, search=DOWN)] * 2), 2),
        (earlier, 1),
        (hand(SLOW), 1),
        (in_turn(*[put_back] * 25, hand(SLOW)), 1),
        (in_turn(*[lambda store: updated(store, opened(store), "RESOLVED")] * 25, hand(SLOW)), 20),
    ],
)
def test_what_a_close_costs_in_requests(
    step: RunStep, store: Store, happens: Callable[[Store], Any], read: int
) -> None:
    updated(store, "incident0001", "RESOLVED")
    happens(store)
    incident_id = opened(store, OURS, api=DOWN)

    ended = close(step)

    lists = [f"{PAGE}/incidents", f"{PAGE}/incidents/{incident_id}/updates", f"{PAGE}/components"]
    assert ended.requests[:3] == [f"GET {path}" for path in lists]
    details = [request for request in ended.requests[3:-2] if request.startswith(f"GET {PAGE}/incidents/")]
    assert (len(details), ended.requests[-2:]) == (read, [f"POST {lists[1]}", f"GET {PAGE}"])
    assert len(ended.requests) == len(lists) + read + 2
