"""What is sent to the API and what it answers, as frozen models.

What is sent allows nothing that the API does not document. What is read insists on the id alone: a field that is
absent, null or of another type is `None`, so that a change on the other side cannot turn a success into a failure.
Nothing that is read contains a secret: validated with `secrets` in its context, a text has asterisks in their place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Generic, Protocol, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    ValidationError,
    ValidationInfo,
    WrapValidator,
)

ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"
ResourceId = Annotated[str, Field(pattern=ID_PATTERN)]
"""The id of anything: case-sensitive, really 8 or 12 characters, and perhaps with a leading hyphen."""


class IncidentStatus(StrEnum):
    """What an update says of its incident; the last four are for maintenances."""

    INVESTIGATING = "INVESTIGATING"
    IDENTIFIED = "IDENTIFIED"
    MONITORING = "MONITORING"
    RESOLVED = "RESOLVED"
    UPDATE = "UPDATE"
    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    VERIFYING = "VERIFYING"
    COMPLETED = "COMPLETED"


ENDING_STATUSES = frozenset({IncidentStatus.RESOLVED, IncidentStatus.COMPLETED})
"""Statuses of an update that says that its incident is over."""


class ComponentStatus(StrEnum):
    """Operational status of a component."""

    OPERATIONAL = "OPERATIONAL"
    DEGRADED_PERFORMANCE = "DEGRADED_PERFORMANCE"
    PARTIAL_OUTAGE = "PARTIAL_OUTAGE"
    MAJOR_OUTAGE = "MAJOR_OUTAGE"
    MAINTENANCE = "MAINTENANCE"
    NO_IMPACT = "NO_IMPACT"


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def to_json(self) -> bytes:
        """The body of a request: only what was given."""
        return self.model_dump_json(exclude_none=True).encode()


class ComponentAffected(_Sent):
    """A component and the status that an update gives it."""

    id: ResourceId
    status: ComponentStatus


class IncidentUpdateCreate(_Sent):
    """A new update. `notify_subscribers` has no default here: left out, the API would mail everybody."""

    status: IncidentStatus
    description: Annotated[str, Field(min_length=1)]
    notify_subscribers: bool
    components_affected: tuple[ComponentAffected, ...] | None = None
    date_happened: str | None = None


class IncidentCreate(_Sent):
    """A new incident with its first update. Statuses of a maintenance are not for it."""

    title: Annotated[str, Field(min_length=1, max_length=256)]
    description: Annotated[str, Field(min_length=1)]
    status: IncidentStatus
    notify_subscribers: bool
    components: tuple[ComponentAffected, ...] | None = None


class IncidentUpdatePatch(_Sent):
    """Changes of an update. The API offers neither components nor a notification here."""

    status: IncidentStatus | None = None
    description: Annotated[str, Field(min_length=1)] | None = None
    date_happened: str | None = None


def _none_if_invalid(value: object, validate: Callable[[object], object]) -> object:
    try:
        return validate(value)
    except ValidationError:
        return None


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text with asterisks in the place of the secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _text(value: object, info: ValidationInfo) -> str | None:
    """A text without the secrets; None for anything else."""
    return hide(value, (info.context or {}).get("secrets", ())) if isinstance(value, str) else None


def _code(value: object, info: ValidationInfo) -> str | None:
    """The number of an error, or whatever stands in its place."""
    return _text(str(value) if isinstance(value, int | float) else value, info)


def _is_there(value: object) -> bool:
    return value is not None


T = TypeVar("T")
_Lenient = Annotated[T | None, WrapValidator(_none_if_invalid)]
Many = Annotated[tuple[T, ...], Field(max_length=10_000)]
"""A list that is no attack."""
# One plain function is far quicker to set up than a chain of validators for each of many fields.
_Text = Annotated[str | None, PlainValidator(_text)]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ComponentChange(_Read):
    """What an update did to a component; `old_status` may be unknown."""

    id: _Text = None
    name: _Text = None
    old_status: _Text = None
    new_status: _Text = None


def seconds_since_1970(timestamp: str | None) -> float | None:
    """A timestamp of the API as a number; None where it is absent, or has no offset."""
    try:
        moment = datetime.fromisoformat(timestamp or "")
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


class IncidentUpdate(_Read):
    """An update as the API shows it. Timestamps stay as the API wrote them."""

    id: ResourceId
    incident_id: _Text = None
    status: _Text = None
    description: _Text = None
    date_happened: _Text = None
    created_at: _Text = None
    updated_at: _Text = None
    components: _Lenient[Many[ComponentChange]] = None

    def to_json(self) -> str:
        """The documented fields that the API sent."""
        return self.model_dump_json(exclude_unset=True)

    @property
    def created(self) -> float | None:
        """`created_at` in seconds since 1970; None where it is absent, or no timestamp with an offset."""
        return seconds_since_1970(self.created_at)


class LatestUpdate(_Read):
    """What an incident's newest update says."""

    status: _Text = None
    date_happened: _Text = None


