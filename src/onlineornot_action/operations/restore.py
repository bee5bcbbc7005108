"""`components: restore`: give the components that an incident has changed their earlier status again."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    Component,
    ComponentAffected,
    ComponentStatus,
    Incident,
    IncidentUpdate,
    newest_first,
    oldest_first,
)
from onlineornot_action.session import Session, Target
from onlineornot_action.text import quote

MAX_EARLIER = 20
"""Earlier incidents that are searched for the reason of a component's earlier status, the newest first."""

_IMPAIRED = frozenset(ComponentStatus) - {ComponentStatus.OPERATIONAL}


def restore(session: Session, target: Target) -> Target:
    """Return the target with the components that its incident has changed, and their earlier status."""
    if not target.incident_id:
        return target._replace(notes=(*target.notes, "There are no components to restore: the incident is new"))
    updates = session.read_updates(target.incident_id)
    target = target._replace(updates=updates)
    changes = read_changes(session, target, updates.items)
    if not changes:
        return target._replace(notes=(*target.notes, "No component was restored"))
    page = session.read_components()
    known = target.incidents if target.incidents and target.incidents.complete else session.read_incidents()
    deadline = session.deadline.within(session.limits.other_incidents, detached=True)
    history = read_history(session, target.incident_id, known, updates.items, deadline)
    changed = [component for component in page.items if component.id in changes]
    reasons = {each.id: _reason_to_leave(each, changes[each.id], history.open) for each in changed}
    # Only an impaired status can be left over from an incident that ended earlier.
    impaired = {each for each, reason in reasons.items() if not reason and changes[each].before in _IMPAIRED}
    wanted = {each: changes[each].before for each in impaired - history.ended}
    left_over, left_over_warnings = read_left_over(session, wanted, history.earlier, deadline)
    plan = plan_restoration(changes, page, reasons, history.ended | left_over)
    notes = plan.notes if plan.components else (*plan.notes, "No component was restored")
    return target._replace(
        components=plan.components or None,
        page=page,
        incidents=known,
        notes=(*target.notes, *notes),
        warnings=(*target.warnings, *history.warnings, *left_over_warnings, *plan.warnings),
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


Changed = dict[str | None, str | None]
"""The status that an incident's updates gave each component, by its id; None where only the incident names it."""


class History(NamedTuple):
    """What other incidents have done to the components of the page."""

    open: dict[str | None, Incident]  # an open incident that has changed a component, by the component's id
    ended: set[str | None]  # the ids of the components changed by incidents that ended during the one to restore from
    earlier: list[Incident]  # those that ended before it, newest first
    warnings: tuple[str, ...]  # one sentence on each overlapping incident that could not be read


def read_history(
    session: Session, incident_id: str, known: Listing[Incident], updates: list[IncidentUpdate], deadline: Deadline
) -> History:
    """Read what the incidents that overlap with one have done to components."""
    now = known.server_time or session.deadline.clock.time()
    own = next((incident for incident in known.items if incident.id == incident_id), None)
    began = (own and own.began_at) or min((update.created for update in updates if update.created), default=None)
    held, ended = dict[str | None, Incident](), set[str | None]()
    earlier, warnings = list[Incident](), list[str]()
    for other in known.items:
        if other.id == incident_id or other.is_planned_at(now):
            continue
        is_open = other.is_open_at(now)
        if not is_open and _ended_before(other, began):
            earlier.append(other)
            continue
        changed: Changed = {}
        try:
            changed = _read_changed(session, other, deadline)
        except APIError as error:
            warnings.append(_unreadable(other, error, "open " if is_open else ""))
        if is_open:
            held = dict.fromkeys(changed, other) | held
        else:
            ended.update(changed)
    return History(held, ended, newest_first(earlier), tuple(warnings))


def _ended_before(incident: Incident, moment: float | None) -> bool:
    return incident.ended_at is not None and moment is not None and incident.ended_at < moment


def _unreadable(incident: Incident, error: APIError, kind: str = "") -> str:
    name = quote(incident.title or incident.id)
    consequence = "so components are restored as if it had changed none"
    return f"The {kind}incident {name} could not be read, {consequence}: {error}."


def read_left_over(
    session: Session, wanted: Mapping[str, str | None], earlier: list[Incident], deadline: Deadline
) -> tuple[set[str], tuple[str, ...]]:
    """Find the components to which the last earlier incident that changed them gave the status in `wanted`.

    As few incidents as necessary are read. Return also a warning if one could not be read.
    """
    statuses: Changed = {}
    warnings: tuple[str, ...] = ()
    for other in earlier[:MAX_EARLIER]:
        if wanted.keys() <= statuses.keys():
            break
        try:
            statuses = _read_changed(session, other, deadline) | statuses
        except APIError as error:
            warnings = warnings or (_unreadable(other, error),)
    left_over = {each for each in wanted.keys() & statuses.keys() if statuses[each] in (None, wanted[each])}
    return left_over, warnings


def _read_changed(session: Session, other: Incident, deadline: Deadline) -> Changed:
    """Read what an incident has changed; raise `APIError` if it cannot be read."""
    deadline = deadline.within(session.limits.follow_up, detached=True)
    detailed = session.client.get_incident(session.page_id, other.id, deadline)
    pages = session.client.incident_update_pages(session.page_id, other.id, deadline)
    updates = oldest_first(detailed.updates or Listing(pages).items)
    changed = {change.id: change.new_status for update in updates for change in update.components or ()}
    return changed or dict.fromkeys(component.id for component in detailed.components or ())


class Plan(NamedTuple):
    """The components to restore, notes on those that cannot be, and warnings about those that stay as they are."""

    components: tuple[ComponentAffected, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_restoration(
    changes: Mapping[str, Change],
    page: Listing[Component],
    reasons: Mapping[str, str],  # why a component is left as it is, by its id; empty if it is not
    over: set[str | None],  # the components whose earlier status came from an incident that has ended since
) -> Plan:
    """Decide which component goes back to which status."""
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
        if reason := reasons[component_id]:
            left = f"{name} was left as it is, {component.status or 'without a status'}: {reason}."
            (notes if component.status == ComponentStatus.OPERATIONAL else warnings).append(left)
            continue
        status, warning = _earlier_status(change, is_over=component_id in over)
        back.append(ComponentAffected(id=component_id, status=status))
        if warning:
            warnings.append(f"{name} {warning}.")
        elif status == component.status != ComponentStatus.OPERATIONAL:
            warnings.append(f"{name} stays {status}: it had that status before this incident.")
    return Plan(tuple(back), tuple(notes), tuple(warnings))


def _reason_to_leave(component: Component, change: Change, held: Mapping[str | None, Incident]) -> str:
    """Say why a component is left as it is; empty if it is not."""
    if component.is_external_component:
        return "it is an external component"
    if other := held.get(component.id):
        return f"it belongs to the open incident {quote(other.title or other.id)} as well"
    if component.status and component.status not in tuple(ComponentStatus):
        return "the API does not document this status"
    if component.status == ComponentStatus.MAINTENANCE != change.after:
        return "somebody has set this status since"
    return ""


def _earlier_status(change: Change, *, is_over: bool) -> tuple[ComponentStatus, str]:
    """Return the status to restore, with a warning if the API does not document the earlier one."""
    if change.before is None or is_over:
        return ComponentStatus.OPERATIONAL, ""
    if change.before in tuple(ComponentStatus):
        return ComponentStatus(change.before), ""
    warning = f"becomes OPERATIONAL, because its earlier status, {quote(change.before)}, is not one that can be set"
    return ComponentStatus.OPERATIONAL, warning
