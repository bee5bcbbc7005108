"""`skip-duplicate`: when an update is posted although the incident has one that matches, and when not."""

import html
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, FOREVER, JSON_TYPE, Rule, envelope, http_date, response
from support.step import RunStep, store_on

from onlineornot_sandbox.bodies import IncidentCreate, IncidentUpdateCreate
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID
from onlineornot_sandbox.store import Store

SAME = {"status": "IDENTIFIED", "description": "The deploy failed; we are rolling it back."}
ASKED = SAME | {"skip_duplicate": "true"}
DOWN, PART = "MAJOR_OUTAGE", "PARTIAL_OUTAGE"
OTHER = {"status": "UPDATE", "description": "Something else happened."}
NOW = "2027-01-15T08:00:00.000Z"
HOUR = 3600.0
INCIDENT = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}"
UPDATES = f"{INCIDENT}/updates"
PAGE = f"/v1/status_pages/{PAGE_ID}"


def add(store: Store, update: dict[str, str], incident_id: str = INCIDENT_ID, **more: Any) -> str:
    """Post an update without the action, and return its id."""
    body = IncidentUpdateCreate.model_validate(update | {"notify_subscribers": False} | more)
    return store.create_incident_update(incident_id, body).id


def set_by_hand(store: Store, component_id: str, status: Any) -> None:
    store.components[component_id] = replace(store.components[component_id], status=status)


@pytest.mark.parametrize("found", [{}, {"incident_title": INCIDENT_TITLE}], ids=["by id", "by title"])
def test_the_newest_update_of_an_open_incident_is_not_repeated(
    step: RunStep, store: Store, found: dict[str, str]
) -> None:
    there = add(store, SAME)

    ended = step(**ASKED | found)

    reads = [f"{PAGE}/incidents", UPDATES] if found else [UPDATES, INCIDENT]  # a listed incident is not read again
    assert (ended.end, ended.outputs["update-id"], ended.warnings) == ((0, "unchanged"), there, [])
    assert ended.requests == [f"GET {path}" for path in (*reads, PAGE)]


def test_a_first_attempt_that_finds_no_duplicate_costs_no_further_request(step: RunStep) -> None:
    ended = step(**ASKED)

    assert (ended.outcome, ended.requests) == ("created", [f"GET {UPDATES}", f"POST {UPDATES}", f"GET {PAGE}"])


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


def as_settings(**statuses: str) -> list[dict[str, str]]:
    return [{"id": f"comp-{name}", "status": status} for name, status in statuses.items()]


def as_json(**statuses: str) -> str:
    return json.dumps(as_settings(**statuses))


@pytest.mark.parametrize(
    ("named", "rule", "attempt"),
    [("all", "true", 1), ("changed", "auto", 2), ("empty", "true", 1), ("empty", "auto", 2), ("none", "auto", 2)],
)
@pytest.mark.parametrize(
    ("there", "since", "asked", "outcome"),
    [
        ({"api": DOWN}, {}, {"api": DOWN}, "unchanged"),
        ({"api": DOWN}, {}, {"api": PART}, "created"),
        ({"search": PART}, {}, {"search": PART, "website": DOWN}, "created"),
        ({"search": PART}, {"website": DOWN}, {"search": PART, "website": DOWN}, "unchanged"),
        ({"search": PART, "website": DOWN}, {}, {"search": PART}, "unchanged"),
        ({"search": PART, "website": DOWN}, {}, {}, "unchanged"),
        ({}, {}, {"api": "OPERATIONAL"}, "unchanged"),
        ({}, {}, {"api": DOWN}, "created"),
    ],
)
def test_each_component_has_to_be_in_the_update_or_as_requested_on_the_page(  # noqa: PLR0917 - a table
    step: RunStep,
    clock: SkippingClock,
    named: Any,
    rule: str,
    attempt: int,
    there: dict[str, str],
    since: dict[str, str],
    asked: dict[str, str],
    outcome: str,
) -> None:
    store = Store(store_on(clock).now, named_components=named)
    add(store, SAME, components_affected=as_settings(**there))
    for name, status in since.items():
        set_by_hand(store, f"comp-{name}", status)
    components = {"components": as_json(**asked)} if asked else {}

    ended = step(**SAME, skip_duplicate=rule, attempt=attempt, store=store, **components)

    assert ended.outcome == outcome, ended.log
    assert [store.components[f"comp-{name}"].status for name in asked] == [*asked.values()]


