"""What stands on the pull request: what customers were told, since when, of which components, and where to look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from onlineornot_action.input_rules import MAINTENANCE
from onlineornot_action.markdown import code, table
from onlineornot_action.onlineornot.models import IncidentStatus, IncidentUpdate
from onlineornot_action.updates import ENDING, created_or_oldest

MOST_UPDATES = 30
"""Rows. The text stays far below the 65,536 characters that GitHub takes."""
MOST_NAMES = 10
"""Components of one update, and jobs."""
LONGEST_NAME = 60

_ICONS: dict[str, str] = {
    IncidentStatus.MONITORING: "🟡",
    IncidentStatus.RESOLVED: "✅",
    IncidentStatus.SCHEDULED: "🔧",
    IncidentStatus.IN_PROGRESS: "🔧",
    IncidentStatus.VERIFYING: "🔧",
    IncidentStatus.COMPLETED: "✅",
}


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
    status = updates[0].status or "?"
    what = "A maintenance" if status in MAINTENANCE else "An incident"
    state = "is over" if status in ENDING else "is on the status page"
    return f"{_ICONS.get(status, '🔴')} {what} {state}: {code(status, LONGEST_NAME)}"


def _period(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return ""
    over = updates[0].status in ENDING
    return f"from {_when(updates[-1])} to {_when(updates[0])} UTC" if over else f"since {_when(updates[-1])} UTC"


def _when(update: IncidentUpdate) -> str:
    """The minute, in UTC; whatever the API says, where that is no time."""
    said = update.date_happened or update.created_at or "?"
    try:
        return f"{datetime.fromisoformat(said).astimezone(UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):
        return code(said, LONGEST_NAME)


def _timeline(updates: Sequence[IncidentUpdate]) -> str:
    if not updates:
        return ""
    rows = [
        (_when(update), code(update.status or "", LONGEST_NAME), code(update.description or ""), _components(update))
        for update in updates[:MOST_UPDATES]
    ]
    shown = table([("Time (UTC)", "Status", "What customers read", "Components"), *rows])
    return f"{shown}\n\nOlder updates are on the status page." if len(updates) > MOST_UPDATES else shown


def _components(update: IncidentUpdate) -> str:
    changes = [
        f"{(change.name or change.id or '?')[:LONGEST_NAME]}: {change.old_status or '?'} → {change.new_status or '?'}"
        for change in update.components or ()
    ]
    return "<br>".join(_some(changes))


def _some(names: Sequence[str]) -> list[str]:
    """As many as there is room for, and how many there are besides."""
    more = len(names) - MOST_NAMES
    shown = [code(name, 2 * LONGEST_NAME) for name in names[:MOST_NAMES]]
    return [*shown, f"and {more} more"] if more > 0 else shown


def _subscribers(story: Story) -> str:
    posted = next((update for update in story.updates if update.id == story.posted), None)
    if posted is None or story.notified is None:
        return ""
    return f"Subscribers are {'' if story.notified else 'not '}told of the update of {_when(posted)}."


def _failed_jobs(story: Story) -> str:
    if not story.failed_run_url:
        return ""
    run = f"[the workflow run]({story.failed_run_url}) that started this one"
    return f"Failed in {run}: {', '.join(_some(story.failed_jobs))}" if story.failed_jobs else f"It began with {run}."


def _links(story: Story) -> Iterator[str]:
    if story.incident_url:
        yield f"[The incident, as customers see it]({story.incident_url})"
    yield f"[Workflow run]({story.run_url})"
