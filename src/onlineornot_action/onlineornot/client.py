"""The operations of the API, one method for each."""

import email.utils
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Generic, TypeVar

from pydantic import ValidationError

from onlineornot_action.onlineornot import __version__
from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, Deadline, Limits, backoff
from onlineornot_action.onlineornot.errors import (
    APIError,
    APIResponseValidationError,
    CancelledError,
    Effect,
    Refusal,
    effect_of,
    error_for,
)
from onlineornot_action.onlineornot.models import (
    ID_PATTERN,
    Component,
    Deleted,
    Envelope,
    Failure,
    Group,
    Incident,
    IncidentCreate,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    Listed,
    ListPage,
    Many,
    StatusPage,
    hide,
)
from onlineornot_action.onlineornot.transport import Request, Response, Transport

BASE_URL = "https://api.onlineornot.com"
USER_AGENT = f"onlineornot-incident-update/{__version__}"
PER_PAGE = 100

T = TypeVar("T")
_ValidationContext = Mapping[str, Sequence[str]]


class OnlineOrNotClient:
    """The API, for one token and until one deadline.

    A request that fails is sent again, after a pause and until the deadline, where that can do no harm:

        what became of it    GET     POST, PATCH, DELETE
        not sent             again   again
        throttled            again   again
        ambiguous            again   raised: it may be done already
        rejected             raised  raised

    The pause is random and grows from 0.5 s to 8 s. A `Retry-After` is kept instead, or raised at once when it asks
    for more than the time that is left. A certificate that is not to be trusted and a proxy that wants a password are
    raised at once as well.

    Args:
        token: The API token; needs the scope STATUS_PAGES, with EDIT to write.
        deadline: When everything has to be over.
        base_url: Where the API is, without `/v1`.
        ca_bundle: A file or folder of certificates to trust instead of certifi's.
        secrets: What else, beside the token, is replaced by asterisks wherever a response contains it.
        limits: Every single limit.
        tell: Is told, in a line, why a request is sent again.

    Attributes:
        requests: How many requests were begun.
        writes: How many of them were to change something.
        may_have_written: Whether one of those left, and its response was not a refusal.

    Every method raises `APIError`, `CancelledError` when the deadline is cancelled before a request has left, and
    `ValueError` for an id that cannot be one.
    """

    def __init__(
        self,
        token: str,
        *,
        deadline: Deadline,
        base_url: str = BASE_URL,
        ca_bundle: str | None = None,
        secrets: Iterable[str] = (),
        limits: Limits = DEFAULT_LIMITS,
        tell: Callable[[str], None] = lambda line: None,  # noqa: ARG005 - whoever does not care
    ) -> None:
        hidden = {form for secret in (token, *secrets) for form in (secret, json.dumps(secret)[1:-1])}
        self._context: _ValidationContext = {"secrets": sorted(hidden, key=len, reverse=True)}
        self._transport = Transport(token, user_agent=USER_AGENT, ca_bundle=ca_bundle, limits=limits)
        self._base_url = base_url.rstrip("/")
        self._deadline = deadline
        self._limits = limits
        self._tell = tell
        self.requests = 0
        self.writes = 0
        self.may_have_written = False

    def list_incident_updates(self, status_page_id: str, incident_id: str) -> Iterator[IncidentUpdate]:
        """All updates of an incident, in no promised order; pages are read as they are needed."""
        return _distinct(self.incident_update_pages(status_page_id, incident_id))

    def incident_update_pages(
        self, status_page_id: str, incident_id: str, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[IncidentUpdate]]:
        """The same, page by page.

        Args:
            status_page_id: The page.
            incident_id: The incident.
            deadline: An earlier deadline for reading. A wait that the API asks for is held against the whole one.
            to_the_end: Whether to read on until a page is empty, or two in a row bring nothing new, even when as many
                updates have been read as there are said to be.
        """
        path = _updates_path(status_page_id, incident_id)
        return self._pages(path, Envelope[Many[IncidentUpdate]], deadline or self._deadline, to_the_end=to_the_end)

    def create_incident_update(
        self, status_page_id: str, incident_id: str, update: IncidentUpdateCreate
    ) -> IncidentUpdate:
        """Post a new update to an incident."""
        path = _updates_path(status_page_id, incident_id)
        return self._request("POST", path, Envelope[IncidentUpdate], body=update.to_json())

    def get_incident_update(self, status_page_id: str, incident_id: str, update_id: str) -> IncidentUpdate:
        """Retrieve one update."""
        path = _update_path(status_page_id, incident_id, update_id)
        return self._request("GET", path, Envelope[IncidentUpdate])

    def update_incident_update(
        self, status_page_id: str, incident_id: str, update_id: str, patch: IncidentUpdatePatch
    ) -> IncidentUpdate:
        """Change an update: status, text or date, whichever are given."""
        path = _update_path(status_page_id, incident_id, update_id)
        return self._request("PATCH", path, Envelope[IncidentUpdate], body=patch.to_json())

    def delete_incident_update(self, status_page_id: str, incident_id: str, update_id: str) -> None:
        """Delete an update."""
        path = _update_path(status_page_id, incident_id, update_id)
        self._request("DELETE", path, Envelope[Deleted])

    def incident_pages(
        self, status_page_id: str, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[Incident]]:
        """All incidents and maintenances, page by page; see `incident_update_pages`."""
        path = f"{_page_path(status_page_id)}/incidents"
        return self._pages(path, Envelope[Many[Incident]], deadline or self._deadline, to_the_end=to_the_end)

    def create_incident(self, status_page_id: str, incident: IncidentCreate) -> Incident:
        """Open an incident."""
        path = f"{_page_path(status_page_id)}/incidents"
        return self._request("POST", path, Envelope[Incident], body=incident.to_json())

    def get_incident(self, status_page_id: str, incident_id: str) -> Incident:
        """Retrieve one incident, with its components and updates if the API names them."""
        return self._request("GET", _incident_path(status_page_id, incident_id), Envelope[Incident])

    def component_pages(self, status_page_id: str) -> Iterator[ListPage[Component]]:
        """All components, page by page."""
        path = f"{_page_path(status_page_id)}/components"
        return self._pages(path, Envelope[Many[Component]], self._deadline, to_the_end=False)

    def group_pages(self, status_page_id: str) -> Iterator[ListPage[Group]]:
        """All groups of components, page by page."""
        path = f"{_page_path(status_page_id)}/groups"
        return self._pages(path, Envelope[Many[Group]], self._deadline, to_the_end=False)

    def get_status_page(self, status_page_id: str, deadline: Deadline) -> StatusPage:
        """Retrieve the page, in one try."""
        request = Request("GET", f"{self._base_url}{_page_path(status_page_id)}")
        return self._try(request, Envelope[StatusPage], deadline).result

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _pages(
        self, path: str, envelope: type[Envelope[Many[Listed]]], deadline: Deadline, *, to_the_end: bool
    ) -> Iterator[ListPage[Listed]]:
        seen = set[str]()
        barren_pages = 0
        for number in itertools.count(1):
            query = {"page": number, "per_page": PER_PAGE}
            received = self._send(Request("GET", f"{self._base_url}{path}", query), envelope, deadline)
            page = received.page()
            yield page
            fresh = {item.id for item in page.items} - seen
            seen |= fresh
            barren_pages = 0 if fresh else barren_pages + 1
            has_all = page.total_count is not None and len(seen) >= page.total_count
            if not page.items or barren_pages > 1 or (has_all and not to_the_end):
                return

    def _request(self, method: str, path: str, envelope: type[Envelope[T]], body: bytes | None = None) -> T:
        request = Request(method, f"{self._base_url}{path}", None, body)
        return self._send(request, envelope, self._deadline).result

    def _send(self, request: Request, envelope: type[Envelope[T]], deadline: Deadline) -> "_Received[T]":
        """Send a request until it is answered for good; every request passes through here."""
        for attempts in itertools.count(1):
            # The API's own wish to wait may have outlasted an earlier deadline: then there is one more try.
            patience = deadline if deadline.left() else deadline.whole.within(self._limits.response)
            try:
                return self._try(request, envelope, patience)
            except APIError as error:
                limit = deadline.whole if error.effect is Effect.THROTTLED else deadline
                wait = self._wait(request, error, attempts, limit)
                if wait is None:
                    raise
                self._tell(f"{request.method}: {error}; trying again in {wait:.1f} s")
            limit.sleep(wait)
        raise AssertionError  # the count never ends

    def _try(self, request: Request, envelope: type[Envelope[T]], deadline: Deadline) -> "_Received[T]":
        deadline.check()
        clock = deadline.clock
        began = clock.monotonic()
        doubt_before, self.may_have_written = self.may_have_written, self.may_have_written or request.writes
        self.requests += 1
        self.writes += request.writes
        try:
            response = self._transport.exchange(request, deadline)
            return _Received(_read(response, envelope, self._context, now=clock.time()), response, began)
        except APIError as error:
            error.began = began
            if error.effect is not Effect.AMBIGUOUS:
                self.may_have_written = doubt_before
            raise
        except CancelledError:
            self.may_have_written = doubt_before
            raise

    def _wait(self, request: Request, error: APIError, attempts: int, deadline: Deadline) -> float | None:
        """Seconds until the request may be sent again; None when it may not, or not in time."""
        if error.final or (error.effect is Effect.AMBIGUOUS and request.writes):
            return None
        left = deadline.left() - (self._limits.write_reserve if request.writes else self._limits.read_reserve)
        if error.retry_after:
            return error.retry_after if error.retry_after <= left else None
        return min(backoff(attempts, self._limits), left) if left > 0 else None


