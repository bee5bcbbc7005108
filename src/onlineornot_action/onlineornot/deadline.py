"""How long things may take, and the clock that measures them."""

import time
from dataclasses import dataclass
from typing import Protocol


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
    answer: float = 30
    """From the first byte of a request to the last byte of its answer."""
    idle: float = 2
    """A connection that stood idle for longer is not used again."""
    write_reserve: float = 5
    """A write is not begun *again* with less time left than this."""
    read_reserve: float = 0.5
    """Nor is a read with less than this."""
    shortest_backoff: float = 0.5
    longest_backoff: float = 8
    body: int = 8 * 1024 * 1024
    """Bytes of an answer's body, after decompression."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Deadline:
    """A moment on a clock that nothing outlives."""

    at: float
    clock: Clock = SYSTEM_CLOCK

    @classmethod
    def after(cls, seconds: float, clock: Clock = SYSTEM_CLOCK) -> "Deadline":
        """The moment that lies so many seconds ahead."""
        return cls(clock.monotonic() + seconds, clock)

    def left(self) -> float:
        """Seconds until then, never below zero."""
        return max(0.0, self.at - self.clock.monotonic())
