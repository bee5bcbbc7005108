"""The parts of a status page, and how the API shows each as JSON.

Every value is immutable and a change replaces it, so a reader needs no lock and never sees half a change.
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
    """A status page. Its overall status is derived from its components."""

    id: str
    name: str
    subdomain: str
    custom_domain: str | None = None
    hide_from_search_engines: bool = False
    has_password: bool = False

    def as_json(self, status: str) -> Json:
        """Return the page as JSON, with the given overall status."""
        return asdict(self) | {"status": status}


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of components."""

    id: str
    name: str
    sort_order: int
    created_at: str
    updated_at: str

    def as_json(self) -> Json:
        """Return the group as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the product whose status the page shows."""

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
        """Return the component as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ComponentChange:
    """A change of one component's status by an update; `named` says whether the update's JSON contains it."""

    id: str
    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus
    named: bool = True

    def as_json(self) -> Json:
        """Return the change as JSON."""
        return {"id": self.id, "name": self.name, "old_status": self.old_status, "new_status": self.new_status}


@dataclass(frozen=True, kw_only=True)
class IncidentUpdate:
    """An update of an incident."""

    id: str
    incident_id: str
    status: UpdateStatus
    description: str
    date_happened: str
    created_at: str
    updated_at: str
    components: tuple[ComponentChange, ...] = ()
    always_lists_components: bool = False

    def as_json(self) -> Json:
        """Return the update as JSON, usually without `components` when it names none."""
        fields = asdict(self) | {"components": [change.as_json() for change in self.components if change.named]}
        return _without_empty(fields, *([] if fields.pop("always_lists_components") else ["components"]))

    def summary(self) -> Json:
        """Return the update as the short JSON of an incident's `latest_update`."""
        return {"id": self.id, "status": self.status, "date_happened": self.date_happened}


@dataclass(frozen=True, kw_only=True)
class ScheduledMaintenance:
    """The schedule that makes an incident a maintenance. No operation of the sandbox creates one; tests do."""

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
        """Return the incident as JSON, as in a list; `ended` and the like are left out when empty."""
        maintenance = self.scheduled_maintenance
        fields: Json = {
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
        return _without_empty(fields, "ended", "latest_update", "scheduled_maintenance")

    def as_detailed_json(self) -> Json:
        """Return the incident as JSON, with its updates, newest first, and the components that they changed."""
        names = {change.id: change.name for update in self.updates for change in update.components}
        return self.as_json() | {
            "components": [{"id": component_id, "name": name} for component_id, name in names.items()],
            "updates": [update.as_json() for update in reversed(self.updates)],
        }


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail to one subscriber about one update."""

    to: str
    subject: str
    text: str
    update_id: str


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request as received; the path includes the query."""

    method: str
    path: str


def _without_empty(fields: Json, *optional: str) -> Json:
    return {name: value for name, value in fields.items() if value or name not in optional}