def test_the_update_decides_about_a_component_that_it_names_whatever_was_set_by_hand_since(
    step: RunStep, store: Store
) -> None:
    add(store, SAME, components_affected=as_settings(api=DOWN))
    set_by_hand(store, API_ID, "OPERATIONAL")

    assert step(**ASKED, components=as_json(api=DOWN)).outcome == "unchanged"


def test_the_components_are_read_once_and_only_for_an_update_that_lacks_one(
    step: RunStep, clock: SkippingClock
) -> None:
    store = Store(store_on(clock).now, named_components="empty")
    for _ in range(3):
        add(store, SAME, components_affected=as_settings(api=DOWN))
    set_by_hand(store, API_ID, "OPERATIONAL")

    ended = step(**SAME, attempt=2, store=store, components=as_json(api=DOWN))

    components = f"GET {PAGE}/components"
    assert ended.requests == [f"GET {UPDATES}", components, f"POST {UPDATES}", components, f"GET {PAGE}"]


@pytest.mark.parametrize(("attempt", "outcome"), [(1, "created"), (2, "not-sent")])
def test_components_that_cannot_be_read_hold_back_only_a_rerun(
    step: RunStep, clock: SkippingClock, attempt: int, outcome: str
) -> None:
    store = Store(store_on(clock).now, named_components="empty")
    add(store, SAME, components_affected=as_settings(api=DOWN))
    unreadable = Rule(FAULTS["503 html"], method="GET", times=FOREVER, path="/components")

    ended = step(unreadable, **ASKED, attempt=attempt, store=store, components=as_json(api=DOWN))

    assert ended.outcome == outcome, ended.log
    assert attempt == 2 or clock.slept < 40


@pytest.mark.parametrize(("status", "ended"), [("RESOLVED", NOW), ("COMPLETED", None)])
@pytest.mark.parametrize(
    ("rule", "attempt", "later", "outcome"),
    [
        ("true", 1, [], "unchanged"),
        ("true", 1, ["UPDATE"], "unchanged"),
        ("true", 1, ["MONITORING"], "created"),
        ("true", 2, ["UPDATE", "UPDATE"], "unchanged"),
        ("auto", 1, [], "created"),
        ("auto", 2, [], "unchanged"),
        ("auto", 2, ["INVESTIGATING"], "created"),
        ("false", 2, [], "created"),
    ],
)
def test_an_update_that_ends_an_incident_is_not_repeated_though_it_is_over(
    step: RunStep, store: Store, status: str, ended: str | None, rule: str, attempt: int, later: list[str], outcome: str
) -> None:
    there = add(store, SAME | {"status": status})
    for each in later:
        add(store, OTHER | {"status": each})
    store.set_ended(INCIDENT_ID, ended)

    run = step(**SAME | {"status": status}, skip_duplicate=rule, attempt=attempt)

    assert run.outcome == outcome, run.log
    assert (run.outputs["update-id"] == there) is (outcome == "unchanged")


@pytest.mark.parametrize("rule", ["true", "auto"])
@pytest.mark.parametrize("reason", ["RESOLVED", "COMPLETED", "ended", "RESOLVED, UPDATE"])
def test_a_deploy_that_fails_again_after_the_incident_is_over_is_posted(
    step: RunStep, store: Store, rule: str, reason: str
) -> None:
    add(store, SAME)
    for status in filter(str.isupper, reason.split(", ")):
        add(store, OTHER | {"status": status})
    store.set_ended(INCIDENT_ID, NOW if reason == "ended" else None)
    found = {"incident_title": INCIDENT_TITLE, "if_no_incident": "create"} if ", " not in reason else {}

    ended = step(**SAME | found, skip_duplicate=rule, attempt=2)

    assert (ended.outcome, ended.copies) == ("opened" if found else "created", 2), ended.log