@dataclass(frozen=True)
class _Received(Generic[T]):
    """A response that was understood."""

    envelope: Envelope[T]
    response: Response
    began: float

    @property
    def result(self) -> T:
        assert self.envelope.result is not None  # noqa: S101 - _read saw to it
        return self.envelope.result

    def page(self: "_Received[tuple[Listed, ...]]") -> ListPage[Listed]:
        server_time = _http_date(self.response.headers.get("Date", ""))
        return ListPage(self.result, self.envelope.total_count, self.began, server_time)


def _distinct(pages: Iterable[ListPage[Listed]]) -> Iterator[Listed]:
    """Each item once: a list that grows while it is read moves items on to the next page."""
    seen = set[str]()
    for page in pages:
        for item in page.items:
            if item.id not in seen:
                seen.add(item.id)
                yield item


def _page_path(status_page_id: str) -> str:
    return f"/v1/status_pages/{_checked(status_page_id)}"


def _incident_path(status_page_id: str, incident_id: str) -> str:
    return f"{_page_path(status_page_id)}/incidents/{_checked(incident_id)}"


def _updates_path(status_page_id: str, incident_id: str) -> str:
    return f"{_incident_path(status_page_id, incident_id)}/updates"


def _update_path(status_page_id: str, incident_id: str, update_id: str) -> str:
    return f"{_updates_path(status_page_id, incident_id)}/{_checked(update_id)}"


