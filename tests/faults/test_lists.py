"""Lists that count too many items, hold malformed ones, or have no dates: the rest of what they show is used."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, JSON_TYPE, Phase, Rule, envelope, response
from support.step import RunStep, store_on

from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE
from onlineornot_sandbox.store import Store

TEXT = "The deploy failed; we are rolling it back."
CREATE = {"status": "IDENTIFIED", "description": TEXT, "components": "API: MAJOR_OUTAGE"}
FOUND = CREATE | {"incident_title": INCIDENT_TITLE, "skip_duplicate": "true"}
OPEN = FOUND | {"incident_title": "Deploys are failing", "if_no_incident": "create"}
CLOSE = FOUND | {"components": "restore", "status": "RESOLVED"}
ODD_IDS = ["Pabc123", "inc.01HZX9", "ext:Partner1", "x" * 65, "ä" * 10, "../../v1/x", "", 12345678, None, ["a"]]


def add_misfits(store: Store, odd: Any, **fields: Any) -> None:
    """Add an incident, a component and an update that have an id of another form."""
    incident = store.incidents[INCIDENT_ID]
    store.incidents["odd"] = replace(incident, id=odd, **{"title": "Old", "ended": "2026-01-01T00:00:00Z"} | fields)
    store.components["odd"] = replace(store.components[API_ID], id=odd, name="Partner")
    store.incidents[INCIDENT_ID] = replace(incident, updates=(replace(incident.updates[0], id=odd), *incident.updates))


@pytest.mark.parametrize("inputs", [CREATE, FOUND, OPEN, CLOSE], ids=["by id", "by title", "opening", "closing"])
@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("lost", [None, *Phase])
@pytest.mark.parametrize("odd", [None, "inc.01HZX9"])
def test_hidden_and_malformed_items_of_lists_hold_nothing_back(
    step: RunStep, store: Store, inputs: dict[str, str], attempt: int, lost: Phase | None, odd: Any
) -> None:
    store.hidden.update({} if odd else {"incidents": 2, "components": 1, "updates": 3})
    if odd:
        add_misfits(store, odd)

    ended = step(*([Rule(FAULTS["reset"], lost, "POST")] if lost else []), **inputs, attempt=attempt)

    assert (ended.outcome, ended.copies) == ("opened" if inputs is OPEN else "created", 1), ended.log
    assert ("more than it shows, twice" in ended.log) is (not odd)


@pytest.mark.parametrize("counted", [{"count": 0, "total_count": 2}, None])
@pytest.mark.parametrize(("times", "listed"), [(1, 1), (2, 0)])
def test_a_list_that_lacks_updates_is_read_once_more(step: RunStep, counted: object, times: int, listed: int) -> None:
    lacking = response(200, envelope([], result_info=counted), JSON_TYPE)

    ended = step(Rule(lacking, method="GET", times=times), operation="list")

    assert (ended.outcome, len(json.loads(ended.outputs["updates"]))) == ("listed", listed)
    assert ["may be incomplete" in warning for warning in ended.warnings] == [True] * (not listed)


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_item_with_an_id_of_any_other_form_is_set_aside(step: RunStep, store: Store, odd: Any) -> None:
    add_misfits(store, odd)

    assert (step(**FOUND).outcome, step(operation="list").outcome) == ("created", "listed")


@pytest.mark.parametrize(
    ("inputs", "outcome", "words"),
    [
        (FOUND | {"components": "partner: MAJOR_OUTAGE"}, "invalid", "'partner' has an id that is not of the docum"),
        (FOUND | {"components": "ext:Partner1: MAJOR_OUTAGE"}, "invalid", "not of the documented form: 'ext:Partner1'"),
        (OPEN | {"if_no_incident": "fail"}, "invalid", "not of the documented form, 'ext:Partner1'"),
        (OPEN | {"if_no_incident": "skip"}, "skipped", "not of the documented form, 'ext:Partner1'"),
        (OPEN, "opened", "not of the documented form, 'ext:Partner1'"),
    ],
)
def test_a_requested_item_whose_id_has_another_form_is_reported_as_such(
    step: RunStep, store: Store, inputs: dict[str, str], outcome: str, words: str
) -> None:
    add_misfits(store, "ext:Partner1", title=OPEN["incident_title"])

    ended = step(**inputs)

    assert ended.outcome == outcome, ended.log
    assert words in ended.error + "".join(ended.warnings)


@pytest.mark.parametrize("inputs", [CREATE, OPEN])
@pytest.mark.parametrize("name", ["reset", "403 html"])
def test_a_lost_write_that_comes_with_an_id_of_another_form_is_not_repeated(
    step: RunStep, clock: SkippingClock, inputs: dict[str, str], name: str
) -> None:
    ids = (f"new.{number}" for number in itertools.count(1))
    store = Store(store_on(clock).now, make_id=lambda: next(ids))

    ended = step(Rule(FAULTS[name], Phase.AFTER, "POST"), **inputs, store=store)

    assert (ended.outcome, ended.posts, ended.copies, "new." in ended.error) == ("unknown", 1, 1, True), ended.log


@pytest.mark.parametrize("inputs", [CREATE, OPEN])
@pytest.mark.parametrize("before", [-7200, -400, 400, 7200, None])
def test_a_lost_write_is_found_whatever_its_date_says(
    step: RunStep, clock: SkippingClock, inputs: dict[str, str], before: int | None
) -> None:
    now = store_on(clock).now
    date: Any = lambda _: before and (now() + timedelta(seconds=before)).isoformat()  # noqa: E731 - may be None
    store = Store(now, created_at=date)

    ended = step(Rule(FAULTS["reset"], Phase.AFTER, "POST"), **inputs, store=store)

    assert (ended.outcome, ended.posts, ended.copies) == ("opened" if inputs is OPEN else "created", 1, 1), ended.log
    assert "more than once" not in ended.log


NEW, OLD = "2027-01-15T08:00:01.000Z", "2027-01-15T08:00:00.000Z"


@pytest.mark.parametrize("operation", ["update", "delete", "get"])
@pytest.mark.parametrize(
    ("dates", "newest"),
    [
        ([OLD, NEW], 1),
        ([NEW, OLD, OLD], 0),
        (["2027-01-15T09:00:00+02:00", OLD], 1),
        ([None], 0),
        ([OLD, None], None),
        ([None, NEW, OLD], None),
        ([OLD, "2027-01-15T08:00:01"], None),
        ([OLD, 1_900_000_000], None),
        ([OLD, "tomorrow"], None),
        ([NEW, NEW], None),
        ([OLD, NEW, NEW.replace("Z", "+00:00")], None),
    ],
)
def test_latest_needs_dates_that_say_which_it_is(
    step: RunStep, store: Store, operation: str, dates: list[Any], newest: int | None
) -> None:
    first = store.timeline()[0]
    updates = [replace(first, id=f"update{number:06}", created_at=date) for number, date in enumerate(dates)]
    store.incidents[INCIDENT_ID] = replace(store.incidents[INCIDENT_ID], updates=tuple(updates))

    ended = step(operation=operation, update_id="latest", **({"description": TEXT} if operation == "update" else {}))

    assert ended.outcome == ("invalid" if newest is None else {"get": "fetched"}.get(operation, f"{operation}d"))
    assert ended.outputs["update-id"] == ("" if newest is None else updates[newest].id)
    assert newest is not None or store.timeline() == updates
    assert newest is not None or all(update.id in ended.error for update in updates)
