"""The comment on the pull request: what it says of an incident, and that untrusted text in it stays text."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.markdown import borders, rows, skeleton, tokens, words_outside_of_code
from support.untrusted_text import MARKDOWN_BAITS, untrusted

from onlineornot_action.onlineornot.models import ComponentChange, IncidentStatus, IncidentUpdate
from onlineornot_action.pull_request.body import CommentContent, CommentState, FailedRun, marker, parse_state, render
from onlineornot_action.pull_request.event import WorkflowRun

always = settings(deadline=None, derandomize=True)

PAGE_ID, INCIDENT_ID, UPDATE_ID = "page1234", "incident1234", "update1234"
MARKER = "<!-- onlineornot-incident-update page=page1234 incident=incident1234 -->"
RUN_URL = "https://github.com/octo/shop/actions/runs/77/attempts/2"
RUN = WorkflowRun("https://api.github.com", "https://github.com", "octo/shop", RUN_URL, None, "", None)
FAILED_RUN_URL = "https://github.com/octo/shop/actions/runs/5"
INCIDENT_URL = "https://status.example.com/incidents/incident1234"
MAX_COMMENT_LENGTH = 65_536
"""Characters that GitHub takes."""
HEAD = ["Time", "Status", "What customers read", "Components"]
BLANK = (" ", "\x00", "\u202e")
"""What is there, but shows nothing."""

visible = st.tuples(untrusted, untrusted).map("x".join)
"""Untrusted text of which something is to be seen."""


def update(status: str | None = "IDENTIFIED", at: str | None = "2026-01-31T14:00:00Z", **more: Any) -> IncidentUpdate:
    """Make an update that happened when it was created."""
    return IncidentUpdate(**{"id": UPDATE_ID, "status": status, "date_happened": at, "created_at": at} | more)


def as_title(text: str) -> str:
    """A text as the inputs let it pass for a title: not too long, and without halves of characters."""
    return text[:256].encode(errors="replace").decode()


def story(
    *updates: IncidentUpdate,
    title: str = "",
    told: Mapping[str, bool | None] = MappingProxyType({}),
    failed_jobs: Sequence[str] | None = None,
    incident_url: str = "",
    commit: str = "",
) -> CommentContent:
    """Tell of these updates; a failed run is told of where its failed jobs are given."""
    failed_run = None if failed_jobs is None else FailedRun.of(5, failed_jobs)
    memory = CommentState(title=as_title(title), told=told, incident_url=incident_url, failed_run=failed_run)
    return CommentContent(MARKER, memory, updates, replace(RUN, commit=commit))


def minutes(count: int) -> list[IncidentUpdate]:
    """Make an update in each minute, the oldest first."""
    return [update(at=f"2026-01-31T14:{minute:02}:00Z") for minute in range(count)]


def story_of(words: Sequence[str]) -> CommentContent:
    """Tell a story of eleven untrusted texts; the time of the newest update is told besides."""
    title, at, status, text, name, old, new, other_id, job, other_job, last = words
    changes = (
        ComponentChange(id=name, name=name, old_status=old, new_status=new),
        ComponentChange(id=other_id, new_status=new),
    )
    newest = update(status, date_happened=at, description=text, components=changes)
    oldest = update(last, "2026-01-31T13:00:00Z", id="update0000", date_happened=last, description=last)
    return story(
        newest,
        oldest,
        title=title,
        told={UPDATE_ID: True},
        failed_jobs=[job, other_job],
        incident_url=INCIDENT_URL,
    )


WORDS = 11


def heading(markdown: str) -> str:
    return markdown.split("\n")[2]


def shown(markdown: str) -> str:
    """A comment without its second line, which is tested by itself."""
    first, _, rest = markdown.split("\n", 2)
    return f"{first}\n{rest}"


def blocks(markdown: str) -> list[str]:
    """What follows the heading."""
    return markdown.split("\n\n")[1:]


HARMLESS = shown(render(story_of(["x"] * WORDS)))
EMPTY = shown(render(story_of([""] * WORDS)))


@pytest.fixture
def _clock_of_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run as a job does that sets `TZ`."""
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_comment_tells_what_customers_were_told_since_when_and_where_to_look() -> None:
    shop = ComponentChange(id="component1", name="Shop", old_status="OPERATIONAL", new_status="MAJOR_OUTAGE")
    first = update("INVESTIGATING", "2026-01-31T13:58:00Z", description="We look into it.", components=(shop,))
    second = update("IDENTIFIED", "2026-01-31T14:10:00Z", description="The cause is found.", id="update5678")

    markdown = render(
        story(first, second, title="Checkout fails", told={"update5678": True}, incident_url=INCIDENT_URL)
    )

    assert markdown.partition("\n### ")[2].startswith("🔴 An incident is on the status page: `IDENTIFIED`\n\n")
    assert blocks(markdown)[0] == "`Checkout fails` · since 2026-01-31 13:58 UTC"
    assert rows(markdown) == [
        HEAD,
        ["2026-01-31 14:10 UTC", "`IDENTIFIED`<br>subscribers told", "`The cause is found.`", ""],
        ["2026-01-31 13:58 UTC", "`INVESTIGATING`", "`We look into it.`", "`Shop: OPERATIONAL → MAJOR_OUTAGE`"],
    ]
    assert blocks(markdown)[2:] == [
        f"[The incident, as customers see it]({INCIDENT_URL}) · [Workflow run]({RUN_URL})",
    ]


