"""The parts of a status page, and how the API shows each as JSON.

Every value is immutable and a change replaces it, so a reader needs no lock and never sees half a change.
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal

Json = dict[str, object]

ComponentStatus = Literal[
    "OPERATIONAL", "DEGRADED_PERFORMANCE", "PARTIAL_OUTAGE", "MAJOR_OUTAGE", "MAINTENANCE", "NO_IMPACT"
]
Impact = Literal["MAJOR_OUTAGE", "PARTIAL_OUTAGE", "DEGRADED_PERFORMANCE", "NO_IMPACT", "MAINTENANCE"]
IncidentStatus = Literal["INVESTIGATING", "IDENTIFIED", "MONITORING", "RESOLVED", "UPDATE"]
UpdateStatus = Literal[IncidentStatus, "SCHEDULED", "IN_PROGRESS", "VERIFYING", "COMPLETED"]
NamedComponents = Literal["all", "changed", "empty", "none"]
"""Which of its components an update's JSON names; "empty" is an empty list, "none" no list."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A status page, without its overall status, which is derived from its components."""

    id: str
    name: str
    subdomain: str
    custom_domain: str | None = None
    hide_from_search_engines: bool = False
    has_password: bool = False


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of a list, which `created_at` orders."""

    id: str
    created_at: str
    updated_at: str

    def as_json(self) -> Json:
        """Return the item as the API shows it in a list."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Group(Item):
    """A group of components."""

    name: str
    sort_order: int


@dataclass(frozen=True, kw_only=True)
class Component(Item):
    """A part of the product whose status the page shows."""

    name: str
    group_id: str | None
    status: ComponentStatus = "OPERATIONAL"
    display_uptime: bool = True
    display_metrics: bool = True
    is_external_component: bool = False


@dataclass(frozen=True, kw_only=True)
class ComponentChange:
    """A change of one component's status by an update."""

    id: str
    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus


@dataclass(frozen=True, kw_only=True)
class IncidentUpdate(Item):
    """An update of an incident."""

    incident_id: str
    status: UpdateStatus
    description: str
    date_happened: str
    components: tuple[ComponentChange, ...] = ()
    named: NamedComponents = "all"

    def as_json(self) -> Json:
        """Return the update as JSON."""
        listed = {
            "all": self.components or None,
            "changed": [change for change in self.components if change.old_status != change.new_status],
            "empty": (),
            "none": None,
        }[self.named]
        fields = asdict(self)
        del fields["components"], fields["named"]
        return fields if listed is None else fields | {"components": [asdict(change) for change in listed]}


@dataclass(frozen=True, kw_only=True)
class ScheduledMaintenance:
    """The schedule that makes an incident a maintenance. No operation of the sandbox creates one; tests do."""

    id: str
    start_date: str
    duration_minutes: int
    notify_subscribers_at_start: bool = True
    notify_subscribers_at_end: bool = True


@dataclass(frozen=True, kw_only=True)
class Incident(Item):
    """An incident with its updates, oldest first."""

    title: str
    impact: Impact
    started: str | None
    ended: str | None = None
    scheduled_maintenance: ScheduledMaintenance | None = None
    updates: tuple[IncidentUpdate, ...] = ()

    def as_json(self) -> Json:
        """Return the incident as JSON, as in a list; `ended` and the like are left out when empty."""
        fields: Json = asdict(replace(self, updates=()))
        del fields["updates"]
        if self.updates:
            latest = self.updates[-1]
            fields["latest_update"] = {"id": latest.id, "status": latest.status, "date_happened": latest.date_happened}
        return {name: value for name, value in fields.items() if value is not None or name == "started"}

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
