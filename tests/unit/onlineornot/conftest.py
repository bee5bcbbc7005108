"""Fixtures of the tests of the API client."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.client_calls import MakeClient
from support.fault_server import VirtualClock

from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.server import Sandbox


@pytest.fixture
def clock() -> VirtualClock:
    """Make a clock on which time passes only by waiting."""
    return VirtualClock()


@pytest.fixture
def make_client(clock: VirtualClock) -> Iterator[MakeClient]:
    """Make clients on the virtual clock, and close them after the test."""
    with contextlib.ExitStack() as stack:

        def make(
            url: str,
            token: str = EDIT_TOKEN,
            *,
            seconds: float = 60,
            limits: Limits = Limits(),  # noqa: B008 - frozen
            log: Callable[[str], None] = lambda line: None,  # noqa: ARG005 - discards it
            **options: Any,
        ) -> OnlineOrNotClient:
            deadline = Deadline.after(seconds, clock, log=log, limits=limits)
            options.setdefault("mask", lambda text: text.replace(token, "***"))
            client = OnlineOrNotClient(token, deadline=deadline, base_url=url, **options)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(sandbox: Sandbox, make_client: MakeClient) -> OnlineOrNotClient:
    return make_client(sandbox.url)