def test_the_marker_names_page_and_incident_and_is_not_seen() -> None:
    markdown = render(story(update()))

    assert marker(PAGE_ID, INCIDENT_ID) == MARKER
    assert tokens(markdown)[0] == ("html_block", f"{MARKER}\n")
    assert tokens(shown(markdown))[1] == ("heading_open", "")


@pytest.mark.parametrize("incident_id", ["--------", "________", "-_-_-_-_", "A-b_C-d_"])
def test_the_marker_ends_where_it_should_whatever_the_ids_are(incident_id: str) -> None:
    markdown = render(CommentContent(marker(incident_id, incident_id), CommentState(), [update()], RUN))

    assert tokens(markdown)[0] == ("html_block", f"{marker(incident_id, incident_id)}\n")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("INVESTIGATING", "### 🔴 An incident is on the status page: `INVESTIGATING`"),
        ("IDENTIFIED", "### 🔴 An incident is on the status page: `IDENTIFIED`"),
        ("MONITORING", "### 🟡 An incident is on the status page: `MONITORING`"),
        ("RESOLVED", "### ✅ An incident is over: `RESOLVED`"),
        ("SCHEDULED", "### 🔧 A maintenance is announced: `SCHEDULED`"),
        ("IN_PROGRESS", "### 🔧 A maintenance is under way: `IN_PROGRESS`"),
        ("VERIFYING", "### 🔧 A maintenance is under way: `VERIFYING`"),
        ("COMPLETED", "### ✅ A maintenance is over: `COMPLETED`"),
        ("ON_FIRE", "### 🔴 An incident is on the status page: `ON_FIRE`"),
        ("resolved", "### 🔴 An incident is on the status page: `resolved`"),
        ("", "### 🔴 An incident is on the status page: `?`"),
        (None, "### 🔴 An incident is on the status page: `?`"),
    ],
)
def test_the_heading_tells_how_things_are(status: str | None, words: str) -> None:
    assert heading(render(story(update(status)))) == words


@pytest.mark.parametrize("status", sorted({*IncidentStatus} - {IncidentStatus.UPDATE}))
def test_the_heading_is_of_the_newest_update(status: IncidentStatus) -> None:
    older = update("RESOLVED", "2026-01-31T13:00:00Z")

    assert heading(render(story(older, update(status), older))) == heading(render(story(update(status))))


@pytest.mark.parametrize("status", ["INVESTIGATING", "MONITORING", "RESOLVED", "SCHEDULED"])
def test_an_update_that_only_adds_something_changes_nothing_about_how_things_are(status: str) -> None:
    before = update(status, "2026-01-31T13:00:00Z")
    added = update("UPDATE", "2026-01-31T15:00:00Z")

    markdown = render(story(before, added))

    assert (heading(markdown), blocks(markdown)[0]) == (
        heading(render(story(before))),
        blocks(render(story(before)))[0],
    )


def test_the_beginning_is_the_earliest_of_all_times() -> None:
    backdated = update("MONITORING", "2026-01-31T12:00:00Z", created_at="2026-01-31T15:00:00Z")

    assert blocks(render(story(update(), backdated)))[0] == "since 2026-01-31 12:00 UTC"


