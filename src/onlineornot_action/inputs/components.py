"""The input `components`: from lines, JSON or the word `restore` to components and their new status."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from onlineornot_action.inputs.parsers import ID_RULE, find_word
from onlineornot_action.onlineornot.models import ID_PATTERN, ComponentAffected, ComponentStatus
from onlineornot_action.text import fold, quote

RESTORE: Literal["restore"] = "restore"

_NOT_A_LIST = "is not a JSON list of objects with id or name, and status"

_MIN_SIMILARITY = 0.8
"""From which ratio of difflib on, a word inside a name is a misspelt status."""

_STATUS = "|".join(ComponentStatus)
_ENTRY_END = re.compile(rf":\s*({_STATUS})\s*(?:[,;]|$)", re.IGNORECASE)
"""How an entry ends: a status behind the last colon. Names may contain colons, commas and semicolons, a status none."""

_STATUS_IN_NAME = re.compile(r":\s*([\w -]{1,40}?)\s*(?:[,;]|\\n)")
"""Where an entry ends, except for the spelling of its status, or for a line break written as two characters."""


@dataclass(frozen=True)
class NamedStatus:
    """A component by its name or its id, and its new status."""

    name: str
    status: ComponentStatus


Components = tuple[ComponentAffected, ...] | tuple[NamedStatus, ...] | Literal["restore"]
"""A JSON list of ids is sent as it is, names are looked up, `restore` undoes what the incident changed."""


def parse_components(value: str) -> Components:
    """Parse lines, a JSON list or object, or the word `restore`."""
    if value.casefold() == RESTORE:
        return RESTORE
    if _is_json(value):
        return _from_json(value)
    return _consistent(entry for line in value.splitlines() for entry in _entries(line))


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


def separator_hint(name: str) -> str:
    """Return what to change when the page has no component of a name that seems to contain several entries."""
    if ":" not in name:
        return ""
    return (
        " If that was meant as several components, separate them by a line break, a comma or a semicolon behind each "
        f"status, which must be one of {', '.join(ComponentStatus)}."
    )


def _consistent(wanted: Iterable[NamedStatus]) -> tuple[NamedStatus, ...]:
    """Return the components as they are, unless there is none, or one is given two different statuses."""
    named = tuple(wanted)
    if not named:
        raise ValueError("contains no component; leave it empty if none is affected")
    statuses: dict[str, ComponentStatus] = {}
    for each in named:
        if statuses.setdefault(fold(each.name), each.status) is not each.status:
            raise ValueError(f"gives {quote(each.name)} two different statuses")
    return named


def _is_json(value: str) -> bool:
    """Tell JSON from entries of which the first has a name that begins with a bracket.

    An entry ends with a word, JSON with a bracket; JSON in which that is missing has its statuses in quotes.
    """
    closing = {"[": "]", "{": "}"}.get(value[:1])
    if closing is None or value.endswith(closing):
        return closing is not None
    return not re.search(rf":\s*(?:{_STATUS})\s*[,;\n]|:\s*\w+[\s,;]*$", value, re.IGNORECASE)


def _entries(line: str) -> Iterator[NamedStatus]:
    """Split a line behind each status."""
    start = 0
    for end in _ENTRY_END.finditer(line):
        yield _named_status(line[start : end.end(1)])
        start = end.end()
    if rest := line[start:].strip(" \t,;"):
        yield _named_status(rest)


def _named_status(written: str) -> NamedStatus:
    entry = written.lstrip(" \t,;").rstrip()
    name, _, word = (part.strip() for part in entry.rpartition(":"))
    if not name:
        raise ValueError(f"has the line {quote(entry)}, but each line must be NAME: STATUS")
    _check_name(name)
    return NamedStatus(name, _component_status(name, word))


def _check_name(name: str) -> None:
    """Refuse a name that would be two entries if the status in it were spelt correctly."""
    for match in _STATUS_IN_NAME.finditer(name):
        import difflib  # only such a name needs it

        word = re.sub("[ -]+", "_", match[1]).upper()
        if difflib.get_close_matches(word, ComponentStatus, n=1, cutoff=_MIN_SIMILARITY):
            _component_status(name[: match.start()], match[1])
            raise ValueError(f"has {quote(name)}; separate components by a line break, a comma or a semicolon")


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True, defer_build=True)

    id: str | None = None
    name: str | None = None
    status: str


def _from_json(value: str) -> Components:
    try:
        # pydantic would take the last of several equal keys, and so the last of two statuses.
        content = json.loads(value, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        reason = "recursion limit exceeded" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"begins like JSON, but is none: {reason}") from error
    if isinstance(content, tuple):
        return _consistent(_from_pair(name, status) for name, status in content)
    return _from_items(_items(content))


def _from_pair(name: str, status: object) -> NamedStatus:
    if not name.strip():
        raise ValueError("has an empty name in its JSON object")
    word = status.strip() if isinstance(status, str) else json.dumps(status)
    return NamedStatus(name.strip(), _component_status(name, word))


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


def _from_items(items: list[_Item]) -> Components:
    for index, item in enumerate(items):
        if item.id and item.name:
            raise ValueError(f"gives {quote(item.name)} an id as well; name a component by its id or by its name")
        if not item.id and not item.name:
            raise ValueError(f"{_NOT_A_LIST}: item {index}: an id or a name is required")
    if any(item.name for item in items):
        return _consistent(_named(item) for item in items)
    return once_each(_component_affected(item.id or "", item.status) for item in items)


def _named(item: _Item) -> NamedStatus:
    if item.name:
        return NamedStatus(item.name, _component_status(item.name, item.status))
    # Beside names that have to be looked up, an id is looked up as well.
    by_id = _component_affected(item.id or "", item.status)
    return NamedStatus(by_id.id, by_id.status)


def _component_affected(component_id: str, status: str) -> ComponentAffected:
    if not re.fullmatch(ID_PATTERN, component_id):
        raise ValueError(f"has the id {quote(component_id)}, but {ID_RULE}")
    return ComponentAffected(id=component_id, status=_component_status(component_id, status))


def _component_status(name: str, word: str) -> ComponentStatus:
    status = find_word(ComponentStatus, word)
    if status is None:
        raise ValueError(
            f"gives {quote(name)} the status {quote(word)}, but it must be one of {', '.join(ComponentStatus)}"
        )
    return status
