"""An update as a draft, and when two updates say the same, however the API stores them.

The API may change the form of a text, name only the components that really changed, and drop milliseconds.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from onlineornot_action.exactly_once.listing import Comparison, DuplicateCheck
from onlineornot_action.exactly_once.post import Posted
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    ComponentAffected,
    Incident,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    ListPage,
    created_or_oldest,
)
from onlineornot_action.session import Session, Target

_HOUR = 3600
_STALE_HOURS = 6
"""Hours after which customers may expect to read something new."""

_PRECISION = 1.0
"""Seconds by which a date may differ."""


def says_the_same(update: IncidentUpdate, wanted: IncidentUpdateCreate) -> bool:
    """Whether an update has the status, the text and the components of one that was to be posted."""
    return (
        update.status == wanted.status
        and _same_text(update.description, wanted.description)
        and _same_components(update, wanted.components_affected or ())
    )


def is_patched(update: IncidentUpdate, patch: IncidentUpdatePatch) -> bool:
    """Whether an update is as a patch was to make it."""
    return (
        patch.status in (None, update.status)
        and (patch.description is None or _same_text(update.description, patch.description))
        and (patch.date_happened is None or _same_moment(update.date_happened, patch.date_happened))
    )


def _same_text(one: str | None, other: str) -> bool:
    return one is not None and _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip().split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _same_components(update: IncidentUpdate, wanted: Iterable[ComponentAffected]) -> bool:
    if update.components is None:
        return True
    asked_for = {(component.id, component.status) for component in wanted}
    changed = {(change.id, change.new_status) for change in update.components}
    return changed <= asked_for and bool(changed) == bool(asked_for)


def _same_moment(one: str | None, other: str) -> bool:
    try:
        difference = datetime.fromisoformat(one or "") - datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
    return abs(difference.total_seconds()) < _PRECISION


def draft_update(session: Session, target: Target) -> "UpdateDraft":
    """Draft the update that the inputs ask for."""
    inputs = session.inputs
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=target.components,
        date_happened=inputs.date_happened,
    )
    return UpdateDraft(session.client, session.page_id, target.incident_id, body)


@dataclass(frozen=True)
class UpdateDraft:
    """An update that is to be posted exactly once."""

    client: OnlineOrNotClient
    status_page_id: str
    incident_id: str
    body: IncidentUpdateCreate

    def post(self) -> IncidentUpdate:
        """Post it."""
        return self.client.create_incident_update(self.status_page_id, self.incident_id, self.body)

    def pages(
        self, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[IncidentUpdate]]:
        """Read the updates of its incident."""
        pages = self.client.incident_update_pages
        return pages(self.status_page_id, self.incident_id, deadline, to_the_end=to_the_end)

    def may_be_same(self, item: IncidentUpdate) -> bool:  # noqa: ARG002 - any new update may be ours
        """Whether an update could be this one."""
        return True

    def is_same(self, item: IncidentUpdate) -> bool:
        """Whether an update says what this one does."""
        return says_the_same(item, self.body)

    def find_newest(self, items: list[IncidentUpdate]) -> IncidentUpdate | None:
        """The newest update, if it says the same; where the dates do not tell which it is, all that it may be do."""
        newest = max(map(created_or_oldest, items), default=None)
        candidates = [item for item in items if item.created in (None, newest)]
        return next(iter(candidates), None) if all(map(self.is_same, candidates)) else None

    def compare(
        self,
        items: Sequence[IncidentUpdate],
        deadline: Deadline | None = None,  # noqa: ARG002 - nothing is read
    ) -> Comparison[IncidentUpdate]:
        """Find the updates that say what this one does; the server may have stored it in the form of any other."""
        same = tuple(filter(self.is_same, items))
        return Comparison(same, tuple(item for item in items if item not in same))

    def find_duplicate(self, items: list[IncidentUpdate]) -> IncidentUpdate | None:
        """An update that says the same, unless the incident was declared over since."""
        over = max((created_or_oldest(item) for item in items if item.status in ENDING_STATUSES), default=float("-inf"))
        same = (item for item in items if created_or_oldest(item) >= over and self.is_same(item))
        return max(same, key=created_or_oldest, default=None)


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
    return "" if incident.is_open else "The newest update says the same, but the incident was over"


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
