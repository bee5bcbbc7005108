"""`components: restore`: give the components that an incident has changed their earlier status again."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Listing, oldest_first
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    Component,
    ComponentAffected,
    ComponentStatus,
    Incident,
    IncidentUpdate,
    newest_first,
)
from onlineornot_action.session import Session, Target
from onlineornot_action.text import quote

MAX_EARLIER = 20
"""Earlier incidents that are searched for the reason of a component's earlier status, the newest first."""


def restore(session: Session, target: Target) -> Target:
    """Return the target with the components that its incident has changed, and their earlier status.

    Raises:
        APIError: The updates, the components or the incidents of the page cannot be read.
    """
    if not target.incident_id:
        return target._replace(notes=(*target.notes, "There are no components to restore: the incident is new"))
    updates = session.read_updates(target.incident_id)
    target = target._replace(updates=updates)
    changes = read_changes(session, target, updates.items)
    if not changes:
        return target._replace(notes=(*target.notes, "No component was restored"))
    page = session.read_components()
    known = target.incidents if target.incidents and target.incidents.complete else session.read_incidents()
    history = read_history(session, target.incident_id, known, updates.items)
    plan = plan_restoration(changes, page, history)
    notes = plan.notes if plan.components else (*plan.notes, "No component was restored")
    return target._replace(
        components=plan.components or None,
        page=page,
        incidents=known,
        notes=(*target.notes, *notes),
        warnings=(*target.warnings, *history.warnings, *plan.warnings),
    )


class Change(NamedTuple):
    """How an incident has changed a component: its status before the first update that did, and after the last one."""

    before: str | None
    after: str | None


def read_changes(session: Session, target: Target, updates: Iterable[IncidentUpdate]) -> dict[str, Change]:
    """Return what the updates changed, by component; if nothing, the incident's components without their statuses."""
    changes: dict[str, Change] = {}
    for update in oldest_first(updates):
        for change in update.components or ():
            if change.id:
                before = changes[change.id].before if change.id in changes else change.old_status
                changes[change.id] = Change(before, change.new_status)
    if changes:
        return changes
    listed = session.client.get_incident(session.page_id, target.incident_id).components or ()
    return {component.id: Change(None, None) for component in listed if component.id}


