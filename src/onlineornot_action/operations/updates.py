"""An update as a draft, and when two updates say the same, however the API stores them.

The API may change the form of a text, name only the components that really changed, and drop milliseconds.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from onlineornot_action.exactly_once.listing import Comparison
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    ComponentAffected,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    ListPage,
    created_or_oldest,
)
from onlineornot_action.session import Session, Target

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
