"""What is true of an incident: open or ended, planned, of a title, from when to when."""

import unicodedata
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
from onlineornot_action.text import fold, one_line

MIN_SIMILARITY = 0.8
"""difflib's ratio from which on one title was probably meant for the other."""


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


def is_of_people(incident: Incident) -> bool:
    """Whether people opened an incident, not a monitor, and it is no maintenance."""
    return not incident.scheduled_maintenance and not fold(incident.title or "").startswith(fold(AUTOMATED))


def has_title(incident: Incident, title: str) -> bool:
    """Whether people opened an incident, not a maintenance, under this title."""
    name = fold(incident.title or "")
    return bool(name) and name == fold(title) and is_of_people(incident)


def open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """Return the open incidents of this title, newest first."""
    return newest_first(incident for incident in incidents if is_open(incident) and has_title(incident, title))


def other_open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """Return the open incidents that people opened under another title, newest first."""
    others = (each for each in incidents if each.title and is_open(each) and not has_title(each, title))
    return newest_first(filter(is_of_people, others))


def is_nearly(title: str, wanted: str) -> bool:
    """Whether two titles differ by little: without punctuation, one begins with the other or most of it is the same."""
    one, other = sorted((words(title), words(wanted)), key=len)
    if not one:
        return False
    return other.startswith(one) or _similarity(one, other) >= MIN_SIMILARITY


def words(text: str) -> str:
    """Return the beginning of a text as `fold` does, but without punctuation and symbols, such as emoji."""
    kept = (each if unicodedata.category(each)[0] in "LMN" else " " * each.isspace() for each in fold(text))
    return one_line("".join(kept))


def _similarity(one: str, other: str) -> float:
    """Return difflib's ratio; only its upper bound where that is too low already, since the ratio takes long."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, one, other, autojunk=False)
    bound = matcher.quick_ratio()
    return bound if bound < MIN_SIMILARITY else matcher.ratio()
