"""Fixtures of the tests of the network layer."""

import contextlib
from collections.abc import Iterator

import pytest
from support.exchanges import MakeTransport, Transport

from onlineornot_action.network.connect import install
from onlineornot_action.network.deadline import Limits
from onlineornot_action.network.exchange import Network
from onlineornot_sandbox.auth import EDIT_TOKEN


@pytest.fixture(scope="package", autouse=True)
def _connect_as_the_action_does() -> None:
    install()


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    """Make transports, and close them after the test."""
    with contextlib.ExitStack() as stack:

        def make(
            limits: Limits = Limits(),  # noqa: B008 - frozen
            ca_bundle: str | None = None,
            network: Network | None = None,
        ) -> Transport:
            network = network or Network((ca_bundle,) if ca_bundle else ())
            transport = Transport(EDIT_TOKEN, user_agent="tests/1", network=network)
            transport.limits = limits
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def transport(make_transport: MakeTransport) -> Transport:
    return make_transport()
