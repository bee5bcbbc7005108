"""The API's operations, one method for each."""

import itertools
import re
from collections.abc import Iterator
from typing import TypeVar

from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Effect, ExchangeError, Network, Request, Transport
from onlineornot_action.onlineornot import __version__, models
from onlineornot_action.onlineornot.errors import APIConnectionError, APIError, APIResponseValidationError
from onlineornot_action.onlineornot.models import ID_PATTERN, AnyItem, Items, ListPage, Misfit
from onlineornot_action.onlineornot.responses import Envelope, Mask, Received, read_response

BASE_URL = "https://api.onlineornot.com"
USER_AGENT = f"onlineornot-incident-update/{__version__}"
PER_PAGE = 100

MAX_LIST_SIZE = 24 * 1024 * 1024  # bytes of all pages of one list, so that a hostile server cannot exhaust memory
ITEM_SIZE = 256  # bytes that are added for each item, for the object in memory

T = TypeVar("T")


class OnlineOrNotClient:
    """The API, for one token and until one deadline.

    A request that failed is repeated, after a pause and until the deadline, only where that is safe:

        effect       GET       POST, PATCH, DELETE
        not sent     repeated  repeated
        throttled    repeated  repeated
        ambiguous    repeated  raised, because the write may have been done
        rejected     raised    raised

    The pause is random and grows from 0.5 s to 8 s; a `Retry-After` replaces it. A `Retry-After` beyond
    the deadline, an untrusted certificate and a proxy that requires a password are raised at once.

    Every method raises `APIError`, `CancelledError` when the run was cancelled and the request has changed nothing, and
    `ValueError` for a malformed id.
    """

    def __init__(
        self,
        token: str,  # with the scope STATUS_PAGES, and EDIT to write
        *,
        deadline: Deadline,  # when everything has to be over; its log receives a line for each repetition
        base_url: str = BASE_URL,  # without `/v1`
        network: Network = Network(),  # noqa: B008 - frozen
        mask: Mask = lambda text: text,  # masks the secrets in everything that is read
    ) -> None:
        self._transport = Transport(token, user_agent=USER_AGENT, network=network)
        self._base_url, self._deadline, self._mask = base_url.rstrip("/"), deadline, mask
        self.requests = 0  # how many were begun
        self.writes = 0  # how many of them were writes
        self.may_have_written = False  # whether a write was sent that was not refused

    def list_incident_updates(self, status_page_id: str, incident_id: str) -> list[models.IncidentUpdate]:
        """Read all updates of an incident, each once, in no promised order."""
        found: dict[str, models.IncidentUpdate] = {}
        for page in self.incident_update_pages(status_page_id, incident_id):
            for update in page.items:
                found.setdefault(update.id, update)  # a list that grows meanwhile moves items to the next page
        return list(found.values())

    def incident_update_pages(
        self, status_page_id: str, incident_id: str, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[models.IncidentUpdate]]:
        """Yield all updates of an incident, page by page, until an earlier deadline if one is given.

        A wait that the API asks for may exceed that deadline, but not the client's. Reading `to_the_end` does not rely
        on `total_count`: it stops at an empty page, and after two pages in a row without a new item.
        """
        path = f"{_path(status_page_id, incident_id)}/updates"
        return self._pages(path, Envelope[Items[models.IncidentUpdate]], deadline, to_the_end=to_the_end)

    def create_incident_update(
        self, status_page_id: str, incident_id: str, update: models.IncidentUpdateCreate
    ) -> models.IncidentUpdate:
        """Post a new update to an incident."""
        path = f"{_path(status_page_id, incident_id)}/updates"
        return self._request("POST", path, Envelope[models.IncidentUpdate], update.to_json())

    def get_incident_update(self, status_page_id: str, incident_id: str, update_id: str) -> models.IncidentUpdate:
        """Retrieve one update."""
        return self._request("GET", _path(status_page_id, incident_id, update_id), Envelope[models.IncidentUpdate])

    def update_incident_update(
        self, status_page_id: str, incident_id: str, update_id: str, patch: models.IncidentUpdatePatch
    ) -> models.IncidentUpdate:
        """Change the given fields of an update."""
        path = _path(status_page_id, incident_id, update_id)
        return self._request("PATCH", path, Envelope[models.IncidentUpdate], patch.to_json())

    def delete_incident_update(self, status_page_id: str, incident_id: str, update_id: str) -> None:
        """Delete an update."""
        self._request("DELETE", _path(status_page_id, incident_id, update_id), Envelope[models.Resource])

    def incident_pages(
        self, status_page_id: str, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[models.Incident]]:
        """Yield all incidents and maintenances, page by page; see `incident_update_pages`."""
        path = f"{_path(status_page_id)}/incidents"
        return self._pages(path, Envelope[Items[models.Incident]], deadline, to_the_end=to_the_end)

    def create_incident(self, status_page_id: str, incident: models.IncidentCreate) -> models.Incident:
        """Open an incident."""
        path = f"{_path(status_page_id)}/incidents"
        return self._request("POST", path, Envelope[models.Incident], incident.to_json())

    def get_incident(self, status_page_id: str, incident_id: str, deadline: Deadline | None = None) -> models.Incident:
        """Retrieve one incident, with its components and updates if the response has them."""
        return self._request("GET", _path(status_page_id, incident_id), Envelope[models.Incident], deadline=deadline)

    def component_pages(
        self, status_page_id: str, deadline: Deadline | None = None
    ) -> Iterator[ListPage[models.Component]]:
        """Yield all components, page by page."""
        return self._pages(f"{_path(status_page_id)}/components", Envelope[Items[models.Component]], deadline)

    def group_pages(self, status_page_id: str) -> Iterator[ListPage[models.Group]]:
        """Yield all groups of components, page by page."""
        return self._pages(f"{_path(status_page_id)}/groups", Envelope[Items[models.Group]], None)

    def get_status_page(self, status_page_id: str, deadline: Deadline) -> models.StatusPage:
        """Retrieve a status page, in one attempt."""
        request = Request("GET", f"{self._base_url}{_path(status_page_id)}")
        return self._attempt(request, Envelope[models.StatusPage], deadline).result

    def get_token_permissions(self, deadline: Deadline) -> tuple[str, ...]:
        """Retrieve the permissions of the token, in the API's words."""
        envelope = Envelope[models.TokenPermissions]
        result = self._request("GET", "/v1/tokens/permissions", envelope, deadline=deadline)
        return tuple(entry for entry in result.permissions if entry)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _pages(
        self,
        path: str,
        envelope: "type[Envelope[Items[AnyItem]]]",
        deadline: Deadline | None,
        *,
        to_the_end: bool = False,
    ) -> Iterator[ListPage[AnyItem]]:
        seen = set[str]()
        size = pages_without_new = 0
        for number in itertools.count(1):
            request = Request("GET", f"{self._base_url}{path}", {"page": number, "per_page": PER_PAGE})
            received = self._send(request, envelope, deadline or self._deadline)
            size += received.size + ITEM_SIZE * len(received.result)
            if size > MAX_LIST_SIZE:
                raise APIResponseValidationError("the list is too large")
            items = tuple(item for item in received.result if not isinstance(item, Misfit))
            misfits = tuple(item for item in received.result if isinstance(item, Misfit))
            yield ListPage(items, received.total_count, received.began, received.server_time, misfits)
            new = {item.id for item in received.result} - seen
            seen |= new
            pages_without_new = 0 if new else pages_without_new + 1
            has_all = received.total_count is not None and len(seen) >= received.total_count
            if not received.result or pages_without_new > 1 or (has_all and not to_the_end):
                return

    def _request(
        self, method: str, path: str, envelope: "type[Envelope[T]]", body: bytes = b"", deadline: Deadline | None = None
    ) -> T:
        request = Request(method, f"{self._base_url}{path}", body=body)
        return self._send(request, envelope, deadline or self._deadline).result

    def _send(self, request: Request, envelope: "type[Envelope[T]]", deadline: Deadline) -> Received[T]:
        """Send a request, and repeat it while that is safe and may help."""
        attempts = 0
        while True:
            attempts += 1
            # A wait that the API asked for may have outlasted an earlier deadline: one more attempt is made then.
            attempt_deadline = deadline if deadline.left() else deadline.outermost.within(deadline.limits.response)
            began = deadline.clock.monotonic()
            try:
                return self._attempt(request, envelope, attempt_deadline)
            except APIError as error:
                error.began = began
                retry_deadline = deadline.outermost if error.effect is Effect.THROTTLED else deadline
                pause = _pause(request, error, attempts, retry_deadline)
                if pause is None:
                    raise
                left = retry_deadline.left()
                deadline.log(f"{request.method}: {error}; trying again in {pause:.1f} s, {left:.0f} s left")
            retry_deadline.sleep(pause)

    def _attempt(self, request: Request, envelope: "type[Envelope[T]]", deadline: Deadline) -> Received[T]:
        deadline.check()
        before = self.may_have_written
        self.may_have_written = before or request.writes
        self.requests += 1
        self.writes += request.writes
        try:
            response = self._transport.exchange(request, deadline)
            return read_response(response, envelope, writes=request.writes, mask=self._mask, now=deadline.clock.time())
        except (APIError, ExchangeError, CancelledError) as error:
            if isinstance(error, CancelledError) or error.effect is not Effect.AMBIGUOUS:
                self.may_have_written = before
            if isinstance(error, ExchangeError):
                raise APIConnectionError(error) from error
            raise


def _pause(request: Request, error: APIError, attempts: int, deadline: Deadline) -> float | None:
    """Return the seconds until the request may be repeated; None when it may not, or not in time."""
    if error.final or (error.effect is Effect.AMBIGUOUS and request.writes):
        return None
    limits = deadline.limits
    left = deadline.left() - (limits.write_reserve if request.writes else limits.read_reserve)
    if error.retry_after:
        return error.retry_after if error.retry_after <= left else None
    return min(deadline.backoff(attempts), left) if left > 0 else None


def _path(*ids: str) -> str:
    """Return the path of a status page, of its incident or of that incident's update. No valid id needs quoting."""
    if not all(re.fullmatch(ID_PATTERN, each) for each in ids):
        raise ValueError("an id is 8 to 64 letters, digits, hyphens and underscores")
    kinds = ("status_pages", "incidents", "updates")
    return "/v1" + "".join(f"/{kind}/{each}" for kind, each in zip(kinds, ids, strict=False))