def test_an_incident_without_updates_is_told_so() -> None:
    markdown = render(story())

    assert heading(markdown) == "### ⚪ The incident on the status page has no updates"
    assert blocks(markdown) == [f"[Workflow run]({RUN_URL})"]


def test_an_incident_without_updates_may_have_a_title() -> None:
    assert blocks(render(story(title="Checkout fails")))[0] == "`Checkout fails`"


@pytest.mark.parametrize("status", ["RESOLVED", "COMPLETED"])
def test_what_is_over_has_an_end(status: str) -> None:
    began = update("INVESTIGATING", "2026-01-31T23:50:00Z")
    ended = update(status, "2026-02-01T00:10:00Z")

    assert blocks(render(story(ended, began)))[0] == "from 2026-01-31 23:50 UTC to 2026-02-01 00:10 UTC"


@pytest.mark.parametrize("status", ["MONITORING", "IN_PROGRESS", "ON_FIRE", None])
def test_what_is_not_over_has_a_beginning_only(status: str | None) -> None:
    began = update("RESOLVED", "2026-01-31T23:50:00Z")

    assert blocks(render(story(began, update(status, "2026-02-01T00:10:00Z"))))[0] == "since 2026-01-31 23:50 UTC"


@pytest.mark.parametrize("title", ["", *BLANK])
def test_without_a_title_there_is_the_time_only(title: str) -> None:
    assert blocks(render(story(update(), title=title)))[0] == "since 2026-01-31 14:00 UTC"


def test_the_newest_update_stands_first() -> None:
    second, last = update(at="2026-01-31T14:00:00Z"), update(at="2026-01-31T13:00:00Z")
    first, third = update(at="2026-01-31T16:30:00+01:00"), update(at="2026-01-31T08:30:00.5-05:00")

    told = [row[0] for row in rows(render(story(second, last, first, third)))[1:]]

    assert [time[11:16] for time in told] == ["15:30", "14:00", "13:30", "13:00"]


@pytest.mark.parametrize("created_at", [None, "yesterday", "2026-02-01T14:00:00"])
def test_an_update_that_does_not_say_when_it_was_made_stands_last(created_at: str | None) -> None:
    unknown = update(created_at=created_at, description="unknown")

    told = [row[2] for row in rows(render(story(unknown, update(description="known"))))]

    assert told[1:] == ["`known`", "`unknown`"]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-01-31T14:00:00Z", "2026-01-31 14:00 UTC"),
        ("2026-01-31T14:00:59.999Z", "2026-01-31 14:00 UTC"),
        ("2026-01-31T14:00:00+00:00", "2026-01-31 14:00 UTC"),
        ("2026-01-31T00:30:00+01:00", "2026-01-30 23:30 UTC"),
        ("2026-01-31T23:30:00-08:00", "2026-02-01 07:30 UTC"),
        ("2026-01-31T14:00:00+05:45", "2026-01-31 08:15 UTC"),
        ("2026-01-31 14:00:00Z", "2026-01-31 14:00 UTC"),
        ("9999-12-31T23:59:00Z", "9999-12-31 23:59 UTC"),
        ("9999-12-31T23:59:00+01:00", "9999-12-31 22:59 UTC"),
        ("9999-12-31T23:59:00-01:00", "`9999-12-31T23:59:00-01:00`"),
        ("0001-01-01T00:00:00+01:00", "`0001-01-01T00:00:00+01:00`"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00 UTC"),
        ("0001-01-01T00:00:00-01:00", "0001-01-01 01:00 UTC"),
        ("yesterday", "`yesterday`"),
        ("2026-13-01T00:00:00Z", "`2026-13-01T00:00:00Z`"),
        ("2026-01-31T24:00:01Z", "`2026-01-31T24:00:01Z`"),
        ("1769868000", "`1769868000`"),
        ("| `now`", "`¦ 'now'`"),
        ("z" * 100, f"`{'z' * 50}…`"),
    ],
)
def test_a_time_is_told_in_utc_and_what_is_none_as_it_is(at: str, shown: str) -> None:
    assert rows(render(story(update(at=at))))[1][0] == shown


@pytest.mark.parametrize("date_happened", ["", None])
def test_where_it_is_not_said_when_something_happened_the_time_of_the_update_is_told(date_happened: str | None) -> None:
    markdown = render(story(update(date_happened=date_happened, created_at="2026-01-31T15:00:00+01:00")))

    assert rows(markdown)[1][0] == "2026-01-31 14:00 UTC"
    assert blocks(markdown)[0] == "since 2026-01-31 14:00 UTC"


