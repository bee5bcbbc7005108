"""Fixtures of the tests of the network layer."""

import contextlib
from collections.abc import Iterator

import pytest
from support.exchanges import MakeTransport

from onlineornot_action.network.connect import install
from onlineornot_action.network.exchange import Network, Transport
from onlineornot_sandbox.auth import EDIT_TOKEN


@pytest.fixture(scope="package", autouse=True)
def _connect_as_the_action_does() -> None:
    install()


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    """Make transports, and close them after the test."""
    with contextlib.ExitStack() as stack:

        def make(*ca_paths: str, proxy_variables: tuple[str, ...] = ()) -> Transport:
            transport = Transport(EDIT_TOKEN, user_agent="tests/1", network=Network(ca_paths, proxy_variables))
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def transport(make_transport: MakeTransport) -> Transport:
    return make_transport()


@pytest.fixture
def trusting(make_transport: MakeTransport, ca_bundle: str) -> Transport:
    """Make a transport that trusts the authority."""
    return make_transport(ca_bundle)
