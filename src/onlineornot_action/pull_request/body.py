"""What stands on the pull request: what customers were told, since when, of which components, and where to look."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from onlineornot_action.inputs.parsers import MAX_TITLE_LENGTH
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    IncidentStatus,
    IncidentUpdate,
    newest_first,
    seconds_since_1970,
)
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import code, plain, shorten, table

MAX_UPDATES = 25
"""Rows. With them the comment stays below the 65,536 characters that GitHub takes."""
MAX_NAMES = 10
"""Components of one update, and jobs."""
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
    """A workflow run that failed: its id, the names of its jobs that did, and how many more there were."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[int, Field(gt=0)]
    jobs: Annotated[tuple[_Name, ...], Field(max_length=MAX_NAMES)] = ()
    more: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def of(cls, run_id: int, jobs: Sequence[str]) -> "FailedRun":
        """Name as many jobs as a comment shows."""
        return cls(id=run_id, jobs=tuple(map(_short, jobs[:MAX_NAMES])), more=max(0, len(jobs) - MAX_NAMES))


class CommentState(BaseModel):
    """What no later run could find out; it stands in the comment's second line, which nobody sees.

    Attributes:
        title: What the incident is called; empty as long as no run has known it.
        told: The updates that the comment shows, by id, and whether subscribers were told of each; None where no run
            has known it.
        incident_url: Where readers see it, likewise.
        failed_run: What started a run that has written here.
    """

    model_config = ConfigDict(frozen=True)

    title: Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] = ""
    told: Annotated[dict[str, bool | None], Field(max_length=MAX_UPDATES)] = Field(default_factory=dict)
    incident_url: Annotated[str, Field(pattern=r"^(https://[a-z0-9.-]{1,253}/incidents/[A-Za-z0-9_-]{1,64})?$")] = ""
    failed_run: FailedRun | None = None


@dataclass(frozen=True)
class CommentContent:
    """What there is to tell.

    Attributes:
        marker: The comment's first line.
        memory: What this run knows, and those before it have known.
        updates: All updates of the incident, in any order.
        run: This workflow run.
    """

    marker: str
    memory: CommentState
    updates: Sequence[IncidentUpdate]
    run: WorkflowRun


def marker(status_page_id: str, incident_id: str) -> str:
    """The first line, which nobody sees: it tells which incident of which page a comment is about."""
    return f"<!-- onlineornot-incident-update page={status_page_id} incident={incident_id} -->"


def parse_state(comment: str) -> CommentState:
    """What a comment knows; nothing, when it is none of ours, or somebody has changed it."""
    with contextlib.suppress(ValueError, RecursionError):
        _, line, *_ = comment.split("\n", 2)
        return CommentState.model_validate(json.loads(line.removeprefix("<!-- ").removesuffix(" -->")))
    return CommentState()


def _remembered(memory: CommentState) -> str:
    """The second line, in which nothing can end it, and nothing is a mention."""
    escaped = {ord(character): f"\\u{ord(character):04x}" for character in "<>&@"}
    return f"<!-- {json.dumps(memory.model_dump(exclude_defaults=True), ensure_ascii=False).translate(escaped)} -->"


def render(story: CommentContent) -> str:
    """Write the comment, in GitHub's Markdown."""
    updates = newest_first(story.updates)
    blocks = [
        f"{story.marker}\n{_remembered(story.memory)}\n### {_headline(updates)}",
        " · ".join(_about(story, updates)),
        _timeline(updates, story.memory.told),
        _failed_jobs(story),
        " · ".join(_links(story)),
    ]
    return "\n\n".join(filter(None, blocks))


def _about(story: CommentContent, updates: Sequence[IncidentUpdate]) -> Iterator[str]:
    if title := code(story.memory.title):
        yield title
    if updates:
        yield _period(updates)
    if story.run.commit:
        yield f"commit {story.run.commit[:10]}"


def _headline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return "⚪ The incident on the status page has no updates"
    status = _state(updates).status or ""
    return f"{_HEADLINES.get(status, _HEADLINE)}: {code(status, MAX_NAME_LENGTH) or _UNKNOWN}"


def _state(updates: Sequence[IncidentUpdate]) -> IncidentUpdate:
    """The update that says how things are: UPDATE says nothing of that."""
    return next((update for update in updates if update.status != IncidentStatus.UPDATE), updates[0])


def _period(updates: Sequence[IncidentUpdate]) -> str:
    beginning, state = _when(min(updates, key=_seconds)), _state(updates)
    return f"from {beginning} to {_when(state)}" if state.status in ENDING_STATUSES else f"since {beginning}"


def _seconds(update: IncidentUpdate) -> float:
    """When it happened; after all others, where it does not say."""
    seconds = seconds_since_1970(_said(update))
    return float("inf") if seconds is None else seconds


def _said(update: IncidentUpdate) -> str:
    return update.date_happened or update.created_at or ""


def _when(update: IncidentUpdate) -> str:
    """The minute; whatever the API says, where that is no time with an offset."""
    said = _said(update)
    try:
        moment = datetime.fromisoformat(said)
        if moment.tzinfo:
            return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'minutes')} UTC"
    except (ValueError, OverflowError):
        pass
    return code(said, MAX_NAME_LENGTH) or _UNKNOWN


def _timeline(updates: Sequence[IncidentUpdate], told: Mapping[str, bool | None]) -> str:
    if not updates:
        return ""
    rows = [
        (_when(update), _status(update, told.get(update.id)), code(update.description or ""), _components(update))
        for update in updates[:MAX_UPDATES]
    ]
    shown = table([("Time", "Status", "What customers read", "Components"), *rows])
    return f"{shown}\n\nOlder updates are on the status page." if len(updates) > MAX_UPDATES else shown


def _status(update: IncidentUpdate, told: bool | None) -> str:  # noqa: FBT001 - it goes with the update
    subscribers = {True: "subscribers told", False: "subscribers not told", None: ""}[told]
    return "<br>".join(filter(None, (code(update.status or "", MAX_NAME_LENGTH), subscribers)))


def _components(update: IncidentUpdate) -> str:
    changes = [
        f"{_short(change.name or change.id)}: {_short(change.old_status)} → {_short(change.new_status)}"
        for change in update.components or ()
    ]
    return "<br>".join(_some(changes[:MAX_NAMES], len(changes) - MAX_NAMES))


def _short(name: str | None) -> str:
    text = plain(name or "").strip().encode(errors="replace").decode() or "?"
    return shorten(text, MAX_NAME_LENGTH)


def _some(names: Sequence[str], more: int) -> list[str]:
    """As many as there is room for, and how many there are besides."""
    shown = [code(name) for name in names]
    return [*shown, f"and {more} more"] if more > 0 else shown


def _failed_jobs(story: CommentContent) -> str:
    failed = story.memory.failed_run
    if failed is None:
        return ""
    url, names = story.run.url_of(failed.id), ", ".join(_some(failed.jobs, failed.more))
    if not names:
        return f"[The workflow run that led to this]({url}) did not succeed."
    return f"Failed in [the workflow run that led to this]({url}): {names}"


def _links(story: CommentContent) -> Iterator[str]:
    if story.memory.incident_url:
        yield f"[The incident, as customers see it]({story.memory.incident_url})"
    if story.run.url:
        yield f"[Workflow run]({story.run.url})"
