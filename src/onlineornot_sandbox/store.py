"""The state behind the sandbox: one status page, and what became of it."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from onlineornot_sandbox.bodies import (
    ComponentSetting,
    IncidentCreate,
    IncidentPatch,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_sandbox.resources import (
    ComponentChange,
    Impact,
    Incident,
    IncidentUpdate,
    Json,
    Mail,
    ReceivedRequest,
)
from onlineornot_sandbox.seed import (
    INCIDENT_ID,
    SUBSCRIBERS,
    seed_components,
    seed_groups,
    seed_incident,
    seed_page,
)

ENDING_STATUSES = frozenset({"RESOLVED", "COMPLETED"})
IMPACTS: tuple[Impact, ...] = ("MAJOR_OUTAGE", "PARTIAL_OUTAGE", "DEGRADED_PERFORMANCE", "MAINTENANCE")
PAGE_STATUSES = {
    "MAJOR_OUTAGE": "MAJOR_SYSTEM_OUTAGE",
    "PARTIAL_OUTAGE": "MINOR_SERVICE_OUTAGE",
    "DEGRADED_PERFORMANCE": "PARTIALLY_DEGRADED_SERVICE",
    "MAINTENANCE": "SERVICE_UNDER_MAINTENANCE",
    "NO_IMPACT": "ALL_SYSTEMS_OPERATIONAL",
}
AGE_OF_THE_FIRST_INCIDENT = timedelta(minutes=30)


class MissingError(LookupError):
    """Raised when the page has no incident, or the incident no update, of that id."""


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a moment as the API does: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """A status page with its incidents, and what its subscribers were sent.

    Writing methods are atomic. The dictionaries are open: a test may put in a component or an
    incident of its own making.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = Lock()
        begin = self._latest = clock() - AGE_OF_THE_FIRST_INCIDENT
        self.page = seed_page()
        self.subscribers = SUBSCRIBERS
        self.groups = {group.id: group for group in seed_groups(timestamp(begin))}
        self.components = {component.id: component for component in seed_components(timestamp(begin))}
        self.incidents = {INCIDENT_ID: seed_incident(timestamp(begin))}
        self.mails: list[Mail] = []
        self.requests: list[ReceivedRequest] = []

    def describe_page(self) -> Json:
        """Word the page; its status is that of the component in the worst state."""
        worst = worst_of(component.status for component in self.components.values())
        return self.page.as_json(PAGE_STATUSES[worst])

    def incident(self, incident_id: str) -> Incident:
        """Find an incident."""
        try:
            return self.incidents[incident_id]
        except KeyError as error:
            raise MissingError("The status page has no such incident.") from error

    def incident_update(self, incident_id: str, update_id: str) -> IncidentUpdate:
        """Find an update of an incident."""
        found = [update for update in self.incident(incident_id).updates if update.id == update_id]
        if not found:
            raise MissingError("The incident has no such update.")
        return found[0]

    def timeline(self, incident_id: str = INCIDENT_ID) -> list[IncidentUpdate]:
        """List the updates of an incident, oldest first."""
        return list(self.incident(incident_id).updates)

    def create_incident(self, body: IncidentCreate) -> Incident:
        """Open an incident with its first update, and tell the subscribers."""
        with self._lock:
            now = self._tick()
            impact = worst_of(setting.status for setting in body.components)
            incident = Incident(
                id=new_id(), title=body.title, impact=impact, started=now, created_at=now, updated_at=now
            )
            self._add_update(incident, body.first_update())
            return self.incidents[incident.id]

    def patch_incident(self, incident_id: str, body: IncidentPatch) -> Incident:
        """Change title and impact; nobody is told."""
        with self._lock:
            incident = self.incident(incident_id)
            changed = replace(incident, title=body.title, impact=body.impact, updated_at=self._tick())
            self.incidents[incident_id] = changed
            return changed

    def delete_incident(self, incident_id: str) -> None:
        """Remove an incident with its updates; components keep the status they have."""
        with self._lock:
            del self.incidents[self.incident(incident_id).id]

    def create_incident_update(self, incident_id: str, body: IncidentUpdateCreate) -> IncidentUpdate:
        """Post an update, set its components, and tell the subscribers unless asked not to."""
        with self._lock:
            return self._add_update(self.incident(incident_id), body)

    def patch_incident_update(self, incident_id: str, update_id: str, body: IncidentUpdatePatch) -> IncidentUpdate:
        """Change the given fields; nobody is told, and the incident neither ends nor opens again."""
        with self._lock:
            update = self.incident_update(incident_id, update_id)
            changes = body.model_dump(exclude_unset=True)
            if not changes:
                return update
            changed = replace(update, **changes, updated_at=self._tick())
            self._replace_updates(incident_id, lambda each: changed if each.id == update_id else each)
            return changed

    def delete_incident_update(self, incident_id: str, update_id: str) -> None:
        """Remove an update; what it did to components and to the incident stays."""
        with self._lock:
            self.incident_update(incident_id, update_id)
            self._replace_updates(incident_id, lambda each: None if each.id == update_id else each)

    def _add_update(self, incident: Incident, body: IncidentUpdateCreate) -> IncidentUpdate:
        now = self._tick()
        update = IncidentUpdate(
            id=new_id(),
            incident_id=incident.id,
            status=body.status,
            description=body.description,
            date_happened=now if body.date_happened is None else body.date_happened,
            created_at=now,
            updated_at=now,
            components=self._set_components(body.components_affected, now),
        )
        # What an update after the end does is not documented: here the incident stays ended.
        ended = incident.ended or (now if body.status in ENDING_STATUSES else None)
        updates = (*incident.updates, update)
        self.incidents[incident.id] = replace(incident, updates=updates, updated_at=now, ended=ended)
        if body.notify_subscribers:
            self._mail(incident, update)
        return update

    def _set_components(self, settings: Sequence[ComponentSetting], now: str) -> tuple[ComponentChange, ...]:
        # An id that the page does not have is a string like any other to the contract: it is accepted
        # and comes to nothing. Of a component that is named twice the last status counts.
        wanted = {each.id: each.status for each in settings if each.id in self.components}
        changes = []
        for component_id, status in wanted.items():
            before = self.components[component_id]
            self.components[component_id] = replace(before, status=status, updated_at=now)
            changes.append(
                ComponentChange(id=component_id, name=before.name, old_status=before.status, new_status=status)
            )
        return tuple(changes)

    def _replace_updates(self, incident_id: str, change: Callable[[IncidentUpdate], IncidentUpdate | None]) -> None:
        incident = self.incident(incident_id)
        updates = tuple(new for old in incident.updates if (new := change(old)))
        self.incidents[incident_id] = replace(incident, updates=updates)

    def _mail(self, incident: Incident, update: IncidentUpdate) -> None:
        subject = f"[{update.status}] {incident.title}"
        self.mails.extend(
            Mail(to=subscriber, subject=subject, text=update.description, update_id=update.id)
            for subscriber in self.subscribers
        )

    def _tick(self) -> str:
        """Tell the time, later than ever before: two updates never have the same `created_at`."""
        self._latest = max(self._clock(), self._latest + timedelta(milliseconds=1))
        return timestamp(self._latest)


def worst_of(statuses: Iterable[str]) -> Impact:
    """Find the worst of the statuses; what hurts nobody counts as NO_IMPACT."""
    present = set(statuses)
    return next((impact for impact in IMPACTS if impact in present), "NO_IMPACT")


def new_id() -> str:
    """Make an id of 12 letters, digits, hyphens and underscores."""
    return secrets.token_urlsafe(9)
