"""The words of the comment, and that untrusted text in them stays text."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_letters, digits
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.markdown import FILTERS, Page, tokens
from support.untrusted_text import MARKDOWN_BAITS, texts

from onlineornot_action.onlineornot.models import ComponentChange, IncidentUpdate
from onlineornot_action.pull_request.body import CommentState, FailedRun, format_marker, parse_state, render
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import JOINER

always = settings(deadline=None, derandomize=True)
whole_comments = settings(always, max_examples=30)
"""A comment has eleven or more untrusted texts, so each example tries as many."""

PAGE_ID, UPDATE_ID = "page1234", "update1234"
MARKER = "<!-- onlineornot-incident-update page=page1234 incident=incident1234 -->"
RUN_URL = "https://github.com/octo/shop/actions/runs/77/attempts/2"
RUN = WorkflowRun("https://api.github.com", "https://github.com", "octo/shop", RUN_URL, None, "", None)
FAILED_RUN_URL = "https://github.com/octo/shop/actions/runs/5"
INCIDENT_URL = "https://status.example.com/incidents/incident1234"
MAX_COMMENT_LENGTH = 65_536
"""Characters that GitHub accepts."""
BLANK = (" ", "\x00", "\u202e")
"""Text that is not empty, but invisible."""

piece = st.sampled_from(MARKDOWN_BAITS) | texts
visible = st.tuples(piece, piece).map("x".join)
"""Untrusted text that is not blank; longer ones are tried where a text is escaped."""


def update(status: str | None = "IDENTIFIED", at: str | None = "2026-01-31T14:00:00Z", **more: Any) -> IncidentUpdate:
    """Make an update that happened when it was created."""
    return IncidentUpdate(**{"id": UPDATE_ID, "status": status, "date_happened": at, "created_at": at} | more)


def written(
    *updates: IncidentUpdate,
    title: str = "",
    notified: Mapping[str, bool | None] = MappingProxyType({}),
    failed_jobs: Sequence[str] | None = None,
    incident_url: str = "",
    commit: str = "",
) -> str:
    """Write a comment; it has a failed run if its failed jobs are given."""
    failed_run = None if failed_jobs is None else FailedRun.of(5, failed_jobs)
    state = CommentState(notified=notified, failed_run=failed_run)
    return render(MARKER, state, updates, RUN._replace(commit=commit), title, incident_url)


def written_with(words: Sequence[str]) -> str:
    """Write a comment with eleven untrusted texts; only the time of the newest update is trusted."""
    title, at, status, text, name, old, new, other_id, job, other_job, last = words
    changes = (
        ComponentChange(id=name, name=name, old_status=old, new_status=new),
        ComponentChange(id=other_id, new_status=new),
    )
    newest = update(status, date_happened=at, description=text, components=changes)
    oldest = update(last, "2026-01-31T13:00:00Z", id="update0000", date_happened=last, description=last)
    return written(
        newest, oldest, title=title, notified={UPDATE_ID: True}, failed_jobs=[job, other_job], incident_url=INCIDENT_URL
    )


WORDS = 11


def heading(markdown: str) -> str:
    return markdown.split("\n")[2]


def shown(markdown: str) -> str:
    """Return a comment without its second line, which has tests of its own."""
    first, _, rest = markdown.split("\n", 2)
    return f"{first}\n{rest}"


def blocks(markdown: str) -> list[str]:
    """Return what follows the heading."""
    return markdown.split("\n\n")[1:]


def facts_of(markdown: str) -> list[str]:
    """Return the facts of each update."""
    return [facts for facts, _, _ in entries(markdown)]


def entries(markdown: str) -> list[tuple[str, str, str]]:
    """Return the facts, text and components of each update; the title of an incident has no bold capitals."""
    dots = "[🟢🟡🟠🔴🔵⚪]"
    return re.findall(rf"^(\*\*[A-Z_\\?]+\*\*.*)(?:\n\n> (.*))?(?:\n\n({dots} .*))?$", markdown, re.MULTILINE)


HARMLESS = Page(shown(written_with(["x"] * WORDS)))


@pytest.fixture(autouse=True)
def _time_zone_of_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set `TZ`, as a job may do; no time in a comment depends on it."""
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_comment_says_what_customers_read_since_when_and_where_to_look() -> None:
    shop = ComponentChange(id="component1", name="Shop", old_status="OPERATIONAL", new_status="MAJOR_OUTAGE")
    first = update("INVESTIGATING", "2026-01-31T13:58:00Z", description="We look into it.", components=(shop,))
    second = update("IDENTIFIED", "2026-01-31T14:10:00Z", description="The cause is found.", id="update5678")

    markdown = written(first, second, title="Checkout fails", notified={"update5678": True}, incident_url=INCIDENT_URL)

    assert markdown.partition("\n### ")[2] == "\n\n".join(
        [
            "🔴 Incident open: IDENTIFIED",
            "**Checkout fails** · since 2026-01-31 13:58 UTC",
            "**IDENTIFIED** · subscribers notified · 14:10 UTC",
            "> The cause is found.",
            "<details><summary>1 earlier update</summary>",
            "**INVESTIGATING**",
            "> We look into it.",
            "🔴 Shop: OPERATIONAL → MAJOR\\_OUTAGE",
            "</details>",
            f"[The incident, as customers see it]({INCIDENT_URL}) · [Workflow run]({RUN_URL})",
        ]
    )


