"""The words of the comment, in GitHub's Markdown, and the state that one run leaves in it for the next."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from onlineornot_action.inputs.parsers import MAX_TITLE_LENGTH
from onlineornot_action.onlineornot.models import IncidentUpdate, newest_first, seconds_since_1970
from onlineornot_action.onlineornot.values import ENDING_STATUSES, IncidentStatus
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import code, plain, shorten, table

MAX_UPDATES = 25
"""Rows of the table. The longest comment stays below 65,536 characters, which is GitHub's maximum:
https://github.com/orgs/community/discussions/27190
"""
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
_UNKNOWN = "`?`"

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
        _timeline(updates, content.state.notified),
        _failed_jobs(content),
        " · ".join(_links(content)),
    ]
    return "\n\n".join(filter(None, blocks))


def _facts(content: CommentContent, updates: Sequence[IncidentUpdate]) -> Iterator[str]:
    if title := code(content.state.title):
        yield title
    if updates:
        yield _period(updates)
    if content.run.commit:
        yield f"commit {content.run.commit[:10]}"


def _headline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return "⚪ The incident on the status page has no updates"
    status = _latest_state(updates).status or ""
    return f"{_HEADLINES.get(status, _HEADLINE)}: {code(status, MAX_NAME_LENGTH) or _UNKNOWN}"


def _latest_state(updates: Sequence[IncidentUpdate]) -> IncidentUpdate:
    """Return the newest update that has the incident's status; UPDATE is not one."""
    return next((update for update in updates if update.status != IncidentStatus.UPDATE), updates[0])


def _period(updates: Sequence[IncidentUpdate]) -> str:
    beginning, latest = _format_time(min(updates, key=_seconds)), _latest_state(updates)
    if latest.status in ENDING_STATUSES:
        return f"from {beginning} to {_format_time(latest)}"
    return f"since {beginning}"


def _seconds(update: IncidentUpdate) -> float:
    """Return when an update happened, in seconds since 1970; infinity when it has no valid time."""
    seconds = seconds_since_1970(_time(update))
    return float("inf") if seconds is None else seconds


def _time(update: IncidentUpdate) -> str:
    return update.date_happened or update.created_at or ""


def _format_time(update: IncidentUpdate) -> str:
    """Return the minute in UTC; the API's text if it is not a time with an offset."""
    text = _time(update)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'minutes')} UTC"
    except (ValueError, OverflowError):
        pass
    return code(text, MAX_NAME_LENGTH) or _UNKNOWN


def _timeline(updates: Sequence[IncidentUpdate], notified: Mapping[str, bool | None]) -> str:
    if not updates:
        return ""
    rows = [_row(update, _subscribers(notified.get(update.id))) for update in updates[:MAX_UPDATES]]
    shown = table([("Time", "Status", "What customers read", "Components"), *rows])
    return f"{shown}\n\nOlder updates are on the status page." if len(updates) > MAX_UPDATES else shown


def _row(update: IncidentUpdate, subscribers: str) -> tuple[str, ...]:
    status = code(update.status or "", MAX_NAME_LENGTH)
    status_cell = "<br>".join(filter(None, (status, subscribers)))
    return _format_time(update), status_cell, code(update.description or ""), _components(update)


def _subscribers(notified: bool | None) -> str:  # noqa: FBT001 - there is nothing to confuse it with
    if notified is None:
        return ""
    return "subscribers notified" if notified else "subscribers not notified"


def _components(update: IncidentUpdate) -> str:
    changes = update.components or ()
    shown = [
        f"{_short(change.name or change.id)}: {_short(change.old_status)} → {_short(change.new_status)}"
        for change in changes[:MAX_NAMES]
    ]
    return "<br>".join(_list_names(shown, len(changes) - MAX_NAMES))


def _short(name: str | None) -> str:
    text = plain(name or "").strip().encode(errors="replace").decode() or "?"
    return shorten(text, MAX_NAME_LENGTH)


def _list_names(names: Sequence[str], more: int) -> list[str]:
    """Format names as code, followed by the number of those that are not shown."""
    shown = [code(name) for name in names]
    return [*shown, f"and {more} more"] if more > 0 else shown


def _failed_jobs(content: CommentContent) -> str:
    failed = content.state.failed_run
    if failed is None:
        return ""
    url, names = content.run.url_of(failed.id), ", ".join(_list_names(failed.jobs, failed.more))
    if not names:
        return f"[The workflow run that led to this]({url}) did not succeed."
    return f"Failed in [the workflow run that led to this]({url}): {names}"


def _links(content: CommentContent) -> Iterator[str]:
    if content.state.incident_url:
        yield f"[The incident, as customers see it]({content.state.incident_url})"
    if content.run.url:
        yield f"[Workflow run]({content.run.url})"
