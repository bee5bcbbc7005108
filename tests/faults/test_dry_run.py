"""A dry run asks what the token may do before it looks up anything."""

import json

import pytest
from support.clock import SkippingClock
from support.fault_server import DEEP_JSON, FAULTS, FOREVER, JSON_TYPE, Rule, envelope, response
from support.step import RunStep

from onlineornot_sandbox.auth import CHECKS_TOKEN, OTHER_ORGANISATION_TOKEN, READ_TOKEN
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID, UPDATE_ID

PERMISSIONS = "GET /v1/tokens/permissions"
INCIDENTS = f"GET /v1/status_pages/{PAGE_ID}/incidents"
UPDATES = f"{INCIDENTS}/{INCIDENT_ID}/updates"
CREATE = {"status": "RESOLVED", "description": "It is over.", "dry_run": "true"}
READ = {"update_id": UPDATE_ID, "dry_run": "true"}
SKIPPED = CREATE | {"incident_title": "Nothing of the kind", "if_no_incident": "skip"}
PATCH = {"operation": "update", "update_id": UPDATE_ID, "status": "UPDATE", "dry_run": "true"}
DELETE = {"operation": "delete", "update_id": UPDATE_ID, "dry_run": "true"}
PLANS = {"create": CREATE, "skipped": SKIPPED, "update": PATCH, "delete": DELETE}


def responding(body: str) -> Rule:
    return Rule(response(200, body, JSON_TYPE), path="/tokens/", times=FOREVER)


def permitting(*entries: object) -> Rule:
    return responding(envelope({"permissions": list(entries)}))


@pytest.mark.parametrize(
    ("plan", "outcome", "looked_up"),
    [
        ("create", "dry-run", UPDATES),
        ("skipped", "skipped", INCIDENTS),
        ("update", "dry-run", f"{UPDATES}/{UPDATE_ID}"),
        ("delete", "dry-run", f"{UPDATES}/{UPDATE_ID}"),
    ],
)
def test_permissions_are_asked_for_first_and_once(step: RunStep, plan: str, outcome: str, looked_up: str) -> None:
    ended = step(**PLANS[plan])

    assert ended.end == (0, outcome)
    assert ended.requests == [PERMISSIONS, looked_up]
    assert ended.warnings == []


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (READ_TOKEN, "STATUS_PAGES:EDIT. The API says that this one may: 'status_pages (read)'"),
        ("an-expired-token", "wrong, revoked or expired"),
    ],
)
@pytest.mark.parametrize("plan", PLANS)
def test_a_token_that_may_not_write_is_rejected_before_anything_is_looked_up(
    step: RunStep, plan: str, token: str, words: str
) -> None:
    ended = step(**PLANS[plan], api_token=token, fail_on_error="false")

    assert (ended.end, ended.requests) == ((1, "rejected"), [PERMISSIONS])
    assert words in ended.error


def test_a_token_for_something_else_gets_a_warning_that_quotes_its_permissions(step: RunStep) -> None:
    ended = step(**CREATE, api_token=CHECKS_TOKEN)

    assert (ended.outcome, ended.requests) == ("rejected", [PERMISSIONS, UPDATES])
    assert "'uptime_checks (read)'" in ended.log.split("::warning::")[1]


def test_the_page_of_another_organisation_is_found_by_the_lookup(step: RunStep) -> None:
    assert step(**SKIPPED, api_token=OTHER_ORGANISATION_TOKEN).outcome == "rejected"


@pytest.mark.parametrize(
    "inputs", [READ | {"operation": "list"}, READ | {"operation": "get"}, CREATE | {"dry_run": "false"}]
)
def test_a_run_that_only_reads_or_really_writes_does_not_ask(step: RunStep, inputs: dict[str, str]) -> None:
    ended = step(**inputs)

    assert (ended.exit_status, PERMISSIONS in ended.requests) == (0, False)


def test_a_dry_run_that_restores_components_reads_the_updates_once(step: RunStep) -> None:
    ended = step(**CREATE, components="restore")

    assert (ended.outcome, ended.requests.count(UPDATES)) == ("dry-run", 1)


@pytest.mark.parametrize(
    ("entries", "outcome", "warns"),
    [
        (["status_pages (edit)"], "dry-run", False),
        (["STATUS_PAGES:EDIT"], "dry-run", False),
        (["status_pages (read)", "status_pages (edit)"], "dry-run", False),
        (["edit:status-pages"], "dry-run", False),
        (["StatusPages.Read"], "rejected", False),
        (["status_pages (read)", "uptime_checks (edit)"], "rejected", False),
        ([7, None, "STATUS_PAGES:READ"], "rejected", False),
        (["uptime_checks (edit)"], "dry-run", True),
        (["*"], "dry-run", True),
        ([], "dry-run", True),
        ([{"scope": "STATUS_PAGES", "permission": "READ"}], "dry-run", True),
    ],
)
def test_entries_are_compared_by_their_letters(
    step: RunStep, entries: list[object], outcome: str, *, warns: bool
) -> None:
    ended = step(permitting(*entries), **CREATE)

    assert (ended.outcome, bool(ended.warnings)) == (outcome, warns)


@pytest.mark.parametrize(
    "fault",
    [
        *("404 envelope", "403 envelope", "400 envelope", "401 html", "500 envelope", "200 rejection", "200 html"),
        *("200 empty list", "204", "307 elsewhere", "429 for a second", "silence", "close", "huge body", "not HTTP"),
    ],
)
def test_permissions_that_cannot_be_read_are_a_note(step: RunStep, clock: SkippingClock, fault: str) -> None:
    ended = step(Rule(FAULTS[fault], path="/tokens/", times=FOREVER), **CREATE)

    assert (ended.exit_status, ended.outcome, ended.requests[-1]) == (0, "dry-run", UPDATES)
    assert "permissions of the API token could not be read" in ended.summary
    assert ended.warnings == []
    assert clock.slept <= 5


MANY = ["status_pages (read)"] * 10_001


@pytest.mark.parametrize(
    "result",
    ["{}", '{"permissions": null}', "[]", json.dumps({"permissions": MANY}), f'{{"permissions": {DEEP_JSON}}}'],
)
def test_permissions_in_another_form_or_too_many_are_a_note(step: RunStep, result: str) -> None:
    ended = step(responding(f'{{"success": true, "result": {result}}}'), **CREATE)

    assert (ended.outcome, "could not be read" in ended.summary) == ("dry-run", True)


def test_hostile_permissions_are_quoted_escaped_and_bounded(step: RunStep) -> None:
    hostile = [f"x\n::error::{number}\x1b[31m##[add-mask]y`|{'z' * 500}" for number in range(900)]

    ended = step(permitting(*hostile), **CREATE)

    warning = next(line for line in ended.log.splitlines() if line.startswith("::warning::"))
    assert (ended.outcome, "\n::error::" in ended.log, "##[" in ended.log) == ("dry-run", False, False)
    assert len(warning) < 1500


def test_a_job_that_is_cancelled_while_it_asks_sends_nothing_more(step: RunStep) -> None:
    ended = step(Rule(FAULTS["close"], path="/tokens/", cancels=True), **CREATE)

    assert (ended.exit_status, ended.outcome, ended.requests) == (143, "cancelled", [PERMISSIONS])
