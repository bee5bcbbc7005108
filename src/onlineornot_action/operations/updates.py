"""An update as something to be posted, and when it was made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import IncidentStatus, IncidentUpdate, IncidentUpdateCreate, ListPage
from onlineornot_action.operations.matching import says_the_same

ENDING = frozenset({IncidentStatus.RESOLVED, IncidentStatus.COMPLETED})
"""What an update says when its incident is over."""


def created_or_oldest(update: IncidentUpdate) -> float:
    """When it was made; before all others, where it does not say."""
    return float("-inf") if update.created is None else update.created


def newest_first(updates: Iterable[IncidentUpdate]) -> list[IncidentUpdate]:
    """Order updates by when they were made."""
    return sorted(updates, key=created_or_oldest, reverse=True)


@dataclass(frozen=True)
class UpdateDraft:
    """An update that is to be posted exactly once."""

    client: OnlineOrNotClient
    incident: tuple[str, str]
    body: IncidentUpdateCreate

    def post(self) -> IncidentUpdate:
        """Post it."""
        return self.client.create_incident_update(*self.incident, self.body)

    def pages(
        self, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[IncidentUpdate]]:
        """Read the updates of its incident."""
        return self.client.incident_update_pages(*self.incident, deadline, to_the_end=to_the_end)

    def concerns(self, item: IncidentUpdate) -> bool:  # noqa: ARG002 - any new update may be ours
        """Whether an update could be this one."""
        return True

    def is_same(self, item: IncidentUpdate, deadline: Deadline | None = None) -> bool:  # noqa: ARG002 - nothing is read
        """Whether an update says what this one does."""
        return says_the_same(item, self.body)

    def find_duplicate(self, items: list[IncidentUpdate]) -> IncidentUpdate | None:
        """An update that says the same, unless the incident was declared over since."""
        over = max((created_or_oldest(item) for item in items if item.status in ENDING), default=float("-inf"))
        same = (item for item in items if created_or_oldest(item) >= over and self.is_same(item))
        return max(same, key=created_or_oldest, default=None)
