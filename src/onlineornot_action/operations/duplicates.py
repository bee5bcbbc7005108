"""The input `skip-duplicate`: whether posting is unnecessary, because an update of the incident matches."""

from collections.abc import Iterator
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Listing, read_baseline, read_reliably
from onlineornot_action.exactly_once.post import Evidence
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    created_or_oldest,
    newest_first,
)
from onlineornot_action.operations.updates import UpdateDraft, read_statuses, unnamed_components
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session, Target

_HOUR = 3600
_STALE_HOURS = 6
"""Hours after which customers may expect something new."""


class Checked(NamedTuple):
    """The updates of an incident before a new one is posted, and whether one of them makes that unnecessary."""

    updates: Listing[IncidentUpdate] | None  # None when they could not be read
    unchanged: Result | None = None  # the result, if posting is unnecessary
    notes: tuple[str, ...] = ()  # why it is necessary, for the summary


def check_duplicate(session: Session, target: Target, draft: UpdateDraft) -> Checked:
    """Read the updates of the incident, and look for one that makes a new one unnecessary.

    On a re-run the list is required, to prevent a second copy. In a first attempt it is not: customers who hear nothing
    are worse off than those who hear twice.

    Raises:
        APIError: Something that is required cannot be read.
    """
    skip = session.inputs.skip_duplicate
    updates = target.updates or _read_updates(session, draft)
    if skip is SkipDuplicate.NEVER:
        return Checked(updates)
    if updates is None:
        return Checked(None, notes=("The updates could not be read beforehand, so skip-duplicate had no effect",))
    duplicate = _find_duplicate(session, target, updates, draft)
    if duplicate is None:
        is_usable = updates.complete or not skip.is_rerun
        return Checked(updates if is_usable else session.read_updates(target.incident_id))
    warnings: tuple[str, ...] = ()
    try:
        if draft.body.status not in ENDING_STATUSES and not _incident(session, target).is_open:
            return Checked(updates, notes=("An update matches, but the incident was over",))
    except APIError as error:
        unknown = f"It is not known whether the incident is still open: {error}"
        if not skip.is_rerun:
            return Checked(updates, notes=(unknown,))
        warnings = (f"{unknown}.",)
    unchanged = Result(
        Outcome.UNCHANGED,
        target.incident_id,
        duplicate.id,
        duplicate,
        known_updates=updates,
        known_because=Evidence.DUPLICATE,
        warnings=(*warnings, *_warnings(session, updates, duplicate)),
    )
    return Checked(updates, unchanged)


def _read_updates(session: Session, draft: UpdateDraft) -> Listing[IncidentUpdate] | None:
    """Read the updates: on a re-run until the deadline, or until one matches; otherwise in a share of the time."""
    skip, deadline, limits = session.inputs.skip_duplicate, session.deadline, session.limits.post

    def is_enough(items: list[IncidentUpdate]) -> bool:
        return bool(find_candidates(items, draft, skip))

    if skip.is_rerun:
        return read_reliably(draft.pages, deadline, limits, is_enough=is_enough)
    return read_baseline(draft.pages, deadline, limits, is_enough=None if skip is SkipDuplicate.NEVER else is_enough)


def find_candidates(items: list[IncidentUpdate], draft: UpdateDraft, skip: SkipDuplicate) -> list[IncidentUpdate]:
    """Return the updates that make posting unnecessary, provided that the components they omit have the new status.

    An UPDATE neither ends nor reopens an incident. When an incident is over, only an update that would end it again is
    unnecessary.
    """
    states = _newest([item for item in items if item.status != IncidentStatus.UPDATE])
    if draft.body.status in ENDING_STATUSES:
        pool = states
    elif states and all(state.status in ENDING_STATUSES for state in states):
        return []
    elif skip is SkipDuplicate.IF_ANY_ON_RERUN:
        return [item for item in newest_first(items) if _matches(item, draft)]
    else:
        pool = _newest(items)
    return pool[:1] if all(_matches(item, draft) for item in pool) else []


def _newest(items: list[IncidentUpdate]) -> list[IncidentUpdate]:
    """Return the newest updates, and those without a date, which may be as new."""
    newest = max(map(created_or_oldest, items), default=None)
    return [item for item in items if item.created in (None, newest)]


def _matches(item: IncidentUpdate, draft: UpdateDraft) -> bool:
    return unnamed_components(item, draft.body, exactly=False) is not None


def _find_duplicate(
    session: Session, target: Target, updates: Listing[IncidentUpdate], draft: UpdateDraft
) -> IncidentUpdate | None:
    """Return the first candidate whose omitted components have the new status; read them only if there are any."""
    page = target.page and {component.id: component.status for component in target.page.items}
    for candidate in find_candidates(updates.items, draft, session.inputs.skip_duplicate):
        unnamed = unnamed_components(candidate, draft.body, exactly=False) or {}
        if unnamed and page is None:
            page = _read_statuses(session)
        if unnamed.items() <= (page or {}).items():
            return candidate
    return None


def _read_statuses(session: Session) -> dict[str, str | None]:
    """Read the statuses of the page's components; in a first attempt, none if they cannot be read in time."""
    if session.inputs.skip_duplicate.is_rerun:
        return read_statuses(session)
    share = session.deadline.left() * session.limits.post.baseline_share
    try:
        return read_statuses(session, session.deadline.within(share, detached=True))
    except APIError:
        return {}


def _incident(session: Session, target: Target) -> Incident:
    """Return the incident from the list that its title was found in; otherwise read it."""
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    return target.incident or session.client.get_incident(session.page_id, target.incident_id, deadline)


def _warnings(session: Session, updates: Listing[IncidentUpdate], duplicate: IncidentUpdate) -> Iterator[str]:
    """Warn if customers have read something else since, or read this long ago."""
    newest = newest_first(updates.items)[0]
    if newest.id != duplicate.id:
        yield (
            f"Nothing was posted, because update {duplicate.id} matches, but the newest update is {newest.id} "
            f"({newest.status}). If customers should read this again, use skip-duplicate: false."
        )
    now = updates.server_time or session.deadline.clock.time()
    hours = 0.0 if duplicate.created is None else (now - duplicate.created) / _HOUR
    if hours > _STALE_HOURS:
        age = f"{hours / 24:.0f} days" if hours >= 2 * 24 else f"{hours:.0f} hours"
        yield (
            f"Nothing was posted, because update {duplicate.id} matches, but it is {age} old. "
            "If customers should be notified again, change the text or use skip-duplicate: false."
        )
