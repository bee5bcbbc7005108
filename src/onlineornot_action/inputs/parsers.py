"""From the text of one input to its value, or to a `ValueError` that says what it has to be.

The message continues a sentence that begins with the input's name.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

from onlineornot_action.inputs import description
from onlineornot_action.onlineornot.models import ID_PATTERN, ComponentAffected, ComponentStatus
from onlineornot_action.text import MIN_SECRET_LENGTH, fold, normalize_newlines, quote, strip_controls

AUTO = "auto"
LATEST = "latest"
RESTORE: Literal["restore"] = "restore"
AUTOMATED = "[Automated]"
MAX_TITLE_LENGTH = 256
SECONDS = range(10, 601)
MAX_AHEAD = timedelta(days=366)

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_TIMESTAMP = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
_BASE_URL = r"https?://([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?"
_PATH_WORDS = {"status_page_id": "status_pages", "incident_id": "incidents", "update_id": "updates"}


@dataclass(frozen=True)
class ParsingContext:
    """What a value is judged by, beside itself; `warnings` gathers what is no reason to refuse it."""

    secrets: Collection[str]
    workspace: Path
    now: datetime
    allow_http: bool
    rerun: bool
    warnings: list[str]


Info = ValidationInfo[ParsingContext]


def token(value: str) -> str:
    """An API token. No message repeats it."""
    if "${{" in value:
        raise ValueError("is an expression that GitHub has not evaluated; write it in the workflow file itself")
    if len(value) < MIN_SECRET_LENGTH:
        raise ValueError(f"is shorter than {MIN_SECRET_LENGTH} characters; check the secret that it comes from")
    if not re.fullmatch("[!-~]+", value):
        raise ValueError("has a space or another character that no token has; check the secret that it comes from")
    return value


def as_given(value: str) -> str:
    """Any text: a GitHub token that is none must not fail the step, and pydantic would refuse halves of characters."""
    return value


def resource_id(value: str, info: Info) -> str:
    """The id of a page, an incident or an update."""
    if re.fullmatch(ID_PATTERN, value):
        return value
    if inside := _id_in_address(value, info.field_name or ""):
        raise ValueError(f"is an address; the id in it seems to be {inside}")
    name = (info.field_name or "").replace("_", "-")
    raise ValueError(
        f"is {quote(value)}, but an id has 8 to 64 letters, digits, hyphens and underscores; "
        f'quote it in the workflow ({name}: "00012345"), or YAML may take it for a number'
    )


def _id_in_address(value: str, field_name: str) -> str | None:
    """The part of an address that seems to be the id: what follows the word for it, or else the last with a digit."""
    parts = re.split("[/?#=]", value)
    named = (part for word, part in pairwise(parts) if word.replace("-", "_") == _PATH_WORDS.get(field_name))
    others = (part for part in reversed(parts[1:]) if re.search("[0-9]", part))
    return next((part for part in (*named, *others) if re.fullmatch(ID_PATTERN, part)), None)


def update_id(value: str, info: Info) -> str:
    """The id of an update, or the word `latest`."""
    return LATEST if value.casefold() == LATEST else resource_id(value, info)


Word = TypeVar("Word", bound=StrEnum)


def word_of(kind: type[Word], *others: str) -> Callable[[str], Word]:
    """A parser for the words of an enumeration, in any case; `others` are allowed too, but not its business."""

    def parse(value: str) -> Word:
        for word in kind:
            if word.casefold() == value.casefold():
                return word
        raise ValueError(f"is {quote(value)}, but has to be one of {', '.join((*others, *kind))}")

    return parse


def boolean(value: str) -> bool:
    """True or false, as YAML 1.2 writes them."""
    if value not in _BOOLEANS:
        raise ValueError(f"is {quote(value)}, but has to be true or false")
    return _BOOLEANS[value]


def boolean_or_auto(value: str, info: Info) -> bool:
    """True or false, or `auto`: true when the job runs again."""
    if value.casefold() == AUTO:
        return info.context.rerun
    if value not in _BOOLEANS:
        raise ValueError(f"is {quote(value)}, but has to be auto, true or false")
    return _BOOLEANS[value]


class IfNoIncident(StrEnum):
    """What to do when no open incident has the title."""

    FAIL = "fail"
    CREATE = "create"
    SKIP = "skip"


def seconds(value: str) -> int:
    """How long everything may take."""
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) not in SECONDS:
        raise ValueError(f"is {quote(value)}, but has to be a whole number from {SECONDS[0]} to {SECONDS[-1]}")
    return int(value)


def timestamp(value: str, info: Info) -> str:
    """A moment as the API is told: UTC, milliseconds, Z."""
    moment = _moment(value.upper())
    if moment is None:
        example = "2026-01-31T14:00:00+01:00"
        raise ValueError(f"is {quote(value)}, but has to be a date and time with an offset, such as {example}")
    if moment > info.context.now + MAX_AHEAD:
        raise ValueError(f"is {quote(value)}, more than a year ahead")
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if re.fullmatch(_TIMESTAMP, value) else None
    except (ValueError, OverflowError):
        return None


def base_url(value: str, info: Info) -> str:
    """An address to which the token may be sent."""
    if not re.fullmatch(_BASE_URL, value, re.IGNORECASE) or not _has_port_of_tcp(value):
        raise ValueError("has to be an https address, without user name, password, query or fragment")
    parts = urlsplit(value)
    if parts.scheme == "http" and not (info.context.allow_http or _is_loopback(parts.hostname or "")):
        raise ValueError("has to begin with https://, or the token could be read on its way")
    return value.rstrip("/")


def _has_port_of_tcp(value: str) -> bool:
    try:
        return urlsplit(value).port != 0
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def text(value: str, info: Info) -> str:
    """A text that customers may read."""
    whole = normalize_newlines(value)
    cleaned = strip_controls(whole)
    if cleaned != whole:
        removed = len(whole) - len(cleaned)
        info.context.warnings.append(f"Removed {removed} control character(s) from the description.")
    return description.check(cleaned.strip(), secrets=info.context.secrets)


def text_file(value: str, info: Info) -> str:
    """The text in a file of the workspace."""
    return text(description.read_file(value, workspace=info.context.workspace), info)


@dataclass(frozen=True)
class NamedStatus:
    """The status that a component is to have, which is named by its id or by its name."""

    name: str
    status: ComponentStatus


Components = tuple[ComponentAffected, ...] | tuple[NamedStatus, ...] | Literal["restore"]
"""Ids are sent as they are; names are looked up; and what an incident did to its components can be undone."""


def components(value: str) -> Components:
    """Components with their new status, from lines or from JSON, or the word `restore`."""
    if value.casefold() == RESTORE:
        return RESTORE
    if value.startswith(("[", "{")) and not re.search(r":\s*\w+$", value):  # a name may begin so as well
        return once_each(_component(item.id.strip(), item.status.strip()) for item in _json_items(value))
    return tuple(_named_statuses(value))


def once_each(wanted: Iterable[ComponentAffected]) -> tuple[ComponentAffected, ...]:
    """Each component once, where nothing contradicts that."""
    statuses: dict[str, ComponentStatus] = {}
    for component in wanted:
        if statuses.setdefault(component.id, component.status) is not component.status:
            raise ValueError(f"gives {component.id} two different statuses")
    return tuple(ComponentAffected(id=each, status=status) for each, status in statuses.items())


def _named_statuses(value: str) -> Iterator[NamedStatus]:
    statuses: dict[str, ComponentStatus] = {}
    for line in filter(None, map(str.strip, value.splitlines())):
        name, colon, word = (part.strip() for part in line.rpartition(":"))
        if not (colon and name):
            raise ValueError(f"has the line {quote(line)}, but a line has to be NAME: STATUS")
        status = _component_status(name, word)
        if statuses.setdefault(fold(name), status) is not status:
            raise ValueError(f"gives {quote(name)} two different statuses")
        yield NamedStatus(name, status)


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
        raise ValueError(f"is no JSON list of objects with id and status: {where}{first['msg']}") from error


def _component(component_id: str, word: str) -> ComponentAffected:
    if not re.fullmatch(ID_PATTERN, component_id):
        raise ValueError(f"names {quote(component_id)}, which is no component's id")
    return ComponentAffected(id=component_id, status=_component_status(component_id, word))


def _component_status(name: str, word: str) -> ComponentStatus:
    try:
        return word_of(ComponentStatus)(word)
    except ValueError as error:
        raise ValueError(f"gives {quote(name)} a status that {error}") from error


def title(value: str, info: Info) -> str:
    """The title of an incident that people opened."""
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", value):
        raise ValueError("has a line break or another control character in it")
    if len(value) > MAX_TITLE_LENGTH:
        raise ValueError(f"has {len(value)} characters, but at most {MAX_TITLE_LENGTH} are allowed")
    if fold(value).startswith(fold(AUTOMATED)):
        raise ValueError(f"begins with {AUTOMATED}; such incidents are the monitors' own, which open and close them")
    return description.check(value, secrets=info.context.secrets)
