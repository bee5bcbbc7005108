"""Every way in which a request can fail.

    APIError
    ├── APIConnectionError            no complete response arrived
    ├── APIResponseValidationError    a complete response arrived that the API does not document
    └── APIStatusError                a complete response reports a failure; most statuses have a class of their own

The `effect` of an error, not its class, decides whether the request may be repeated. The network's `CancelledError` is
not an `APIError`: the API did not fail, the caller stopped.
"""

from http import HTTPStatus

from onlineornot_action.network.exchange import Cause, Effect, ExchangeError
from onlineornot_action.onlineornot.models import ErrorDetail


class APIError(Exception):
    """A request that got no successful response, with the HTTP status if that was read; `retry_after` is in seconds."""

    def __init__(self, message: str, effect: Effect, status: int | None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.effect, self.status, self.retry_after = effect, status, retry_after
        self.final = effect is Effect.REJECTED  # whether the same request would fail again
        self.began = 0.0  # when the request began, on the deadline's clock; set by the client

    @property
    def is_refusal(self) -> bool:
        """Whether the request was refused for good, provided that it has changed nothing."""
        is_foreign = isinstance(self, InterceptedError | RedirectError) and self.status not in _THROTTLING
        return is_foreign or self.effect is Effect.REJECTED

    @property
    def prevents_writing(self) -> bool:
        """Whether a write to the same place would fail for the same reason."""
        refused = self.status in (301, 302, 303, 307, 308, 401, 403, 404)
        return refused or self.effect is Effect.THROTTLED or (self.effect is Effect.NOT_SENT and self.final)

    @property
    def has_success_status(self) -> bool:
        """Whether the status line reported success, whatever failed after it."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - the class of success


class APIConnectionError(APIError):
    """No complete response arrived, for the reason in `cause`."""

    def __init__(self, error: ExchangeError) -> None:
        super().__init__(str(error), error.effect, error.status)
        self.cause = error.cause
        self.final = error.cause not in (Cause.CONNECTION, Cause.TIMEOUT)


class APIResponseValidationError(APIError):
    """A complete response arrived, but not one that the API documents."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, Effect.AMBIGUOUS, status)


class APIStatusError(APIError):
    """A complete response reports a failure; the `location` is the target of a redirect, or empty."""

    def __init__(
        self,
        status: int,
        *,
        effect: Effect,
        details: tuple[ErrorDetail, ...] = (),
        retry_after: float | None = None,
        location: str = "",
    ) -> None:
        phrase = HTTPStatus(status).phrase if status in tuple(HTTPStatus) else ""
        super().__init__(f"HTTP {status} {phrase}".strip(), effect, status, retry_after)
        self.details, self.location = details, location


class BadRequestError(APIStatusError):
    """400, 409 or 422: the request is not valid."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the token does not permit this request."""


class NotFoundError(APIStatusError):
    """404: the status page, incident or update does not exist."""


class RateLimitError(APIStatusError):
    """425 or 429: too many requests; this one was not processed."""


class RedirectError(APIStatusError):
    """3xx: the API has moved, or its address is wrong. Redirects are never followed."""


class InternalServerError(APIStatusError):
    """5xx: the API failed while it processed the request."""


class InterceptedError(APIStatusError):
    """4xx, 501 or 505 without an envelope: a proxy, a firewall or an edge responded instead of the API.

    It may have passed the request on and replaced the response, so the effect of a write is AMBIGUOUS.
    """


_THROTTLING = (425, 429)

ERRORS: dict[int, type[APIStatusError]] = {
    **dict.fromkeys((400, 409, 422), BadRequestError),
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    **dict.fromkeys(_THROTTLING, RateLimitError),
}


def error_for(status: int, *, has_envelope: bool = True, writes: bool = False) -> type[APIStatusError]:
    """Return the class of the error for a status; a response without an envelope is not the API's own."""
    is_foreign = not has_envelope and status >= 400  # noqa: PLR2004 - no redirect
    if is_foreign and (effect_of(status) is Effect.REJECTED or (writes and status in _THROTTLING)):
        return InterceptedError
    return ERRORS.get(status) or {3: RedirectError, 5: InternalServerError}.get(status // 100, APIStatusError)


def effect_of(status: int) -> Effect:
    """Return what a request did on the server, from the status of its complete response, outside 2xx."""
    if status in _THROTTLING:
        return Effect.THROTTLED
    is_refusal = status != HTTPStatus.REQUEST_TIMEOUT and 300 <= status < 500  # noqa: PLR2004 - 3xx or 4xx
    return Effect.REJECTED if is_refusal or status in (501, 505) else Effect.AMBIGUOUS
