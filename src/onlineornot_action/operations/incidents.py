"""Which incident it is about: the open one with a title, or one that is opened under it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.inputs.parsers import AUTOMATED
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    Incident,
    IncidentCreate,
    IncidentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    ListPage,
    StatusPage,
    newest_first,
    seconds_since_1970,
)
from onlineornot_action.operations.updates import says_the_same
from onlineornot_action.text import fold, quote

MAX_HOST_LENGTH = 253


def is_open(incident: Incident) -> bool:
    """Whether an incident has neither ended nor been declared over."""
    return not incident.ended and not (incident.latest_update and incident.latest_update.status in ENDING_STATUSES)


def is_planned(incident: Incident) -> bool:
    """Whether it is a maintenance that has not begun, and so has not done anything yet."""
    said = incident.latest_update.status if incident.latest_update else None
    return incident.scheduled_maintenance and said in (None, IncidentStatus.SCHEDULED)


def beginning_of(incident: Incident | None, updates: Iterable[IncidentUpdate]) -> float | None:
    """When an incident began, in seconds since 1970; by its first update, where it does not say."""
    said = (seconds_since_1970(incident.started) or incident.created) if incident else None
    return said or min((update.created for update in updates if update.created), default=None)


def end_of(incident: Incident) -> float | None:
    """When an incident ended, in seconds since 1970; by the update that declared it over, where it does not say."""
    declared = incident.latest_update.date_happened if incident.latest_update and not is_open(incident) else None
    return seconds_since_1970(incident.ended or declared)


def has_title(incident: Incident, title: str) -> bool:
    """Whether people opened an incident, no maintenance, under this title."""
    name = fold(incident.title or "")
    by_monitor = name.startswith(fold(AUTOMATED))
    return name == fold(title) and not by_monitor and not incident.scheduled_maintenance


def open_incidents(incidents: Iterable[Incident], title: str) -> list[Incident]:
    """The open incidents of this title, newest first."""
    return newest_first(incident for incident in incidents if has_title(incident, title) and is_open(incident))


@dataclass(frozen=True)
class IncidentDraft:
    """An incident that is to be opened exactly once."""

    client: OnlineOrNotClient
    status_page_id: str
    body: IncidentCreate

    def post(self) -> Incident:
        """Open it."""
        return self.client.create_incident(self.status_page_id, self.body)

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[Incident]]:
        """Read the incidents of the page."""
        return self.client.incident_pages(self.status_page_id, deadline, to_the_end=to_the_end)

    def may_be_same(self, item: Incident) -> bool:
        """Whether an incident could be this one."""
        return has_title(item, self.body.title)

    def is_same(self, item: Incident, deadline: Deadline | None = None) -> bool:
        """Whether an incident's first update says what this one's does; a list does not show it."""
        try:
            first = first_update(self.client, self.status_page_id, item, deadline)
        except APIError:  # whoever posts has to say then that it may be there
            return False
        return first is not None and says_the_same(first, self._first_update())

    def _first_update(self) -> IncidentUpdateCreate:
        return IncidentUpdateCreate(
            status=self.body.status,
            description=self.body.description,
            notify_subscribers=self.body.notify_subscribers,
            components_affected=self.body.components,
        )


def first_update(
    client: OnlineOrNotClient, status_page_id: str, incident: Incident, deadline: Deadline | None = None
) -> IncidentUpdate | None:
    """The update an incident began with, from the incident itself if it has it.

    Raises:
        APIError: It cannot be read.
    """
    updates = incident.updates or Listing(client.incident_update_pages(status_page_id, incident.id, deadline)).items
    return min(updates, key=lambda update: update.created or 0.0, default=None)


def older_rivals(incidents: Iterable[Incident], opened: Incident, title: str) -> list[Incident]:
    """Other open incidents of the same title that somebody else opened before."""
    rivals = (incident for incident in open_incidents(incidents, title) if incident.id != opened.id)
    return [rival for rival in rivals if (rival.created or 0.0, rival.id) < (opened.created or 0.0, opened.id)]


def describe_missing(title: str) -> str:
    """Say that no open incident has this title."""
    return (
        f"incident-title: no open incident is called {quote(title)}. It may have ended; "
        "with if-no-incident: create one is opened, with skip the step ends without an error."
    )


def address(page: StatusPage, incident_id: str) -> str:
    """Where readers see an incident; empty when the page does not say where it is."""
    host = _host(page.custom_domain or (f"{page.subdomain}.onlineornot.com" if page.subdomain else ""))
    return f"https://{host}/incidents/{incident_id}" if host else ""


def _host(domain: str) -> str:
    """The host in a domain, which may be written as an address; empty when there is none to rely on."""
    host = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
    match = re.fullmatch(rf"(?:https?://)?({host})\.?(?:/[!-~]*)?", domain.strip().casefold())
    return match[1] if match and len(match[1]) <= MAX_HOST_LENGTH else ""
