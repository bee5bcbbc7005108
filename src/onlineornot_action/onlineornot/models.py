"""The bodies of requests and the resources in responses, as frozen models.

A body that is sent contains only what the API documents. A resource that is read needs nothing but its id: any other
field that is absent, null or of another type becomes `None`, so that a change of the API cannot turn a success into a
failure. Every text that is read is masked, by the function in the validation context.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import Annotated, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo, WrapValidator

ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"


class IncidentStatus(StrEnum):
    """The status that an update gives its incident; the last four are for maintenances."""

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

_UNDER_WAY = frozenset({IncidentStatus.IN_PROGRESS, IncidentStatus.VERIFYING})
"""Statuses of a maintenance that is in progress, whatever its schedule says."""


class ComponentStatus(StrEnum):
    """The status of a component."""

    OPERATIONAL = "OPERATIONAL"
    DEGRADED_PERFORMANCE = "DEGRADED_PERFORMANCE"
    PARTIAL_OUTAGE = "PARTIAL_OUTAGE"
    MAJOR_OUTAGE = "MAJOR_OUTAGE"
    MAINTENANCE = "MAINTENANCE"
    NO_IMPACT = "NO_IMPACT"


ResourceId = Annotated[str, Field(pattern=ID_PATTERN)]
"""The id of any resource: case-sensitive, in practice 8 or 12 characters, possibly with a leading hyphen."""


class _SentModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def to_json(self) -> bytes:
        """Return the body of a request, without the fields that are None."""
        return self.model_dump_json(exclude_none=True).encode()


class ComponentAffected(_SentModel):
    """A component and its new status."""

    id: ResourceId
    status: ComponentStatus


class IncidentUpdateCreate(_SentModel):
    """A new update. `notify_subscribers` is required because the API notifies all subscribers when it is left out."""

    status: IncidentStatus
    description: Annotated[str, Field(min_length=1)]
    notify_subscribers: bool
    components_affected: tuple[ComponentAffected, ...] | None = None
    date_happened: str | None = None


class IncidentCreate(_SentModel):
    """A new incident with its first update. The API refuses the statuses of a maintenance."""

    title: Annotated[str, Field(min_length=1, max_length=256)]
    description: Annotated[str, Field(min_length=1)]
    status: IncidentStatus
    notify_subscribers: bool
    components: tuple[ComponentAffected, ...] | None = None


class IncidentUpdatePatch(_SentModel):
    """Changes to an update. The API accepts neither components nor `notify_subscribers` here."""

    status: IncidentStatus | None = None
    description: Annotated[str, Field(min_length=1)] | None = None
    date_happened: str | None = None


def _none_if_invalid(value: object, validate: Callable[[object], object]) -> object:
    try:
        return validate(value)
    except ValidationError:
        return None


def _masked_text(value: object, info: ValidationInfo) -> str | None:
    """Mask the secrets in a text; return None for any other value."""
    if not isinstance(value, str):
        return None
    return info.context(value) if info.context else value


def _error_code(value: object, info: ValidationInfo) -> str | None:
    """Read an error's code, a number or a text."""
    return _masked_text(str(value) if isinstance(value, int | float) else value, info)


T = TypeVar("T")
Lenient = Annotated[T | None, WrapValidator(_none_if_invalid)]
"""A value of this type; None for any other."""
Many = Annotated[tuple[T, ...], Field(max_length=1_000)]
"""At most 1,000 items, so that a hostile response cannot exhaust memory; 100 are asked for."""
Text = Annotated[str | None, PlainValidator(_masked_text)]
"""A masked text; None for any other value. One plain validator is built much faster than a chain of them."""


def seconds_since_1970(timestamp: str | None) -> float | None:
    """Parse a timestamp of the API; None when it is absent, malformed or without an offset."""
    try:
        moment = datetime.fromisoformat(timestamp or "")
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


class ReadModel(BaseModel):
    """The base of everything that is read from a response."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Misfit(NamedTuple):
    """An item of a list whose id is not of the documented form. It is for messages alone, and never part of a URL."""

    id: str
    name: str = ""


def _as_misfit(value: object, info: ValidationInfo) -> Misfit:
    """Keep what identifies an item, masked and shortened."""
    fields = value if isinstance(value, dict) else {"id": repr(value)}

    def text_of(key: str) -> str:
        return (_masked_text(str(fields.get(key, "")), info) or "")[:MAX_MISFIT_LENGTH]

    return Misfit(text_of("id"), text_of("name") or text_of("title"))


MAX_MISFIT_LENGTH = 256
Items = Many[Annotated[T | Annotated[Misfit, PlainValidator(_as_misfit)], Field(union_mode="left_to_right")]]
"""The items of a list; malformed ones become misfits, so that the others can be read."""


class Resource(ReadModel):
    """Anything with an id; the whole result of a deletion."""

    id: ResourceId

    @property
    def created(self) -> float | None:
        """When it was created, in seconds since 1970 by the server's clock; None when the API does not say."""
        return seconds_since_1970(getattr(self, "created_at", None))


class ErrorDetail(ReadModel):
    """A failure in the API's own words, which are untrusted text: escape and shorten them before showing them."""

    code: Annotated[str | None, PlainValidator(_error_code)] = None
    message: Text = None

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message)))


class ComponentChange(ReadModel):
    """How an update changed a component; the API does not always know `old_status`."""

    id: Text = None
    name: Text = None
    old_status: Text = None
    new_status: Text = None