class IncidentComponent(_Read):
    """A component that an incident is about."""

    id: _Text = None


class Incident(_Read):
    """An incident as the API shows it. A list leaves out `components` and `updates`."""

    id: ResourceId
    title: _Text = None
    started: _Text = None
    ended: _Text = None
    latest_update: _Lenient[LatestUpdate] = None
    scheduled_maintenance: Annotated[bool, PlainValidator(_is_there)] = False
    """Whether it is one: what is planned does not matter."""
    created_at: _Text = None
    components: _Lenient[Many[IncidentComponent]] = None
    updates: _Lenient[Many[IncidentUpdate]] = None

    @property
    def created(self) -> float | None:
        """`created_at` in seconds since 1970; None where it is absent, or no timestamp with an offset."""
        return seconds_since_1970(self.created_at)


class Component(_Read):
    """A part of the page that has a status. Names are not unique."""

    id: ResourceId
    name: _Text = None
    group_id: _Text = None
    is_external_component: _Lenient[bool] = None


class Group(_Read):
    """A heading above components."""

    id: ResourceId
    name: _Text = None


class StatusPage(_Read):
    """A status page, and where readers find it."""

    subdomain: _Text = None
    custom_domain: _Text = None


class Deleted(_Read):
    """What a deletion answers."""

    id: ResourceId


class ErrorDetail(_Read):
    """One entry of a failure's `errors`."""

    code: Annotated[str | None, PlainValidator(_code)] = None
    message: _Text = None


class ResultInfo(_Read):
    """How much of a list there is."""

    total_count: _Lenient[int] = None


def _names_nothing(value: object) -> None:
    """Accept as "no result" what a refusal may carry in its place: anything without an id."""
    if isinstance(value, dict) and value.get("id"):
        raise ValueError("has an id")


class Envelope(_Read, Generic[T]):
    """What is around every result."""

    success: StrictBool
    result: T | Annotated[None, BeforeValidator(_names_nothing)] = Field(None, union_mode="left_to_right")
    result_info: _Lenient[ResultInfo] = None

    @property
    def total_count(self) -> int | None:
        """How many items the whole list has, if the API says so."""
        return self.result_info.total_count if self.result_info else None


class HasId(Protocol):
    """Something that stands in a list."""

    @property
    def id(self) -> str:
        """What tells it from all others."""


Listed = TypeVar("Listed", bound=HasId)


class Item(HasId, Protocol):
    """An item of a list that says when it was created."""

    @property
    def created(self) -> float | None:
        """Seconds since 1970 by the server's clock; None when the API does not say."""


AnyItem = TypeVar("AnyItem", bound=Item)


def created_or_oldest(item: Item) -> float:
    """When an item was created, in seconds since 1970; before all others when the API does not say."""
    return float("-inf") if item.created is None else item.created


def newest_first(items: Iterable[AnyItem]) -> list[AnyItem]:
    """Sort items by when they were created."""
    return sorted(items, key=created_or_oldest, reverse=True)


@dataclass(frozen=True)
class ListPage(Generic[T]):
    """One page of a list.

    Attributes:
        items: What stands on it, in no promised order.
        total_count: How many items the whole list has; None when the API does not say.
        began: When its request was begun, on the deadline's clock.
        server_time: The server's clock when it answered, in seconds since 1970; None when it does not say.
    """

    items: tuple[T, ...]
    total_count: int | None
    began: float
    server_time: float | None


class Failure(_Read):
    """All that is of interest in the body of a response that failed."""

    errors: _Lenient[Many[_Lenient[ErrorDetail]]] = None