@pytest.mark.parametrize("incident_id", ["incident1234", "--------", "A-b_C-d_"])
def test_the_marker_names_page_and_incident_and_is_not_seen_and_unknown_urls_are_left_out(incident_id: str) -> None:
    marker = format_marker(PAGE_ID, incident_id)
    markdown = render(marker, CommentState(), [update()], RUN._replace(url=""), "", "")

    assert marker == f"<!-- onlineornot-incident-update page={PAGE_ID} incident={incident_id} -->"
    assert tokens(markdown)[0] == ("html_block", f"{marker}\n")
    assert tokens(shown(markdown))[1] == ("heading_open", "")
    assert blocks(markdown) == ["since 2026-01-31 14:00 UTC", "**IDENTIFIED**"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("INVESTIGATING", "### 🔴 Incident open: INVESTIGATING"),
        ("MONITORING", "### 🟡 Incident open: MONITORING"),
        ("RESOLVED", "### ✅ Incident over: RESOLVED"),
        ("SCHEDULED", "### 🔧 Maintenance announced: SCHEDULED"),
        ("IN_PROGRESS", "### 🔧 Maintenance under way: IN\\_PROGRESS"),
        ("VERIFYING", "### 🔧 Maintenance under way: VERIFYING"),
        ("COMPLETED", "### ✅ Maintenance over: COMPLETED"),
        ("ON_FIRE", "### 🔴 Incident open: ON\\_FIRE"),
        ("resolved", "### 🔴 Incident open: resolved"),
        (None, "### 🔴 Incident open: ?"),
    ],
)
def test_the_heading_shows_the_status_of_the_incident(status: str | None, words: str) -> None:
    assert heading(written(update(status))) == words


@pytest.mark.parametrize("status", ["MONITORING", "RESOLVED"])
def test_an_update_without_a_status_of_its_own_changes_neither_heading_nor_period(status: str) -> None:
    before = update(status, "2026-01-31T13:00:00Z")

    markdown, alone = written(before, update("UPDATE", "2026-01-31T15:00:00Z")), written(before)

    assert (heading(markdown), blocks(markdown)[0]) == (heading(alone), blocks(alone)[0])


def test_an_incident_without_updates_has_a_heading_of_its_own() -> None:
    markdown = written(title="Checkout fails", commit="a5c3785ed8d6a35868bc169f07e40e889087fd2e")

    assert heading(markdown) == "### ⚪ The incident on the status page has no updates"
    assert blocks(markdown) == ["**Checkout fails** · commit a5c3785ed8", f"[Workflow run]({RUN_URL})"]


