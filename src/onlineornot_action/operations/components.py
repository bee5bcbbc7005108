"""The components of an update: from names to ids, and those that an incident changed, to put them back."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from onlineornot_action.inputs.components import RESTORE, NamedStatus, once_each, separator_hint
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.onlineornot.errors import NotFoundError
from onlineornot_action.onlineornot.models import (
    Component,
    ComponentAffected,
    ComponentStatus,
    Incident,
    IncidentUpdate,
)
from onlineornot_action.session import Session, Target
from onlineornot_action.text import normalize, quote, quote_name

MAX_NAMES = 30
"""Names in one message."""


def find_components(session: Session, target: Target) -> Target:
    """Return the target with the components that the inputs ask for, looked up where only their names are given.

    Raises:
        InvalidInputsError: A name is unknown, or belongs to several components.
        APIError: Something that is needed cannot be read.
    """
    wanted = session.inputs.components
    if wanted is None:
        return target
    if wanted == RESTORE:
        return _restored(session, target)
    if all(each.by_id for each in wanted):
        return replace(target, components=_affected((each.name, each.status) for each in wanted))
    return replace(target, components=_look_up(session, wanted))


def _affected(statuses: Iterable[tuple[str, ComponentStatus]]) -> tuple[ComponentAffected, ...]:
    return tuple(ComponentAffected(id=component_id, status=status) for component_id, status in statuses)


def _look_up(session: Session, wanted: tuple[NamedStatus, ...]) -> tuple[ComponentAffected, ...]:
    """Find the named components; read their groups only where names alone are not enough."""
    page = tuple(session.read_components())

    def qualified_names() -> dict[str, str]:
        groups = {group.id: group.name for group in session.read_groups()}
        return {each.id: _qualified(each, groups) for each in page}

    return resolve(wanted, page, qualified_names)


def _restored(session: Session, target: Target) -> Target:
    if not target.incident_id:
        return replace(target, notes=(*target.notes, "There are no components to restore: the incident is new"))
    updates = session.read_updates(target.incident_id)
    target = replace(target, updates=updates)
    restoration = _plan_restoration(session, target, updates.items)
    notes = tuple(f"Not restored: {reason}" for reason in restoration.left)
    if not restoration.components:
        notes += ("No component was restored",)
    return replace(target, components=restoration.components or None, notes=(*target.notes, *notes))


def _plan_restoration(session: Session, target: Target, updates: list[IncidentUpdate]) -> "Restoration":
    """Read everything that tells how to put the incident's components back."""
    before = statuses_before(updates)
    if not before:
        listed = session.client.get_incident(session.page_id, target.incident_id).components or ()
        before = {component.id: ComponentStatus.OPERATIONAL for component in listed if component.id}
    if not before:
        return Restoration((), ())
    page = {component.id: component for component in session.read_components()}
    return plan(before, page, tuple(_contemporaries(session, target, updates)))


def resolve(
    wanted: tuple[NamedStatus, ...], page: tuple[Component, ...], qualified_names: Callable[[], Mapping[str, str]]
) -> tuple[ComponentAffected, ...]:
    """Turn names into ids; `qualified_names` returns each id's `Group / Name` and is called only when needed."""
    found = [(each, _matches(each.name, page)) for each in wanted]
    if any(len(components) != 1 for _, components in found):
        names = qualified_names()
        found = [(each, components or _qualified_matches(each.name, page, names)) for each, components in found]
        if problems := [_problem(each.name, components, names) for each, components in found if len(components) != 1]:
            raise InvalidInputsError(problems)
    try:
        return _affected(once_each((one.id, each.status) for each, (one,) in found).items())
    except ValueError as error:
        raise InvalidInputsError([f"components {error}."]) from error


def _matches(name: str, page: tuple[Component, ...]) -> list[Component]:
    by_id = [component for component in page if component.id == name]
    wanted = normalize(name)
    return by_id or [component for component in page if component.name and normalize(component.name) == wanted]


def _qualified_matches(name: str, page: tuple[Component, ...], names: Mapping[str, str]) -> list[Component]:
    wanted = _slashes(name)
    return [component for component in page if _slashes(names[component.id]) == wanted]


