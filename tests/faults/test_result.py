"""One step with `result` for failure and success: what it costs, what customers read, and whom it mails."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from support.fault_server import FAULTS, Phase, Rule
from support.step import RunStep

from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, SUBSCRIBERS
from onlineornot_sandbox.store import Store

TITLE = "Checkout disrupted (api)"
FAILED, RECOVERED = "A deploy failed; we are looking into it.", "Checkout works again."
MAILS = len(SUBSCRIBERS)
AddOpen = Callable[..., str]


@pytest.fixture
def deploy(step: RunStep) -> RunStep:
    """Run the one step of a workflow; `result` says how its deploy ended."""
    return partial(
        step,
        incident_title=TITLE,
        description=FAILED,
        resolved_description=RECOVERED,
        components="API: major_outage",
    )


@pytest.fixture(params=[0, 1, 101])
def past(request: pytest.FixtureRequest, store: Store) -> int:
    """Add this many incidents to the page, all with this title and over."""
    incident, count = store.incidents.pop(INCIDENT_ID), int(request.param)
    over = replace(incident, title=TITLE, ended=incident.created_at)
    store.incidents |= {f"over{each:08}": replace(over, id=f"over{each:08}") for each in range(count)}
    return count


@pytest.fixture
def add_open(store: Store) -> AddOpen:
    """Add an open incident with a title to the page."""
    seed = store.incidents.pop(INCIDENT_ID)

    def add(title: str, created_at: str = seed.created_at) -> str:
        incident = replace(seed, id=f"open{len(store.incidents):08}", title=title, created_at=created_at)
        store.incidents[incident.id] = incident
        return incident.id

    return add


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("comment", ["true", "false"])
def test_a_success_with_nothing_open_reads_the_list_once_and_is_skipped_without_a_warning(
    deploy: RunStep, store: Store, past: int, attempt: int, comment: str
) -> None:
    run = deploy(result="success", attempt=attempt, comment=comment)

    pages = {0: 2, 1: 1, 101: 2}[past]
    assert (run.end, run.warnings, store.mails) == ((0, "skipped"), [], [])
    assert run.requests == [f"GET /v1/status_pages/{store.page.id}/incidents"] * pages
    assert run.summary.startswith("### ✅ The deploy succeeded; no incident of this title is open\n")
    assert "::notice::The deploy succeeded; no incident of this title is open. No incident is open" in run.log
    assert RECOVERED not in run.summary


def test_an_incident_is_opened_kept_and_closed_by_the_same_step(deploy: RunStep, store: Store, past: int) -> None:
    failed, again, rerun = deploy(result="failure"), deploy(result="failed"), deploy(result="failure", attempt=2)
    mails, status = len(store.mails), store.components[API_ID].status
    succeeded, later = deploy(result="success"), deploy(result="success")

    ends = [each.outputs["outcome"] for each in (failed, again, rerun, succeeded, later)]
    incident = store.incidents[failed.outputs["incident-id"]]
    assert ends == ["opened", "unchanged", "unchanged", "created", "skipped"]
    assert [each.warnings for each in (failed, again, rerun, succeeded, later)] == [[]] * 5
    assert (mails, status) == (MAILS, "MAJOR_OUTAGE")
    assert (len(store.mails), store.components[API_ID].status) == (2 * MAILS, "OPERATIONAL")
    assert [update.description for update in incident.updates] == [FAILED, RECOVERED]
    assert (bool(incident.ended), len(store.incidents)) == (True, past + 1)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("result", "outcome", "text"), [("failure", "opened", FAILED), ("success", "created", RECOVERED)]
)
def test_a_lost_response_is_found_again_and_mailed_once(
    deploy: RunStep, store: Store, add_open: AddOpen, phase: Phase, result: str, outcome: str, text: str
) -> None:
    add_open("Another title" if result == "failure" else TITLE)

    run = deploy(Rule(FAULTS["reset"], phase, "POST"), result=result)

    assert run.outcome == outcome, run.log
    assert [update.description for each in store.incidents.values() for update in each.updates].count(text) == 1
    assert len(store.mails) == MAILS


def test_two_services_have_an_incident_each(deploy: RunStep, store: Store) -> None:
    web = {"incident_title": "Checkout disrupted (web)", "components": "Website: partial_outage"}

    runs = [deploy(result="failure"), deploy(result="failure", **web), deploy(result="success", **web)]

    api_incident, web_incident = (store.incidents[each.outputs["incident-id"]] for each in runs[:2])
    assert [(each.outputs["outcome"], each.warnings) for each in runs] == [
        ("opened", []),
        ("opened", []),
        ("created", []),
    ]
    assert (api_incident.ended, bool(web_incident.ended)) == (None, True)
    assert store.components[API_ID].status == "MAJOR_OUTAGE"
    assert len(store.mails) == 3 * MAILS


@pytest.mark.parametrize(
    ("title", "icon"), [("Checkout disruptd (api)", "⚠️"), ("Checkout disrupted (web)", "✅"), ("Search is slow", "✅")]
)
def test_a_success_names_what_is_open_and_warns_only_of_a_slip_within_a_word(
    deploy: RunStep, add_open: AddOpen, title: str, icon: str
) -> None:
    add_open(title)

    run = deploy(result="success")

    assert (run.end, run.posts, bool(run.warnings)) == ((0, "skipped"), 0, icon == "⚠️")
    assert run.summary.startswith(f"### {icon} The deploy succeeded; no incident of this title is open")
    assert f"Open incidents: '{title}'" in run.summary
    assert f"Open incidents: '{title}'" in run.log


def test_each_success_closes_the_newest_of_several_and_names_the_others(deploy: RunStep, add_open: AddOpen) -> None:
    older, newer = add_open(TITLE, "2020-01-01T00:00:00.000Z"), add_open(TITLE.upper())

    runs = [deploy(result="success") for _ in range(3)]

    assert [each.outputs["incident-id"] for each in runs] == [newer, older, ""]
    assert f"{newer}, {older}" in "".join(runs[0].warnings)


@pytest.mark.parametrize(("word", "dry_run"), [("Cancelled", "true"), ("skipped", "false")])
def test_any_other_result_sends_nothing(deploy: RunStep, word: str, dry_run: str) -> None:
    run = deploy(result=word, dry_run=dry_run, comment="true")

    assert (run.end, run.requests, run.warnings) == ((0, "skipped"), [], [])
    assert f"::notice::The result is {word.lower()}; there is nothing to report." in run.log


def test_a_failure_that_opens_nothing_shows_what_was_to_be_posted(deploy: RunStep) -> None:
    run = deploy(result="failure", if_no_incident="skip")

    assert (run.end, run.posts) == ((0, "skipped"), 0)
    assert run.summary.startswith("### ✅ Nothing was posted: there is no open incident of this title")
    assert f"What was to be posted:\n\n> {FAILED}" in run.summary
