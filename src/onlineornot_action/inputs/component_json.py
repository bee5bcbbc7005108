"""The input `components` as JSON: a list of objects, or an object of names or ids to statuses."""

import json
import re

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from onlineornot_action.inputs.component_lines import NamedStatus, component_status, consistent, once_each
from onlineornot_action.inputs.parsers import ID_RULE
from onlineornot_action.onlineornot.models import ID_PATTERN, ComponentStatus
from onlineornot_action.text import quote

_NOT_A_LIST = "is not a JSON list of objects with id or name, and status"


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True, defer_build=True)

    id: str | None = None
    name: str | None = None
    status: str


def parse_json(value: str) -> tuple[NamedStatus, ...]:
    """Parse a JSON list or object."""
    try:
        # pydantic would take the last of several equal keys, and so the last of two statuses.
        content = json.loads(value, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        reason = "recursion limit exceeded" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"begins like JSON, but is none: {reason}") from error
    if isinstance(content, tuple):
        return consistent(_from_pair(name, status) for name, status in content)
    return _from_items(_items(content))


def _from_pair(name: str, status: object) -> NamedStatus:
    if not name.strip():
        raise ValueError("has an empty name in its JSON object")
    word = status.strip() if isinstance(status, str) else json.dumps(status)
    return NamedStatus(name.strip(), component_status(name, word))


def _items(content: list[object]) -> list[_Item]:
    try:
        return TypeAdapter(list[_Item]).validate_python([_fields(item) for item in content])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = "Input should be an object" if first["type"] == "model_type" else first["msg"]
        raise ValueError(f"{_NOT_A_LIST}: item {where}: {what}") from error


def _fields(item: object) -> object:
    """Return a JSON object as pydantic expects it, and anything else as it is."""
    if not isinstance(item, tuple):
        return item
    fields = dict(item)
    if len(fields) < len(item):
        raise ValueError(f"has an item with the same key twice in its JSON list, {quote(json.dumps(fields))}")
    return fields


def _from_items(items: list[_Item]) -> tuple[NamedStatus, ...]:
    for index, item in enumerate(items):
        if item.id and item.name:
            raise ValueError(f"gives {quote(item.name)} an id as well; name a component by its id or by its name")
        if not item.id and not item.name:
            raise ValueError(f"{_NOT_A_LIST}: item {index}: an id or a name is required")
    if any(item.name for item in items):
        return consistent(_named(item) for item in items)
    statuses = once_each(_by_id(item.id or "", item.status) for item in items)
    return tuple(NamedStatus(component_id, status, by_id=True) for component_id, status in statuses.items())


def _named(item: _Item) -> NamedStatus:
    if item.name:
        return NamedStatus(item.name, component_status(item.name, item.status))
    # Beside names that have to be looked up, an id is looked up as well.
    return NamedStatus(*_by_id(item.id or "", item.status))


def _by_id(component_id: str, status: str) -> tuple[str, ComponentStatus]:
    if not re.fullmatch(ID_PATTERN, component_id):
        raise ValueError(f"has the id {quote(component_id)}, but {ID_RULE}")
    return component_id, component_status(component_id, status)
