"""Changes whose responses are lost: whether they are made, and what is reported."""

from collections.abc import Iterable
from itertools import repeat

import pytest
from support.fault_server import VirtualClock

from onlineornot_action.exactly_once.change import change
from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.exactly_once.post import CancelledWriteError, Evidence, UnknownOutcomeError
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    InterceptedError,
    error_for,
)

LOST = APIConnectionError(ExchangeError("no response", Cause.TIMEOUT, Effect.AMBIGUOUS))
INTERCEPTED = error_for(403, has_envelope=False, writes=True)(403, effect=Effect.AMBIGUOUS)
THROTTLED_BEFORE = error_for(429, has_envelope=False, writes=True)(429, effect=Effect.AMBIGUOUS)
REFUSED = error_for(404)(404, effect=Effect.REJECTED)
THROTTLED = error_for(429)(429, effect=Effect.THROTTLED)
NOT_SENT = APIConnectionError(ExchangeError("refused", Cause.CONNECTION, Effect.NOT_SENT))
CUT = error_for(503)(503, effect=Effect.AMBIGUOUS)
CANCELLED = CancelledError()

Outcome = str | Exception | None


class Target:
    """An item to change, with the outcomes of its writes and of its readings, in order."""

    def __init__(self, writes: Iterable[Outcome], reads: Iterable[Outcome] = (), seconds: float = 60) -> None:
        self.clock = VirtualClock()
        self.deadline = Deadline.after(seconds, self.clock)
        self.writes = self.reads = 0
        self._writes, self._reads = iter(writes), iter(reads)

    def change(self) -> tuple[str, Evidence]:
        """Change the item."""
        return change(self._write, self._read, self.deadline, PostLimits())

    def _write(self) -> str:
        self.writes += 1
        return _returned(next(self._writes)) or ""

    def _read(self) -> str | None:
        self.reads += 1
        return _returned(next(self._reads))


def _returned(outcome: Outcome) -> str | None:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@pytest.mark.parametrize(
    ("writes", "reads", "expected"),
    [
        pytest.param([LOST], ["made"], Evidence.RECONCILED, id="lost, made"),
        pytest.param([INTERCEPTED], ["made"], Evidence.RECONCILED, id="intercepted, made"),
        pytest.param([INTERCEPTED], [None, None, "made"], Evidence.RECONCILED, id="intercepted, made late"),
        pytest.param([THROTTLED_BEFORE, "made"], [None], Evidence.RESPONSE, id="intercepted with 429, not made"),
        pytest.param([LOST, INTERCEPTED], [None, "made"], Evidence.RECONCILED, id="lost, intercepted, made"),
        pytest.param([LOST, "made"], [None], Evidence.RESPONSE, id="lost, not made, confirmed"),
        pytest.param([LOST, "made"], [CUT], Evidence.RESPONSE, id="lost, unreadable, confirmed"),
        pytest.param([LOST, LOST, "made"], [None, None], Evidence.RESPONSE, id="lost twice, confirmed"),
        pytest.param([LOST, LOST, LOST], [None, None, "made"], Evidence.RECONCILED, id="lost three times, made"),
        pytest.param([LOST, THROTTLED], [None, "made"], Evidence.RECONCILED, id="lost, throttled, made"),
        pytest.param([LOST, NOT_SENT, "made"], [None, None], Evidence.RESPONSE, id="lost, not sent, confirmed"),
    ],
)
def test_change_is_made_with_this_evidence(writes: list[Outcome], reads: list[Outcome], expected: Evidence) -> None:
    target = Target(writes, reads)

    result = target.change()

    assert result == ("made", expected)
    assert (target.writes, target.reads) == (len(writes), len(reads))


