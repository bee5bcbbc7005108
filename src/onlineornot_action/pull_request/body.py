"""The words of the comment, in GitHub's Markdown, and the state that one run leaves in it for the next."""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from onlineornot_action.inputs.parsers import MAX_TITLE_LENGTH
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    ComponentChange,
    IncidentStatus,
    IncidentUpdate,
    newest_first,
    seconds_since_1970,
)
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import code, dot, escape_markdown, one_line, sanitize, shorten

MAX_UPDATES = 25
MAX_TIMELINE_LENGTH = 45_000
"""Characters of all updates; beyond that the oldest are left out. One update has 26,000 at most, the rest of the
comment 15,000, so all of it stays below 65,536 characters, which is GitHub's maximum:
https://github.com/orgs/community/discussions/27190
"""
MAX_TEXT_LENGTH = 200
"""Characters of what an update says."""
MAX_NAMES = 10
"""Of the components of one update, and of jobs."""
MAX_NAME_LENGTH = 50

_HEADLINES: dict[str, str] = {
    IncidentStatus.MONITORING: "🟡 An incident is on the status page",
    IncidentStatus.RESOLVED: "✅ An incident is over",
    IncidentStatus.SCHEDULED: "🔧 A maintenance is announced",
    IncidentStatus.IN_PROGRESS: "🔧 A maintenance is under way",
    IncidentStatus.VERIFYING: "🔧 A maintenance is under way",
    IncidentStatus.COMPLETED: "✅ A maintenance is over",
}
_HEADLINE = "🔴 An incident is on the status page"
_UNKNOWN = "?"

_Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH + 1)]


class FailedRun(BaseModel):
    """A workflow run that failed.

    Attributes:
        id: Its id.
        jobs: The names of its failed jobs, as many as a comment shows.
        more: The number of failed jobs beyond those.
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[int, Field(gt=0)]
    jobs: Annotated[tuple[_Name, ...], Field(max_length=MAX_NAMES)] = ()
    more: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def of(cls, run_id: int, jobs: Sequence[str]) -> "FailedRun":
        """Name as many jobs as a comment shows."""
        return cls(id=run_id, jobs=tuple(map(_short, jobs[:MAX_NAMES])), more=max(0, len(jobs) - MAX_NAMES))


class CommentState(BaseModel):
    """What a later run could not find out by itself, kept as JSON in the hidden second line of the comment.

    A step has no storage of its own, and a comment that is deleted or copied takes its state with it. GitHub does not
    show HTML comments:
    https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#hiding-content-with-comments

    Attributes:
        title: The incident's title; empty until a run knows it.
        notified: The ids of the updates that the comment shows, and whether subscribers were notified of each; None
            when unknown.
        incident_url: Where readers see the incident; empty until a run knows it.
        failed_run: The failed run that triggered this run or an earlier one.
    """

    model_config = ConfigDict(frozen=True)

    title: Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] = ""
    notified: Annotated[dict[str, bool | None], Field(max_length=MAX_UPDATES)] = Field(default_factory=dict)
    incident_url: Annotated[str, Field(pattern=r"^(https://[a-z0-9.-]{1,253}/incidents/[A-Za-z0-9_-]{1,64})?$")] = ""
    failed_run: FailedRun | None = None


@dataclass(frozen=True)
class CommentContent:
    """Everything that a comment says.

    Attributes:
        marker: Its first line.
        state: What this run and those before it know.
        updates: All updates of the incident, in any order.
        run: This workflow run.
    """

    marker: str
    state: CommentState
    updates: Sequence[IncidentUpdate]
    run: WorkflowRun


def format_marker(status_page_id: str, incident_id: str) -> str:
    """Return the hidden first line, by which a run finds the comment on an incident."""
    return f"<!-- onlineornot-incident-update page={status_page_id} incident={incident_id} -->"


def parse_state(comment: str) -> CommentState:
    """Return the state in a comment; an empty one if somebody has changed the line, or the comment is not ours."""
    with contextlib.suppress(ValueError, RecursionError):
        _, line, *_ = comment.split("\n", 2)
        return CommentState.model_validate(json.loads(line.removeprefix("<!-- ").removesuffix(" -->")))
    return CommentState()


def _format_state(state: CommentState) -> str:
    """Return the hidden second line.

    `-->` would end it (https://spec.commonmark.org/0.31.2/#html-blocks), and an `@` could be taken for a mention, so
    these characters are escaped as JSON allows.
    """
    escaped = {ord(character): f"\\u{ord(character):04x}" for character in "<>&@"}
    return f"<!-- {json.dumps(state.model_dump(exclude_defaults=True), ensure_ascii=False).translate(escaped)} -->"


def render(content: CommentContent) -> str:
    """Write the comment."""
    updates = newest_first(content.updates)
    blocks = [
        f"{content.marker}\n{_format_state(content.state)}\n### {_headline(updates)}",
        " · ".join(_facts(content, updates)),
        *_timeline(updates, content.state.notified),
        _failed_jobs(content),
        " · ".join(_links(content)),
    ]
    return "\n\n".join(filter(None, blocks))


def _facts(content: CommentContent, updates: Sequence[IncidentUpdate]) -> Iterator[str]:
    if title := escape_markdown(one_line(content.state.title)):
        yield f"**{title}**"
    if updates:
        yield _period(updates)
    if content.run.commit:
        yield f"commit {content.run.commit[:10]}"


def _headline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return "⚪ The incident on the status page has no updates"
    status = _latest_state(updates).status or ""
    return f"{_HEADLINES.get(status, _HEADLINE)}: {_name(status)}"


def _latest_state(updates: Sequence[IncidentUpdate]) -> IncidentUpdate:
    """Return the newest update that has the incident's status; UPDATE is not one."""
    return next((update for update in updates if update.status != IncidentStatus.UPDATE), updates[0])


def _period(updates: Sequence[IncidentUpdate]) -> str:
    first, *last = _bounds(updates)
    ends = [_format_time(each, _day(first)) for each in last]
    return " to ".join([f"from {_format_time(first)}", *ends]) if ends else f"since {_format_time(first)}"


def _bounds(updates: Sequence[IncidentUpdate]) -> list[IncidentUpdate]:
    """Return the update with which the incident began and, if it is over, the one with which it ended."""
    first, latest = min(updates, key=_seconds), _latest_state(updates)
    return [first, latest] if latest.status in ENDING_STATUSES else [first]


def _seconds(update: IncidentUpdate) -> float:
    """Return when an update happened, in seconds since 1970; infinity when it has no valid time."""
    seconds = seconds_since_1970(_time(update))
    return float("inf") if seconds is None else seconds


def _time(update: IncidentUpdate) -> str:
    return update.date_happened or update.created_at or ""


def _format_time(update: IncidentUpdate, day: date | None = None) -> str:
    """Return the minute in UTC, without the date on that day; the API's text if it is not a time with an offset."""
    moment = _moment(update)
    if moment is None:
        return _name(_time(update))
    minute = moment.replace(tzinfo=None).isoformat(" ", "minutes")
    return f"{minute.partition(' ')[2] if moment.date() == day else minute} UTC"


def _moment(update: IncidentUpdate) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_time(update))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _day(update: IncidentUpdate) -> date | None:
    moment = _moment(update)
    return moment.date() if moment else None