@pytest.mark.parametrize(
    ("status", "at", "shown"),
    [
        ("RESOLVED", "2026-02-01T00:10:00Z", "from 2026-01-31 23:50 UTC to 2026-02-01 00:10 UTC"),
        ("COMPLETED", "2026-01-31T23:59:00Z", "from 2026-01-31 23:50 UTC to 23:59 UTC"),
        ("MONITORING", "2026-02-01T00:10:00Z", "since 2026-01-31 23:50 UTC"),
        (None, "2026-02-01T00:10:00Z", "since 2026-01-31 23:50 UTC"),
    ],
)
def test_only_an_incident_that_is_over_has_an_end(status: str | None, at: str, shown: str) -> None:
    assert blocks(written(update(status, at), update("RESOLVED", "2026-01-31T23:50:00Z")))[0] == shown


def test_each_time_appears_once() -> None:
    times = ["2026-01-31T13:00:00Z", "2026-01-31T13:20:00Z", "2026-02-01T00:10:00Z", "2026-02-01T01:00:00Z"]

    markdown = written(*map(update, ["INVESTIGATING", "MONITORING", "RESOLVED", "UPDATE"], times))

    shown = ["**UPDATE** · 2026-02-01 01:00 UTC", "**RESOLVED**", "**MONITORING** · 13:20 UTC", "**INVESTIGATING**"]
    assert blocks(markdown)[0] == "from 2026-01-31 13:00 UTC to 2026-02-01 00:10 UTC"
    assert facts_of(markdown) == shown


def test_the_newest_update_stands_first_and_the_beginning_is_the_earliest_time() -> None:
    second, backdated = (
        update(at="2026-01-31T14:00:00Z"),
        update(created_at="2026-01-31T15:00:00Z", at="2026-01-31T12:00:00Z"),
    )
    first, third = update(at="2026-01-31T16:30:00+01:00"), update(at="2026-01-31T08:30:00.5-05:00")

    markdown = written(second, backdated, first, third)

    times = [" · 15:30 UTC", "", " · 14:00 UTC", " · 13:30 UTC"]
    assert facts_of(markdown) == [f"**IDENTIFIED**{time}" for time in times]
    assert blocks(markdown)[0] == "since 2026-01-31 12:00 UTC"


@pytest.mark.parametrize("created_at", [None, "yesterday", "2026-02-01T14:00:00"])
def test_an_update_without_a_valid_creation_time_is_last(created_at: str | None) -> None:
    markdown = written(update("MONITORING", created_at=created_at), update())

    assert facts_of(markdown) == ["**IDENTIFIED**", "**MONITORING**"]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-01-31T14:00:00Z", "2026-01-31 14:00 UTC"),
        ("2026-01-31T14:00:59.999Z", "2026-01-31 14:00 UTC"),
        ("2026-01-31T00:30:00+01:00", "2026-01-30 23:30 UTC"),
        ("2026-01-31T14:00:00+05:45", "2026-01-31 08:15 UTC"),
        ("9999-12-31T23:59:00-01:00", "9999-12-31T23:J59:J00-01:J00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:J00:J00+01:J00"),
        ("2026-01-31T14:00:00", "2026-01-31T14:J00:J00"),
        ("yesterday", "yesterday"),
        ("2026-13-01T00:00:00Z", "2026-13-01T00:J00:J00Z"),
        ("| `now`", r"\| \`now\`"),
        ("z" * 100, f"{'z' * 50}…"),
        *((blank, "?") for blank in (None, "", *BLANK)),
    ],
)
def test_a_time_is_shown_in_utc_and_anything_else_as_it_is(at: str | None, shown: str) -> None:
    assert blocks(written(update(at=at)))[0] == f"since {shown.replace('J', JOINER)}"


