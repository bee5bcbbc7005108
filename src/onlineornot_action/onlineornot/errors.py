"""Every way in which a request can fail.

    APIError
    ├── APIConnectionError             no complete response arrived
    ├── APIResponseValidationError     a complete response arrived that the API does not document
    └── APIStatusError                 the API, or something in front of it, reported a failure
        ├── BadRequestError            400, 409, 422
        ├── AuthenticationError        401
        ├── PermissionDeniedError      403
        ├── NotFoundError              404
        ├── RateLimitError             425, 429
        ├── RedirectError              3xx
        ├── InternalServerError        5xx
        └── InterceptedError           4xx, 501 or 505 that is not the API's own response

Each has an `effect`: what the request did on the server. The effect, not the class, decides whether a request may be
repeated. `CancelledError` of the network stands apart: the API did not fail, the caller stopped.
"""

from http import HTTPStatus

from onlineornot_action.network.exchange import Cause, Effect, ExchangeError
from onlineornot_action.onlineornot.models import ErrorDetail


class APIError(Exception):
    """The base of every failure to get a successful response.

    Attributes:
        effect: What the request did on the server.
        status: The HTTP status, once the status line was read.
        retry_after: Seconds that the API asked to wait before the next request.
        began: When the request began, on the deadline's clock.
    """

    def __init__(
        self,
        message: str,
        *,
        effect: Effect,
        status: int | None = None,
        retry_after: float | None = None,
        began: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.effect, self.status, self.retry_after, self.began = effect, status, retry_after, began

    @property
    def final(self) -> bool:
        """Whether the same request would fail again."""
        return self.effect is Effect.REJECTED

    @property
    def is_refusal(self) -> bool:
        """Whether the request was refused for good, provided that it has changed nothing."""
        return self.final

    @property
    def prevents_writing(self) -> bool:
        """Whether a write to the same place would fail for the same reason."""
        refused = self.status in (401, 403, 404)
        return refused or self.effect is Effect.THROTTLED or (self.effect is Effect.NOT_SENT and self.final)

    @property
    def has_success_status(self) -> bool:
        """Whether the status line reported success, whatever went wrong after it."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - the class of success


class APIConnectionError(APIError):
    """No complete response arrived: the connection could not be made, or broke.

    Attributes:
        cause: Why.
    """

    def __init__(self, error: ExchangeError) -> None:
        super().__init__(str(error), effect=error.effect, status=error.status, began=error.began)
        self.cause = error.cause

    @property
    def final(self) -> bool:
        """Whether the same request would fail again."""
        return self.cause not in (Cause.CONNECTION, Cause.TIMEOUT)


class APIResponseValidationError(APIError):
    """A complete response arrived, but not one that the API documents."""

    def __init__(self, message: str, *, status: int | None = None, began: float = 0.0) -> None:
        super().__init__(message, effect=Effect.AMBIGUOUS, status=status, began=began)


class APIStatusError(APIError):
    """A complete response reported a failure.

    Attributes:
        details: The errors in the response; empty when it was not an envelope.
        location: The target of a redirect; empty when the response names none.
    """

    def __init__(
        self,
        status: int,
        *,
        effect: Effect,
        details: tuple[ErrorDetail, ...] = (),
        retry_after: float | None = None,
        location: str = "",
        began: float = 0.0,
    ) -> None:
        phrase = HTTPStatus(status).phrase if status in tuple(HTTPStatus) else ""
        super().__init__(
            f"HTTP {status} {phrase}".strip(), effect=effect, status=status, retry_after=retry_after, began=began
        )
        self.details, self.location = details, location

    @property
    def is_refusal(self) -> bool:
        """Whether the request was refused for good, provided that it has changed nothing."""
        return self.final or (self.is_foreign and self.status not in _THROTTLING)

    @property
    def is_foreign(self) -> bool:
        """Whether something in front of the API responded to a write, which it may have passed on."""
        return self.effect is Effect.AMBIGUOUS and isinstance(self, InterceptedError | RedirectError)


class BadRequestError(APIStatusError):
    """400, 409 or 422: the API does not accept this request."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the token is valid, but does not permit this request."""


class NotFoundError(APIStatusError):
    """404: the status page, incident or update does not exist."""


class RateLimitError(APIStatusError):
    """425 or 429: too many requests; this one was not processed."""


class RedirectError(APIStatusError):
    """3xx: the API has moved, or the address is not the API's. Redirects are never followed."""


class InternalServerError(APIStatusError):
    """5xx: the API failed while it processed the request."""


class InterceptedError(APIStatusError):
    """4xx, 501 or 505 whose body is no envelope of the API's: a proxy, a firewall or an edge responded instead of it.

    It may have passed the request on and replaced the response, so the effect of a write is AMBIGUOUS.
    """


ERRORS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: BadRequestError,
    422: BadRequestError,
    425: RateLimitError,
    429: RateLimitError,
}

_FINAL_5XX = (501, 505)


_THROTTLING = (425, 429)


def error_for(status: int, *, has_envelope: bool = True, writes: bool = False) -> type[APIStatusError]:
    """Return the error class of a status.

    Args:
        status: The HTTP status.
        has_envelope: Whether the response is the API's own.
        writes: Whether the request does.
    """
    is_foreign = not has_envelope and status >= 400  # noqa: PLR2004 - no redirect
    if is_foreign and (effect_of(status) is Effect.REJECTED or (writes and status in _THROTTLING)):
        return InterceptedError
    by_hundreds = {3: RedirectError, 5: InternalServerError}.get(status // 100, APIStatusError)
    return ERRORS.get(status, by_hundreds)


def effect_of(status: int) -> Effect:
    """Return what a complete response of the API with this status, outside 2xx, says about its request."""
    if status in _THROTTLING:
        return Effect.THROTTLED
    if status != HTTPStatus.REQUEST_TIMEOUT and (300 <= status < 500 or status in _FINAL_5XX):  # noqa: PLR2004 - 3xx, 4xx
        return Effect.REJECTED
    return Effect.AMBIGUOUS