@pytest.mark.parametrize("older_is_open", [False, True])
@pytest.mark.parametrize(("attempt", "is_repeated"), [(1, True), (2, False)])
def test_a_rerun_finds_the_resolved_that_ended_the_newest_incident_of_the_title(
    step: RunStep, store: Store, attempt: int, *, is_repeated: bool, older_is_open: bool
) -> None:
    body = IncidentCreate(title=INCIDENT_TITLE, description="Again.", status="INVESTIGATING", notify_subscribers=False)
    newest = store.create_incident(body).id
    add(store, SAME | {"status": "RESOLVED"}, incident_id=newest)
    store.set_ended(INCIDENT_ID, None if older_is_open else NOW)

    found = {"incident_title": INCIDENT_TITLE, "if_no_incident": "skip", "status": "RESOLVED"}
    ended = step(**SAME | found, attempt=attempt)

    expected = ("created" if older_is_open else "skipped") if is_repeated else "unchanged"
    assert ended.outcome == expected, ended.log
    assert (len(store.mails) > 0) is (expected == "created")


@pytest.mark.parametrize(
    ("kept", "is_found"),
    [
        (html.escape, True),
        (lambda text: unicodedata.normalize("NFD", text), True),
        (lambda text: f"{text}\n".replace("\n", " \r\n"), True),
        (lambda text: f"<p>{text}</p>", False),
        (lambda text: text[:20], False),
        (lambda text: html.escape(html.escape(text)), False),
    ],
)
def test_a_text_that_the_page_changes_is_recognised_or_a_warning_says_that_later_runs_will_not(
    step: RunStep, clock: SkippingClock, kept: Callable[[str], str], *, is_found: bool
) -> None:
    store = Store(store_on(clock).now, keep_text=kept)
    asked = ASKED | {"description": "Café & <b>API</b>\nare down: we are rolling back."}

    first, second = step(**asked, store=store), step(**asked, store=store)

    assert (first.outcome, second.outcome) == ("created", "unchanged" if is_found else "created")
    assert ["later runs will not recognise" in warning for warning in first.warnings] == [True] * (not is_found)


def test_an_update_in_an_incident_that_is_over_is_no_duplicate(step: RunStep, store: Store) -> None:
    add(store, SAME)
    store.set_ended(INCIDENT_ID, NOW)

    ended = step(**ASKED)

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


@pytest.mark.parametrize(
    ("fault", "attempt", "outcome"),
    [
        ("500 html", 1, "created"),
        ("400 envelope", 1, "created"),
        ("500 html", 2, "not-sent"),
        ("400 envelope", 2, "rejected"),
    ],
)
def test_an_unreadable_list_holds_back_only_a_rerun(
    step: RunStep, store: Store, fault: str, attempt: int, outcome: str
) -> None:
    add(store, SAME)

    ended = step(Rule(FAULTS[fault], method="GET", times=FOREVER), **ASKED, attempt=attempt)

    is_first = attempt == 1
    assert (ended.outcome, len(store.timeline())) == (outcome, 2 + is_first)
    assert ("could not be read beforehand, so skip-duplicate had no effect" in ended.summary) is is_first
    assert ended.seconds <= (31 if is_first else 120)


@pytest.mark.parametrize(
    ("hours", "words"), [(5.9, ""), (6.1, "is 6 hours old"), (47, "is 47 hours old"), (72, "is 3 days old")]
)
def test_an_old_update_that_holds_a_new_one_back_is_a_warning_with_its_age(
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


@pytest.mark.parametrize(
    ("updates", "created_at", "outcome"),
    [([SAME], None, "unchanged"), ([SAME], "yesterday", "unchanged"), ([SAME, OTHER], None, "created")],
)
def test_each_update_without_a_date_may_be_the_newest_and_has_to_match(
    step: RunStep, store: Store, updates: list[dict[str, str]], created_at: Any, outcome: str
) -> None:
    store.incidents[INCIDENT_ID] = replace(store.incidents[INCIDENT_ID], updates=())
    for each in updates:
        add(store, each)
        *older, newest = store.timeline()
        undated = (*older, replace(newest, created_at=created_at))
        store.incidents[INCIDENT_ID] = replace(store.incidents[INCIDENT_ID], updates=undated)

    assert step(**ASKED).outcome == outcome


def test_a_duplicate_is_posted_once_though_its_response_is_lost(step: RunStep) -> None:
    first, second = step(Rule(FAULTS["reset"], method="POST"), **ASKED), step(**ASKED)

    assert (first.outcome, second.outcome, second.copies) == ("created", "unchanged", 1)