@pytest.mark.parametrize("nothing", [None, "", *BLANK])
def test_what_is_blank_is_left_out(nothing: str | None) -> None:
    markdown = written(update(nothing, description=nothing), title=nothing or "")

    assert blocks(markdown)[0] == "since 2026-01-31 14:00 UTC"
    assert entries(markdown) == [("**?**", "", "")]


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_update_without_date_happened_shows_its_creation_time(nothing: str | None) -> None:
    assert blocks(written(update(date_happened=nothing)))[0] == "since 2026-01-31 14:00 UTC"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{'x' * 99}\n{'y' * 100}", f"{'x' * 99}<br>{'y' * 100}"),
        ("🛠" * 201, f"{'🛠' * 200}…"),
        ("x\n\n \n\r\n\ny\n\n\n", "x<br><br>y"),
    ],
)
def test_200_characters_of_a_text_are_shown_with_their_line_breaks(text: str, shown: str) -> None:
    assert entries(written(update(description=text))) == [("**IDENTIFIED**", shown, "")]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ((ComponentChange(name="Shop", old_status="x", new_status="NO_IMPACT"),), r"⚪ Shop: x → NO\_IMPACT"),
        ((ComponentChange(name="z" * 1000, new_status="MAJOR_OUTAGE"),), f"🔴 {'z' * 50}…: ? → MAJOR\\_OUTAGE"),
        ((ComponentChange(id="component1", name="", new_status="MAINTENANCE"),), "🔵 component1: ? → MAINTENANCE"),
        ((ComponentChange(id="component1", name="Shop", old_status="MAINTENANCE"),), "⚪ Shop: MAINTENANCE → ?"),
        ((ComponentChange(),) * 10, "<br>".join(["⚪ ?: ? → ?"] * 10)),
        ((ComponentChange(),) * 11, f"{'⚪ ?: ? → ?<br>' * 10}and 1 more"),
    ],
)
def test_ten_components_are_shown_before_and_after_and_the_others_counted(
    changes: tuple[ComponentChange, ...], shown: str
) -> None:
    assert entries(written(update(components=changes))) == [("**IDENTIFIED**", "", shown)]


@pytest.mark.parametrize(
    ("count", "shown", "summary"),
    [(2, 2, "1 earlier update"), (25, 25, "24 earlier updates"), (26, 25, "24 earlier updates")],
)
def test_the_newest_25_updates_are_shown_folded_except_the_first_and_older_ones_are_mentioned(
    count: int, shown: int, summary: str
) -> None:
    markdown = written(*[update(at=f"2026-01-31T14:{minute:02}:00Z") for minute in range(count)])

    times = [f" · 14:{minute:02} UTC" if minute else "" for minute in reversed(range(count - shown, count))]
    assert facts_of(markdown) == [f"**IDENTIFIED**{time}" for time in times]
    assert blocks(markdown)[2] == f"<details><summary>{summary}</summary>"
    assert blocks(markdown).index("</details>") == shown + 2
    assert ("Older updates are on the status page." in blocks(markdown)) is (count > shown)
    assert blocks(markdown)[0] == "since 2026-01-31 14:00 UTC"


def test_updates_that_a_comment_has_no_room_for_are_left_out_and_mentioned() -> None:
    change = ComponentChange(name="$" * 50, old_status="$" * 50, new_status="$" * 50)

    markdown = written(*[update(components=(change,) * 10)] * 3)

    assert len(entries(markdown)) == 2
    assert blocks(markdown)[-2] == "Older updates are on the status page."


ids = st.text(ascii_letters + digits + "_-", min_size=8, max_size=64)
states = st.builds(
    CommentState,
    notified=st.dictionaries(ids, st.none() | st.booleans(), max_size=3),
    failed_run=st.none() | st.builds(FailedRun.of, st.integers(1, 2**63 - 1), st.lists(texts, max_size=12)),
)


