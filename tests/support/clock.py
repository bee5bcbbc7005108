"""Clocks for tests to pass in."""

import time


class SkippingClock:
    """A clock that runs as usual, but whose sleep takes no time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def monotonic(self) -> float:
        """Return a number of seconds that never decreases."""
        return time.monotonic() + self.slept

    def time(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.slept

    def sleep(self, seconds: float) -> None:
        """Move the clock forward."""
        self.slept += seconds
