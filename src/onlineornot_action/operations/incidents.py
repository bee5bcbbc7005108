"""What is true of an incident: open or ended, planned, of a title, from when to when."""

from collections.abc import Iterable

from onlineornot_action.inputs.parsers import AUTOMATED
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    newest_first,
    seconds_since_1970,
)
from onlineornot_action.text import fold


def is_open(incident: Incident) -> bool:
    """Whether an incident has neither ended nor been declared over by its newest update."""
    declared_over = incident.latest_update is not None and incident.latest_update.status in ENDING_STATUSES
    return not incident.ended and not declared_over


def is_planned(incident: Incident) -> bool:
    """Whether an incident is a maintenance that has not begun, and so has not changed anything yet."""
    status = incident.latest_update.status if incident.latest_update else None
    return incident.scheduled_maintenance and status in (None, IncidentStatus.SCHEDULED)


def start_of(incident: Incident | None, updates: Iterable[IncidentUpdate]) -> float | None:
    """When an incident began, in seconds since 1970; by its first update if it does not say."""
    started = (seconds_since_1970(incident.started) or incident.created) if incident else None
    return started or min((update.created for update in updates if update.created), default=None)


def end_of(incident: Incident) -> float | None:
    """When an incident ended, in seconds since 1970; by the update that declared it over if it does not say."""
    declared = incident.latest_update.date_happened if incident.latest_update and not is_open(incident) else None
    return seconds_since_1970(incident.ended or declared)


def has_title(incident: Incident, title: str) -> bool:
    """Whether people opened an incident, not a maintenance, under this title."""
    name = fold(incident.title or "")
    by_monitor = name.startswith(fold(AUTOMATED))
    return name == fold(title) and not by_monitor and not incident.scheduled_maintenance


def open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """Return the open incidents of this title, newest first."""
    return newest_first(incident for incident in incidents if has_title(incident, title) and is_open(incident))