@whole_comments
@given(states)
def test_the_state_of_a_comment_can_be_read_from_it(state: CommentState) -> None:
    assert parse_state(render(MARKER, state, [update()], RUN, "", "")) == state


@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_the_state_cannot_end_its_line_and_mentions_nobody(bait: str) -> None:
    markdown = written(update(), title=f"{bait}x", failed_jobs=[f"{bait}x"])

    second_line = markdown.split("\n")[1]
    assert tokens(markdown)[1] == ("html_block", f"{second_line}\n")
    assert not set("<>&@") & set(second_line[4:-4])


NO_STATES: tuple[Any, ...] = (
    [],
    {"notified": 1},
    {"notified": {"short": True}},
    {"notified": {"@octocat/../x": True}},
    {"notified": dict.fromkeys(map(str, range(10**8, 10**8 + 26)), True)},
    {"failed_run": {"id": 2**63}},
    {"failed_run": {"id": 5, "more": 2**63}},
    {"failed_run": {"id": 5, "jobs": ["x" * 52]}},
    {"failed_run": {"id": 5, "jobs": ["x"] * 11}},
)


@pytest.mark.parametrize(
    "comment",
    [
        "",
        f"{MARKER}\n### Words\n",
        f"{MARKER}\n<!-- {{}}",
        f"{MARKER}\n<!-- {'[' * 100_000} -->\n",
        *(f"{MARKER}\n<!-- {json.dumps(state)} -->\n" for state in NO_STATES),
    ],
)
def test_a_comment_without_a_valid_state_has_an_empty_one(comment: str) -> None:
    assert parse_state(comment) == CommentState()


@pytest.mark.parametrize(
    ("jobs", "line"),
    [
        (["deploy", "smoke / eu | us"], f"[Failed]({FAILED_RUN_URL}): `deploy`, `smoke / eu ¦ us`"),
        (["j"] * 12, f"[Failed]({FAILED_RUN_URL}): {'`j`, ' * 10}and 2 more"),
        ([], f"[The workflow run that led to this]({FAILED_RUN_URL}) did not succeed."),
    ],
)
def test_a_run_that_failed_is_linked_and_its_failed_jobs_are_named(jobs: list[str], line: str) -> None:
    assert blocks(written(update(), failed_jobs=jobs))[2] == line


@pytest.mark.parametrize("character", ["🛠", "$", "@", "*", "a"])
def test_the_longest_comment_is_short_enough_for_github(character: str) -> None:
    text = character * 1_000
    change = ComponentChange(name=text, old_status=text, new_status=text)
    one = update(text, text, description=text, components=(change,) * 11)

    markdown = written(
        *[one] * 30,
        title=text,
        notified=dict.fromkeys(map(str, range(10**63, 10**63 + 25)), False),
        failed_jobs=[text] * 99,
    )

    assert 30_000 < len(markdown) < MAX_COMMENT_LENGTH


@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_a_bait_is_nothing_but_text_in_every_place(bait: str) -> None:
    before, after = (Page(shown(written_with([text] * WORDS))) for text in (f"{bait}x", f"x{bait}"))

    assert (before.markup, after.markup) == (HARMLESS.markup, HARMLESS.markup)
    assert (FILTERS.search(before.text), FILTERS.search(after.text)) == (None, None)


@whole_comments
@given(words=st.lists(visible, min_size=WORDS, max_size=WORDS))
def test_untrusted_text_changes_nothing_but_text(words: list[str]) -> None:
    markdown = shown(written_with(words))
    page = Page(markdown)

    html = [content.strip() for kind, content in tokens(markdown) if kind.startswith("html")]
    assert html[0] == MARKER
    assert {*html[1:]} <= {"<details><summary>1 earlier update</summary>", "</details>", "<br>", "<span>", "</span>"}
    assert (page.markup, page.links) == (HARMLESS.markup, [FAILED_RUN_URL, INCIDENT_URL, RUN_URL])
    assert FILTERS.search(page.text) is None
