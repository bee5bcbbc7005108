"""Which components an update is about: by id or by name, or those that an incident changed, to put them back."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from onlineornot_action.inputs.components import RESTORE, NamedStatus, once_each
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.onlineornot.errors import NotFoundError
from onlineornot_action.onlineornot.models import (
    Component,
    ComponentAffected,
    ComponentStatus,
    Incident,
    IncidentUpdate,
)
from onlineornot_action.operations.incidents import beginning_of, end_of, is_open, is_planned
from onlineornot_action.session import Session
from onlineornot_action.text import fold, quote

MAX_NAMES = 30
"""Names that a message lists."""


def components_affected(context: Session) -> tuple[ComponentAffected, ...] | None:
    """The components with their ids, looked up where they are not known."""
    wanted = context.inputs.components
    if wanted is None:
        return None
    if wanted == RESTORE:
        return _restored(context)
    named = tuple(each for each in wanted if isinstance(each, NamedStatus))
    if named:
        return _look_up(context, named)
    return tuple(each for each in wanted if isinstance(each, ComponentAffected))


def _look_up(context: Session, wanted: tuple[NamedStatus, ...]) -> tuple[ComponentAffected, ...]:
    """Find the components that are named and, only where names are not enough, their groups."""
    page = tuple(context.read_components())

    def qualified_names() -> dict[str, str]:
        groups = {group.id: group.name for group in context.read_groups()}
        return {each.id: _qualified(each, groups) for each in page}

    return resolve(wanted, page, qualified_names)


def _restored(context: Session) -> tuple[ComponentAffected, ...] | None:
    if not context.incident_id:
        context.notes.append("There are no components to restore: the incident is new")
        return None
    restoration = _plan_restoration(context)
    context.notes += [f"Not restored: {reason}" for reason in restoration.left]
    if not restoration.components:
        context.notes.append("No component was restored")
    return restoration.components or None


def _plan_restoration(context: Session) -> "Restoration":
    """Look at everything that tells how to put the incident's components back."""
    before = statuses_before(context.read_updates().items)
    if not before:
        listed = context.client.get_incident(*context.incident).components or ()
        before = {component.id: ComponentStatus.OPERATIONAL for component in listed if component.id}
    if not before:
        return Restoration((), ())
    page = {component.id: component for component in context.read_components()}
    return plan(before, page, tuple(_contemporaries(context)))


def resolve(
    wanted: tuple[NamedStatus, ...], page: tuple[Component, ...], qualified_names: Callable[[], Mapping[str, str]]
) -> tuple[ComponentAffected, ...]:
    """Turn names into ids; `qualified_names` gives each id's `Group / Name`, and is called only where it is needed."""
    found = [(each, _matches(each.name, page)) for each in wanted]
    if any(len(components) != 1 for _, components in found):
        names = qualified_names()
        found = [(each, components or _qualified_matches(each.name, page, names)) for each, components in found]
        if problems := [_problem(each.name, components, names) for each, components in found if len(components) != 1]:
            raise InvalidInputsError(problems)
    try:
        return once_each(ComponentAffected(id=one.id, status=each.status) for each, (one,) in found)
    except ValueError as error:
        raise InvalidInputsError([f"components {error}."]) from error


def _matches(name: str, page: tuple[Component, ...]) -> list[Component]:
    by_id = [component for component in page if component.id == name]
    return by_id or [component for component in page if fold(component.name or "") == fold(name)]


def _qualified_matches(name: str, page: tuple[Component, ...], names: Mapping[str, str]) -> list[Component]:
    return [component for component in page if _slashes(names[component.id]) == _slashes(name)]


def _slashes(name: str) -> str:
    return "/".join(fold(part) for part in name.split("/"))


def _qualified(component: Component, groups: Mapping[str, str | None]) -> str:
    group, name = groups.get(component.group_id or ""), component.name or component.id
    return f"{group} / {name}" if group else name


def _problem(name: str, found: list[Component], names: Mapping[str, str]) -> str:
    if found:
        choices = ", ".join(f"{quote(names[component.id])} ({component.id})" for component in found)
        return f"components: {quote(name)} is the name of several: {choices}."
    known = ", ".join(sorted(quote(each) for each in names.values())[:MAX_NAMES]) or "none at all"
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"components: the page has no {quote(name)}. It has: {known}{more}."


@dataclass(frozen=True)
class Restoration:
    """What puts an incident's components back.

    Attributes:
        components: Each with the status it had before.
        left: Why others stay as they are, a sentence for each.
    """

    components: tuple[ComponentAffected, ...]
    left: tuple[str, ...]


def statuses_before(updates: Iterable[IncidentUpdate]) -> dict[str, ComponentStatus]:
    """The status that each component had before the first update that changed it; OPERATIONAL, if that is unknown."""
    before: dict[str, ComponentStatus] = {}
    for update in sorted(updates, key=lambda update: update.created or 0.0):
        for change in update.components or ():
            if change.id:
                before.setdefault(change.id, _status_or_operational(change.old_status))
    return before


def plan(
    before: Mapping[str, ComponentStatus], page: Mapping[str, Component], others: tuple[Incident, ...]
) -> Restoration:
    """Decide what goes back to what, given the page's components and the incidents of the same time."""
    back: list[ComponentAffected] = []
    left: list[str] = []
    for component_id, status in before.items():
        sharing = [other for other in others if component_id in _changed_by(other)]
        name = quote((component_id in page and page[component_id].name) or component_id)
        if component_id not in page:
            left.append(f"{name} is no longer on the page")
        elif page[component_id].is_external_component:
            left.append(f"{name} is an external component")
        elif held := next(filter(is_open, sharing), None):
            left.append(f"{name} belongs to the open incident {quote(held.title or held.id)} as well")
        else:
            back.append(ComponentAffected(id=component_id, status=ComponentStatus.OPERATIONAL if sharing else status))
    return Restoration(tuple(back), tuple(left))


def _contemporaries(context: Session) -> Iterator[Incident]:
    """The other incidents that are open or have ended since this one began, with what they did to components."""
    others = {incident.id: incident for incident in context.read_incidents().items}
    own = others.pop(context.incident_id, None)
    began = beginning_of(own, context.updates.items if context.updates else ())
    for other in others.values():
        ended = end_of(other)
        if not is_planned(other) and (is_open(other) or ended is None or began is None or ended >= began):
            with contextlib.suppress(NotFoundError):  # somebody has deleted it meanwhile
                yield _with_components(context, other)


def _with_components(context: Session, incident: Incident) -> Incident:
    """An incident with the components of its updates, but not with their texts: there may be many."""
    detailed = context.client.get_incident(context.page_id, incident.id)
    updates = detailed.updates or context.read_updates_of(incident.id).items
    slim = tuple(update.model_copy(update={"description": None}) for update in updates)
    return incident.model_copy(update={"updates": slim, "components": detailed.components})


def _changed_by(incident: Incident) -> set[str | None]:
    """What its updates have changed; what it is about, where they do not name it."""
    changed = {change.id for update in incident.updates or () for change in update.components or ()}
    return changed or {component.id for component in incident.components or ()}


def _status_or_operational(word: str | None) -> ComponentStatus:
    return ComponentStatus(word) if word in tuple(ComponentStatus) else ComponentStatus.OPERATIONAL
