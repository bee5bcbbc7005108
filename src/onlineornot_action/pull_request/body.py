"""The words of the comment, in GitHub's Markdown, and the state that one run leaves in it for the next."""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Annotated

from pydantic import BaseModel, Field

from onlineornot_action.inputs.parsers import MAX_TITLE_LENGTH
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    IncidentStatus,
    IncidentUpdate,
    ResourceId,
    newest_first,
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
    IncidentStatus.MONITORING: "🟡 Incident open",
    IncidentStatus.RESOLVED: "✅ Incident over",
    IncidentStatus.SCHEDULED: "🔧 Maintenance announced",
    IncidentStatus.IN_PROGRESS: "🔧 Maintenance under way",
    IncidentStatus.VERIFYING: "🔧 Maintenance under way",
    IncidentStatus.COMPLETED: "✅ Maintenance over",
}
_SUBSCRIBERS = {True: "subscribers notified", False: "subscribers not notified", None: ""}
_NEVER = datetime.max.replace(tzinfo=UTC)

_Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH + 1)]


class FailedRun(BaseModel, frozen=True):
    """A workflow run that failed: the names of as many of its failed jobs as a comment shows, and how many `more`."""

    id: Annotated[int, Field(gt=0, lt=2**63)]
    jobs: Annotated[tuple[_Name, ...], Field(max_length=MAX_NAMES)] = ()
    more: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @classmethod
    def of(cls, run_id: int, jobs: Sequence[str]) -> "FailedRun":
        """Name as many jobs as a comment shows."""
        return cls(id=run_id, jobs=tuple(map(_short, jobs[:MAX_NAMES])), more=max(0, len(jobs) - MAX_NAMES))


class CommentState(BaseModel, frozen=True):
    """What a later run could not find out by itself, stored as JSON in the hidden second line of the comment.

    A step has no storage of its own, and a comment that is deleted or copied takes its state with it. Another workflow
    may have written it, so it holds neither a link nor a title. GitHub does not show HTML comments:
    https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#hiding-content-with-comments

    Attributes:
        notified: The ids of the updates that the comment shows, and whether subscribers were notified of each; None
            when unknown.
        failed_run: The failed run that triggered this run or an earlier one.
    """

    notified: Annotated[dict[ResourceId, bool | None], Field(max_length=MAX_UPDATES)] = Field(default_factory=dict)
    failed_run: FailedRun | None = None


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


def render(
    marker: str, state: CommentState, updates: Iterable[IncidentUpdate], run: WorkflowRun, title: str, url: str
) -> str:
    """Write the comment on an incident from all its updates, in any order; the marker is the first line."""
    shown = newest_first(updates)
    bounds = _bounds(shown) if shown else []
    incident = f"[The incident, as customers see it]({url})" if url else ""
    workflow_run = f"[Workflow run]({run.url})" if run.url else ""
    blocks = [
        f"{marker}\n{_format_state(state)}\n### {_headline(shown)}",
        " · ".join(_facts(title, bounds, run.commit)),
        *_timeline(shown, bounds, state.notified),
        _failed_jobs(state.failed_run, run) if state.failed_run else "",
        " · ".join(filter(None, (incident, workflow_run))),
    ]
    return "\n\n".join(filter(None, blocks))


def _facts(title: str, bounds: Sequence[IncidentUpdate], commit: str) -> Iterator[str]:
    if shown := escape_markdown(one_line(shorten(title, MAX_TITLE_LENGTH))):
        yield f"**{shown}**"
    if bounds:
        first, *last = bounds
        times = [_format_time(first), *(_format_time(update, first) for update in last)]
        yield f"from {' to '.join(times)}" if last else f"since {times[0]}"
    if commit:
        yield f"commit {commit[:10]}"


def _headline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return "⚪ The incident on the status page has no updates"
    status = _latest_state(updates).status or ""
    return f"{_HEADLINES.get(status, '🔴 Incident open')}: {_name(status)}"


