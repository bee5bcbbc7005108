"""The input `components` as entries `NAME: STATUS`, and what its two forms have in common."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onlineornot_action.inputs.parsers import find_word
from onlineornot_action.onlineornot.models import ComponentStatus
from onlineornot_action.text import fold, quote

_MIN_SIMILARITY = 0.8
"""From which ratio of difflib on, a word inside a name is a misspelt status."""

STATUS_PATTERN = "|".join(ComponentStatus)
_ENTRY_END = re.compile(rf":\s*({STATUS_PATTERN})\s*(?:[,;]|$)", re.IGNORECASE)
"""How an entry ends: a status behind the last colon. Names may contain colons, commas and semicolons, a status none."""

_STATUS_IN_NAME = re.compile(r":\s*([\w -]{1,40}?)\s*(?:[,;]|\\n)")
"""Where an entry ends, except for the spelling of its status, or for a line break written as two characters."""


@dataclass(frozen=True)
class NamedStatus:
    """A component and its new status.

    Attributes:
        name: Its name or its id, to be looked up.
        by_id: Whether it is an id, which is not looked up.
    """

    name: str
    status: ComponentStatus
    by_id: bool = False


def parse_lines(value: str) -> tuple[NamedStatus, ...]:
    """Parse one entry or more in each line."""
    return consistent(entry for line in value.splitlines() for entry in _entries(line))


def separator_hint(name: str) -> str:
    """Return what to change when the page has no component of a name that seems to contain several entries."""
    if ":" not in name:
        return ""
    return (
        " If that was meant as several components, separate them by a line break, a comma or a semicolon behind each "
        f"status, which must be one of {', '.join(ComponentStatus)}."
    )


def once_each(wanted: Iterable[tuple[str, ComponentStatus]]) -> dict[str, ComponentStatus]:
    """Return the status of each id.

    Raises:
        ValueError: A component is given two different statuses.
    """
    statuses: dict[str, ComponentStatus] = {}
    for component_id, status in wanted:
        if statuses.setdefault(component_id, status) is not status:
            raise ValueError(f"gives {component_id} two different statuses")
    return statuses


def consistent(wanted: Iterable[NamedStatus]) -> tuple[NamedStatus, ...]:
    """Return the components as they are, unless there is none, or one is given two different statuses."""
    named = tuple(wanted)
    if not named:
        raise ValueError("contains no component; leave it empty if none is affected")
    statuses: dict[str, ComponentStatus] = {}
    for each in named:
        if statuses.setdefault(fold(each.name), each.status) is not each.status:
            raise ValueError(f"gives {quote(each.name)} two different statuses")
    return named


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
    return NamedStatus(name, component_status(name, word))


def _check_name(name: str) -> None:
    """Refuse a name that would be two entries if the status in it were spelt correctly."""
    for match in _STATUS_IN_NAME.finditer(name):
        word = re.sub("[ -]+", "_", match[1]).upper()
        if difflib.get_close_matches(word, ComponentStatus, n=1, cutoff=_MIN_SIMILARITY):
            component_status(name[: match.start()], match[1])
            raise ValueError(f"has {quote(name)}; separate components by a line break, a comma or a semicolon")


def component_status(name: str, word: str) -> ComponentStatus:
    """Parse the status of a component, in any case."""
    status = find_word(ComponentStatus, word)
    if status is None:
        raise ValueError(
            f"gives {quote(name)} the status {quote(word)}, but it must be one of {', '.join(ComponentStatus)}"
        )
    return status
