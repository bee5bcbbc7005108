"""The sentence and the job summary: what they say, and that untrusted text in them stays text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.untrusted_text import texts

from onlineornot_action.exactly_once.evidence import Evidence
from onlineornot_action.inputs.environment import read_inputs
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.onlineornot.models import (
    ComponentChange,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.report.summary import MAX_UPDATES, render, sentence
from onlineornot_action.text import plain

always = settings(deadline=None, derandomize=True)

PAGE_ID, INCIDENT_ID, UPDATE_ID = "page1234", "incident1234", "update1234"
CREATE = {"status": "IDENTIFIED", "description": "The cause is found."}
MEBIBYTE = 1024 * 1024

_FENCED = re.compile(r"^(`{3,})(\w*)\n(.*?)\n {0,3}\1`*[ \t]*$", re.DOTALL | re.MULTILINE)
_CELL_END = re.compile(r"(?<!\\)\|")

prose = (
    st.lists(st.sampled_from(["`", "```", "````", "~~~", "\n", "\n", " ", "a", "|", "<b>", "\\", "\x00"]))
    .map("".join)
    .filter(lambda text: plain(text).strip())
)
"""Text full of Markdown and of invisible characters."""


def inputs(**given: str) -> Inputs:
    """Read inputs; hyphens are written as underscores."""
    usual = {"api_token": "token-1234567890", "status_page_id": PAGE_ID, "incident_id": INCIDENT_ID}
    written = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in (usual | given).items()}
    return read_inputs(written).inputs


def result(outcome: Outcome, update: IncidentUpdate | None = None) -> Result:
    return Result(outcome, INCIDENT_ID, UPDATE_ID, update)


def timeline(*updates: IncidentUpdate) -> Result:
    return Result(Outcome.LISTED, INCIDENT_ID, updates=updates)


def failure(error: str) -> Result:
    return Result(Outcome.REJECTED, INCIDENT_ID, error=error)


def blocks(markdown: str) -> list[tuple[str, str]]:
    """The code blocks, as language and text, each ended by the first line that ends it."""
    return [(language, text) for _, language, text in _FENCED.findall(markdown)]


def table(markdown: str) -> list[list[str]]:
    """The cells of each row, as GitHub splits them; the lines between head and body are left out."""
    rows = [line for line in markdown.split("\n") if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in _CELL_END.split(row)[1:-1]] for row in rows]


def facts(markdown: str) -> dict[str, str]:
    """The table of two columns, without the marks around its values."""
    return {row[0]: row[1].strip("`") for row in table(markdown)}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.CREATED, "Posted IDENTIFIED to incident incident1234 as update update1234; subscribers are notified."),
        (Outcome.UPDATED, "Changed update update1234 of incident incident1234."),
        (Outcome.DELETED, "Deleted update update1234 of incident incident1234."),
        (Outcome.UNCHANGED, "Nothing was posted: update update1234 of incident incident1234 already says the same."),
        (Outcome.LISTED, "Read 0 update(s) of incident incident1234."),
        (Outcome.OPENED, "Opened incident incident1234 with IDENTIFIED; subscribers are notified."),
        (Outcome.SKIPPED, "Nothing was posted: there is no open incident of this title."),
        (Outcome.DRY_RUN, "Dry run: nothing was written. It would create an update of incident incident1234."),
    ],
)
def test_the_sentence_says_what_was_done(outcome: Outcome, words: str) -> None:
    assert sentence(result(outcome), inputs(**CREATE)) == words


def test_the_sentence_says_when_nobody_is_notified() -> None:
    assert sentence(result(Outcome.CREATED), inputs(**CREATE, notify="false")).endswith("subscribers are not notified.")


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.FETCHED])
def test_the_sentence_prefers_the_status_that_the_api_shows(outcome: Outcome) -> None:
    update = IncidentUpdate(id=UPDATE_ID, status="MONITORING")

    assert "MONITORING" in sentence(result(outcome, update), inputs(**CREATE))


def test_the_sentence_says_when_an_update_has_no_status() -> None:
    given = inputs(operation="get", update_id=UPDATE_ID)

    assert sentence(result(Outcome.FETCHED), given).endswith("; its status is not given.")


def test_the_inputs_are_not_mistaken_for_what_was_read() -> None:
    given = inputs(operation="get", update_id=UPDATE_ID, status="RESOLVED", description="All is well.")
    read = result(Outcome.FETCHED, IncidentUpdate(id=UPDATE_ID))

    assert "RESOLVED" not in sentence(read, given) + render(read, given)
    assert blocks(render(read, given)) == []


def test_the_sentence_counts_the_updates() -> None:
    listed = timeline(*[IncidentUpdate(id=UPDATE_ID)] * 3)

    assert sentence(listed, inputs(operation="list")) == "Read 3 update(s) of incident incident1234."


def test_the_table_says_what_happened_where() -> None:
    markdown = render(result(Outcome.CREATED), inputs(**CREATE), requests=2)

    assert facts(markdown) == {
        "Outcome": "created",
        "Status page": PAGE_ID,
        "Incident": INCIDENT_ID,
        "Update": UPDATE_ID,
        "Status": "IDENTIFIED",
        "Subscribers": "are notified",
        "Requests": "2",
    }


@pytest.mark.parametrize("outcome", sorted({*Outcome} - {Outcome.CREATED, Outcome.OPENED}))
def test_the_table_mentions_subscribers_only_if_something_was_posted(outcome: Outcome) -> None:
    assert "Subscribers" not in render(result(outcome), inputs(**CREATE))


@pytest.mark.parametrize("outcome", Outcome)
def test_the_heading_shows_at_a_glance_how_it_went(outcome: Outcome) -> None:
    heading = render(result(outcome), None).split("\n")[0]

    assert re.fullmatch(r"### (✅|❌|⚠️) OnlineOrNot: [a-z, A-Z]+", heading)
    assert ("✅" in heading) is not outcome.failed


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.CANCELLED])
def test_an_open_outcome_is_shown_neither_as_success_nor_as_failure(outcome: Outcome) -> None:
    assert render(result(outcome), None).startswith("### ⚠️ ")


@pytest.mark.parametrize(("requests", "writes", "shown"), [(0, 0, "0"), (2, 1, "2"), (5, 2, "5, 2 of them to write")])
def test_the_table_counts_the_requests(requests: int, writes: int, shown: str) -> None:
    assert facts(render(result(Outcome.CREATED), inputs(**CREATE), requests, writes))["Requests"] == shown


def test_the_table_shows_the_evidence_after_a_lost_response_and_the_notes() -> None:
    found = Result(Outcome.CREATED, INCIDENT_ID, UPDATE_ID, evidence=Evidence.RECONCILED, notes=("It rained.",))

    shown = facts(render(found, inputs(**CREATE)))

    assert shown["Known because"] == Evidence.RECONCILED.value
    assert shown["Note"] == "It rained."


def test_the_text_of_the_update_is_in_a_code_block() -> None:
    update = IncidentUpdate(id=UPDATE_ID, description="As the API\nshows it.")

    markdown = render(result(Outcome.CREATED, update), inputs(**CREATE))

    assert blocks(markdown) == [("text", "As the API\nshows it.")]


def test_without_a_response_the_requested_text_is_in_the_code_block() -> None:
    assert blocks(render(result(Outcome.UPDATED), inputs(**CREATE))) == [("text", CREATE["description"])]


def test_a_summary_ends_with_an_empty_line_so_that_another_can_follow() -> None:
    assert render(result(Outcome.CREATED), inputs(**CREATE)).endswith("```\n\n")


def test_components_are_shown_before_and_after() -> None:
    change = ComponentChange(
        id="component1", name="Checkout | API", old_status="OPERATIONAL", new_status="MAJOR_OUTAGE"
    )
    update = IncidentUpdate(id=UPDATE_ID, components=(change,))

    markdown = render(result(Outcome.CREATED, update), inputs(**CREATE))

    assert facts(markdown)["Component"] == "Checkout ¦ API: OPERATIONAL → MAJOR_OUTAGE"


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (ComponentChange(), "?: ? → ?"),
        (ComponentChange(id="component1", new_status="NO_IMPACT"), "component1: ? → NO_IMPACT"),
        (ComponentChange(name="Shop", old_status="MAINTENANCE"), "Shop: MAINTENANCE → ?"),
    ],
)
def test_a_missing_part_of_a_component_is_a_question_mark(change: ComponentChange, shown: str) -> None:
    update = IncidentUpdate(id=UPDATE_ID, components=(change,))

    assert facts(render(result(Outcome.FETCHED, update), inputs(**CREATE)))["Component"] == shown


@pytest.mark.parametrize("update", [None, IncidentUpdate(id=UPDATE_ID), IncidentUpdate(id=UPDATE_ID, components=())])
def test_where_the_api_says_nothing_the_requested_components_are_shown(update: IncidentUpdate | None) -> None:
    given = inputs(**CREATE, components="component1: major_outage\ncomponent2: maintenance")

    rows = table(render(result(Outcome.CREATED, update), given))

    assert [row for row in rows if row[0] == "Component"] == [
        ["Component", "`component1: MAJOR_OUTAGE`"],
        ["Component", "`component2: MAINTENANCE`"],
    ]


def test_a_dry_run_shows_the_body_that_would_be_posted() -> None:
    body = IncidentUpdateCreate(**CREATE, notify_subscribers=False)

    markdown = render(Result(Outcome.DRY_RUN, INCIDENT_ID, body=body), inputs(**CREATE))

    assert ("json", body.to_json().decode()) in blocks(markdown)
    assert '"notify_subscribers":false' in markdown


def test_a_dry_run_of_a_change_shows_the_text_as_it_is_and_what_would_change() -> None:
    update = IncidentUpdate(id=UPDATE_ID, description="Old.")
    body = IncidentUpdatePatch(description="New.")

    markdown = render(Result(Outcome.DRY_RUN, INCIDENT_ID, UPDATE_ID, update, body=body), None)

    assert blocks(markdown) == [("text", "Old."), ("json", '{"description":"New."}')]


def test_a_failure_shows_the_error_and_the_text_that_was_not_posted() -> None:
    markdown = render(failure("The API says no.\nMend it."), inputs(**CREATE))

    assert blocks(markdown) == [("text", "The API says no.\nMend it."), ("text", CREATE["description"])]


def test_invalid_inputs_are_shown_without_facts_about_them() -> None:
    markdown = render(Result(Outcome.INVALID, error="status is required."), None)

    assert facts(markdown) == {"Outcome": "invalid", "Requests": "0"}
    assert blocks(markdown) == [("text", "status is required.")]


def test_a_list_is_a_table_in_the_order_of_the_result() -> None:
    newest = IncidentUpdate(id=UPDATE_ID, status="RESOLVED", description="Over.", date_happened="2026-02-01T00:00:00Z")
    oldest = IncidentUpdate(id=UPDATE_ID, description="It\n\nbegan.")

    rows = table(render(timeline(newest, oldest), inputs(operation="list")))

    assert rows[-3:] == [
        ["When", "Status", "Text"],
        ["`2026-02-01T00:00:00Z`", "`RESOLVED`", "`Over.`"],
        ["", "", "`It began.`"],
    ]


@pytest.mark.parametrize(("count", "says_so"), [(MAX_UPDATES, False), (MAX_UPDATES + 1, True)])
def test_a_long_list_leaves_out_the_oldest_updates_and_says_so(count: int, says_so: bool) -> None:  # noqa: FBT001 - a table
    markdown = render(timeline(*[IncidentUpdate(id=UPDATE_ID)] * count), inputs(operation="list"), requests=2)

    assert markdown.count("\n|  |  |  |") == MAX_UPDATES
    assert ("Older updates are left out here." in markdown) is says_so


def test_thousands_of_long_updates_leave_the_summary_short_enough_for_github() -> None:
    update = IncidentUpdate(id=UPDATE_ID, status="🛠" * 10_000, description="🛠" * 10_000, date_happened="🛠" * 10_000)

    markdown = render(timeline(*[update] * 5_000), inputs(operation="list"))

    assert len(markdown.encode()) < MEBIBYTE


@always
@given(text=prose)
def test_a_text_cannot_leave_its_block(text: str) -> None:
    update = IncidentUpdate(id=UPDATE_ID, description=text)

    assert blocks(render(result(Outcome.FETCHED, update), None)) == [("text", plain(text))]


@always
@given(text=prose)
def test_an_error_cannot_leave_its_block(text: str) -> None:
    assert blocks(render(failure(text), None)) == [("text", plain(text))]


@always
@given(text=texts)
def test_a_row_of_a_list_has_three_cells_of_plain_code(text: str) -> None:
    update = IncidentUpdate(id=UPDATE_ID, status=text, description=text, date_happened=text)

    row = table(render(timeline(update), None))[-1]

    assert len(row) == 3
    assert all(re.fullmatch("(`[^`]+`)?", cell) for cell in row)


@always
@given(text=texts)
def test_a_fact_has_two_cells_of_which_the_second_is_plain_code(text: str) -> None:
    change = ComponentChange(name=text, old_status=text, new_status=text)
    update = IncidentUpdate(id=UPDATE_ID, status=text, components=(change,))

    rows = table(render(result(Outcome.CREATED, update), inputs(**CREATE)))

    assert {len(row) for row in rows} == {2}
    assert all(re.fullmatch("(`[^`]+`)?", row[1]) for row in rows)
    assert [row[0] for row in rows][-2:] == ["Component", "Requests"]
