"""An update is posted to a server that fails in every way at every point: the store must hold what the step reports."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_pairs import fault_pairs
from support.fault_server import (
    CASES,
    FALSE_CLAIMS,
    FAULTS,
    FOREVER,
    GOOD_RESPONSES,
    HEALTHY,
    JSON_TYPE,
    STRANGE_RESPONSES,
    Fault,
    Phase,
    Reply,
    Rule,
    envelope,
    lost_while,
    response,
)
from support.step import RunStep, store_on

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, SEARCH_ID, WEBSITE_ID
from onlineornot_sandbox.store import Store

TEXT = "The rollback is through."
PAIRS = dict([*fault_pairs().items()][::10])


@pytest.fixture
def step(step: RunStep) -> RunStep:
    """Run the step that posts an update."""
    return partial(step, status="RESOLVED", description=TEXT)


def test_a_create_without_a_fault_takes_one_connection(step: RunStep) -> None:
    run = step()

    assert (run.outcome, run.copies, run.posts, run.connections) == ("created", 1, 1, 1)


@pytest.mark.parametrize("name", CASES)
def test_a_post_that_meets_a_fault_ends_with_what_the_store_holds(step: RunStep, name: str) -> None:
    run = step(replace(CASES[name], method="POST"))

    assert (run.is_honest, run.is_quiet) == (True, True), run.log
    assert run.outcome != "unknown" or name in FALSE_CLAIMS, run.log


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_baseline_does_not_prevent_the_post_unless_it_is_rejected(step: RunStep, name: str) -> None:
    run = step(Rule(FAULTS[name], method="GET"))

    assert (run.is_honest, run.is_quiet) == (True, True), run.log
    assert run.outcome == ("rejected" if re.match("30[12378]|40[134]", name) else "created"), run.log


def test_where_every_response_is_a_failure_of_the_api_a_wrong_id_may_be_the_reason(step: RunStep) -> None:
    run = step(Rule(FAULTS["500 envelope"], times=FOREVER))

    assert run.outcome == "unknown"
    assert "a wrong id may be the reason: check status-page-id, incident-id." in run.outputs["error"]


@pytest.mark.parametrize("script", PAIRS.values(), ids=PAIRS)
def test_two_faults_in_a_row_never_make_two_copies(step: RunStep, script: list[Rule]) -> None:
    run = step(*script)

    assert (run.is_honest, run.is_quiet) == (True, True), run.log


@pytest.mark.parametrize("phase", Phase)
def test_an_outage_of_a_minute_that_affects_reads_too_ends_with_one_copy(step: RunStep, phase: Phase) -> None:
    reads = Rule(FAULTS["503 html"], method="GET", times=9)

    run = step(reads, Rule(FAULTS["503 html"], phase, "POST"), reads)

    assert (run.outcome, run.copies) == ("created", 1), run.log
    assert run.seconds > 30


@pytest.mark.parametrize("name", STRANGE_RESPONSES)
def test_a_post_is_not_repeated_after_a_malformed_success(step: RunStep, name: str) -> None:
    run = step(Rule(STRANGE_RESPONSES[name], method="POST", times=FOREVER))

    assert (run.outcome, run.copies, run.posts) == ("unknown", 0, 1), run.log


@pytest.mark.parametrize("name", GOOD_RESPONSES)
def test_an_unusual_but_correct_response_is_accepted(step: RunStep, name: str) -> None:
    run = step(Rule(GOOD_RESPONSES[name], Phase.AFTER, times=FOREVER))

    assert (run.outcome, run.copies, run.posts) == ("created", 1, 1), run.log


@pytest.mark.parametrize(
    ("header", "times", "outcome", "seconds"),
    [
        ("2", 1, "created", 2),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 1, "created", 0),
        ("soon", 1, "created", 0),
        ("99.5", 1, "created", 0),
        ("86400", FOREVER, "not-sent", 0),
        ("soon", FOREVER, "not-sent", 119),
    ],
)
def test_a_throttled_post_waits_for_retry_after_or_backs_off_until_the_deadline(
    step: RunStep, header: str, times: float, outcome: str, seconds: float
) -> None:
    throttled = response(429, envelope(success=False), JSON_TYPE | {"Retry-After": header})

    run = step(Rule(throttled, method="POST", times=times))

    assert (run.outcome, run.copies) == (outcome, int(times == 1)), run.log
    assert seconds * 0.9 - 0.5 < run.seconds <= seconds + 1
    assert ("asks to wait 86,400 s" in run.error) is (header == "86400")


@pytest.mark.parametrize("look", ["silence", "500 html", "reset", "headers drip", "429 without Retry-After"])
def test_a_post_that_was_cancelled_and_cannot_be_found_may_have_been_made(step: RunStep, look: str) -> None:
    cancelled = Rule(FAULTS["silence"], Phase.AFTER, "POST", cancels=True)

    run = step(replace(HEALTHY, method="GET"), cancelled, Rule(FAULTS[look], times=FOREVER))

    assert run.end == (143, "cancelled")
    assert (run.outputs["update-id"], run.outputs["notified"], run.posts) == ("", "", 1)
    assert "may be there" in run.error


def test_the_text_of_an_api_error_can_neither_leak_the_token_nor_contain_a_command(step: RunStep) -> None:
    says = f"no ##[error]{EDIT_TOKEN}\n::set-output name=outcome::created\r::error::{EDIT_TOKEN[:9]}"
    body = envelope(success=False).replace("Scripted failure", says.encode("unicode_escape").decode())

    run = step(Rule(response(422, body, JSON_TYPE), method="POST"))

    assert (run.outcome, run.is_quiet) == ("rejected", True), run.log
    assert "10001: no ## [error]" in run.error


@pytest.mark.parametrize("is_page_readable", [True, False])
def test_an_unknown_update_comes_with_the_address_of_the_incident_if_the_page_can_be_read(
    step: RunStep, *, is_page_readable: bool
) -> None:
    unreadable = Rule(FAULTS["reset"], method="GET", path="/updates" if is_page_readable else "", times=FOREVER)

    run = step(Rule(FAULTS["reset"], Phase.AFTER, method="POST"), unreadable)

    url = run.outputs["incident-url"]
    assert (run.outcome, url.endswith(f"/incidents/{INCIDENT_ID}")) == ("unknown", is_page_readable)
    assert (f"**[Look at the incident]({url}) first" if url else "**Look at the incident first") in run.summary
    assert run.requests[-1] == f"GET /v1/status_pages/{PAGE_ID}"


def restated(**fields: object) -> Fault:
    """Make a response differ from what was written."""

    def restate(reply: Reply) -> Reply:
        body = json.loads(reply.body)
        return replace(reply, body=json.dumps(body | {"result": body["result"] | fields}).encode())

    return Fault(lambda reply: [restate(reply).wire()])


@pytest.mark.parametrize("components", ["API: MAJOR_OUTAGE", f'[{{"id": "{API_ID}", "status": "MAJOR_OUTAGE"}}]'])
@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({}, ""),
        ({"status": "UPDATE"}, "The page has this update as 'UPDATE', though RESOLVED was sent."),
        ({"description": "Short."}, "The page keeps the text in another form"),
        ({"components": [{"id": API_ID, "new_status": "PARTIAL_OUTAGE"}]}, "'PARTIAL_OUTAGE', though MAJOR_OUTAGE was"),
        ({"components": [{"id": API_ID}]}, "'no status', though MAJOR_OUTAGE was sent."),
        ({"components": None}, ""),
    ],
)
def test_a_response_that_differs_from_what_was_sent_is_a_warning(
    step: RunStep, components: str, fields: dict[str, object], warning: str
) -> None:
    run = step(Rule(restated(**fields), Phase.AFTER, "POST"), status="RESOLVED", components=components)

    assert run.outcome == "created"
    assert run.outputs["status"] == fields.get("status", "RESOLVED")
    assert [warning in each for each in run.warnings] == [True] * bool(warning), run.warnings


@pytest.mark.parametrize(
    ("before", "by_id", "is_confirmed"),
    [("MAJOR_OUTAGE", False, True), ("OPERATIONAL", False, False), ("OPERATIONAL", True, True)],
)
def test_a_component_that_the_response_does_not_name_is_confirmed_by_its_current_status(
    step: RunStep, clock: SkippingClock, before: Any, *, by_id: bool, is_confirmed: bool
) -> None:
    store = Store(store_on(clock).now, named_components="empty")
    store.components[API_ID] = replace(store.components[API_ID], status=before)
    components = f'[{{"id": "{API_ID}", "status": "MAJOR_OUTAGE"}}]' if by_id else "API: MAJOR_OUTAGE"

    run = step(store=store, components=components)

    assert ["does not confirm" in each for each in run.warnings] == [True] * (not is_confirmed)


@pytest.mark.parametrize(
    ("theirs", "named", "phase", "outcome"),
    [
        ([SEARCH_ID], "all", Phase.BEFORE, "unknown"),
        ([SEARCH_ID], "all", Phase.AFTER, "created"),
        ([SEARCH_ID], "empty", Phase.BEFORE, "unknown"),
        ([SEARCH_ID, API_ID, WEBSITE_ID], "all", Phase.BEFORE, "unknown"),
        ([], "all", Phase.BEFORE, "unknown"),
        ([], "changed", Phase.AFTER, "created"),
    ],
)
def test_another_leg_of_a_matrix_that_posts_the_same_words_is_not_taken_for_ours(
    step: RunStep, clock: SkippingClock, theirs: list[str], named: Any, phase: Phase, outcome: str
) -> None:
    store = Store(store_on(clock).now, named_components=named)
    settings = [{"id": each, "status": "PARTIAL_OUTAGE"} for each in theirs]
    body = {"status": "MONITORING", "description": TEXT, "components_affected": settings}
    others = lost_while(lambda: store.create_incident_update(INCIDENT_ID, IncidentUpdateCreate.model_validate(body)))

    run = step(Rule(others, phase, "POST"), store=store, components="Search: PARTIAL_OUTAGE; API: PARTIAL_OUTAGE")

    ours = [update.id for update in store.timeline() if len(update.components) == 2]
    assert (run.outcome, run.posts) == (outcome, 1), run.log
    assert outcome == "unknown" or run.outputs["update-id"] in ours
    assert run.copies == 1 + (phase is Phase.AFTER)


@pytest.mark.parametrize(("fault", "times", "outcome"), [("503 html", FOREVER, "unknown"), ("503 html", 3, "created")])
def test_a_lost_update_that_names_no_components_is_ours_only_once_the_page_has_them(
    step: RunStep, clock: SkippingClock, fault: str, times: float, outcome: str
) -> None:
    store = Store(store_on(clock).now, named_components="empty")
    script = [Rule(HEALTHY.fault, path="/components"), Rule(FAULTS[fault], path="/components", times=times)]

    run = step(*script, Rule(FAULTS["close"], Phase.AFTER, "POST"), store=store, components="API: MAJOR_OUTAGE")

    assert (run.outcome, run.posts, run.copies) == (outcome, 1, 1), run.log
