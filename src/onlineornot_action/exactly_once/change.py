"""Change or delete exactly once: when a response is lost, the item is read back before the write is repeated."""

from collections.abc import Callable
from typing import TypeVar

from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.exactly_once.post import CancelledWriteError, Evidence, UnknownOutcomeError
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Effect
from onlineornot_action.onlineornot.errors import APIError, NotFoundError

T = TypeVar("T")


def change(
    write: Callable[[], T], read_back: Callable[[], T | None], deadline: Deadline, limits: PostLimits
) -> tuple[T, Evidence]:
    """Make a change that is safe to repeat, and say how it is known to have been made.

    Args:
        write: Makes the change.
        read_back: Returns what `write` returns if the change was made, otherwise None.
        deadline: When to give up.
        limits: How many writes may lose their response, and how long absence takes to prove.

    Raises:
        APIError: The change was not made.
        UnknownOutcomeError: The change may have been made.
        CancelledError: The run was cancelled; the change was not made.
        CancelledWriteError: The run was cancelled; the change may have been made.
    """
    try:
        return write(), Evidence.RESPONSE
    except APIError as error:
        if error.effect is not Effect.AMBIGUOUS:
            raise
        lost = error
    try:
        if lost.is_refusal:
            return _wait_for_change(lost, read_back, deadline, limits), Evidence.RECONCILED
        return _reconcile(lost, write, read_back, deadline, limits)
    except CancelledError as error:
        raise CancelledWriteError from error


def _reconcile(
    lost: APIError, write: Callable[[], T], read_back: Callable[[], T | None], deadline: Deadline, limits: PostLimits
) -> tuple[T, Evidence]:
    """Read back and write again, alternately, until either shows that the change was made."""
    for attempts in range(1, limits.lost_writes + 1):
        pause = deadline.backoff(attempts)
        if not deadline.sleep(
            pause, deadline.limits.read_reserve, until="the update is read back, since the response was lost"
        ):
            break
        made, _ = _try_to_read_back(read_back)
        if made is not None:
            return made, Evidence.RECONCILED
        if attempts == limits.lost_writes or deadline.left() < deadline.limits.write_reserve:
            break
        try:
            return write(), Evidence.RESPONSE
        except APIError as error:
            if error.effect is Effect.REJECTED:
                return _read_back_after_refusal(read_back, error), Evidence.RECONCILED
            if error.effect is Effect.AMBIGUOUS and error.is_refusal:
                return _wait_for_change(error, read_back, deadline, limits), Evidence.RECONCILED
            # The client raises for a Retry-After only when that exceeds the time left.
            if error.effect is Effect.THROTTLED and error.retry_after:
                raise UnknownOutcomeError(error) from lost
    raise UnknownOutcomeError(lost)


def _try_to_read_back(read_back: Callable[[], T | None]) -> tuple[T | None, APIError | None]:
    try:
        return read_back(), None
    except APIError as error:
        return None, error


def _wait_for_change(refusal: APIError, read_back: Callable[[], T | None], deadline: Deadline, limits: PostLimits) -> T:
    """Read back after something in front of the API refused the change, until it shows or can no longer arrive."""
    clock, attempts = deadline.clock, 0
    proof_from = clock.monotonic() + limits.absence_delay
    while True:
        attempts += 1
        began = clock.monotonic()
        made, failure = _try_to_read_back(read_back)
        if made is not None:
            return made
        if isinstance(failure, NotFoundError):
            raise failure  # the API itself says that there is nothing to change
        if failure is None and began >= proof_from:
            raise refusal
        pause, rest = deadline.backoff(attempts), proof_from - clock.monotonic()
        if not deadline.sleep(min(pause, rest) if rest > 0 else pause, deadline.limits.read_reserve):
            raise UnknownOutcomeError(refusal)


def _read_back_after_refusal(read_back: Callable[[], T | None], refusal: APIError) -> T:
    """Find out whether an earlier write succeeded, now that a later one was refused."""
    try:
        made = read_back()
    except APIError as error:
        raise UnknownOutcomeError(error) from refusal
    if made is None:
        raise refusal
    return made