def _latest_state(updates: Sequence[IncidentUpdate]) -> IncidentUpdate:
    """Return the newest update that sets the incident's status, which an UPDATE does not."""
    return next((update for update in updates if update.status != IncidentStatus.UPDATE), updates[0])


def _bounds(updates: Sequence[IncidentUpdate]) -> list[IncidentUpdate]:
    """Return the update with which the incident began and, if it is over, the one with which it ended."""
    first = min(updates, key=lambda update: _moment(update) or _NEVER)
    latest = _latest_state(updates)
    return [first, latest] if latest.status in ENDING_STATUSES else [first]


def _time(update: IncidentUpdate) -> str:
    return update.date_happened or update.created_at or ""


def _moment(update: IncidentUpdate) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_time(update))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _format_time(update: IncidentUpdate, first: IncidentUpdate | None = None) -> str:
    """Return the minute in UTC, without the date on the day of the first update; the API's text if it is not a time."""
    moment, begin = _moment(update), _moment(first) if first else None
    if moment is None:
        return _name(_time(update))
    is_same_day = begin is not None and begin.date() == moment.date()
    return f"{moment:%H:%M} UTC" if is_same_day else f"{moment.date()} {moment:%H:%M} UTC"


def _timeline(
    updates: Sequence[IncidentUpdate], bounds: Sequence[IncidentUpdate], notified: Mapping[str, bool | None]
) -> Iterator[str]:
    """Write the newest update, the others folded, and a line about those that a comment has no room for.

    Blank lines make GitHub read the folded part as Markdown:
    https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/organizing-information-with-collapsed-sections
    """
    entries = [_entry(update, bounds, _SUBSCRIBERS[notified.get(update.id)]) for update in updates[:MAX_UPDATES]]
    lengths = accumulate(map(len, entries))
    shown = [entry for entry, length in zip(entries, lengths, strict=True) if length <= MAX_TIMELINE_LENGTH]
    yield from shown[:1]
    if earlier := shown[1:]:
        yield f"<details><summary>{len(earlier)} earlier update{'s' if len(earlier) > 1 else ''}</summary>"
        yield from earlier
        yield "</details>"
    if len(updates) > len(shown):
        yield "Older updates are on the status page."


def _entry(update: IncidentUpdate, bounds: Sequence[IncidentUpdate], subscribers: str) -> str:
    """Write an update, without its time if that is the beginning or the end of the incident, which the facts show."""
    time, *others = [_format_time(each, bounds[0]) for each in (update, *bounds)]
    facts = (f"**{_name(update.status)}**", subscribers, "" if time in others else time)
    blocks = (" · ".join(filter(None, facts)), _quote(update.description or ""), _components(update))
    return "\n\n".join(filter(None, blocks))


def _quote(text: str) -> str:
    """Quote a text with its line breaks, but no more than one blank line at once."""
    shown = re.sub(r"\n\s*\n", "\n\n", sanitize(text).strip())
    quoted = escape_markdown(shorten(shown, MAX_TEXT_LENGTH))
    return f"> {quoted}" if quoted else ""


def _components(update: IncidentUpdate) -> str:
    changes = update.components or ()
    lines = [
        f"{dot(each.new_status)} {_name(each.name or each.id)}: {_name(each.old_status)} → {_name(each.new_status)}"
        for each in changes[:MAX_NAMES]
    ]
    return "<br>".join(_and_more(lines, len(changes) - MAX_NAMES))


def _name(name: str | None) -> str:
    return escape_markdown(one_line(_short(name)))


def _short(name: str | None) -> str:
    text = sanitize(name or "").strip().encode(errors="replace").decode() or "?"
    return shorten(text, MAX_NAME_LENGTH)


def _and_more(names: Iterable[str], more: int) -> list[str]:
    """Add the number of those that are not shown."""
    return [*names, f"and {more} more"] if more > 0 else [*names]


def _failed_jobs(failed: FailedRun, run: WorkflowRun) -> str:
    url, names = run.url_of(failed.id), ", ".join(_and_more(map(code, failed.jobs), failed.more))
    return f"[Failed]({url}): {names}" if names else f"[The workflow run that led to this]({url}) did not succeed."