def test_the_time_when_it_happened_is_told_rather_than_that_of_the_update() -> None:
    assert rows(render(story(update(created_at="2026-02-02T00:00:00Z"))))[1][0] == "2026-01-31 14:00 UTC"


@pytest.mark.usefixtures("_clock_of_india")
@pytest.mark.parametrize("at", ["2026-01-31T14:00:00Z", "2026-01-31T19:30:00+05:30"])
def test_the_clock_of_the_job_does_not_matter(at: str) -> None:
    assert rows(render(story(update(at=at))))[1][0] == "2026-01-31 14:00 UTC"


@pytest.mark.usefixtures("_clock_of_india")
def test_a_time_without_an_offset_is_not_taken_for_one_of_the_clock_of_the_job() -> None:
    assert "14:00" in rows(render(story(update(at="2026-01-31T14:00:00"))))[1][0]


@pytest.mark.parametrize("at", [None, "", *BLANK])
def test_a_time_that_is_not_there_is_a_question_mark(at: str | None) -> None:
    markdown = render(story(update(at=at)))

    assert rows(markdown)[1][0] == "`?`"
    assert blocks(markdown)[0].startswith("since `?`")


@pytest.mark.parametrize("status", BLANK)
def test_a_status_that_shows_nothing_is_a_question_mark_in_the_heading(status: str) -> None:
    assert heading(render(story(update(status)))) == "### 🔴 An incident is on the status page: `?`"


@pytest.mark.parametrize("nothing", [None, "", *BLANK])
def test_what_an_update_does_not_say_is_an_empty_cell(nothing: str | None) -> None:
    assert rows(render(story(update(nothing, description=nothing))))[1] == ["2026-01-31 14:00 UTC", "", "", ""]


def test_a_text_of_200_characters_is_told_as_a_whole_on_one_line() -> None:
    text = f"{'a' * 99}\n\n{'b' * 100}"

    assert rows(render(story(update(description=text))))[1][2] == f"`{'a' * 99} {'b' * 100}`"


def test_a_longer_text_is_shortened_to_200_characters() -> None:
    assert rows(render(story(update(description="🛠" * 201))))[1][2] == f"`{'🛠' * 200}…`"


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (
            ComponentChange(name="Shop", old_status="OPERATIONAL", new_status="NO_IMPACT"),
            "Shop: OPERATIONAL → NO_IMPACT",
        ),
        (ComponentChange(id="component1", name="", new_status="MAINTENANCE"), "component1: ? → MAINTENANCE"),
        (ComponentChange(id="component1", name="Shop", old_status="MAINTENANCE"), "Shop: MAINTENANCE → ?"),
        (ComponentChange(id="", old_status="", new_status=""), "?: ? → ?"),
        (ComponentChange(), "?: ? → ?"),
        (ComponentChange(name="A|B", old_status="x", new_status="y"), "A¦B: x → y"),
    ],
)
def test_components_are_told_before_and_after(change: ComponentChange, shown: str) -> None:
    assert rows(render(story(update(components=(change,)))))[1][3] == f"`{shown}`"


@pytest.mark.parametrize("components", [None, ()])
def test_an_update_may_be_about_no_component(components: tuple[ComponentChange, ...] | None) -> None:
    assert rows(render(story(update(components=components))))[1][3] == ""


@pytest.mark.parametrize(("count", "more"), [(11, "and 1 more"), (12, "and 2 more"), (1000, "and 990 more")])
def test_of_many_components_the_first_ten_are_told_and_how_many_there_are_besides(count: int, more: str) -> None:
    changes = (ComponentChange(name="first"), *[ComponentChange(name="other")] * (count - 1))

    cell = rows(render(story(update(components=changes))))[1][3]

    assert cell.split("<br>") == ["`first: ? → ?`", *["`other: ? → ?`"] * 9, more]


def test_ten_components_are_all_told() -> None:
    markdown = render(story(update(components=(ComponentChange(name="Shop"),) * 10)))

    assert rows(markdown)[1][3].split("<br>") == ["`Shop: ? → ?`"] * 10


