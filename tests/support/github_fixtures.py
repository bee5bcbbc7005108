"""Fixtures of the tests that use the small GitHub; a test file imports the ones that it needs."""

from collections.abc import Iterator

import pytest
from support.clock import SkippingClock
from support.fault_server import FaultServer
from support.github_app import GitHub, create_github_app

__all__ = ["github", "server"]


@pytest.fixture
def github() -> GitHub:
    """Create the state of the small GitHub."""
    return GitHub()


@pytest.fixture
def server(github: GitHub, clock: SkippingClock) -> Iterator[FaultServer]:
    """Serve GitHub; a test adds to the script."""
    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        yield server
