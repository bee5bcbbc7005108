"""Changing and deleting an update when answers get lost: what is there is read back before it is tried again."""

from collections.abc import Callable
from typing import TypeVar

from onlineornot_action.exactly_once.post import MAX_LOST_WRITES, Evidence, UnknownOutcomeError
from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, Deadline, Limits, backoff
from onlineornot_action.onlineornot.errors import APIError, CancelledError, Effect

T = TypeVar("T")


def change(
    write: Callable[[], T], read_back: Callable[[], T | None], deadline: Deadline, limits: Limits = DEFAULT_LIMITS
) -> tuple[T, Evidence]:
    """Make a change that may be repeated, and say how it is known that it is made.

    Args:
        write: Makes it.
        read_back: Answers as `write` would, if things are as it was to make them; otherwise None.
        deadline: When to give up.
        limits: How long what may take.

    Raises:
        APIError: It is not made.
        UnknownOutcomeError: It may be made.
        CancelledError: The deadline was cancelled; the error says whether it may be made.
    """
    lost: APIError | None = None
    try:
        for attempts in range(1, MAX_LOST_WRITES + 1):
            try:
                return write(), Evidence.RESPONSE
            except APIError as error:
                if lost is None and error.effect is not Effect.AMBIGUOUS:
                    raise
                if error.effect is Effect.REJECTED:
                    return _settle(read_back, error), Evidence.RECONCILED
                if error.effect is Effect.THROTTLED and error.retry_after:  # longer than the time that is left
                    raise UnknownOutcomeError(error) from lost
                lost = lost or error
            if not deadline.sleep(backoff(attempts, limits), limits.read_reserve):
                break
            if (made := _try(read_back)) is not None:
                return made, Evidence.RECONCILED
            if deadline.left() < limits.write_reserve:
                break
    except CancelledError as error:
        raise CancelledError(may_have_written=lost is not None) from error
    assert lost is not None  # noqa: S101 - whoever comes here has lost a response
    raise UnknownOutcomeError(lost)


def _try(read_back: Callable[[], T | None]) -> T | None:
    try:
        return read_back()
    except APIError:
        return None


def _settle(read_back: Callable[[], T | None], error: APIError) -> T:
    """Find out whether an earlier try worked, when this one was refused."""
    try:
        made = read_back()
    except APIError as unread:
        raise UnknownOutcomeError(unread) from error
    if made is None:
        raise error
    return made