def test_a_long_name_of_a_component_leaves_room_for_its_statuses() -> None:
    change = ComponentChange(name="z" * 1000, old_status="OPERATIONAL", new_status="DEGRADED_PERFORMANCE")

    assert rows(render(story(update(components=(change,)))))[1][3].endswith(": OPERATIONAL → DEGRADED_PERFORMANCE`")


def test_twenty_five_updates_are_all_told() -> None:
    markdown = render(story(*minutes(25)))

    assert [row[0] for row in rows(markdown)[1:]] == [
        f"2026-01-31 14:{minute:02} UTC" for minute in reversed(range(25))
    ]
    assert "Older updates" not in markdown


@pytest.mark.parametrize("count", [26, 60])
def test_of_more_updates_the_newest_are_told_and_since_when_there_are_others(count: int) -> None:
    markdown = render(story(*minutes(count)))

    told = [row[0] for row in rows(markdown)[1:]]
    assert (len(told), told[0], told[-1]) == (
        25,
        f"2026-01-31 14:{count - 1} UTC",
        f"2026-01-31 14:{count - 25:02} UTC",
    )
    assert blocks(markdown)[2] == "Older updates are on the status page."
    assert blocks(markdown)[0] == "since 2026-01-31 14:00 UTC"


@pytest.mark.parametrize(
    ("told", "words"),
    [({UPDATE_ID: True}, "<br>subscribers told"), ({UPDATE_ID: False}, "<br>subscribers not told")],
)
def test_where_it_is_known_the_row_says_whether_subscribers_were_told(told: dict[str, bool], words: str) -> None:
    markdown = render(story(update(), update("RESOLVED", "2026-01-31T13:00:00Z", id="update5678"), told=told))

    assert [row[1] for row in rows(markdown)[1:]] == [f"`IDENTIFIED`{words}", "`RESOLVED`"]


@pytest.mark.parametrize("told", [{}, {UPDATE_ID: None}, {"update5678": True}])
def test_where_it_is_not_known_nothing_is_said_of_subscribers(told: dict[str, bool | None]) -> None:
    assert rows(render(story(update(), told=told)))[1][1] == "`IDENTIFIED`"


memories = st.builds(
    CommentState,
    title=untrusted.map(as_title),
    told=st.dictionaries(st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True), st.none() | st.booleans(), max_size=25),
    incident_url=st.sampled_from(["", INCIDENT_URL]),
    failed_run=st.none() | st.builds(FailedRun.of, st.integers(1), st.lists(untrusted)),
)


@always
@given(memories)
def test_what_a_comment_knows_can_be_read_from_it_again(memory: CommentState) -> None:
    assert parse_state(render(CommentContent(MARKER, memory, [update()], RUN))) == memory


@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_what_a_comment_knows_ends_nothing_and_mentions_nobody(bait: str) -> None:
    markdown = render(story(update(), title=f"{bait}x", failed_jobs=[f"{bait}x"]))

    second_line = markdown.split("\n")[1]
    assert tokens(markdown)[1] == ("html_block", f"{second_line}\n")
    assert not set("<>&@") & set(second_line[4:-4])


@pytest.mark.parametrize(
    "comment",
    [
        "",
        MARKER,
        f"{MARKER}\n### Words",
        f"{MARKER}\n<!-- {{}}",
        f"{MARKER}\n<!-- [] -->\n",
        f'{MARKER}\n<!-- {{"told": 1}} -->\n',
        f'{MARKER}\n<!-- {{"title": "{"x" * 257}"}} -->\n',
        f'{MARKER}\n<!-- {{"failed_run": {{"id": 5, "jobs": {["x"] * 11}}}}} -->\n'.replace("'", '"'),
        f'{MARKER}\n<!-- {{"incident_url": "https://status.example/x) [y](z"}} -->\n',
        f"{MARKER}\n<!-- {'[' * 100_000} -->\n",
    ],
)
def test_a_comment_that_says_nothing_of_it_knows_nothing(comment: str) -> None:
    assert parse_state(comment) == CommentState()


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        (["deploy"], "`deploy`"),
        (["deploy", "smoke test / eu | us"], "`deploy`, `smoke test / eu ¦ us`"),
        (["j"] * 10, "`j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`"),
        (["j"] * 12, "`j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`, `j`, and 2 more"),
    ],
)
def test_the_jobs_that_failed_are_named(jobs: list[str], told: str) -> None:
    markdown = render(story(update(), failed_jobs=jobs))

    assert blocks(markdown)[2] == f"Failed in [the workflow run that led to this]({FAILED_RUN_URL}): {told}"


