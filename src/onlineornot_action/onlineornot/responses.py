"""Read the result of a complete response, or raise the error that it reports."""

import email.utils
import re
from collections.abc import Callable
from datetime import UTC
from itertools import islice
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import BeforeValidator, Field, StrictBool, ValidationError

from onlineornot_action.network.exchange import Effect, Response
from onlineornot_action.onlineornot.errors import (
    APIError,
    APIResponseValidationError,
    InterceptedError,
    RedirectError,
    effect_of,
    error_for,
)
from onlineornot_action.onlineornot.models import ErrorDetail, Lenient, Many, ReadModel

T = TypeVar("T")
Mask = Callable[[str], str]
"""Replaces every secret in a text."""


class ResultInfo(ReadModel):
    """The size of a list."""

    total_count: Lenient[int] = None


def _require_no_id(value: object) -> None:
    """Accept whatever a failure may contain in place of a result: anything without an id."""
    if isinstance(value, dict) and value.get("id"):
        raise ValueError("has an id")


class Envelope(ReadModel, Generic[T]):
    """The object that the API wraps around every result."""

    success: StrictBool
    result: T | Annotated[None, BeforeValidator(_require_no_id)] = Field(None, union_mode="left_to_right")
    result_info: Lenient[ResultInfo] = None


class Failure(ReadModel):
    """The envelope of a failure; one that a gateway wrote lacks `success` or `errors`."""

    success: Lenient[StrictBool] = None
    errors: Lenient[Many[Lenient[ErrorDetail]]] = None


class Received(NamedTuple, Generic[T]):
    """A result and its size in bytes; the other fields are those of `ListPage`."""

    result: T
    size: int
    total_count: int | None
    began: float
    server_time: float | None


def read_response(
    response: Response, envelope: type[Envelope[T]], *, writes: bool, mask: Mask, now: float
) -> Received[T]:
    """Read the result of a response; `now`, in seconds since 1970, is for a `Retry-After` without a `Date`.

    A failure that is not the API's own does not tell whether a write was done.

    Raises:
        APIStatusError: The response reports a failure.
        APIResponseValidationError: The response is not one that the API documents.
    """
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the class of success
        raise _status_error(response, effect_of(response.status), mask, now, writes=writes)
    if response.status > 201:  # noqa: PLR2004 - only 200 and 201 are documented
        raise _invalid(response, "is not a documented success status")
    try:
        read = envelope.model_validate_json(well_formed(response.body), context=mask)
    except ValidationError as error:
        raise _invalid(response, "with a body that the API does not document") from error
    if not read.success and not getattr(read.result, "id", None):
        raise _status_error(response, Effect.REJECTED, mask, now, writes=False)
    if not read.success or read.result is None:
        raise _invalid(response, "with a body that contradicts itself")
    total_count = read.result_info.total_count if read.result_info else None
    date = _parse_date(response.headers.get("Date", ""))
    return Received(read.result, len(response.body), total_count, response.began, date)


def _invalid(response: Response, problem: str) -> APIResponseValidationError:
    return APIResponseValidationError(f"HTTP {response.status} {problem}", status=response.status)


_MAX_STRUCTURE = 200_000
"""Braces, brackets and commas outside strings; a page of 100 updates has a few thousand."""

# Rarely needed, so not compiled in advance: compiling takes longer than reading a usual response.
_TOKEN = rb'(?s)"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{\[,]'
"""A string, closed or not, or a character of the structure; it never backtracks."""
_LONE_SURROGATE = (
    rb"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


def well_formed(body: bytes) -> bytes:
    r"""Return JSON that pydantic accepts, and at a reasonable cost.

    A body that is all structure would take gigabytes of memory; it becomes empty, which is not a valid response. Lone
    surrogates (`\ud83d`), left by a server that truncated a text, become question marks, since pydantic refuses them.
    """
    if sum(map(body.count, (b"{", b"[", b","))) > _MAX_STRUCTURE:
        structure = (token for token in re.finditer(_TOKEN, body) if token[0][0] != ord('"'))
        if next(islice(structure, _MAX_STRUCTURE, None), None):
            return b""
    return re.sub(_LONE_SURROGATE, rb"\1?", body) if rb"\ud" in body.lower() else body


def _status_error(response: Response, effect: Effect, mask: Mask, now: float, *, writes: bool) -> APIError:
    try:
        failure = Failure.model_validate_json(well_formed(response.body), context=mask)
    except ValidationError:
        failure = Failure()
    has_envelope = failure.success is False and failure.errors is not None
    kind = error_for(response.status, has_envelope=has_envelope, writes=writes)
    return kind(
        response.status,
        effect=Effect.AMBIGUOUS if writes and issubclass(kind, InterceptedError | RedirectError) else effect,
        details=tuple(detail for detail in failure.errors or () if detail and (detail.code or detail.message)),
        retry_after=_retry_after(response, now),
        location=mask(response.headers.get("Location", "")),
    )


def _retry_after(response: Response, now: float) -> float | None:
    """Return the seconds to wait, from a number or a date (RFC 9110, section 10.2.3); None for anything else.

    A date is compared with the server's own clock if the response has a `Date`, and with `now` otherwise.
    """
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]+", value):
        return float(value) or None
    moment = _parse_date(value)
    if moment is None:
        return None
    seconds = moment - (_parse_date(response.headers.get("Date", "")) or now)
    return seconds if seconds > 0 else None


def _parse_date(value: str) -> float | None:
    """Parse an HTTP date to seconds since 1970; None for anything else."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
