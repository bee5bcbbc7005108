"""`skip-duplicate`: when an update is posted although the incident has one that says the same, and when not."""

from dataclasses import replace
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, FOREVER, JSON_TYPE, Rule, envelope, http_date, response
from support.step import RunStep

from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID
from onlineornot_sandbox.store import Store

SAME = {"status": "IDENTIFIED", "description": "The deploy failed; we are rolling it back."}
ASKED = SAME | {"skip_duplicate": "true"}
OTHER = {"status": "UPDATE", "description": "Something else happened."}
NOW = "2027-01-15T08:00:00.000Z"
HOUR = 3600.0
INCIDENT = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}"
UPDATES = f"{INCIDENT}/updates"
PAGE = f"/v1/status_pages/{PAGE_ID}"


def add(store: Store, update: dict[str, str], **more: Any) -> str:
    """Post an update past the action, and return its id."""
    body = IncidentUpdateCreate.model_validate(update | {"notify_subscribers": False} | more)
    return store.create_incident_update(INCIDENT_ID, body).id


def change_newest(store: Store, **changes: Any) -> None:
    incident = store.incidents[INCIDENT_ID]
    *older, newest = incident.updates
    store.incidents[INCIDENT_ID] = replace(incident, updates=(*older, replace(newest, **changes)))


def test_the_newest_update_of_an_open_incident_is_not_repeated(step: RunStep, store: Store) -> None:
    there = add(store, SAME)

    ended = step(**ASKED)

    assert (ended.exit_status, ended.outcome, ended.outputs["update-id"]) == (0, "unchanged", there)
    assert ended.requests == [f"GET {UPDATES}", f"GET {INCIDENT}", f"GET {PAGE}"]
    assert ended.warnings == []


def test_a_first_attempt_that_finds_no_duplicate_costs_no_further_request(step: RunStep) -> None:
    ended = step(**ASKED)

    assert (ended.outcome, ended.requests) == ("created", [f"GET {UPDATES}", f"POST {UPDATES}", f"GET {PAGE}"])


def test_the_incident_of_a_title_is_not_read_again(step: RunStep, store: Store) -> None:
    add(store, SAME)

    ended = step(**ASKED, incident_title=INCIDENT_TITLE)

    assert (ended.outcome, ended.requests) == ("unchanged", [f"GET {PAGE}/incidents", f"GET {UPDATES}", f"GET {PAGE}"])


@pytest.mark.parametrize(
    ("asked", "attempt", "outcome"),
    [
        ("true", 1, "created"),
        ("true", 2, "created"),
        ("auto", 1, "created"),
        ("auto", 2, "unchanged"),
        ("false", 2, "created"),
    ],
)
def test_only_auto_looks_beyond_the_newest_update_and_only_on_a_rerun(
    step: RunStep, store: Store, asked: str, attempt: int, outcome: str
) -> None:
    add(store, SAME)
    add(store, OTHER)

    ended = step(**SAME, skip_duplicate=asked, attempt=attempt)

    assert ended.outcome == outcome
    newest = store.timeline()[-1].id
    assert [newest in warning for warning in ended.warnings] == [True] * (outcome == "unchanged")


@pytest.mark.parametrize("difference", [{"status": "MONITORING"}, {"description": "Another text."}])
def test_a_newest_update_that_differs_is_no_duplicate(step: RunStep, store: Store, difference: dict[str, str]) -> None:
    add(store, SAME | difference)

    assert step(**ASKED).outcome == "created"


def test_components_count(step: RunStep, store: Store) -> None:
    add(store, SAME, components_affected=[{"id": API_ID, "status": "MAJOR_OUTAGE"}])

    same = step(**ASKED, components=f"{API_ID}: major_outage")
    different = step(**ASKED, components=f"{API_ID}: partial_outage")

    assert (same.outcome, different.outcome) == ("unchanged", "created")


@pytest.mark.parametrize("status", ["UPDATE", "INVESTIGATING"])
def test_an_incident_that_is_over_is_no_reason_to_be_silent(step: RunStep, store: Store, status: str) -> None:
    add(store, SAME | {"status": status})
    store.incidents[INCIDENT_ID] = replace(store.incidents[INCIDENT_ID], ended=NOW)

    ended = step(**ASKED | {"status": status})

    assert (ended.outcome, ended.outputs["notified"]) == ("created", "true")
    assert "the incident was over" in ended.summary
    assert ended.requests == [f"GET {UPDATES}", f"GET {INCIDENT}", f"POST {UPDATES}", f"GET {PAGE}"]


