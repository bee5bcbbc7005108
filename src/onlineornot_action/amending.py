"""Changing and deleting an update when answers get lost: what is there is read back before it is tried again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, Deadline, Limits, backoff
from onlineornot_action.onlineornot.errors import APIError, CancelledError, Effect
from onlineornot_action.posting import MOST_LOST, How, UnsettledError

T = TypeVar("T")


@dataclass(frozen=True)
class Change(Generic[T]):
    """A write that may be repeated, and how to see that it is done.

    Attributes:
        write: Do it.
        read_back: What `write` would have answered, if things are as it was to make them; otherwise None.
    """

    write: Callable[[], T]
    read_back: Callable[[], T | None]


def insist(change: Change[T], deadline: Deadline, limits: Limits = DEFAULT_LIMITS) -> tuple[T, How]:
    """Make a change, and say how it is known that it is made.

    Raises:
        APIError: It is not made.
        UnsettledError: It may be made.
        CancelledError: The deadline was cancelled; the error says whether it may be made.
    """
    lost: APIError | None = None
    try:
        for tries in range(1, MOST_LOST + 1):
            try:
                return change.write(), How.ANSWERED
            except APIError as error:
                if lost is None and error.effect is not Effect.AMBIGUOUS:
                    raise
                if error.effect is Effect.REJECTED:
                    return _settle(change, error), How.FOUND
                if error.effect is Effect.THROTTLED and error.retry_after:  # longer than the time that is left
                    raise UnsettledError(error) from lost
                lost = lost or error
            if not deadline.sleep(backoff(tries, limits), limits.read_reserve):
                break
            if (made := _read_back(change)) is not None:
                return made, How.FOUND
            if deadline.left() < limits.write_reserve:
                break
    except CancelledError as error:
        raise CancelledError(may_have_written=lost is not None) from error
    assert lost is not None  # noqa: S101 - whoever comes here has lost an answer
    raise UnsettledError(lost)


def _read_back(change: Change[T]) -> T | None:
    try:
        return change.read_back()
    except APIError:
        return None


def _settle(change: Change[T], error: APIError) -> T:
    """Find out whether an earlier try worked, when this one was refused."""
    try:
        made = change.read_back()
    except APIError as unread:
        raise UnsettledError(unread) from error
    if made is None:
        raise error
    return made
