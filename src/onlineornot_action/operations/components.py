"""The components of an update, looked up by their names."""

from collections.abc import Callable, Iterable, Mapping

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.inputs.components import RESTORE, NamedStatus, once_each, separator_hint
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.onlineornot.models import Component, ComponentAffected, ComponentStatus, Misfit
from onlineornot_action.operations.restore import restore
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
        return restore(session, target)
    if all(each.by_id for each in wanted):
        return target._replace(components=_affected((each.name, each.status) for each in wanted))
    page = session.read_components()

    def qualified_names() -> dict[str, str]:
        groups = {group.id: group.name for group in session.read_groups()}
        return {each.id: _qualified(each, groups) for each in page.items}

    return target._replace(components=resolve(wanted, page, qualified_names), page=page)


def _affected(statuses: Iterable[tuple[str, ComponentStatus]]) -> tuple[ComponentAffected, ...]:
    return tuple(ComponentAffected(id=component_id, status=status) for component_id, status in statuses)


def resolve(
    wanted: tuple[NamedStatus, ...], page: Listing[Component], qualified_names: Callable[[], Mapping[str, str]]
) -> tuple[ComponentAffected, ...]:
    """Turn names into ids; `qualified_names` returns each id's `Group / Name` and is called only when needed."""
    items = page.items
    found = [(each, _matches(each.name, items)) for each in wanted]
    if any(len(components) != 1 for _, components in found):
        names = qualified_names()
        found = [(each, components or _qualified_matches(each.name, items, names)) for each, components in found]
        unclear = [(each.name, components) for each, components in found if len(components) != 1]
        if unclear:
            raise InvalidInputsError([_problem(name, components, names, page.misfits) for name, components in unclear])
    try:
        return _affected(once_each((one.id, each.status) for each, (one,) in found).items())
    except ValueError as error:
        raise InvalidInputsError([f"components {error}."]) from error


def _matches(name: str, page: list[Component]) -> list[Component]:
    by_id = [component for component in page if component.id == name]
    wanted = normalize(name)
    return by_id or [component for component in page if component.name and normalize(component.name) == wanted]


def _qualified_matches(name: str, page: list[Component], names: Mapping[str, str]) -> list[Component]:
    wanted = _slashes(name)
    return [component for component in page if _slashes(names[component.id]) == wanted]


def _slashes(name: str) -> str:
    return "/".join(normalize(part) for part in name.split("/"))


def _qualified(component: Component, groups: Mapping[str, str | None]) -> str:
    group, name = groups.get(component.group_id or ""), component.name or component.id
    return f"{group} / {name}" if group else name


def _problem(name: str, found: list[Component], names: Mapping[str, str], misfits: Iterable[Misfit]) -> str:
    for misfit in misfits:
        if not found and normalize(name) in (normalize(misfit.id), normalize(misfit.name)):
            return f"components: {quote_name(name)} has an id that is not of the documented form: {quote(misfit.id)}."
    if found:
        choices = ", ".join(f"{quote_name(names[component.id])} ({component.id})" for component in found)
        return f"components: several are called {quote_name(name)}: {choices}."
    known = ", ".join(map(quote_name, sorted(names.values(), key=normalize)[:MAX_NAMES])) or "no components"
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"components: the page has no {quote_name(name)}. It has: {known}{more}.{separator_hint(name)}"
