"""How long things may take, and the clock that measures them."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from onlineornot_action.onlineornot.errors import CancelledError


class Clock(Protocol):
    """What tells the time and lets it pass; the module `time` is one."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        ...

    def time(self) -> float:
        """Seconds since 1970, for comparison with the dates in answers."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Let so many seconds pass."""
        ...


SYSTEM_CLOCK: Clock = time


@dataclass(frozen=True)
class Limits:
    """Every limit of an exchange with the API, in seconds unless said otherwise."""

    connect: float = 10
    """Until the connection is made: name resolution, proxy and TLS handshake included."""
    response: float = 30
    """From the first byte of a request to the last byte of its response."""
    idle: float = 2
    """A connection that stood idle for longer is not used again."""
    write_reserve: float = 5
    """A write is not begun *again* with less time left than this."""
    read_reserve: float = 0.5
    """Nor is a read with less than this."""
    min_backoff: float = 0.5
    max_backoff: float = 8
    grace: float = 2
    """For the response of a write when the job is cancelled, and for one last look at the list."""
    body: int = 8 * 1024 * 1024
    """Bytes of a response's body, after decompression."""


DEFAULT_LIMITS = Limits()


def backoff(attempts: int, limits: Limits) -> float:
    """Seconds to wait after so many attempts: random, so that many clients do not come back together."""
    ceiling = min(limits.max_backoff, limits.min_backoff * 2 ** min(attempts - 1, 10))
    return random.uniform(0, ceiling)  # noqa: S311 - no secret


POLL_SECONDS = 0.1
"""Seconds after which whoever waits looks whether all is to end."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Deadline:
    """A moment on a clock that nothing outlives.

    Attributes:
        at: The moment.
        clock: The clock.
        cancelled: Tells whether all is to end at once.
        parent: The later deadline that this one is a part of.
    """

    at: float
    clock: Clock = SYSTEM_CLOCK
    cancelled: Callable[[], bool] = _never
    parent: "Deadline | None" = None

    @classmethod
    def after(cls, seconds: float, clock: Clock = SYSTEM_CLOCK, cancelled: Callable[[], bool] = _never) -> "Deadline":
        """The moment that lies so many seconds ahead."""
        return cls(clock.monotonic() + seconds, clock, cancelled)

    @property
    def whole(self) -> "Deadline":
        """The last deadline, of which all others are parts."""
        return self.parent.whole if self.parent else self

    def left(self) -> float:
        """Seconds until then, never below zero."""
        return max(0.0, self.at - self.clock.monotonic())

    def within(self, seconds: float, *, detached: bool = False) -> "Deadline":
        """An earlier deadline, if so many seconds end before this one; `detached`, it is no part of it."""
        parent = None if detached else self
        return Deadline(min(self.at, self.clock.monotonic() + seconds), self.clock, self.cancelled, parent)

    def despite_cancellation(self, seconds: float) -> "Deadline":
        """A new deadline for what has to be done all the same."""
        return Deadline(min(self.at, self.clock.monotonic() + seconds), self.clock)

    def check(self) -> None:
        """Go no further when all is to end.

        Raises:
            CancelledError: It is.
        """
        if self.cancelled():
            raise CancelledError

    def sleep(self, seconds: float, reserve: float = 0) -> bool:
        """Let time pass, but keep a reserve; False when there is no more than that.

        Raises:
            CancelledError: All is to end at once.
        """
        self.check()
        end = min(self.clock.monotonic() + seconds, self.at - reserve)
        if self.left() <= reserve:
            return False
        while (rest := end - self.clock.monotonic()) > 0:
            self.clock.sleep(min(rest, POLL_SECONDS))
            self.check()
        return True