class Plan(NamedTuple):
    """The components to restore, notes on those that cannot be, and warnings about those that stay as they are."""

    components: tuple[ComponentAffected, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_restoration(changes: Mapping[str, Change], page: Listing[Component], history: "History") -> Plan:
    """Decide which component goes back to which status.

    Args:
        changes: What the incident has changed, by the component's id.
        page: The components of the page.
        history: What other incidents have done to components.
    """
    known = {component.id: component for component in page.items}
    misfits = {misfit.id: misfit.name for misfit in page.misfits}
    back: list[ComponentAffected] = []
    notes, warnings = list[str](), list[str]()
    for component_id, change in changes.items():
        component = known.get(component_id)
        if component_id in misfits:
            name = quote(misfits[component_id] or component_id)
            warnings.append(f"{name} was left as it is: its id, {quote(component_id)}, is not of the documented form.")
            continue
        if component is None:
            notes.append(f"Not restored: {quote(component_id)} is no longer on the page")
            continue
        name = quote(component.name or component_id)
        if reason := _reason_to_leave(component, change, history):
            left = f"{name} was left as it is, {component.status or 'without a status'}: {reason}."
            (notes if component.status == ComponentStatus.OPERATIONAL else warnings).append(left)
            continue
        status, warning = _earlier_status(component_id, change, history)
        back.append(ComponentAffected(id=component_id, status=status))
        if warning:
            warnings.append(f"{name} {warning}.")
        elif status == component.status != ComponentStatus.OPERATIONAL:
            warnings.append(f"{name} stays {status}: it had that status before this incident.")
    return Plan(tuple(back), tuple(notes), tuple(warnings))


def _reason_to_leave(component: Component, change: Change, history: "History") -> str:
    """Say why a component is left as it is; empty if it is not."""
    if component.is_external_component:
        return "it is an external component"
    if held := history.open_incident_of(component.id):
        return f"it belongs to the open incident {quote(held.title or held.id)} as well"
    if component.status and component.status not in tuple(ComponentStatus):
        return "the API does not document this status"
    if component.status == ComponentStatus.MAINTENANCE != change.after:
        return "somebody has set this status since"
    return ""


def _earlier_status(component_id: str, change: Change, history: "History") -> tuple[ComponentStatus, str]:
    """Return the status to restore, with a warning if the API does not document the earlier one."""
    if change.before is None or history.has_ended_incident_of(component_id):
        return ComponentStatus.OPERATIONAL, ""
    if change.before not in tuple(ComponentStatus):
        warning = f"becomes OPERATIONAL, because its earlier status, {quote(change.before)}, is not one that can be set"
        return ComponentStatus.OPERATIONAL, warning
    status = ComponentStatus(change.before)
    if status is ComponentStatus.OPERATIONAL or not history.was_left_by_earlier_incident(component_id):
        return status, ""
    return ComponentStatus.OPERATIONAL, ""


class History:
    """What other incidents have done to the components of the page.

    Args:
        session: Reads them.
        others: The other incidents.
        began: When the incident to restore from began, in seconds since 1970; None if that is not known.
        now: The present, by the server's clock, in seconds since 1970.

    Attributes:
        warnings: One sentence on each open incident that could not be read.
    """

    def __init__(self, session: Session, others: Sequence[Incident], began: float | None, now: float) -> None:
        self._session = session
        self._deadline = session.deadline.within(session.limits.other_incidents, detached=True)
        self.warnings: list[str] = []
        overlapping = [other for other in others if _overlaps(other, began, now)]
        changed = [(other, self._read_changed(other, warn=other.is_open_at(now))) for other in overlapping]
        self._open = [(other, ids) for other, ids in changed if other.is_open_at(now)]
        self._ended = [ids for other, ids in changed if not other.is_open_at(now)]
        earlier = (other for other in others if other not in overlapping and not other.is_planned_at(now))
        self._earlier = islice(newest_first(earlier), MAX_EARLIER)
        self._earlier_statuses: dict[str | None, str | None] = {}

    def open_incident_of(self, component_id: str) -> Incident | None:
        """Return an open incident that has changed a component, too."""
        return next((other for other, ids in self._open if component_id in ids), None)

    def has_ended_incident_of(self, component_id: str) -> bool:
        """Whether an incident that ended during this one has changed a component."""
        return any(component_id in ids for ids in self._ended)

    def was_left_by_earlier_incident(self, component_id: str) -> bool:
        """Whether the last earlier incident that changed a component left it impaired; read as few as necessary."""
        while component_id not in self._earlier_statuses:
            other = next(self._earlier, None)
            if other is None:
                return False
            self._earlier_statuses = self._read_changed(other, warn=False) | self._earlier_statuses
        return self._earlier_statuses[component_id] != ComponentStatus.OPERATIONAL

    def _read_changed(self, other: Incident, *, warn: bool) -> dict[str | None, str | None]:
        """Return the status that an incident's updates gave each component; None where only the incident names it."""
        session, deadline = self._session, self._deadline.within(self._session.limits.follow_up, detached=True)
        try:
            detailed = session.client.get_incident(session.page_id, other.id, deadline)
            pages = session.client.incident_update_pages(session.page_id, other.id, deadline)
            updates = detailed.updates or Listing(pages).items
        except APIError as error:
            if warn:
                self.warnings.append(
                    f"The open incident {quote(other.title or other.id)} could not be read, so components are "
                    f"restored as if it had changed none: {error}."
                )
            return {}
        changes = (change for update in oldest_first(updates) for change in update.components or ())
        changed = {change.id: change.new_status for change in changes}
        return changed or dict.fromkeys(component.id for component in detailed.components or ())


def read_history(
    session: Session, incident_id: str, known: Listing[Incident], updates: Iterable[IncidentUpdate]
) -> History:
    """Read what the other incidents of the page have done to components."""
    others = {incident.id: incident for incident in known.items}
    own = others.pop(incident_id, None)
    began = (own and own.began_at) or min((update.created for update in updates if update.created), default=None)
    return History(session, tuple(others.values()), began, known.server_time or session.deadline.clock.time())


def _overlaps(incident: Incident, began: float | None, now: float) -> bool:
    """Whether an incident has changed something, and had not ended when another one began."""
    if incident.is_planned_at(now):
        return False
    ended = incident.ended_at
    return incident.is_open_at(now) or ended is None or began is None or ended >= began
