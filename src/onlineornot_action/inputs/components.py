"""The input `components`: from lines, JSON or the word `restore` to components and their new status."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from onlineornot_action.inputs.parsers import ID_RULE, find_word
from onlineornot_action.onlineornot.models import ID_PATTERN, ComponentAffected, ComponentStatus
from onlineornot_action.text import fold, quote

RESTORE: Literal["restore"] = "restore"


@dataclass(frozen=True)
class NamedStatus:
    """A component as a line names it, by its name or its id, and its new status."""

    name: str
    status: ComponentStatus


Components = tuple[ComponentAffected, ...] | tuple[NamedStatus, ...] | Literal["restore"]
"""Ids from JSON are sent as they are, names from lines are looked up, `restore` undoes what the incident changed."""


def parse_components(value: str) -> Components:
    """Parse lines, a JSON list, or the word `restore`."""
    if value.casefold() == RESTORE:
        return RESTORE
    if _is_json(value):
        return once_each(_component_affected(item) for item in _json_items(value))
    return tuple(_named_statuses(value))


def once_each(wanted: Iterable[ComponentAffected]) -> tuple[ComponentAffected, ...]:
    """Drop repeated components.

    Raises:
        ValueError: A component is given two different statuses.
    """
    statuses: dict[str, ComponentStatus] = {}
    for component in wanted:
        if statuses.setdefault(component.id, component.status) is not component.status:
            raise ValueError(f"gives {component.id} two different statuses")
    return tuple(ComponentAffected(id=component_id, status=status) for component_id, status in statuses.items())


def _is_json(value: str) -> bool:
    """Tell JSON from a line whose name begins with a bracket: such a line ends with a colon and a word."""
    return value.startswith(("[", "{")) and not re.search(r":\s*\w+$", value)


def _named_statuses(value: str) -> Iterator[NamedStatus]:
    statuses: dict[str, ComponentStatus] = {}
    for line in filter(None, map(str.strip, value.splitlines())):
        named = _named_status(line)
        if statuses.setdefault(fold(named.name), named.status) is not named.status:
            raise ValueError(f"gives {quote(named.name)} two different statuses")
        yield named


def _named_status(line: str) -> NamedStatus:
    # The last colon separates: a name may contain colons, a status has none.
    name, _, word = (part.strip() for part in line.rpartition(":"))
    if not name:
        raise ValueError(f"has the line {quote(line)}, but each line must be NAME: STATUS")
    return NamedStatus(name, _component_status(name, word))


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    id: str
    status: str


def _json_items(value: str) -> list[_Item]:
    try:
        return TypeAdapter(list[_Item]).validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"item {'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
        raise ValueError(f"is not a JSON list of objects with id and status: {where}{first['msg']}") from error


def _component_affected(item: _Item) -> ComponentAffected:
    component_id = item.id.strip()
    if not re.fullmatch(ID_PATTERN, component_id):
        raise ValueError(f"has the id {quote(component_id)}, but {ID_RULE}")
    return ComponentAffected(id=component_id, status=_component_status(component_id, item.status.strip()))


def _component_status(name: str, word: str) -> ComponentStatus:
    status = find_word(ComponentStatus, word)
    if status is None:
        raise ValueError(
            f"gives {quote(name)} the status {quote(word)}, but it must be one of {', '.join(ComponentStatus)}"
        )
    return status
