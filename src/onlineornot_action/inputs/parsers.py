"""Parse the text of one input, or raise a `ValueError` whose message continues a sentence with the input's name.

`components` has a module of its own.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationInfo

from onlineornot_action.inputs import description
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.masking import MIN_SECRET_LENGTH
from onlineornot_action.network.exchange import is_loopback
from onlineornot_action.onlineornot.models import ID_PATTERN
from onlineornot_action.text import kebab, normalize, normalize_newlines, quote, strip_controls

AUTO = "auto"
LATEST = "latest"
AUTOMATED = "[Automated]"
"""The prefix of the titles of incidents that OnlineOrNot's monitors open and close."""

MAX_TITLE_LENGTH = 256
TIMEOUT_SECONDS = range(10, 601)
MAX_AHEAD = timedelta(days=366)
ID_RULE = "an id has 8 to 64 letters, digits, hyphens and underscores"

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
"""The booleans of YAML 1.2's core schema, https://yaml.org/spec/1.2.2/#1032-tag-resolution"""

_NUMBER_INSIDE = re.compile(
    r"(?:\b(?:pulls?|issues)/|\bpr[ -]?|#|^0*)([1-9][0-9]{0,9})(?![0-9])", re.ASCII | re.IGNORECASE
)
"""The number of a pull request in its URL, its ref, `#12`, `PR 12` or `12.0`."""

_TIMESTAMP = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
_BASE_URL = r"https?://([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?"
_NOT_IN_TITLES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class ParsingContext(NamedTuple):
    """What the value of an input depends on, besides its text; parsers add to the warnings."""

    environment: Environment
    now: datetime
    warnings: list[str]
    stdin: TextIO | None = None


Info = ValidationInfo[ParsingContext]
Word = TypeVar("Word", bound=StrEnum)

_NO_TOKENS = {
    "a token in quotes, which docker's --env-file keeps": "\"[^\"]*\"|'[^']*'",
    "the name of a variable that nothing has replaced": r"\$\w+|\$\{\w+\}|\$\(\w+\)|%\w+%",
    "the path of a file, which GitLab's variables of the type File hold": r"(/[\w.@+-]+){2,}|[A-Za-z]:\\.*",
}
"""What other tools deliver instead of a token."""


def token(value: str) -> str:
    """Parse an API token. No message repeats it."""
    if "${{" in value:
        raise ValueError("is an expression that GitHub has not evaluated; write it in the workflow file itself")
    for looks_like, pattern in _NO_TOKENS.items():
        if re.fullmatch(pattern, value):
            raise ValueError(f"looks like {looks_like}; give the token itself")
    if len(value) < MIN_SECRET_LENGTH:
        raise ValueError(f"is shorter than {MIN_SECRET_LENGTH} characters; check the secret it comes from")
    if not re.fullmatch("[!-~]+", value):
        raise ValueError(
            "contains a space or another character that a token cannot have; check the secret it comes from"
        )
    return value


def resource_id(value: str, info: Info) -> str:
    """Parse the id of a status page, an incident or an update."""
    if re.fullmatch(ID_PATTERN, value):
        return value
    field_name = info.field_name or ""
    if inside := _id_in_url(value, field_name):
        raise ValueError(f"is a URL; give only the id in it, which seems to be {inside}")
    in_yaml = f'; quote it in YAML ({kebab(field_name)}: "00012345"), or it may be read as a number'
    raise ValueError(f"is {quote(value)}, but {ID_RULE}{in_yaml if info.context.environment.on_github else ''}")


def _id_in_url(value: str, field_name: str) -> str | None:
    """Find what seems to be the id in a URL: the part after the resource's name, or else the last part with a digit."""
    parts, resources = re.split("[/?#=]", value), f"{field_name.removesuffix('_id')}s"
    named = [part for word, part in pairwise(parts) if word.replace("-", "_") == resources]
    others = [part for part in reversed(parts[1:]) if re.search("[0-9]", part)]
    return next((part for part in named + others if re.fullmatch(ID_PATTERN, part)), None)


def update_id(value: str, info: Info) -> str:
    """Parse the id of an update, or the word `latest`."""
    return LATEST if value.casefold() == LATEST else resource_id(value, info)


def find_word(words: type[Word], value: str) -> Word | None:
    """Find a word of an enumeration, in any case."""
    return next((word for word in words if word.casefold() == value.casefold()), None)


def word_of(words: type[Word], *others: str) -> Callable[[str], Word]:
    """Return a parser for the words of an enumeration, in any case; its error message lists the others as well."""

    def parse(value: str) -> Word:
        word = find_word(words, value)
        if word is None:
            raise ValueError(f"is {quote(value)}, but must be one of {', '.join((*others, *words))}")
        return word

    return parse


def boolean(value: str) -> bool:
    """Parse a boolean as YAML 1.2 writes it."""
    if value not in _BOOLEANS:
        raise ValueError(f"is {quote(value)}, but must be true or false")
    return _BOOLEANS[value]