def test_a_run_that_failed_is_linked_where_its_jobs_are_not_known() -> None:
    assert f"]({FAILED_RUN_URL})" in blocks(render(story(update(), failed_jobs=[])))[2]


def test_where_no_run_failed_nothing_is_said_of_jobs() -> None:
    assert blocks(render(story(update())))[2:] == [f"[Workflow run]({RUN_URL})"]


def test_without_an_address_of_the_incident_the_run_is_linked_alone() -> None:
    assert blocks(render(story(update())))[-1] == f"[Workflow run]({RUN_URL})"


def test_the_same_story_in_another_order_is_told_in_the_same_words() -> None:
    first, second = update("INVESTIGATING", "2026-01-31T13:00:00Z"), update("RESOLVED")

    assert render(story(first, second)) == render(story(second, first))


@always
@given(
    piece=untrusted.filter(bool),
    times=st.sampled_from([1, 250]),
    updates=st.integers(0, 40),
    components=st.integers(0, 15),
)
def test_the_comment_is_never_too_long_for_github(piece: str, times: int, updates: int, components: int) -> None:
    text = piece * times
    change = ComponentChange(id=text, name=text, old_status=text, new_status=text)
    one = update(text, text, description=text, components=(change,) * components)

    markdown = render(story(*[one] * updates, title=text, failed_jobs=[text] * 40))

    assert len(markdown) < MAX_COMMENT_LENGTH


def test_the_longest_comment_is_short_enough_for_github() -> None:
    text = "🛠" * 10_000
    change = ComponentChange(name=text, old_status=text, new_status=text)
    one = update(text, text, description=text, components=(change,) * 1000)

    markdown = render(
        story(
            *[one] * 1000,
            title=text,
            told=dict.fromkeys(map(str, range(10**63, 10**63 + 25)), False),
            failed_jobs=[text] * 99,
        )
    )

    assert 40_000 < len(markdown) < MAX_COMMENT_LENGTH


@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_a_bait_is_nothing_but_text_wherever_it_stands(bait: str) -> None:
    before, after = shown(render(story_of([f"{bait}x"] * WORDS))), shown(render(story_of([f"x{bait}"] * WORDS)))

    assert skeleton(before) == skeleton(HARMLESS)
    assert skeleton(after) == skeleton(HARMLESS)


@always
@given(words=st.lists(visible, min_size=WORDS, max_size=WORDS))
def test_untrusted_text_changes_nothing_but_what_stands_in_code(words: list[str]) -> None:
    assert skeleton(shown(render(story_of(words)))) == skeleton(HARMLESS)


@always
@given(words=st.lists(untrusted, min_size=WORDS, max_size=WORDS))
def test_no_untrusted_text_stands_outside_of_code(words: list[str]) -> None:
    markdown = shown(render(story_of(words)))

    assert words_outside_of_code(markdown) <= words_outside_of_code(HARMLESS) | words_outside_of_code(EMPTY)
    assert {kind for kind, _ in tokens(markdown)} <= {kind for kind, _ in tokens(HARMLESS)}


@always
@given(words=st.lists(untrusted, min_size=WORDS, max_size=WORDS))
def test_a_table_has_a_row_for_each_update_and_four_cells_in_each(words: list[str]) -> None:
    markdown = shown(render(story_of(words)))

    assert borders(markdown) == [5] * 4
    assert [len(row) for row in rows(markdown)] == [4] * 3
    assert "\\|" not in markdown


@always
@given(words=st.lists(untrusted, min_size=WORDS, max_size=WORDS))
def test_the_only_html_is_the_marker_and_the_end_of_a_line_in_a_cell(words: list[str]) -> None:
    markdown = shown(render(story_of(words)))

    html = [content for kind, content in tokens(markdown) if kind.startswith("html")]
    assert (html[0], set(html[1:])) == (f"{MARKER}\n", {"<br>"})
    assert markdown.split("\n")[0] == MARKER


@always
@given(words=st.lists(untrusted, min_size=WORDS, max_size=WORDS))
def test_the_only_links_are_those_of_the_action(words: list[str]) -> None:
    markdown = shown(render(story_of(words)))

    assert [content for kind, content in tokens(markdown) if kind == "link_open"] == [
        FAILED_RUN_URL,
        INCIDENT_URL,
        RUN_URL,
    ]