def _checked(resource_id: str) -> str:
    """An id that can stand in a path as it is: the pattern has no character that would need quoting."""
    if not re.fullmatch(ID_PATTERN, resource_id):
        raise ValueError("an id is 8 to 64 letters, digits, hyphens and underscores")
    return resource_id


def _read(response: Response, envelope: type[Envelope[T]], context: _ValidationContext, *, now: float) -> Envelope[T]:
    """Take a response for what it is: the result that was asked for, or the error that it stands for."""
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the class of success
        raise _status_error(response, effect_of(response.status), context, now)
    if response.status > 201:  # noqa: PLR2004 - 200 and 201 are all that is documented
        raise APIResponseValidationError(f"HTTP {response.status} is no documented success", status=response.status)
    try:
        read = envelope.model_validate_json(_well_formed(response.body), context=context)
    except ValidationError as error:
        message = f"HTTP {response.status} with a body that is none of the API's"
        raise APIResponseValidationError(message, status=response.status) from error
    if not read.success and not getattr(read.result, "id", None):
        raise _status_error(response, Effect.REJECTED, context, now)
    if not read.success or read.result is None:
        message = f"HTTP {response.status} with a body that contradicts itself"
        raise APIResponseValidationError(message, status=response.status)
    return read


_MAX_MARKS = 200_000
"""Marks of structure in a body; a page of 100 updates has a few thousand."""

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_HALVES = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


def _well_formed(body: bytes) -> bytes:
    """JSON that pydantic can read without harm.

    A body that is all structure would take gigabytes; it becomes one that nobody takes for a response. The halves of
    characters, which a server leaves when it cuts a text, become question marks.
    """
    if _marks(body) > _MAX_MARKS and _marks(_STRINGS.sub(b"", body)) > _MAX_MARKS:
        return b""
    return _HALVES.sub(rb"\1?", body) if rb"\ud" in body.lower() else body


def _marks(body: bytes) -> int:
    return sum(map(body.count, (b"{", b"[", b",")))


def _status_error(response: Response, effect: Effect, context: _ValidationContext, now: float) -> APIError:
    return error_for(response.status)(
        response.status,
        effect=effect,
        refusals=_refusals(response.body, context),
        retry_after=_retry_after(response, now),
        location=hide(response.headers.get("Location", ""), context["secrets"]),
    )


def _refusals(body: bytes, context: _ValidationContext) -> tuple[Refusal, ...]:
    """What an envelope says went wrong; nothing for any other body."""
    try:
        errors = Failure.model_validate_json(_well_formed(body), context=context).errors or ()
    except ValidationError:
        return ()
    return tuple(Refusal(one.code or "", one.message or "") for one in errors if one and (one.code or one.message))


def _retry_after(response: Response, now: float) -> float | None:
    """Seconds to wait, from a plain number or an HTTP date by the server's own clock; None for anything else."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]+", value):
        return float(value) or None
    then = _http_date(value)
    if then is None:
        return None
    seconds = then - (_http_date(response.headers.get("Date", "")) or now)
    return seconds if seconds > 0 else None


def _http_date(value: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
