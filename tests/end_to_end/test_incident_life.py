"""The life of an incident, step by step through `main` against the sandbox: opened, found, followed, ended."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest
from support.fault_server import FAULTS, FOREVER, Rule
from support.step import Result, RunStep

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.bodies import IncidentCreate
from onlineornot_sandbox.local_step import ROOT, as_variables
from onlineornot_sandbox.resources import Incident
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID, SEARCH_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

TITLE = "Deploys are failing"
OPEN = {"incident_title": TITLE, "if_no_incident": "create", "status": "investigating", "description": "It went wrong."}
RESOLVE = {"incident_title": TITLE, "status": "resolved", "description": "It is over.", "components": "restore"}
BY_ID = {"incident_id": INCIDENT_ID, "status": "update", "description": "Still at it."}
ONE = {"incident_id": INCIDENT_ID, "update_id": UPDATE_ID}
EARLIER, LATER = "2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"
MEBIBYTE = 1024 * 1024


def in_short(result: Result) -> str:
    """Name each request by the last kind of resource in its path, and by its method unless that is GET."""
    kinds = "updates|incidents|components|groups|permissions"
    found = ((method, re.findall(kinds, path)) for method, path in map(str.split, result.requests))
    return ", ".join(f"{method} {(names or ['page'])[-1]}".removeprefix("GET ") for method, names in found)


def open_incident(store: Store, title: str) -> Incident:
    return store.create_incident(IncidentCreate(title=title, description="", status="UPDATE"))


def add_incidents(store: Store, count: int) -> None:
    """Add newer incidents that have ended, so that the open one is the last of the list."""
    over = replace(store.incidents[INCIDENT_ID], ended=LATER, created_at=LATER)
    store.incidents |= {f"over{each:08}": replace(over, id=f"over{each:08}") for each in range(count)}


def add_components(store: Store, count: int) -> None:
    """Add newer components that share a name."""
    other = replace(store.components[SEARCH_ID], name="Shard", group_id=None, created_at=LATER)
    store.components |= {f"shard{each:07}": replace(other, id=f"shard{each:07}") for each in range(count)}


def test_an_incident_is_opened_followed_and_ended_by_its_title(step: RunStep, store: Store) -> None:
    opened = step(**OPEN, components="Core / API: major_outage\nSearch: degraded_performance")
    followed = step(**OPEN | {"status": "identified", "description": "Found.", "incident_title": f" {TITLE.upper()}"})
    down = [store.components[each].status for each in (API_ID, SEARCH_ID)]
    ended = step(**RESOLVE)

    incident = store.incidents[opened.outputs["incident-id"]]
    address = f"https://example-shop.onlineornot.com/incidents/{incident.id}"
    assert (opened.outputs["status"], opened.outputs["incident-url"]) == ("INVESTIGATING", address)
    assert f"]({address})" in opened.summary
    assert [each.end for each in (opened, followed, ended)] == [(0, "opened"), (0, "created"), (0, "created")]
    assert [each.outputs["update-id"] for each in (opened, followed, ended)] == [each.id for each in incident.updates]
    assert down == ["MAJOR_OUTAGE", "DEGRADED_PERFORMANCE"]
    assert {each.status for each in store.components.values()} == {"OPERATIONAL"}
    assert (incident.ended is not None, len(store.incidents), len(store.mails)) == (True, 2, 9)


@pytest.mark.parametrize(
    ("if_no_incident", "end", "incidents"),
    [("", (1, "invalid"), 1), ("skip", (0, "skipped"), 1), ("create", (0, "opened"), 2)],
)
def test_an_incident_that_has_ended_is_not_found_by_its_title(
    step: RunStep, store: Store, if_no_incident: str, end: tuple[int, str], incidents: int
) -> None:
    step(**BY_ID | {"status": "resolved"})

    result = step(**OPEN | {"incident_title": INCIDENT_TITLE, "if_no_incident": if_no_incident})

    assert (result.end, len(store.incidents), len(store.timeline())) == (end, incidents, 2)


def test_the_newest_of_several_open_incidents_is_used_with_a_warning(step: RunStep, store: Store) -> None:
    newest = open_incident(store, INCIDENT_TITLE.lower())

    result = step(**RESOLVE | {"incident_title": INCIDENT_TITLE, "components": ""})

    assert (result.end, result.outputs["incident-id"]) == ((0, "created"), newest.id)
    assert f"::warning::Several open incidents have this title: {newest.id}, {INCIDENT_ID}." in result.log


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_list_that_is_wrongly_empty_once_does_not_change_which_components_are_restored(
    step: RunStep, store: Store, number: int
) -> None:
    step(**BY_ID, components="API: major_outage\nSearch: major_outage")
    step(**OPEN, components="Search: partial_outage")
    script = [Rule(FAULTS["chunked"], method="GET", times=number)] * bool(number)

    step(*script, Rule(FAULTS["200 empty list"], method="GET"), **BY_ID, components="restore")

    assert [store.components[each].status for each in (API_ID, SEARCH_ID)] == ["OPERATIONAL", "PARTIAL_OUTAGE"]


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [
        (OPEN, "incidents, POST incidents, incidents, page"),
        (OPEN | {"dry_run": "true"}, "permissions, incidents"),
        (OPEN | {"if_no_incident": "skip"}, "incidents"),
        (OPEN | {"incident_title": INCIDENT_TITLE}, "incidents, updates, POST updates, page"),
        ({"incident_title": INCIDENT_TITLE, "operation": "list"}, "incidents, updates, page"),
        (ONE | {"operation": "get"}, "updates, page"),
        (ONE | {"operation": "update", "status": "update"}, "PATCH updates, page"),
        (ONE | {"operation": "delete"}, "DELETE updates, page"),
        (ONE | {"operation": "delete", "update_id": "latest"}, "updates, DELETE updates, page"),
        (BY_ID, "updates, POST updates, page"),
        (BY_ID | {"components": f'[{{"id": "{API_ID}", "status": "NO_IMPACT"}}]'}, "updates, POST updates, page"),
        (BY_ID | {"components": f"{API_ID}: no_impact\nSearch: no_impact"}, "components, updates, POST updates, page"),
        (BY_ID | {"components": "Core / API: no_impact"}, "components, groups, updates, POST updates, page"),
        (BY_ID | {"components": "Unknown: no_impact"}, "components, groups"),
        (BY_ID | {"components": "restore"}, "updates, incidents, POST updates, page"),
    ],
)
def test_a_step_sends_no_unnecessary_request(step: RunStep, inputs: dict[str, str], requests: str) -> None:
    assert in_short(step(**inputs)) == requests


def test_a_title_and_a_name_are_found_on_any_page(step: RunStep, store: Store) -> None:
    add_incidents(store, 100)
    add_components(store, 100)

    result = step(**OPEN | {"incident_title": INCIDENT_TITLE}, components="API: partial_outage")

    assert (result.end, result.outputs["incident-id"]) == ((0, "created"), INCIDENT_ID)
    assert store.components[API_ID].status == "PARTIAL_OUTAGE"
    assert in_short(result) == "incidents, incidents, components, components, updates, POST updates, page"


@pytest.mark.parametrize("name", ["500 html", "404 envelope", "close", "200 deep JSON", "429 for a second"])
def test_an_unreadable_status_page_is_requested_once_and_fails_nothing(step: RunStep, name: str) -> None:
    result = step(Rule(FAULTS[name], method="GET", times=FOREVER), operation="delete", update_id=UPDATE_ID)

    assert (result.end, result.outputs["incident-url"]) == ((0, "deleted"), "")
    assert in_short(result) == "DELETE updates, page"
    assert "The address of the incident is not known" in result.log


def peak_memory(environ: Mapping[str, str]) -> int:
    """Run a step in a process of its own; return its peak memory in bytes, without its imports."""
    code = (
        f"import io, os, sys, tracemalloc; sys.path.insert(0, {str(ROOT / 'src')!r}); "
        "from onlineornot_action import main, operations; tracemalloc.start(); log = io.StringIO(); "
        "status = main.main([], os.environ, log, None); print(tracemalloc.get_traced_memory()[1]); sys.exit(status)"
    )
    command = [sys.executable, "-I", "-c", code]
    return int(subprocess.run(command, env=dict(environ), capture_output=True, timeout=60, check=True).stdout)


def test_300_incidents_and_1_500_components_take_little_memory(sandbox: Sandbox) -> None:
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "components": "API: no_impact"}
    environ = as_variables({name.replace("_", "-"): value for name, value in OPEN.items()} | given)
    add_incidents(sandbox.store, 300)
    add_components(sandbox.store, 1_500)

    assert peak_memory(environ) < 3.5 * MEBIBYTE


def test_a_job_that_runs_again_ends_the_incident_once_and_opens_another_for_a_new_failure(
    step: RunStep, store: Store
) -> None:
    step(**OPEN)
    ended = step(**RESOLVE, if_no_incident="create")

    again = step(**RESOLVE, if_no_incident="create", attempt=2)
    failed = step(**OPEN, attempt=2)

    assert (again.end, again.outputs["update-id"]) == ((0, "unchanged"), ended.outputs["update-id"])
    assert (failed.end, len(store.incidents)) == ((0, "opened"), 3)


@pytest.mark.parametrize("if_no_incident", ["fail", "skip"])
def test_a_title_that_is_not_found_is_reported_with_those_that_are_open(
    step: RunStep, store: Store, if_no_incident: str
) -> None:
    titles = [f"Outage {number} of a region" for number in range(6)]
    _ = [open_incident(store, title) for title in (*titles, "[Automated] API")]
    store.set_ended(open_incident(store, "Over").id, EARLIER)

    result = step(**OPEN | {"if_no_incident": if_no_incident})

    newest = ", ".join(f"'{title}'" for title in reversed(titles[1:]))
    assert f"Open incidents: {newest} and 2 more." in result.log
    assert f"Open incidents: {newest} and 2 more" in result.summary
    assert "::warning::" not in result.log


@pytest.mark.parametrize(
    ("if_no_incident", "end"), [("fail", (1, "invalid")), ("skip", (0, "skipped")), ("create", (0, "opened"))]
)
def test_a_title_that_nearly_matches_is_a_warning_that_names_it(
    step: RunStep, store: Store, if_no_incident: str, end: tuple[int, str]
) -> None:
    incident = open_incident(store, "Deploys are fail\u200bing")

    result = step(**OPEN | {"if_no_incident": if_no_incident})

    (warning,) = result.warnings
    assert result.end == end
    assert f"'{TITLE}'; no open incident has this title, but 'Deploys are fail\\u200bing' ({incident.id})" in warning


@pytest.mark.parametrize(("dry_run", "requests"), [("true", "permissions, incidents"), ("false", "incidents")])
def test_an_incident_that_would_be_over_at_once_is_not_opened(
    step: RunStep, store: Store, dry_run: str, requests: str
) -> None:
    misspelt = TITLE.replace("failing", "faling")
    incident = open_incident(store, misspelt)

    result = step(**RESOLVE, if_no_incident="create", dry_run=dry_run)

    assert (result.end, len(store.incidents)) == ((0, "skipped"), 2)
    assert in_short(result) == requests
    assert "::warning::Nothing was opened, because an incident that begins with RESOLVED would" in result.log
    assert f"Open incidents: '{misspelt}', '{INCIDENT_TITLE}'." in result.log
    assert f"'{misspelt}' ({incident.id}) is almost the same" in result.log
