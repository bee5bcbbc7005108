"""One deadline for a whole run: its clock, its limits, back-off and cancellation."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

POLL_SECONDS = 0.1  # how often a wait checks for cancellation
MIN_ANNOUNCED_WAIT = 2.0  # seconds; a longer wait is logged, so that it does not look like a hang


class CancelledError(Exception):
    """Raised when the run was cancelled and this request has changed nothing."""

    def __init__(self) -> None:
        super().__init__("the run was cancelled")


class Clock(Protocol):
    """The functions of the module `time` that are used; the module itself is a `Clock`."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...
    def sleep(self, seconds: float, /) -> None: ...


SYSTEM_CLOCK: Clock = time


class Limits(NamedTuple):
    """The limits of an exchange and of its repetition, in seconds unless stated otherwise."""

    connect: float = 10  # to make a connection: name resolution, proxy and TLS handshake included
    response: float = 30  # from the first byte of a request to the last byte of its response
    idle: float = 2  # a connection that was idle for longer is not reused
    write_reserve: float = 5  # a write is not *repeated* with less time left; the first attempt is always made
    read_reserve: float = 0.5  # a read is not repeated with less time left
    min_backoff: float = 0.5
    max_backoff: float = 8
    grace: float = 2  # after a cancellation: for the response to a sent write, and for one last reading of the list
    body: int = 8 * 1024 * 1024  # bytes of a response's body, after decompression


class Deadline(NamedTuple):
    """A moment, in the clock's `monotonic` seconds, by which everything has to be over."""

    at: float
    clock: Clock = SYSTEM_CLOCK
    cancelled: Callable[[], bool] = lambda: False
    log: Callable[[str], None] = lambda _: None  # receives a line about each long wait
    limits: Limits = Limits()
    parent: "Deadline | None" = None  # the later deadline of which this one is a part

    @classmethod
    def after(
        cls,
        seconds: float,
        clock: Clock = SYSTEM_CLOCK,
        cancelled: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] = lambda _: None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> "Deadline":
        """Return a deadline this many seconds from now."""
        return cls(clock.monotonic() + seconds, clock, cancelled, log, limits)

    @property
    def outermost(self) -> "Deadline":
        """The deadline of the whole run."""
        return self.parent.outermost if self.parent else self

    def left(self) -> float:
        """Return the seconds until the deadline, never less than zero."""
        return max(0.0, self.at - self.clock.monotonic())

    def within(self, seconds: float, *, detached: bool = False) -> "Deadline":
        """Return a deadline at most this many seconds from now, and never later than this one.

        A wait that the API asks for may exceed the new deadline, up to the outermost one, unless it is `detached`.
        """
        at = min(self.at, self.clock.monotonic() + seconds)
        return self._replace(at=at, parent=None if detached else self)

    def despite_cancellation(self, seconds: float) -> "Deadline":
        """Return a deadline at most this many seconds from now that no cancellation interrupts."""
        return Deadline(self.within(seconds).at, self.clock, limits=self.limits)

    def check(self) -> None:
        """Raise `CancelledError` if the run was cancelled."""
        if self.cancelled():
            raise CancelledError

    def backoff(self, attempts: int) -> float:
        """Return the seconds to wait after this many attempts: random, so that clients do not return all at once."""
        ceiling = min(self.limits.max_backoff, self.limits.min_backoff * 2 ** min(attempts - 1, 10))
        return random.uniform(0, ceiling)  # noqa: S311 - no secret

    def announce(self, what: str) -> None:
        """Log a wait, and how many seconds are left for the whole run."""
        self.log(f"Waiting {what}; {self.outermost.left():.0f} s left")

    def sleep(self, seconds: float, reserve: float = 0, *, until: str = "") -> bool:
        """Sleep, but keep a reserve, in seconds; return False, without sleeping, when no more than that is left.

        Announce a long wait if `until` says what comes next; raise `CancelledError` if the run was cancelled.
        """
        self.check()
        end = min(self.clock.monotonic() + seconds, self.at - reserve)
        if self.left() <= reserve:
            return False
        pause = end - self.clock.monotonic()
        if until and pause > MIN_ANNOUNCED_WAIT:
            self.announce(f"{pause:.0f} s until {until}")
        while (rest := end - self.clock.monotonic()) > 0:
            self.clock.sleep(min(rest, POLL_SECONDS))
            self.check()
        return True