class SkipDuplicate(Enum):
    """Which updates of an open incident make a matching new one unnecessary."""

    NEVER = "none"
    IF_NEWEST = "the newest: what customers read now"
    IF_NEWEST_ON_RERUN = "the same, on a re-run, where an earlier attempt of this job may have posted"
    IF_ANY_ON_RERUN = "any, on a re-run"

    @property
    def is_rerun(self) -> bool:
        """Whether the job is run again, so that nothing may be posted before the list is read."""
        return self in (SkipDuplicate.IF_NEWEST_ON_RERUN, SkipDuplicate.IF_ANY_ON_RERUN)


def skip_duplicate(value: str, info: Info) -> SkipDuplicate:
    """Parse a boolean or `auto`, which has no effect in the first attempt of a job."""
    is_rerun = info.context.environment.github.is_rerun
    if value.casefold() == AUTO:
        return SkipDuplicate.IF_ANY_ON_RERUN if is_rerun else SkipDuplicate.NEVER
    if value not in _BOOLEANS:
        raise ValueError(f"is {quote(value)}, but must be auto, true or false")
    if not _BOOLEANS[value]:
        return SkipDuplicate.NEVER
    return SkipDuplicate.IF_NEWEST_ON_RERUN if is_rerun else SkipDuplicate.IF_NEWEST


def timeout(value: str) -> int:
    """Parse a number of seconds."""
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) not in TIMEOUT_SECONDS:
        limits = f"{TIMEOUT_SECONDS[0]} to {TIMEOUT_SECONDS[-1]}"
        raise ValueError(f"is {quote(value)}, but must be a whole number from {limits}")
    return int(value)


def pull_request_number(value: str) -> int:
    """Parse the number of a pull request."""
    if re.fullmatch("[1-9][0-9]{0,9}", value):
        return int(value)
    inside = _NUMBER_INSIDE.search(value)
    example = f"; write {inside[1]}" if inside else ", such as 12"
    raise ValueError(f"is {quote(value)}, but must be the number of a pull request{example}")


def timestamp(value: str, info: Info) -> str:
    """Parse a date and time, and return it as the API expects it: UTC, milliseconds, Z."""
    written = value.upper()
    try:
        moment = datetime.fromisoformat(written).astimezone(UTC) if re.fullmatch(_TIMESTAMP, written) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        example = "2026-01-31T14:00:00+01:00"
        raise ValueError(f"is {quote(value)}, but must be a date and time with an offset, such as {example}")
    if moment > info.context.now + MAX_AHEAD:
        raise ValueError(f"is {quote(value)}, which is more than a year ahead")
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def base_url(value: str, info: Info) -> str:
    """Parse a URL to which the token may be sent."""
    try:
        parts = urlsplit(value)
        is_valid = re.fullmatch(_BASE_URL, value, re.IGNORECASE) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError("must be an https URL without user name, password, query or fragment")
    http_allowed = info.context.environment.allow_http or is_loopback(parts.hostname or "")
    if parts.scheme == "http" and not http_allowed:
        raise ValueError("must begin with https://, or the token could be read in transit")
    return value.rstrip("/")


def text(value: str, info: Info) -> str:
    """Clean and check a text that customers read."""
    name, context = kebab(info.field_name or ""), info.context
    original = normalize_newlines(value)
    cleaned = strip_controls(original)
    if removed := len(original) - len(cleaned):
        context.warnings.append(f"Removed {removed} control character(s) from {name}.")
    checked = description.check(cleaned.strip(), secrets=context.environment.secrets)
    if escape := description.find_escape(checked):
        if name == "description-file":
            how = "write real ones into the file"
        elif context.environment.on_github:
            how = f"begin the text below {name}: | in YAML"
        else:
            how = "give a file, or pipe the text to --description-file -" if name == "description" else "give real ones"
        meaning = f"customers will see literally; for line breaks, {how}"
        context.warnings.append(f"{name} contains {quote(escape)}, which {meaning}.")
    return checked


def text_file(value: str, info: Info) -> str:
    """Read a text that customers read from a file in the workspace or under RUNNER_TEMP, or from standard input."""
    environment = info.context.environment
    if value != "-":
        workspace, runner_temp = Path(environment.github.workspace), environment.runner_temp
        read = description.read_file(
            value, workspace=workspace, runner_temp=runner_temp, on_github=environment.on_github
        )
    elif environment.on_github:
        raise ValueError("is -, which is standard input on a command line; give a file, since a step has none")
    else:
        read = description.read_standard_input(info.context.stdin)
    return text(read, info)


def title(value: str, info: Info) -> str:
    """Parse the title of an incident that people, not monitors, opened."""
    if _NOT_IN_TITLES.search(value):
        raise ValueError("contains a line break or another control character")
    if len(value) > MAX_TITLE_LENGTH:
        raise ValueError(f"has {len(value)} characters, but at most {MAX_TITLE_LENGTH} are allowed; shorten it")
    normalized = description.check(normalize(value), secrets=())
    if normalized.startswith(normalize(AUTOMATED)):
        raise ValueError(
            f"begins with {AUTOMATED}; such incidents belong to monitors, which open and close them by themselves"
        )
    return description.check(value, secrets=info.context.environment.secrets)
