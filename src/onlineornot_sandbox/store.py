"""State of the sandbox: a status page, its incidents, and the mails and requests so far."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Lock

from onlineornot_sandbox.bodies import (
    ComponentSetting,
    IncidentCreate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_sandbox.envelopes import RefusedError
from onlineornot_sandbox.resources import (
    ComponentChange,
    Impact,
    Incident,
    IncidentUpdate,
    Json,
    Mail,
    NamedComponents,
    ReceivedRequest,
    ScheduledMaintenance,
)
from onlineornot_sandbox.seed import (
    INCIDENT_ID,
    PAGE,
    SUBSCRIBERS,
    seed_components,
    seed_groups,
    seed_incident,
)

ENDING_STATUSES = frozenset({"RESOLVED", "COMPLETED"})
PAGE_STATUSES: dict[Impact, str] = {
    "MAJOR_OUTAGE": "MAJOR_SYSTEM_OUTAGE",
    "PARTIAL_OUTAGE": "MINOR_SERVICE_OUTAGE",
    "DEGRADED_PERFORMANCE": "PARTIALLY_DEGRADED_SERVICE",
    "MAINTENANCE": "SERVICE_UNDER_MAINTENANCE",
    "NO_IMPACT": "ALL_SYSTEMS_OPERATIONAL",
}
"""The status of the page for that of its worst component, worst first."""
SEED_INCIDENT_AGE = timedelta(minutes=30)


def missing(message: str) -> RefusedError:
    """Create the error for a status page, incident or update that does not exist."""
    return RefusedError(HTTPStatus.NOT_FOUND, message)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Format a time as the API does: in UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """Create an id of 12 letters, digits, hyphens and underscores."""
    return secrets.token_urlsafe(9)


class Store:
    """A status page with its incidents, and the mails to its subscribers.

    Methods that write are atomic. Tests may also change the public dictionaries, to add a component or an incident.

    Args:
        clock: Returns the current time.
        keep_title: Returns the form in which the page keeps the title of a new incident.
        keep_text: Returns the form in which the page keeps the text of an update.
        created_at: Returns the `created_at` of an item written at a given time.
        make_id: Returns the id of a new incident or update.
        named_components: Which of an update's components a response names.

    Attributes:
        hidden: How many items a list counts but does not show, by the last part of the list's path.
        lost_responses: How many of the next writes are done without a response.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        *,
        keep_title: Callable[[str], str] = str,
        keep_text: Callable[[str], str] = str,
        created_at: Callable[[str], str] = str,
        make_id: Callable[[], str] = new_id,
        named_components: NamedComponents = "all",
    ) -> None:
        self.now = clock
        self._keep_title, self._keep_text, self._created_at = keep_title, keep_text, created_at
        self._make_id, self._named_components = make_id, named_components
        self.hidden: Counter[str] = Counter()
        self.lost_responses = 0
        self._lock = Lock()
        start = self._last_tick = clock() - SEED_INCIDENT_AGE
        self.page = PAGE
        self.groups = {group.id: group for group in seed_groups(timestamp(start))}
        self.components = {component.id: component for component in seed_components(timestamp(start))}
        self.incidents = {INCIDENT_ID: seed_incident(timestamp(start))}
        self.mails: list[Mail] = []
        self.requests: list[ReceivedRequest] = []

    def page_as_json(self) -> Json:
        """Return the status page as JSON; its status is that of its worst component."""
        worst = worst_of(component.status for component in self.components.values())
        return asdict(self.page) | {"status": PAGE_STATUSES[worst]}

    def incident(self, incident_id: str) -> Incident:
        """Find an incident.

        Raises:
            RefusedError: It does not exist.
        """
        if incident_id not in self.incidents:
            raise missing("The status page has no such incident.")
        return self.incidents[incident_id]

    def incident_update(self, incident_id: str, update_id: str) -> IncidentUpdate:
        """Find an update of an incident.

        Raises:
            RefusedError: It does not exist.
        """
        found = [update for update in self.incident(incident_id).updates if update.id == update_id]
        if not found:
            raise missing("The incident has no such update.")
        return found[0]

    def timeline(self, incident_id: str = INCIDENT_ID) -> list[IncidentUpdate]:
        """Return the updates of an incident, oldest first."""
        return list(self.incident(incident_id).updates)

    def create_incident(self, body: IncidentCreate) -> Incident:
        """Open an incident with its first update, and notify subscribers unless asked not to."""
        with self._lock:
            return self._add_incident(body.title, body.first_update())

    def create_maintenance(
        self, title: str, start: datetime, duration_minutes: int, first_update: IncidentUpdateCreate
    ) -> Incident:
        """Schedule a maintenance with its first update; nothing happens by itself at its start or end."""
        with self._lock:
            at = timestamp(start)
            schedule = ScheduledMaintenance(id=self._make_id(), start_date=at, duration_minutes=duration_minutes)
            return self._add_incident(title, first_update, schedule)

    def set_ended(self, incident_id: str, ended: str | None) -> None:
        """End an incident at a time, or reopen it, without an update."""
        with self._lock:
            self.incidents[incident_id] = replace(self.incident(incident_id), ended=ended)

    def create_incident_update(self, incident_id: str, body: IncidentUpdateCreate) -> IncidentUpdate:
        """Post an update, change its components, and notify subscribers unless asked not to."""
        with self._lock:
            return self._add_update(self.incident(incident_id), body)

    def patch_incident_update(self, incident_id: str, update_id: str, body: IncidentUpdatePatch) -> IncidentUpdate:
        """Change some fields of an update; subscribers are not notified, and the incident neither ends nor reopens."""
        with self._lock:
            update = self.incident_update(incident_id, update_id)
            changes = body.model_dump(exclude_unset=True)
            if not changes:
                return update
            if body.description is not None:
                changes["description"] = self._keep_text(body.description)
            changed = replace(update, **changes, updated_at=self._tick())
            updates = self.timeline(incident_id)
            self._set_updates(incident_id, (changed if each.id == update_id else each for each in updates))
            return changed

    def delete_incident_update(self, incident_id: str, update_id: str) -> None:
        """Delete an update; the components and the incident keep the state that it gave them."""
        with self._lock:
            deleted = self.incident_update(incident_id, update_id)
            self._set_updates(incident_id, (each for each in self.timeline(incident_id) if each is not deleted))

    def lose_response(self) -> bool:
        """Return whether the response to a write is lost, and count it."""
        with self._lock:
            lost = self.lost_responses > 0
            self.lost_responses -= lost
            return lost

    def _add_incident(
        self, title: str, first_update: IncidentUpdateCreate, schedule: ScheduledMaintenance | None = None
    ) -> Incident:
        now = self._tick()
        incident = Incident(
            id=self._make_id(),
            title=self._keep_title(title),
            impact=worst_of(setting.status for setting in first_update.components_affected),
            started=schedule.start_date if schedule else now,
            created_at=self._created_at(now),
            updated_at=now,
            scheduled_maintenance=schedule,
        )
        self._add_update(incident, first_update)
        return self.incidents[incident.id]

    def _add_update(self, incident: Incident, body: IncidentUpdateCreate) -> IncidentUpdate:
        now = self._tick()
        update = IncidentUpdate(
            id=self._make_id(),
            incident_id=incident.id,
            status=body.status,
            description=self._keep_text(body.description),
            date_happened=now if body.date_happened is None else body.date_happened,
            created_at=self._created_at(now),
            updated_at=now,
            components=self._set_components(body.components_affected, now),
            named=self._named_components,
        )
        # The API does not document what a further update does to an ended incident; here it stays ended.
        ended = incident.ended or (now if body.status in ENDING_STATUSES else None)
        updates = (*incident.updates, update)
        self.incidents[incident.id] = replace(incident, updates=updates, updated_at=now, ended=ended)
        if body.notify_subscribers:
            self._mail(incident, update)
        return update

    def _set_components(self, settings: Sequence[ComponentSetting], now: str) -> tuple[ComponentChange, ...]:
        # The contract allows any string as an id, so an unknown one is accepted and has no effect.
        # If a component is given twice, its last status counts.
        new_statuses = {each.id: each.status for each in settings if each.id in self.components}
        changes = []
        for component_id, status in new_statuses.items():
            old = self.components[component_id]
            self.components[component_id] = replace(old, status=status, updated_at=now)
            changes.append(ComponentChange(id=old.id, name=old.name, old_status=old.status, new_status=status))
        return tuple(changes)

    def _set_updates(self, incident_id: str, updates: Iterable[IncidentUpdate]) -> None:
        self.incidents[incident_id] = replace(self.incident(incident_id), updates=tuple(updates))

    def _mail(self, incident: Incident, update: IncidentUpdate) -> None:
        subject = f"[{update.status}] {incident.title}"
        self.mails.extend(
            Mail(to=subscriber, subject=subject, text=update.description, update_id=update.id)
            for subscriber in SUBSCRIBERS
        )

    def _tick(self) -> str:
        """Return the current time, at least 1 ms later than the last: no two updates have the same `created_at`."""
        self._last_tick = max(self.now(), self._last_tick + timedelta(milliseconds=1))
        return timestamp(self._last_tick)


def worst_of(statuses: Iterable[str]) -> Impact:
    """Return the worst of the statuses; OPERATIONAL counts as NO_IMPACT."""
    present = set(statuses)
    return next((impact for impact in PAGE_STATUSES if impact in present), "NO_IMPACT")