class IncidentUpdate(Resource):
    """An update of an incident. Timestamps stay as the API wrote them."""

    incident_id: Text = None
    status: Text = None
    description: Text = None
    date_happened: Text = None
    created_at: Text = None
    updated_at: Text = None
    components: Lenient[Many[ComponentChange]] = None

    def to_json(self) -> str:
        """Return the documented fields that the response contained."""
        return self.model_dump_json(exclude_unset=True)


class LatestUpdate(ReadModel):
    """The newest update of an incident, as part of the incident."""

    status: Text = None
    date_happened: Text = None


class IncidentComponent(ReadModel):
    """A component that an incident affects."""

    id: Text = None


class Schedule(NamedTuple):
    """When a maintenance is planned, in seconds since 1970; None where the API does not say."""

    start: float | None = None
    end: float | None = None


def _as_schedule(value: object) -> Schedule | None:
    """Read `start_date` and `duration_minutes`; any value but null, even without them, is a maintenance's schedule."""
    if not isinstance(value, dict):
        return None if value is None else Schedule()
    date, minutes = value.get("start_date"), value.get("duration_minutes")
    start = seconds_since_1970(date) if isinstance(date, str) else None
    if start is None or not isinstance(minutes, int | float):
        return Schedule(start)
    return Schedule(start, start + 60 * minutes)


class Incident(Resource):
    """An incident or a maintenance. Lists leave out `components` and `updates`."""

    title: Text = None
    started: Text = None
    ended: Text = None
    latest_update: Lenient[LatestUpdate] = None
    scheduled_maintenance: Annotated[Schedule | None, PlainValidator(_as_schedule)] = None  # None for an incident
    created_at: Text = None
    components: Lenient[Many[IncidentComponent]] = None
    updates: Lenient[Many[IncidentUpdate]] = None

    @property
    def is_open(self) -> bool:
        """Whether neither the field `ended` nor its newest update says that it is over."""
        return not self.ended and self._status not in ENDING_STATUSES

    def is_open_at(self, moment: float) -> bool:
        """Whether it is open at a moment, in seconds since 1970; a maintenance, by its status or else its schedule."""
        if self.scheduled_maintenance is None or not self.is_open or self._status in _UNDER_WAY:
            return self.is_open
        end = self.scheduled_maintenance.end
        return not self.is_planned_at(moment) and (end is None or moment <= end)

    def is_planned_at(self, moment: float) -> bool:
        """Whether it is a maintenance that has not begun at a moment, and so has not changed anything yet."""
        if self.scheduled_maintenance is None or not self.is_open or self._status in _UNDER_WAY:
            return False
        start = self.scheduled_maintenance.start
        return moment < start if start is not None else self._status in (None, IncidentStatus.SCHEDULED)

    @property
    def _status(self) -> str | None:
        return self.latest_update.status if self.latest_update else None

    @property
    def began_at(self) -> float | None:
        """When it began, in seconds since 1970; None when the API does not say."""
        return seconds_since_1970(self.started) or self.created

    @property
    def ended_at(self) -> float | None:
        """When it ended, in seconds since 1970; by the update that declared it over, or else by its schedule."""
        declared = self.latest_update.date_happened if self.latest_update and not self.is_open else None
        scheduled = self.scheduled_maintenance.end if self.scheduled_maintenance else None
        return seconds_since_1970(self.ended or declared) or scheduled


class Component(Resource):
    """A component of a status page. Names are not unique."""

    name: Text = None
    status: Text = None
    group_id: Text = None
    is_external_component: Lenient[bool] = None


class Group(Resource):
    """A group of components."""

    name: Text = None


class StatusPage(ReadModel):
    """A status page: the domains at which readers find it."""

    subdomain: Text = None
    custom_domain: Text = None

    def url_of(self, incident_id: str) -> str:
        """Return an incident's public address; the page's without an id; empty without a valid domain.

        No response of the API contains this address. A domain may be written as a URL.
        """
        domain = self.custom_domain or (f"{self.subdomain}.onlineornot.com" if self.subdomain else "")
        host = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
        match = re.fullmatch(rf"(?:https?://)?({host})\.?(?:/[!-~]*)?", domain.strip().casefold())
        if not match or len(match[1]) > 253:  # noqa: PLR2004 - the longest host name
            return ""
        path = f"incidents/{incident_id}" if incident_id else ""
        return f"https://{match[1]}/{path}"


class TokenPermissions(ReadModel):
    """What a token may do. The API documents the form of an entry only by an example: `uptime_checks (read)`."""

    permissions: Many[Text]


class Item(Protocol):
    """An item of a list, such as a `Resource`."""

    @property
    def id(self) -> str:
        """Unique within the list."""

    @property
    def created(self) -> float | None:
        """When it was created, in seconds since 1970 by the server's clock; None when the API does not say."""


AnyItem = TypeVar("AnyItem", bound=Item)


def created_or_oldest(item: Item) -> float:
    """Return when an item was created, in seconds since 1970; before all others when the API does not say."""
    return -inf if item.created is None else item.created


def oldest_first(items: Iterable[AnyItem]) -> list[AnyItem]:
    """Sort items by when they were created."""
    return sorted(items, key=created_or_oldest)


def newest_first(items: Iterable[AnyItem]) -> list[AnyItem]:
    """Sort items by when they were created."""
    return sorted(items, key=created_or_oldest, reverse=True)


class ListPage(NamedTuple, Generic[T]):
    """One page of a list, in no promised order."""

    items: tuple[T, ...]
    total_count: int | None  # how many items the whole list has; None when the API does not say
    began: float  # when the request began, on the deadline's clock
    server_time: float | None  # the server's clock at its response, in seconds since 1970; None when it does not say
    misfits: tuple[Misfit, ...] = ()  # items that are not of the documented form