def _slashes(name: str) -> str:
    return "/".join(normalize(part) for part in name.split("/"))


def _qualified(component: Component, groups: Mapping[str, str | None]) -> str:
    group, name = groups.get(component.group_id or ""), component.name or component.id
    return f"{group} / {name}" if group else name


def _problem(name: str, found: list[Component], names: Mapping[str, str]) -> str:
    if found:
        choices = ", ".join(f"{quote_name(names[component.id])} ({component.id})" for component in found)
        return f"components: {quote_name(name)} is the name of several: {choices}."
    known = ", ".join(map(quote_name, sorted(names.values(), key=normalize)[:MAX_NAMES])) or "none at all"
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"components: the page has no {quote_name(name)}. It has: {known}{more}.{separator_hint(name)}"


@dataclass(frozen=True)
class Restoration:
    """The components of an incident that are put back.

    Attributes:
        components: Each with the status that it had before.
        left: Why each of the others is left as it is, a sentence each.
    """

    components: tuple[ComponentAffected, ...]
    left: tuple[str, ...]


def statuses_before(updates: Iterable[IncidentUpdate]) -> dict[str, ComponentStatus]:
    """Return the status of each component before the first update that changed it; OPERATIONAL if that is unknown."""
    before: dict[str, ComponentStatus] = {}
    for update in sorted(updates, key=lambda update: update.created or 0.0):
        for change in update.components or ():
            if change.id:
                before.setdefault(change.id, _status_or_operational(change.old_status))
    return before


def plan(
    before: Mapping[str, ComponentStatus], page: Mapping[str, Component], others: tuple[Incident, ...]
) -> Restoration:
    """Decide which component goes back to which status.

    Args:
        before: The status of each component before the incident, by id.
        page: The components of the page, by id.
        others: The other incidents of the same time, with their components.
    """
    back: list[ComponentAffected] = []
    left: list[str] = []
    for component_id, status in before.items():
        sharing = [other for other in others if component_id in _changed_by(other)]
        name = quote((component_id in page and page[component_id].name) or component_id)
        if component_id not in page:
            left.append(f"{name} is no longer on the page")
        elif page[component_id].is_external_component:
            left.append(f"{name} is an external component")
        elif held := next((other for other in sharing if other.is_open), None):
            left.append(f"{name} belongs to the open incident {quote(held.title or held.id)} as well")
        else:
            back.append(ComponentAffected(id=component_id, status=ComponentStatus.OPERATIONAL if sharing else status))
    return Restoration(tuple(back), tuple(left))


def _contemporaries(session: Session, target: Target, updates: list[IncidentUpdate]) -> Iterator[Incident]:
    """Read the other incidents that are open or ended after this one began, with what they did to components."""
    known = target.incidents if target.incidents and target.incidents.complete else session.read_incidents()
    others = {incident.id: incident for incident in known.items}
    own = others.pop(target.incident_id, None)
    began = (own and own.began_at) or min((update.created for update in updates if update.created), default=None)
    for other in others.values():
        if _overlaps(other, began):
            with contextlib.suppress(NotFoundError):  # somebody has deleted it meanwhile
                yield _with_components(session, other)


def _overlaps(incident: Incident, began: float | None) -> bool:
    """Whether an incident has changed something, and had not ended when another one began."""
    if incident.is_planned:
        return False
    ended = incident.ended_at
    return incident.is_open or ended is None or began is None or ended >= began


def _with_components(session: Session, incident: Incident) -> Incident:
    """Read the components of an incident's updates, without their texts: there may be many."""
    detailed = session.client.get_incident(session.page_id, incident.id)
    updates = detailed.updates or session.read_updates(incident.id).items
    slim = tuple(update.model_copy(update={"description": None}) for update in updates)
    return incident.model_copy(update={"updates": slim, "components": detailed.components})


def _changed_by(incident: Incident) -> set[str | None]:
    """Return the ids of the components that an incident's updates changed, or its own list if they name none."""
    changed = {change.id for update in incident.updates or () for change in update.components or ()}
    return changed or {component.id for component in incident.components or ()}


def _status_or_operational(word: str | None) -> ComponentStatus:
    return ComponentStatus(word) if word in tuple(ComponentStatus) else ComponentStatus.OPERATIONAL