@pytest.mark.parametrize(
    ("writes", "reads", "kind", "cause"),
    [
        pytest.param([REFUSED], [], APIError, REFUSED, id="refused"),
        pytest.param([THROTTLED], [], APIError, THROTTLED, id="throttled"),
        pytest.param([NOT_SENT], [], APIError, NOT_SENT, id="not sent"),
        pytest.param([INTERCEPTED], [REFUSED], APIError, REFUSED, id="intercepted, not there"),
        pytest.param([LOST, INTERCEPTED], [None, REFUSED], APIError, REFUSED, id="lost, intercepted, not there"),
        pytest.param([LOST, REFUSED], [None, None], APIError, REFUSED, id="lost, refused"),
        pytest.param([LOST, REFUSED], [REFUSED] * 2, APIError, REFUSED, id="lost, refused, not there"),
        pytest.param([LOST] * 3, [None] * 3, UnknownOutcomeError, LOST, id="lost three times"),
        pytest.param([LOST, CUT, CUT], [CUT] * 3, UnknownOutcomeError, LOST, id="lost three times, unreadable"),
        pytest.param([LOST, NOT_SENT, THROTTLED], [None] * 3, UnknownOutcomeError, LOST, id="lost, then no effect"),
        pytest.param([LOST, REFUSED], [CUT] * 2, UnknownOutcomeError, CUT, id="lost, rejected, unreadable"),
        pytest.param([CANCELLED], [], CancelledError, CANCELLED, id="cancelled before anything was sent"),
        pytest.param([LOST, CANCELLED], [None], CancelledWriteError, None, id="cancelled before the second attempt"),
        pytest.param([LOST], [CANCELLED], CancelledWriteError, None, id="cancelled while it is read back"),
        pytest.param([LOST, REFUSED], [None, CANCELLED], CancelledWriteError, None, id="cancelled after a refusal"),
    ],
)
def test_change_that_is_not_confirmed_says_why_and_whether_it_may_have_been_made(
    writes: list[Outcome], reads: list[Outcome], kind: type[Exception], cause: Exception | None
) -> None:
    target = Target(writes, reads)

    with pytest.raises(kind) as caught:
        target.change()

    error = caught.value
    assert cause in (error.cause if isinstance(error, UnknownOutcomeError) else error, None)
    assert (target.writes, target.reads) == (len(writes), len(reads))
    assert target.clock.slept <= 0.5 + 1 + 2


@pytest.mark.parametrize("writes", [[INTERCEPTED], [LOST, INTERCEPTED]])
@pytest.mark.parametrize(
    ("read", "expected", "seconds"),
    [(None, InterceptedError, 20), (CUT, UnknownOutcomeError, 59), (INTERCEPTED, UnknownOutcomeError, 59)],
)
def test_change_that_something_in_between_refused_is_raised_once_it_can_no_longer_appear(
    writes: list[Outcome], read: Outcome, expected: type[Exception], seconds: float
) -> None:
    target = Target(writes, repeat(read))

    with pytest.raises(expected):
        target.change()

    assert target.writes == len(writes)
    assert target.clock.slept == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize(("seconds", "reads"), [(0.4, 0), (4.9, 1)])
def test_change_is_not_repeated_without_time_for_it(seconds: float, reads: int) -> None:
    target = Target([LOST, "made"], [None], seconds)

    with pytest.raises(UnknownOutcomeError):
        target.change()

    assert (target.writes, target.reads) == (1, reads)


def test_first_attempt_is_made_however_little_time_is_left() -> None:
    assert Target(["made"], seconds=0).change() == ("made", Evidence.RESPONSE)


def test_item_is_read_back_without_a_pause_after_a_refusal() -> None:
    target = Target([LOST, REFUSED], [None, "made"])

    assert target.change() == ("made", Evidence.RECONCILED)
    assert target.clock.slept <= 0.5


def test_run_that_is_cancelled_in_a_pause_does_not_read_back() -> None:
    target = Target([LOST])
    target.deadline = Deadline.after(60, target.clock, lambda: target.writes > 0)

    with pytest.raises(CancelledWriteError):
        target.change()

    assert target.reads == 0