@pytest.mark.parametrize("fault", ["500 html", "silence", "404 envelope", "403 html"])
def test_an_unreadable_incident_does_not_hold_the_update_back(
    step: RunStep, store: Store, clock: SkippingClock, fault: str
) -> None:
    add(store, SAME)
    lists = Rule(FAULTS["chunked"], method="GET")

    ended = step(lists, Rule(FAULTS[fault], method="GET", times=FOREVER), **ASKED)

    assert ended.outcome == "created"
    assert "not known whether the incident is still open" in ended.summary
    assert clock.slept < 10


@pytest.mark.parametrize("fault", ["500 html", "400 envelope"])
def test_an_unreadable_list_does_not_hold_a_first_attempt_back(
    step: RunStep, store: Store, clock: SkippingClock, fault: str
) -> None:
    add(store, SAME)

    ended = step(Rule(FAULTS[fault], method="GET", times=FOREVER), **ASKED)

    assert ended.outcome == "created"
    assert "could not be read beforehand, so skip-duplicate had no effect" in ended.summary
    assert clock.slept <= 31


@pytest.mark.parametrize(("fault", "outcome"), [("500 html", "not-sent"), ("400 envelope", "rejected")])
def test_a_rerun_needs_the_list(step: RunStep, store: Store, fault: str, outcome: str) -> None:
    add(store, SAME)

    ended = step(Rule(FAULTS[fault], method="GET", times=FOREVER), **SAME, attempt=2)

    assert (ended.outcome, len(store.timeline())) == (outcome, 2)


@pytest.mark.parametrize(
    ("hours", "words"), [(5.9, ""), (6.1, "is 6 hours old"), (47, "is 47 hours old"), (72, "is 3 days old")]
)
def test_an_old_update_that_keeps_a_new_one_back_is_a_warning_with_its_age(
    step: RunStep, store: Store, clock: SkippingClock, hours: float, words: str
) -> None:
    there = add(store, SAME)
    clock.sleep(hours * HOUR)

    ended = step(**ASKED)

    assert (ended.end, len(ended.warnings)) == ((0, "unchanged"), int(bool(words)))
    assert all(words in warning and there in warning for warning in ended.warnings)


def test_the_age_is_measured_by_the_servers_clock(step: RunStep, store: Store, clock: SkippingClock) -> None:
    add(store, SAME)
    listed = envelope([store.timeline()[-1].as_json()], result_info={"count": 1, "total_count": 1})
    ahead = response(200, listed, JSON_TYPE | {"Date": http_date(clock.time() + 12 * HOUR + 60)})

    ended = step(Rule(ahead, method="GET"), **ASKED)

    assert (ended.outcome, "12 hours old" in ended.log) == ("unchanged", True)


@pytest.mark.parametrize("created_at", [None, "yesterday"])
def test_an_update_without_a_date_may_be_the_newest(step: RunStep, store: Store, created_at: str | None) -> None:
    store.incidents[INCIDENT_ID] = replace(store.incidents[INCIDENT_ID], updates=())
    add(store, SAME)
    change_newest(store, created_at=created_at)

    assert step(**ASKED).outcome == "unchanged"


def test_without_dates_every_update_has_to_say_the_same(step: RunStep, store: Store) -> None:
    add(store, SAME)
    change_newest(store, created_at=None)
    add(store, OTHER)
    change_newest(store, created_at=None)

    assert step(**ASKED).outcome == "created"


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_duplicate_is_posted_once_though_its_response_is_lost(step: RunStep, store: Store, attempt: int) -> None:
    script = [Rule(FAULTS["reset"], method="POST")]

    first = step(*script, **ASKED, attempt=attempt)
    second = step(**ASKED, attempt=attempt)

    assert (first.outcome, second.outcome) == ("created", "unchanged")
    assert sum(update.description == SAME["description"] for update in store.timeline()) == 1


def test_a_job_that_is_cancelled_while_the_incident_is_read_posts_nothing(step: RunStep, store: Store) -> None:
    add(store, SAME)
    lists = Rule(FAULTS["chunked"], method="GET")

    ended = step(lists, Rule(FAULTS["close"], method="GET", cancels=True), **ASKED)

    assert (ended.outcome, len(store.timeline())) == ("cancelled", 2)
