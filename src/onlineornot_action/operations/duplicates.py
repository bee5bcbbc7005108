"""When an update need not be posted, because the incident has one that says the same."""

from collections.abc import Iterator

from onlineornot_action.exactly_once.baseline import DuplicateCheck
from onlineornot_action.exactly_once.post import Posted
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import Incident, IncidentUpdate
from onlineornot_action.operations.incidents import is_open
from onlineornot_action.operations.updates import UpdateDraft
from onlineornot_action.session import Session, Target

_HOUR = 3600
_STALE_HOURS = 6
"""Hours after which customers may expect to read something new."""


def duplicate_check(draft: UpdateDraft, skip: SkipDuplicate) -> DuplicateCheck[IncidentUpdate] | None:
    """Return the check that `skip-duplicate` asks for.

    On a re-run it is required, since another copy is what it must prevent. Asked for in a first attempt, it is not:
    customers who hear nothing are worse off than those who hear twice.
    """
    return {
        SkipDuplicate.NEVER: None,
        SkipDuplicate.IF_NEWEST: DuplicateCheck(draft.find_newest, is_required=False),
        SkipDuplicate.IF_ANY: DuplicateCheck(draft.find_duplicate, is_required=True),
    }[skip]


def reason_to_repeat(session: Session, target: Target) -> str:
    """Say why an update is posted although the newest one says the same; empty if the incident is open."""
    try:
        incident = _incident(session, target)
    except APIError as error:
        return f"The newest update says the same, but it is not known whether the incident is still open: {error}"
    return "" if is_open(incident) else "The newest update says the same, but the incident was over"


def stale_warnings(posted: Posted[IncidentUpdate], now: float) -> Iterator[str]:
    """Warn of an old update that has kept a new one from being posted.

    Args:
        posted: The old update, and the list that it was found in.
        now: Seconds since 1970, if the API does not tell its own time.
    """
    update, list_read = posted.item, posted.baseline
    server_time = list_read.server_time if list_read else None
    hours = 0.0 if update.created is None else ((server_time or now) - update.created) / _HOUR
    if hours > _STALE_HOURS:
        yield (
            f"Nothing was posted, because update {update.id} says the same, but it is {_age(hours)} old. "
            "If customers should be notified again, change the text or use skip-duplicate: false."
        )


def _incident(session: Session, target: Target) -> Incident:
    """Return the incident from the list that its title was found in; otherwise read it."""
    listed = target.incidents.items if target.incidents else ()
    for incident in listed:
        if incident.id == target.incident_id:
            return incident
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    return session.client.get_incident(session.page_id, target.incident_id, deadline)


def _age(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 2 * 24 else f"{hours:.0f} hours"
