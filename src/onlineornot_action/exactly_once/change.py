"""Change or delete exactly once: when a response is lost, the item is read back before the write is repeated."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from onlineornot_action.exactly_once.listing import PostLimits, pause_before_reading
from onlineornot_action.exactly_once.post import CancelledWriteError, Evidence, UnknownOutcomeError
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Effect
from onlineornot_action.onlineornot.errors import APIError, NotFoundError

T = TypeVar("T")


def change(
    write: Callable[[], T], read_back: Callable[[], T | None], deadline: Deadline, limits: PostLimits
) -> tuple[T, Evidence]:
    """Make a change that is safe to repeat, and say how it is known to have been made.

    `read_back` returns what `write` returns if the change was made, otherwise None.

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
        pause, until = deadline.backoff(attempts), "the update is read back, since the response was lost"
        if not deadline.sleep(pause, deadline.limits.read_reserve, until=until):
            break
        with contextlib.suppress(APIError):
            if (made := read_back()) is not None:
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


def _wait_for_change(refusal: APIError, read_back: Callable[[], T | None], deadline: Deadline, limits: PostLimits) -> T:
    """Read back after something in front of the API refused the change, until it shows or can no longer arrive."""
    attempts, proof_from = 1, deadline.clock.monotonic() + limits.absence_delay
    while True:
        began = deadline.clock.monotonic()
        try:
            made = read_back()
        except NotFoundError:
            raise  # the API itself says that there is nothing to change
        except APIError:
            pass
        else:
            if made is not None:
                return made
            if began >= proof_from:
                raise refusal
        if not pause_before_reading(deadline, attempts, proof_from=proof_from):
            raise UnknownOutcomeError(refusal)
        attempts += 1


def _read_back_after_refusal(read_back: Callable[[], T | None], refusal: APIError) -> T:
    """Find out whether an earlier write succeeded, now that a later one was refused."""
    try:
        made = read_back()
    except NotFoundError:
        raise refusal from None
    except APIError as error:
        raise UnknownOutcomeError(error) from refusal
    if made is None:
        raise refusal
    return made
