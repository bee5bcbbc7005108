"""The input `components`: entries `NAME: STATUS`, JSON, or the word `restore`."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from onlineornot_action.inputs.parsers import ID_RULE, find_word
from onlineornot_action.onlineornot.models import ID_PATTERN, ComponentStatus
from onlineornot_action.text import normalize, quote

RESTORE: Literal["restore"] = "restore"

_STATUSES = ", ".join(ComponentStatus)
_STATUS = f"(?:{'|'.join(ComponentStatus)})"
_ENTRY = re.compile(rf".*?:\s*{_STATUS}\s*(?:[,;]|$)|.+", re.IGNORECASE)
"""An entry ends after its status. Names may contain colons, commas and semicolons."""

_LINE_ENDS = re.compile(rf":\s*{_STATUS}\s*[,;\n]|:\s*\w+[\s,;]*$", re.IGNORECASE)
_JSON_RULE = "must be a JSON list of objects with id or name, and status; or a JSON object of names to statuses"


class NamedStatus(NamedTuple):
    """A component, by its name or its id, and its new status."""

    name: str
    status: ComponentStatus
    by_id: bool = False  # whether `name` is certainly an id, so that it is not looked up


Components = tuple[NamedStatus, ...] | Literal["restore"]
"""A JSON list of ids is sent as it is, names are looked up, `restore` undoes what the incident changed."""


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True, defer_build=True)

    id: str | None = None
    name: str | None = None
    status: str


def parse_components(value: str) -> Components:
    """Parse entries, a JSON list or object, or the word `restore`."""
    if value.casefold() == RESTORE:
        return RESTORE
    if _is_json(value):
        return _parse_json(value)
    return _consistent(_entries(value))


def once_each(
    wanted: Iterable[tuple[str, ComponentStatus]], key: Callable[[str], str] = str
) -> dict[str, ComponentStatus]:
    """Return the status of each name or id, by its `key`.

    Raises:
        ValueError: A component is given two different statuses.
    """
    statuses: dict[str, ComponentStatus] = {}
    for name, status in wanted:
        if statuses.setdefault(key(name), status) is not status:
            raise ValueError(f"gives {quote(name)} two different statuses")
    return statuses


def separator_hint(name: str) -> str:
    """Return advice on an unknown name that seems to contain several entries; empty for any other."""
    if ":" not in name:
        return ""
    return (
        " If that was meant as several components, separate them by a line break, a comma or a semicolon after each "
        f"status, which must be one of {_STATUSES}."
    )


def _is_json(value: str) -> bool:
    """Tell JSON from entries whose first name begins with a bracket.

    Entries end with a word, JSON with a bracket; JSON that lacks its last bracket still has its statuses in quotes.
    """
    closing = {"[": "]", "{": "}"}.get(value[:1])
    return closing is not None and (value.endswith(closing) or not _LINE_ENDS.search(value))


def _entries(value: str) -> Iterator[NamedStatus]:
    matches = (match for line in value.splitlines() for match in _ENTRY.finditer(line))
    for match in matches:
        entry = match[0].strip(" \t,;")
        if not entry:
            continue
        name, _, word = (part.strip() for part in entry.rpartition(":"))
        if not name:
            raise ValueError(f"has the line {quote(entry)}, but each line must be NAME: STATUS")
        yield NamedStatus(name, _parse_status(name, word))


def _parse_status(name: str, word: str) -> ComponentStatus:
    status = find_word(ComponentStatus, word)
    if status is None:
        raise ValueError(f"gives {quote(name)} the status {quote(word)}, but it must be one of {_STATUSES}")
    return status


def _consistent(wanted: Iterable[NamedStatus]) -> tuple[NamedStatus, ...]:
    """Return the components; raise `ValueError` if there are none, or if a name has two different statuses."""
    named = tuple(wanted)
    if not named:
        raise ValueError("contains no component; leave it empty if none is affected")
    once_each(((each.name, each.status) for each in named), normalize)
    return named


def _parse_json(value: str) -> tuple[NamedStatus, ...]:
    try:
        # By default, the last of several equal keys would win, and with it the last of two statuses.
        content = json.loads(value, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"begins like JSON, but is not valid: {error}") from error
    is_object = isinstance(content, tuple)
    listed = [(("name", name), ("status", status)) for name, status in content] if is_object else content
    items = [_parse_item(index, item) for index, item in enumerate(listed)]
    named = [_from_item(index, item) for index, item in enumerate(items)]
    if is_object or any(item.name for item in items):
        return _consistent(named)
    statuses = once_each((each.name, each.status) for each in named)
    return tuple(NamedStatus(component_id, status, by_id=True) for component_id, status in statuses.items())


def _parse_item(index: int, item: object) -> _Item:
    """Parse an item of a JSON list, in which objects are tuples of pairs."""
    fields = item
    if isinstance(item, tuple):
        fields = dict(item)
        if len(fields) < len(item):
            raise ValueError(f"has an item with the same key twice in its JSON list, {quote(json.dumps(fields))}")
    try:
        return _Item.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, (index, *first["loc"])))
        what = "Input should be an object" if first["type"] == "model_type" else first["msg"]
        raise ValueError(f"{_JSON_RULE}; item {where}: {what}") from error


def _from_item(index: int, item: _Item) -> NamedStatus:
    if item.id and item.name:
        raise ValueError(f"gives {quote(item.name)} an id as well; name a component by its id or by its name")
    name = item.id or item.name
    if not name:
        raise ValueError(f"{_JSON_RULE}; item {index}: an id or a name is required")
    if item.id and not re.fullmatch(ID_PATTERN, item.id):
        raise ValueError(f"has the id {quote(item.id)}, but {ID_RULE}")
    return NamedStatus(name, _parse_status(name, item.status))
