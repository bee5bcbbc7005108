"""Fixtures of the tests of the API client."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from support.client_calls import MakeClient
from support.exchanges import MakeTransport
from support.fault_server import VirtualClock

from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline, Limits
from onlineornot_action.onlineornot.transport import Transport
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.server import Sandbox


@pytest.fixture
def make_client(clock: VirtualClock) -> Iterator[MakeClient]:
    """Make clients on the virtual clock, and close them after the test."""
    with contextlib.ExitStack() as stack:

        def make(url: str, token: str = EDIT_TOKEN, *, seconds: float = 60, **options: Any) -> OnlineOrNotClient:
            client = OnlineOrNotClient(token, deadline=Deadline.after(seconds, clock), base_url=url, **options)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(sandbox: Sandbox, make_client: MakeClient) -> OnlineOrNotClient:
    return make_client(sandbox.url)


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    """Make transports, and close them after the test."""
    with contextlib.ExitStack() as stack:

        def make(limits: Limits = Limits(), ca_bundle: str | None = None) -> Transport:  # noqa: B008 - frozen
            transport = Transport(EDIT_TOKEN, user_agent="tests/1", ca_bundle=ca_bundle, limits=limits)
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def transport(make_transport: MakeTransport) -> Transport:
    return make_transport()
