"""What can go wrong between a request and its response.

    APIError
    ├── APIConnectionError             no complete response arrived
    │   ├── APITimeoutError            … in time
    │   ├── CertificateError           the server's certificate is not to be trusted
    │   └── ProxyError                 the proxy refuses, or cannot be used
    ├── APIResponseValidationError     a complete response arrived that is none of the API's
    └── APIStatusError                 the API, or something in front of it, said no
        ├── BadRequestError            400, 409, 422
        ├── AuthenticationError        401
        ├── PermissionDeniedError      403
        ├── NotFoundError              404
        ├── RateLimitError             425, 429
        ├── RedirectError              3xx
        └── InternalServerError        5xx

Each one knows its `effect`: what became of the request on the server. That, not the class, decides whether
a request may be repeated. `CancelledError` stands beside them: the caller wants no more.
"""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus


class Effect(Enum):
    """What a failed request did on the server."""

    NOT_SENT = "nothing, the request never left"
    REJECTED = "nothing, the API refused it for good"
    THROTTLED = "nothing, the API asked to come back later"
    AMBIGUOUS = "perhaps what it asked for, the response was lost"


class CancelledError(Exception):
    """Raised when all is to end: nothing more is sent.

    Attributes:
        may_have_written: Whether a write left whose response never came.
        found: What it wrote, if that is known all the same.
    """

    def __init__(self, *, may_have_written: bool = False, found: object = None) -> None:
        super().__init__("cancelled")
        self.may_have_written = may_have_written
        self.found = found


class APIError(Exception):
    """The base of all errors of this library that have to do with the API.

    Attributes:
        effect: What became of the request.
        status: The HTTP status, as soon as the response's first line was read.
        retry_after: Seconds after which the API asked to be called again.
        began: When the request was begun, on the deadline's clock.
    """

    effect: Effect
    status: int | None = None
    retry_after: float | None = None
    began: float = 0.0

    @property
    def final(self) -> bool:
        """Whether the same request will not do better later."""
        return self.effect is Effect.REJECTED

    @property
    def has_success_status(self) -> bool:
        """Whether a response began that was to say that all went well."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - the class of success


class APIConnectionError(APIError):
    """No complete response arrived: the connection was not made, or broke."""

    def __init__(self, message: str, *, effect: Effect, status: int | None = None) -> None:
        super().__init__(message)
        self.effect = effect
        self.status = status


class APITimeoutError(APIConnectionError):
    """The connection, or the response, took longer than its limit."""


class CertificateError(APIConnectionError):
    """The server's certificate was refused; nothing was sent."""

    final = True


class ProxyError(APIConnectionError):
    """The proxy wants a password, or its address is of no use; nothing was sent."""

    final = True


class APIResponseValidationError(APIError):
    """A complete response arrived, but it is not one that the API documents."""

    effect = Effect.AMBIGUOUS

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Refusal:
    """A failure as the API words it. The text is foreign: show it escaped and shortened."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


class APIStatusError(APIError):
    """A complete response said that the request failed.

    Attributes:
        refusals: What the API said about it, if its response was an envelope.
        location: Where a redirect pointed, if to anywhere.
    """

    def __init__(
        self,
        status: int,
        *,
        effect: Effect,
        refusals: tuple[Refusal, ...] = (),
        retry_after: float | None = None,
        location: str = "",
    ) -> None:
        super().__init__(f"HTTP {status} {_phrase(status)}".strip())
        self.status = status
        self.effect = effect
        self.refusals = refusals
        self.retry_after = retry_after
        self.location = location


class BadRequestError(APIStatusError):
    """400, 409 or 422: the API does not accept this request."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the token is good, but not for this."""


class NotFoundError(APIStatusError):
    """404: no such status page, incident or update."""


class RateLimitError(APIStatusError):
    """425 or 429: too many requests; this one was not looked at."""


class RedirectError(APIStatusError):
    """3xx: the API has moved, or the address is not the API's. Never followed."""


class InternalServerError(APIStatusError):
    """5xx: the API failed while it worked on the request."""


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


def error_for(status: int) -> type[APIStatusError]:
    """The class that stands for a status."""
    by_hundreds = {3: RedirectError, 5: InternalServerError}.get(status // 100, APIStatusError)
    return ERRORS.get(status, by_hundreds)


def effect_of(status: int) -> Effect:
    """What a complete response with this status, outside 2xx, says about its request."""
    if status in (425, 429):
        return Effect.THROTTLED
    if (300 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT) or status in _FINAL_5XX:  # noqa: PLR2004 - classes of statuses
        return Effect.REJECTED
    return Effect.AMBIGUOUS


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
