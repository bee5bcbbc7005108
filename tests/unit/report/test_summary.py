"""The sentence and the job summary: what they say, and that untrusted text in them stays text."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.markdown import COMMONMARK, Page, rows
from support.untrusted_text import untrusted

from onlineornot_action.inputs.model import Inputs, read_inputs
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.onlineornot.models import ComponentChange, IncidentUpdate, IncidentUpdatePatch
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.report.summary import MAX_COMPONENTS, MAX_UPDATES, describe, render
from onlineornot_action.text import JOINER

always = settings(deadline=None, derandomize=True)

PAGE_ID, INCIDENT_ID, UPDATE_ID = "page1234", "incident1234", "update1234"
CREATE = {"status": "IDENTIFIED", "description": "The cause is found."}
MEBIBYTE = 1024 * 1024

_URL = "https://status.example.com/incidents/incident1234"
_RUN_URL = "https://github.com/example/shop/actions/runs/1"


def inputs(**given: str) -> Inputs:
    """Read inputs; hyphens are written as underscores."""
    usual = {"api_token": "token-1234567890", "status_page_id": PAGE_ID, "incident_id": INCIDENT_ID}
    written = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in (usual | given).items()}
    return read_inputs(Environment.of(written)).inputs


def result(outcome: Outcome, update: IncidentUpdate | None = None) -> Result:
    return Result(outcome, INCIDENT_ID, UPDATE_ID, update)


def timeline(*updates: IncidentUpdate) -> Result:
    return Result(Outcome.LISTED, INCIDENT_ID, updates=updates)


def failure(error: str) -> Result:
    return Result(Outcome.REJECTED, INCIDENT_ID, error=error)


def facts(markdown: str) -> dict[str, str]:
    """The table of two columns that is folded away, without the marks around its values."""
    return {name: value.strip("`") for name, value in rows(markdown.split("<details>")[1]) if name}


def paragraphs(markdown: str) -> list[str]:
    """What is not folded away, as a person reads it."""
    return [text_of(paragraph) for paragraph in markdown.split("<details>", maxsplit=1)[0].strip().split("\n\n")]


def text_of(markdown: str) -> str:
    """The text that a piece of Markdown shows, without its escapes."""
    html = COMMONMARK.render(markdown)
    return unescape(re.sub("<[^>]*>", "", html.replace("<br>", "\n"))).replace(JOINER, "").strip()


IT = "update update1234 of incident incident1234"
NOTHING, NOBODY = "Nothing was posted:", "subscribers are not notified"
POSTED = f"Posted IDENTIFIED to incident incident1234 as update update1234; {NOBODY}."
OPENED = f"Opened incident incident1234 with IDENTIFIED; {NOBODY}."
NO_INCIDENT = f"{NOTHING} there is no open incident of this title"
DRY_RUN = "Dry run: nothing was written"


@pytest.mark.parametrize(
    ("outcome", "icon", "headline", "annotation"),
    [
        (Outcome.CREATED, "✅", f"Posted IDENTIFIED; {NOBODY}", POSTED),
        (Outcome.OPENED, "✅", f"Opened an incident with IDENTIFIED; {NOBODY}", OPENED),
        (Outcome.UPDATED, "✅", "Changed the update", f"Changed {IT}."),
        (Outcome.DELETED, "✅", "Deleted the update", f"Deleted {IT}."),
        (Outcome.UNCHANGED, "✅", f"{NOTHING} an update that matches is there already", f"{NOTHING} {IT} matches."),
        (Outcome.LISTED, "✅", "Read 0 update(s)", "Read 0 update(s) of incident incident1234."),
        (Outcome.FETCHED, "✅", "Read the update", f"Read {IT}; its status is IDENTIFIED."),
        (Outcome.SKIPPED, "✅", NO_INCIDENT, f"{NO_INCIDENT}. It rained."),
        (Outcome.DRY_RUN, "✅", DRY_RUN, f"{DRY_RUN}. It would create an update of incident incident1234."),
        (Outcome.INVALID, "❌", f"{NOTHING} the inputs are invalid", "It failed."),
        (Outcome.REJECTED, "❌", f"{NOTHING} the request was refused", "It failed."),
        (Outcome.NOT_SENT, "❌", f"{NOTHING} the API could not be reached", "It failed."),
        (Outcome.UNKNOWN, "⚠️", "It is not known whether the update was posted", "It failed."),
        (Outcome.CANCELLED, "⚠️", "The run was cancelled", "It failed."),
    ],
)
def test_the_heading_and_the_annotation_say_what_was_done(
    outcome: Outcome, icon: str, headline: str, annotation: str
) -> None:
    ended = Result(outcome, INCIDENT_ID, UPDATE_ID, notes=("It rained",), error="It failed.")

    assert describe(ended, inputs(**CREATE)) == (headline, annotation)
    assert paragraphs(render(ended, inputs(**CREATE)))[0] == f"{icon} {headline}"


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.OPENED])
def test_what_was_posted_is_shown_with_who_is_notified(outcome: Outcome) -> None:
    shown = describe(Result(outcome, INCIDENT_ID, UPDATE_ID, notified=True), inputs(**CREATE))

    assert [text.rstrip(".").split("; ")[1] for text in shown] == ["subscribers are notified"] * 2


def test_a_dry_run_without_an_incident_would_open_one() -> None:
    assert describe(Result(Outcome.DRY_RUN), inputs(**CREATE))[1].endswith("It would open an incident.")


def test_the_inputs_are_not_mistaken_for_what_was_read() -> None:
    given = inputs(operation="get", update_id=UPDATE_ID, status="RESOLVED", description="All is well.")
    read = result(Outcome.FETCHED, IncidentUpdate(id=UPDATE_ID))

    assert describe(read, given)[1].endswith("; its status is not given.")
    assert "RESOLVED" not in render(read, given)
    assert "All is well." not in render(read, given)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_warning_stands_unfolded_and_a_success_with_one_is_no_plain_success(outcome: Outcome) -> None:
    warned = Result(outcome, INCIDENT_ID, UPDATE_ID, warnings=("One.\nTwo.", "Three."), error="It failed.")

    heading, *shown = paragraphs(render(warned, inputs(**CREATE)))

    assert ("✅" in heading, "⚠️" in heading or outcome.failed) == (False, True)
    assert [text for text in shown if text.startswith("⚠️")] == ["⚠️ One.", "⚠️ Two.", "⚠️ Three."]


def test_a_skipped_step_names_unfolded_what_it_has_found_and_claims_no_post() -> None:
    skipped = Result(Outcome.SKIPPED, notes=("Open incidents: 'Search is slow'",))

    markdown = render(skipped, inputs(**CREATE))

    assert paragraphs(markdown)[1:] == [*skipped.notes, "What was to be posted:", CREATE["description"]]
    assert "Note" not in facts(markdown)


def test_below_the_heading_of_a_success_is_the_link_to_the_incident() -> None:
    posted = Result(Outcome.CREATED, INCIDENT_ID, UPDATE_ID, incident_url=_URL)

    assert render(posted, inputs(**CREATE)).split("\n\n")[1] == f"[The incident, as readers see it]({_URL})"


LOOK = f"[Look at the incident]({_URL}) first. If the update is not there after a minute, re-run this job alone."


@pytest.mark.parametrize(
    ("failed", "advice"),
    [
        (Result(Outcome.UNKNOWN, INCIDENT_ID, notified=None, incident_url=_URL), LOOK),
        (Result(Outcome.CANCELLED, INCIDENT_ID, notified=None, incident_url=_URL), LOOK),
        (Result(Outcome.UNKNOWN, notified=None, incident_url=_URL), LOOK.replace("incident]", "status page]")),
        (Result(Outcome.NOT_SENT), f"[Run the job again]({_RUN_URL})."),
        (Result(Outcome.REJECTED), "Fix what is named below, and run the job again."),
        (Result(Outcome.INVALID), "Fix what is named below, and run the job again."),
        (Result(Outcome.CANCELLED), f"[Run the job again]({_RUN_URL}) if the update is still needed."),
        (Result(Outcome.CANCELLED, INCIDENT_ID, notified=True, known_because="found"), "There is nothing to do."),
        (Result(Outcome.UNKNOWN, INCIDENT_ID, notified=None), LOOK.replace(f"]({_URL})", "").removeprefix("[")),
    ],
)
def test_below_the_heading_of_a_failure_is_the_one_thing_to_do(failed: Result, advice: str) -> None:
    assert render(failed, inputs(**CREATE), run_url=_RUN_URL).split("\n\n")[1] == f"**{advice}**"


def test_advice_needs_no_address_of_the_run() -> None:
    assert "**Run the job again.**" in render(Result(Outcome.NOT_SENT, INCIDENT_ID), inputs(**CREATE))


@pytest.mark.parametrize(
    ("operation", "done", "undone"),
    [
        ("get", "read", "is not there"),
        ("update", "changed", "has not changed"),
        ("delete", "deleted", "is still there"),
    ],
)
def test_a_failure_says_what_was_not_done_and_how_to_see_that(operation: str, done: str, undone: str) -> None:
    given = inputs(operation=operation, update_id=UPDATE_ID, description="New.")

    refused, lost = render(failure("No."), given), render(Result(Outcome.UNKNOWN, notified=None), given)

    assert paragraphs(refused)[0] == f"❌ Nothing was {done}: the request was refused"
    assert f"If the update {undone} after a minute, re-run this job alone.**" in lost


SEEN = "Customers see the update; subscribers are"


@pytest.mark.parametrize(
    ("outcome", "notified", "words"),
    [
        (Outcome.REJECTED, False, "Customers see no change, and nobody was notified."),
        (Outcome.CANCELLED, False, "Customers see no change, and nobody was notified."),
        (Outcome.UNKNOWN, None, "Customers may see it already, and subscribers may have been notified."),
        (Outcome.CANCELLED, True, f"{SEEN} notified."),
    ],
)
def test_a_failure_says_what_customers_know(outcome: Outcome, *, notified: bool | None, words: str) -> None:
    failed = Result(outcome, INCIDENT_ID, UPDATE_ID, notified=notified, known_because="found" if notified else "")

    assert words in paragraphs(render(failed, inputs(**CREATE)))


def test_a_failure_to_read_says_nothing_about_customers() -> None:
    assert "Customers" not in render(result(Outcome.REJECTED), inputs(operation="list"))


def test_the_details_say_how_it_is_known_and_end_so_that_another_summary_can_follow() -> None:
    found = Result(Outcome.CREATED, INCIDENT_ID, UPDATE_ID, known_because="it was read", notes=("It rained.",))

    markdown = render(found, inputs(**CREATE), requests=5, writes=2)

    assert markdown.endswith("</details>\n\n")
    ids = {"Status page": PAGE_ID, "Incident": INCIDENT_ID, "Update": UPDATE_ID}
    reasons = {"Known because": "it was read", "Note": "It rained.", "Requests": "5, 2 of them to write"}
    assert facts(markdown) == {"Outcome": "created", **ids, **reasons}


def test_invalid_inputs_are_shown_without_facts_about_them() -> None:
    markdown = render(Result(Outcome.INVALID, error="status is required.\nnotify is 'x'."), None)

    assert facts(markdown) == {"Outcome": "invalid", "Requests": "0"}
    assert paragraphs(markdown)[-2:] == ["status is required.", "notify is 'x'."]


COMPONENTS = "🔴 component1: MAJOR_OUTAGE\n🔵 two: MAINTENANCE"
ASKED_FOR = [f"✅ Posted IDENTIFIED; {NOBODY}", CREATE["description"], COMPONENTS]


@pytest.mark.parametrize(
    ("update", "shown"),
    [
        (None, ASKED_FOR),
        (IncidentUpdate(id=UPDATE_ID), ASKED_FOR),
        (
            IncidentUpdate(id=UPDATE_ID, status="UPDATE", description="As the API\nshows it.", components=()),
            [f"✅ Posted UPDATE; {NOBODY}", "As the API\nshows it."],
        ),
        (IncidentUpdate(id=UPDATE_ID, description=""), [ASKED_FOR[0], COMPONENTS]),
    ],
    ids=["no response", "a response without them", "all of them", "an empty text"],
)
def test_what_the_page_has_is_shown_and_what_was_sent_only_where_the_api_does_not_say(
    update: IncidentUpdate | None, shown: list[str]
) -> None:
    given = inputs(**CREATE, components="component1: major_outage\ntwo: maintenance")

    assert paragraphs(render(result(Outcome.CREATED, update), given)) == shown


@pytest.mark.parametrize("outcome", [Outcome.UPDATED, Outcome.DELETED])
def test_what_was_changed_or_deleted_as_latest_is_shown_as_it_was(outcome: Outcome) -> None:
    before = IncidentUpdate(id=UPDATE_ID, status="MONITORING", description="<b>Written</b>\nby a colleague.")
    ended = Result(outcome, INCIDENT_ID, UPDATE_ID, replaced=before)

    shown = paragraphs(render(ended, inputs(operation="delete", update_id="latest")))

    assert shown[-2:] == ["Before, the update was MONITORING, with this text:", "<b>Written</b>\nby a colleague."]


def test_a_failure_shows_the_error_and_the_text_that_was_to_be_posted() -> None:
    shown = paragraphs(render(failure("The API says no."), inputs(**CREATE)))

    assert shown[-3:] == ["The API says no.", "What was to be posted:", CREATE["description"]]


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        (
            [ComponentChange(id="component1", name="Shop | API", old_status="OPERATIONAL", new_status="MAJOR_OUTAGE")],
            "🔴 Shop | API: OPERATIONAL → MAJOR_OUTAGE",
        ),
        ([ComponentChange(id="component1", new_status="NO_IMPACT")], "⚪ component1: NO_IMPACT"),
        ([ComponentChange(name="Shop", old_status="MAINTENANCE")], "⚪ Shop: MAINTENANCE → ?"),
        ([ComponentChange()] * MAX_COMPONENTS, "⚪ ?: ?"),
        ([ComponentChange()] * (MAX_COMPONENTS + 2), "and 2 more"),
    ],
)
def test_components_are_shown_before_and_after_unless_they_are_too_many(
    changes: list[ComponentChange], last: str
) -> None:
    update = IncidentUpdate(id=UPDATE_ID, description="It fails.", components=tuple(changes))

    assert paragraphs(render(result(Outcome.FETCHED, update), None))[-1].split("\n")[-1] == last


def test_a_dry_run_of_a_change_shows_the_text_as_it_is_and_what_would_change() -> None:
    update = IncidentUpdate(id=UPDATE_ID, description="Old.")
    body = IncidentUpdatePatch(description="New.")

    markdown = render(Result(Outcome.DRY_RUN, INCIDENT_ID, UPDATE_ID, update, body=body), None)

    assert "Old." in paragraphs(markdown)
    assert '```json\n{"description":"New."}\n```\n' in markdown


def test_a_list_is_a_table_in_the_order_of_the_result_and_its_updates_are_counted() -> None:
    newest = IncidentUpdate(id=UPDATE_ID, status="RESOLVED", description="Over.", date_happened="2026-02-01T00:00:00Z")
    oldest = IncidentUpdate(id=UPDATE_ID, description="It\n\nbegan.")

    markdown = render(timeline(newest, oldest), inputs(operation="list")).split("<details>")[0]

    assert paragraphs(markdown)[0] == "✅ Read 2 update(s)"
    assert rows(markdown) == [
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


TAGS = {"h3", "p", "strong", "blockquote", "br", "span", "code", "details", "summary"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
"""Those that the summary writes itself; no text brings a link."""


@always
@given(text=untrusted, outcome=st.sampled_from([Outcome.CANCELLED, Outcome.SKIPPED]))
def test_no_untrusted_text_is_more_than_text(text: str, outcome: Outcome) -> None:
    change = ComponentChange(name=text, old_status=text, new_status=text)
    update = IncidentUpdate(id=UPDATE_ID, status=text, description=text, date_happened=text, components=(change,))
    shown = Result(outcome, INCIDENT_ID, UPDATE_ID, update, (update,), replaced=update, notes=(text,), error=text)
    shown = shown._replace(warnings=(text,))

    markdown = render(shown, inputs(**CREATE))

    assert set(Page(markdown).tags) <= TAGS
    assert markdown.count("<details>") == markdown.count("</details>") == 1
    assert all(re.fullmatch("(`[^`]+`)?", cell) for cell in rows(markdown)[1])
