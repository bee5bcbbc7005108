"""What the parts of a run share: what was asked for, what does it, and what has been found out so far."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from onlineornot_action.exactly_once.listing import Listing, PostLimits, read_reliably
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import Component, Group, Incident, IncidentUpdate, Listed, ListPage


@dataclass(frozen=True)
class RunLimits(PostLimits):
    """Every limit of a run, in seconds unless stated otherwise; tests shorten them."""

    follow_up: float = 5
    """For reading what is useful but not essential once the work is done."""
    comment: float = 20
    """For the comment on the pull request."""


@dataclass
class Session:
    """One run."""

    inputs: Inputs
    client: OnlineOrNotClient
    deadline: Deadline
    limits: RunLimits
    incident_id: str = ""
    """Empty until the incident is known."""
    incidents: Listing[Incident] | None = None
    """All incidents of the page, once they have been read."""
    updates: Listing[IncidentUpdate] | None = None
    """All updates of the incident, likewise."""
    notes: list[str] = field(default_factory=list)
    """What else the summary is to say."""
    warnings: list[str] = field(default_factory=list)
    """What somebody should look at."""

    @property
    def page_id(self) -> str:
        """The page."""
        return self.inputs.status_page_id

    @property
    def incident(self) -> tuple[str, str]:
        """Where the updates are: the page and the incident."""
        return self.page_id, self.incident_id

    def read_updates(self) -> Listing[IncidentUpdate]:
        """All updates of the incident."""
        self.updates = self.read_updates_of(self.incident_id)
        return self.updates

    def read_updates_of(self, incident_id: str) -> Listing[IncidentUpdate]:
        """All updates of any incident."""
        return self._read(partial(self.client.incident_update_pages, self.page_id, incident_id))

    def read_groups(self) -> list[Group]:
        """All groups of components."""
        return self._read(partial(self.client.group_pages, self.page_id)).items

    def read_components(self) -> list[Component]:
        """All components of the page."""
        return self._read(partial(self.client.component_pages, self.page_id)).items

    def read_incidents(self, *, is_enough: Callable[[list[Incident]], bool] = lambda _: False) -> Listing[Incident]:
        """All incidents of the page, or as many as are enough; read once."""
        if self.incidents is None or not self.incidents.complete:
            pages = partial(self.client.incident_pages, self.page_id)
            self.incidents = read_reliably(pages, self.deadline, self.limits, is_enough=is_enough)
        return self.incidents

    def _read(self, pages: Callable[[], Iterable[ListPage[Listed]]]) -> Listing[Listed]:
        return read_reliably(pages, self.deadline, self.limits)
