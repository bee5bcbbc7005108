"""What a status page consists of, and how the API words each part.

Everything here is immutable: a change puts a new value in the place of the old one, so that whoever
reads needs no lock and always sees one moment.
"""

from dataclasses import asdict, dataclass
from typing import Literal

Json = dict[str, object]

ComponentStatus = Literal[
    "OPERATIONAL", "DEGRADED_PERFORMANCE", "PARTIAL_OUTAGE", "MAJOR_OUTAGE", "MAINTENANCE", "NO_IMPACT"
]
Impact = Literal["MAJOR_OUTAGE", "PARTIAL_OUTAGE", "DEGRADED_PERFORMANCE", "NO_IMPACT", "MAINTENANCE"]
IncidentStatus = Literal["INVESTIGATING", "IDENTIFIED", "MONITORING", "RESOLVED", "UPDATE"]
UpdateStatus = Literal[IncidentStatus, "SCHEDULED", "IN_PROGRESS", "VERIFYING", "COMPLETED"]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A status page; its overall status follows from its components."""

    id: str
    name: str
    subdomain: str
    custom_domain: str | None = None
    hide_from_search_engines: bool = False
    has_password: bool = False

    def as_json(self, status: str) -> Json:
        """Word the page, given its overall status."""
        return asdict(self) | {"status": status}


@dataclass(frozen=True, kw_only=True)
class Group:
    """A heading under which components stand."""

    id: str
    name: str
    sort_order: int
    created_at: str
    updated_at: str

    def as_json(self) -> Json:
        """Word the group."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the product that readers see the status of."""

    id: str
    name: str
    group_id: str | None
    created_at: str
    updated_at: str
    status: ComponentStatus = "OPERATIONAL"
    display_uptime: bool = True
    display_metrics: bool = True
    is_external_component: bool = False

    def as_json(self) -> Json:
        """Word the component."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ComponentChange:
    """What an update did to one component."""

    id: str
    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus


@dataclass(frozen=True, kw_only=True)
class IncidentUpdate:
    """One entry in an incident's timeline."""

    id: str
    incident_id: str
    status: UpdateStatus
    description: str
    date_happened: str
    created_at: str
    updated_at: str
    components: tuple[ComponentChange, ...] = ()

    def as_json(self) -> Json:
        """Word the update, without `components` when it set none."""
        return _without_empty(asdict(self), "components")

    def summary(self) -> Json:
        """Word the update as an incident quotes its latest."""
        return {"id": self.id, "status": self.status, "date_happened": self.date_happened}


@dataclass(frozen=True, kw_only=True)
class ScheduledMaintenance:
    """What makes an incident a maintenance; no operation here plans one, a test may."""

    id: str
    start_date: str
    duration_minutes: int
    notify_subscribers_at_start: bool = True
    notify_subscribers_at_end: bool = True


@dataclass(frozen=True, kw_only=True)
class Incident:
    """An incident with its updates, oldest first."""

    id: str
    title: str
    impact: Impact
    started: str | None
    created_at: str
    updated_at: str
    ended: str | None = None
    scheduled_maintenance: ScheduledMaintenance | None = None
    updates: tuple[IncidentUpdate, ...] = ()

    def as_json(self) -> Json:
        """Word the incident as lists have it: without what does not exist, `ended` of an open one too."""
        maintenance = self.scheduled_maintenance
        response: Json = {
            "id": self.id,
            "title": self.title,
            "impact": self.impact,
            "started": self.started,
            "ended": self.ended,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "latest_update": self.updates[-1].summary() if self.updates else None,
            "scheduled_maintenance": asdict(maintenance) if maintenance else None,
        }
        return _without_empty(response, "ended", "latest_update", "scheduled_maintenance")

    def as_detailed_json(self) -> Json:
        """Word the incident with its updates, newest first, and every component that they set."""
        names = {change.id: change.name for update in self.updates for change in update.components}
        return self.as_json() | {
            "components": [{"id": component_id, "name": name} for component_id, name in names.items()],
            "updates": [update.as_json() for update in reversed(self.updates)],
        }


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What one subscriber was sent about one update."""

    to: str
    subject: str
    text: str
    update_id: str


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request as it came in; the path includes the query."""

    method: str
    path: str


def _without_empty(response: Json, *optional: str) -> Json:
    return {name: value for name, value in response.items() if value or name not in optional}
