"""What several test files need."""

from collections.abc import Iterator

import pytest

from onlineornot_sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve a page with one open incident."""
    with Sandbox() as sandbox:
        yield sandbox