def _timeline(updates: Sequence[IncidentUpdate], notified: Mapping[str, bool | None]) -> Iterator[str]:
    """Write the newest update, the others folded, and a word on those that are left out."""
    bounds = _bounds(updates) if updates else []
    shown = _that_fit(_entry(update, bounds, notified.get(update.id)) for update in updates[:MAX_UPDATES])
    yield from shown[:1]
    yield from _fold(shown[1:])
    if len(updates) > len(shown):
        yield "Older updates are on the status page."


def _that_fit(entries: Iterable[str]) -> list[str]:
    """Return the first entries, as many as a comment has room for."""
    written = list(entries)
    lengths = accumulate(map(len, written))
    return [entry for entry, length in zip(written, lengths, strict=True) if length <= MAX_TIMELINE_LENGTH]


def _fold(entries: Sequence[str]) -> Iterator[str]:
    """Hide entries until a reader unfolds them; blank lines let GitHub read them as Markdown.

    https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/organizing-information-with-collapsed-sections
    """
    if entries:
        updates = "update" if len(entries) == 1 else "updates"
        yield f"<details><summary>{len(entries)} earlier {updates}</summary>"
        yield from entries
        yield "</details>"


def _entry(update: IncidentUpdate, bounds: Sequence[IncidentUpdate], notified: bool | None) -> str:  # noqa: FBT001 - as below
    """Write what an update says, without its time where the period of the incident begins or ends with it."""
    times = [_format_time(each, _day(bounds[0])) for each in (update, *bounds)]
    time = times[0] if times[0] not in times[1:] else ""
    facts = (f"**{_name(update.status)}**", _subscribers(notified), time)
    blocks = (" · ".join(filter(None, facts)), _quote(update.description or ""), _components(update))
    return "\n\n".join(filter(None, blocks))


def _quote(text: str) -> str:
    """Quote a text with its line breaks, but no more than one blank line at once."""
    shown = re.sub(r"\n\s*\n", "\n\n", sanitize(text).strip())
    quoted = escape_markdown(shorten(shown, MAX_TEXT_LENGTH))
    return f"> {quoted}" if quoted else ""


def _subscribers(notified: bool | None) -> str:  # noqa: FBT001 - there is nothing to confuse it with
    if notified is None:
        return ""
    return "subscribers notified" if notified else "subscribers not notified"


def _components(update: IncidentUpdate) -> str:
    changes = update.components or ()
    shown = [_component(change) for change in changes[:MAX_NAMES]]
    return "<br>".join(_and_more(shown, len(changes) - MAX_NAMES))


def _component(change: ComponentChange) -> str:
    before, after = _name(change.old_status), _name(change.new_status)
    return f"{dot(change.new_status)} {_name(change.name or change.id)}: {before} → {after}"


def _name(name: str | None) -> str:
    return escape_markdown(one_line(_short(name)))


def _short(name: str | None) -> str:
    text = sanitize(name or "").strip().encode(errors="replace").decode() or "?"
    return shorten(text, MAX_NAME_LENGTH)


def _and_more(names: Sequence[str], more: int) -> list[str]:
    """Add the number of those that are not shown."""
    return [*names, f"and {more} more"] if more > 0 else [*names]


def _failed_jobs(content: CommentContent) -> str:
    failed = content.state.failed_run
    if failed is None:
        return ""
    url, names = content.run.url_of(failed.id), ", ".join(_and_more([*map(code, failed.jobs)], failed.more))
    if not names:
        return f"[The workflow run that led to this]({url}) did not succeed."
    return f"Failed in [the workflow run that led to this]({url}): {names}"


def _links(content: CommentContent) -> Iterator[str]:
    if content.state.incident_url:
        yield f"[The incident, as customers see it]({content.state.incident_url})"
    if content.run.url:
        yield f"[Workflow run]({content.run.url})"
