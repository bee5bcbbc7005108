"""Refusals that are not the API's own: what is written all the same, and what the annotation says."""

import re
from dataclasses import replace

import pytest
from support.fault_server import FAULTS, FOREVER, INTERCEPTED, REPLACED, Phase, Rule, envelope, response
from support.step import RunStep

from onlineornot_sandbox.seed import UPDATE_ID
from onlineornot_sandbox.store import Store

TEXT = "The deploy failed; we are rolling it back."
CREATE = {"status": "IDENTIFIED", "description": TEXT}
OPEN = CREATE | {"incident_title": "Deploys are failing", "if_no_incident": "create"}
PATCH = {"operation": "update", "update_id": UPDATE_ID, "description": TEXT}
DELETE = {"operation": "delete", "update_id": UPDATE_ID}
GET = {"operation": "get", "update_id": UPDATE_ID}
LIST = {"operation": "list"}
WRITES = {"POST": CREATE, "PATCH": PATCH, "DELETE": DELETE}
BASELINES = {"POST": [Rule(FAULTS["chunked"], method="GET")], "PATCH": [], "DELETE": []}
MISLEADING = re.compile(r"token|permission|\bids?\b|secret", re.IGNORECASE)


@pytest.mark.parametrize("name", INTERCEPTED)
@pytest.mark.parametrize(("method", "inputs"), [("POST", CREATE), ("POST", OPEN), ("PATCH", PATCH), ("DELETE", DELETE)])
def test_a_write_that_was_not_passed_on_is_rejected_without_misleading_advice(
    step: RunStep, store: Store, name: str, method: str, inputs: dict[str, str]
) -> None:
    ended = step(Rule(INTERCEPTED[name], method=method), **inputs)

    assert (ended.exit_status, ended.outcome, ended.outputs["notified"]) == (1, "rejected", "false")
    assert (ended.copies, len(store.timeline())) == (0, 1)
    assert "not the API's own response" in ended.error
    assert not MISLEADING.search(ended.error)
    assert "<" not in ended.error


@pytest.mark.parametrize("name", ["403 html", "404 other JSON", "403 without a body", "501 html"])
@pytest.mark.parametrize(
    ("method", "inputs", "outcome"),
    [("POST", CREATE, "created"), ("POST", OPEN, "opened"), ("PATCH", PATCH, "updated"), ("DELETE", DELETE, "deleted")],
)
def test_a_write_that_was_passed_on_is_found(
    step: RunStep, name: str, method: str, inputs: dict[str, str], outcome: str
) -> None:
    ended = step(Rule(INTERCEPTED[name], Phase.AFTER, method), **inputs)

    assert (ended.exit_status, ended.outcome) == (0, outcome)
    assert ended.copies == int(method != "DELETE")
    assert sum(request.startswith(method) for request in ended.requests) == 1
    assert "a later reading confirmed it" in ended.summary


@pytest.mark.parametrize("name", REPLACED)
@pytest.mark.parametrize(
    ("method", "inputs", "seconds"),
    [
        *(("POST", CREATE, seconds) for seconds in (None, 0, 3, 15)),
        *(("POST", OPEN, seconds) for seconds in (None, 0, 15)),
        *((method, WRITES[method], seconds) for method in ("PATCH", "DELETE") for seconds in (None, 0)),
    ],
)
def test_a_write_whose_response_was_replaced_is_looked_for_until_it_can_no_longer_appear(
    step: RunStep, name: str, method: str, inputs: dict[str, str], seconds: float | None
) -> None:
    ended = step(Rule(replace(REPLACED[name], written_after=seconds), method=method), **inputs)

    is_repeated = seconds is None and name in ("425 html", "429 html")
    is_done = seconds is not None or is_repeated
    assert (ended.outcome == "rejected", ended.exit_status) == (not is_done, int(not is_done)), ended.log
    assert ended.copies == int(is_done and method != "DELETE")
    assert sum(request.startswith(method) for request in ended.requests) == 1 + is_repeated


@pytest.mark.parametrize("name", ["401 html", "403 text", "404 other JSON", "403 without a body"])
@pytest.mark.parametrize("inputs", [CREATE, OPEN, GET, LIST], ids=["create", "open", "get", "list"])
def test_a_read_that_is_refused_on_the_way_gives_no_misleading_advice(
    step: RunStep, name: str, inputs: dict[str, str]
) -> None:
    ended = step(Rule(INTERCEPTED[name], times=FOREVER), **inputs)

    assert (ended.exit_status, ended.outcome, len(ended.requests)) == (1, "rejected", 1)
    assert "not the API's own response" in ended.error
    assert not MISLEADING.search(ended.error)


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("name", ["500 html", "close", "401 envelope", "403 html"])
def test_a_write_that_cannot_be_looked_for_is_unknown(step: RunStep, method: str, name: str) -> None:
    refused = Rule(FAULTS["403 html"], Phase.AFTER, method)

    ended = step(*BASELINES[method], refused, Rule(FAULTS[name], method="GET", times=FOREVER), **WRITES[method])

    assert (ended.outcome, ended.outputs["notified"]) == ("unknown", "")
    assert "Look at the incident" in ended.error


def test_an_update_that_the_api_does_not_know_cannot_have_been_changed(step: RunStep) -> None:
    ended = step(Rule(FAULTS["403 html"], method="PATCH"), **PATCH | {"update_id": "no-such-update"})

    assert (ended.outcome, "Check the ids" in ended.error) == ("rejected", True)


def test_a_404_on_the_way_does_not_prove_that_an_update_was_deleted(step: RunStep, store: Store) -> None:
    script = [Rule(FAULTS["reset"], method="DELETE"), Rule(FAULTS["404 html"], times=FOREVER)]

    ended = step(*script, **DELETE)

    assert (ended.outcome, len(store.timeline())) == ("unknown", 1)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_cancelled_job_says_that_the_update_may_be_there(step: RunStep, method: str) -> None:
    ended = step(Rule(FAULTS["403 html"], Phase.AFTER, method, cancels=True), **WRITES[method])

    assert (ended.exit_status, ended.outcome, ended.copies) == (143, "cancelled", 1)
    assert "nothing was written" not in ended.error


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    ("inputs", "ids"),
    [
        (CREATE, "status-page-id, incident-id"),
        (LIST, "status-page-id, incident-id"),
        (OPEN, "status-page-id"),
        (PATCH, "status-page-id, incident-id, update-id"),
    ],
)
def test_a_400_of_the_api_is_quoted_and_names_the_ids(
    step: RunStep, status: int, inputs: dict[str, str], ids: str
) -> None:
    fault = response(status, envelope(success=False))

    ended = step(Rule(fault, times=FOREVER), **inputs)

    assert (ended.exit_status, ended.outcome) == (1, "rejected")
    assert '"10001: Scripted failure"' in ended.error
    assert f"check the ids ({ids})" in ended.error


@pytest.mark.parametrize(("name", "names_ids"), [("500 envelope", True), ("502 html", False), ("503 empty", False)])
def test_only_a_failure_in_the_apis_own_words_names_the_ids(step: RunStep, name: str, *, names_ids: bool) -> None:
    ended = step(Rule(FAULTS[name], times=FOREVER), **GET, timeout_seconds="10")

    assert (ended.outcome, "check the ids (" in ended.error) == ("not-sent", names_ids)
