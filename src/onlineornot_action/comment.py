"""What stands on the pull request: what customers were told, since when, of which components, and where to look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from onlineornot_action.description import plain
from onlineornot_action.markdown import code, table
from onlineornot_action.onlineornot.models import IncidentStatus, IncidentUpdate, seconds_since_1970
from onlineornot_action.updates import ENDING, created_or_oldest

MOST_UPDATES = 30
"""Rows. The text stays far below the 65,536 characters that GitHub takes."""
MOST_NAMES = 10
"""Components of one update, and jobs."""
LONGEST_NAME = 50

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


@dataclass(frozen=True)
class Story:
    """What there is to tell.

    Attributes:
        status_page_id: The page.
        incident_id: The incident.
        updates: All of its updates, in any order.
        run_url: This workflow run.
        title: What the incident is called; empty when this run does not know it.
        incident_url: Where readers see it, likewise.
        posted: The id of the update that this run posted; empty when it posted none.
        notified: Whether subscribers are told of that one; None when that is not known.
        failed_run_url: The run that failed and thereby started this one; empty when none did.
        failed_jobs: The names of its jobs that failed.
    """

    status_page_id: str
    incident_id: str
    updates: Sequence[IncidentUpdate]
    run_url: str
    title: str = ""
    incident_url: str = ""
    posted: str = ""
    notified: bool | None = None
    failed_run_url: str = ""
    failed_jobs: Sequence[str] = ()


def marker(status_page_id: str, incident_id: str) -> str:
    """The first line, which nobody sees: it tells which incident of which page a comment is about."""
    return f"<!-- onlineornot-incident-update page={status_page_id} incident={incident_id} -->"


def render(story: Story) -> str:
    """Write the comment, in GitHub's Markdown."""
    updates = sorted(story.updates, key=created_or_oldest, reverse=True)
    blocks = [
        f"{marker(story.status_page_id, story.incident_id)}\n### {_headline(updates)}",
        " · ".join(filter(None, (code(story.title), _period(updates)))),
        _timeline(updates),
        _subscribers(story),
        _failed_jobs(story),
        " · ".join(_links(story)),
    ]
    return "\n\n".join(filter(None, blocks))


def _headline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return "⚪ The incident on the status page has no updates"
    status = _state(updates).status or ""
    return f"{_HEADLINES.get(status, _HEADLINE)}: {code(status, LONGEST_NAME) or _UNKNOWN}"


def _state(updates: Sequence[IncidentUpdate]) -> IncidentUpdate:
    """The update that says how things are: UPDATE says nothing of that."""
    return next((update for update in updates if update.status != IncidentStatus.UPDATE), updates[0])


def _period(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return ""
    beginning, state = _when(min(updates, key=_seconds)), _state(updates)
    return f"from {beginning} to {_when(state)}" if state.status in ENDING else f"since {beginning}"


def _seconds(update: IncidentUpdate) -> float:
    """When it happened; after all others, where it does not say."""
    seconds = seconds_since_1970(update.date_happened)
    return float("inf") if seconds is None else seconds


def _when(update: IncidentUpdate) -> str:
    """The minute; whatever the API says, where that is no time with an offset."""
    said = update.date_happened or update.created_at or ""
    try:
        moment = datetime.fromisoformat(said)
        if moment.tzinfo:
            return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'minutes')} UTC"
    except (ValueError, OverflowError):
        pass
    return code(said, LONGEST_NAME) or _UNKNOWN


def _timeline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return ""
    rows = [
        (_when(update), code(update.status or "", LONGEST_NAME), code(update.description or ""), _components(update))
        for update in updates[:MOST_UPDATES]
    ]
    shown = table([("Time", "Status", "What customers read", "Components"), *rows])
    return f"{shown}\n\nOlder updates are on the status page." if len(updates) > MOST_UPDATES else shown


def _components(update: IncidentUpdate) -> str:
    changes = [
        f"{_short(change.name or change.id)}: {_short(change.old_status)} → {_short(change.new_status)}"
        for change in update.components or ()
    ]
    return "<br>".join(_some(changes))


def _short(name: str | None) -> str:
    text = plain(name or "").strip() or "?"
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def _some(names: Sequence[str]) -> list[str]:
    """As many as there is room for, and how many there are besides."""
    more = len(names) - MOST_NAMES
    shown = [code(name) for name in names[:MOST_NAMES]]
    return [*shown, f"and {more} more"] if more > 0 else shown


def _subscribers(story: Story) -> str:
    posted = next((update for update in story.updates if update.id == story.posted), None)
    if posted is None or story.notified is None:
        return ""
    return f"Subscribers are {'' if story.notified else 'not '}told of the update of {_when(posted)}."


def _failed_jobs(story: Story) -> str:
    if not story.failed_run_url:
        return ""
    if not story.failed_jobs:
        return f"Started by [a workflow run]({story.failed_run_url}) that did not succeed."
    names = ", ".join(_some([_short(name) for name in story.failed_jobs]))
    return f"Failed in [the workflow run]({story.failed_run_url}) that started this one: {names}"


def _links(story: Story) -> Iterator[str]:
    if story.incident_url:
        yield f"[The incident, as customers see it]({story.incident_url})"
    yield f"[Workflow run]({story.run_url})"
