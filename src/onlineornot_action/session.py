"""What one run works with, and what it has found out so far; both frozen, and handed from step to step."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Listing, PostLimits, read_reliably
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.network.exchange import Network
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.models import (
    AnyItem,
    Component,
    ComponentAffected,
    Group,
    Incident,
    IncidentUpdate,
    ListPage,
)


class RunLimits(NamedTuple):
    """Every limit of a run, in seconds unless stated otherwise; tests shorten them."""

    exchange: Limits = Limits()  # of each request; the client and the deadline apply them
    post: PostLimits = PostLimits()  # of posting exactly once
    follow_up: float = 5  # for reading what is useful but not essential
    first_updates: float = 15  # for the first updates of new incidents, in each search for one whose response was lost
    other_incidents: float = 15  # for what other incidents have done to the components to restore
    comment: float = 20  # for the comment on the pull request


class Session(NamedTuple):
    """What one run works with."""

    inputs: Inputs
    client: OnlineOrNotClient
    deadline: Deadline
    limits: RunLimits
    network: Network

    @property
    def page_id(self) -> str:
        """The id of the status page."""
        return self.inputs.status_page_id

    def read_updates(self, incident_id: str) -> Listing[IncidentUpdate]:
        """Read all updates of an incident."""
        return self._read(partial(self.client.incident_update_pages, self.page_id, incident_id))

    def read_components(self) -> Listing[Component]:
        """Read all components of the page."""
        return self._read(partial(self.client.component_pages, self.page_id))

    def read_groups(self) -> list[Group]:
        """Read all component groups of the page."""
        return self._read(partial(self.client.group_pages, self.page_id)).items

    def read_incidents(self, *, is_enough: Callable[[list[Incident]], bool] = lambda _: False) -> Listing[Incident]:
        """Read all incidents of the page, or only until `is_enough` accepts those read so far."""
        pages = partial(self.client.incident_pages, self.page_id)
        return read_reliably(pages, self.deadline, self.limits.post, is_enough=is_enough)

    def read_url(self, incident_id: str, deadline: Deadline) -> str:
        """Read an incident's public address, in one attempt; empty when the page has no valid domain."""
        return self.client.get_status_page(self.page_id, deadline).url_of(incident_id)

    def _read(self, pages: Callable[[], Iterable[ListPage[AnyItem]]]) -> Listing[AnyItem]:
        return read_reliably(pages, self.deadline, self.limits.post)


class Target(NamedTuple):
    """What an operation is about; each step that finds out more returns a more complete one."""

    incident_id: str = ""  # empty while it is not known, and when an incident has to be opened
    update_id: str = ""  # the existing update that is read, changed or deleted
    components: tuple[ComponentAffected, ...] | None = None  # what the new update changes, with the new statuses
    page: Listing[Component] | None = None  # the components of the page, if they have been read
    incidents: Listing[Incident] | None = None  # those of the page, if they have been read
    updates: Listing[IncidentUpdate] | None = None  # those of the incident, if they have been read
    latest: IncidentUpdate | None = None  # the update that `latest` stands for, as it was found
    notes: tuple[str, ...] = ()  # sentences for the summary
    warnings: tuple[str, ...] = ()  # sentences for an annotation

    @property
    def incident(self) -> Incident | None:
        """The incident, if the incidents have been read."""
        listed = self.incidents.items if self.incidents else ()
        return next((each for each in listed if each.id == self.incident_id), None)
