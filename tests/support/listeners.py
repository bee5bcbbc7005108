"""Addresses that do not respond as a server does, and names that resolve to several addresses."""

import contextlib
import socket
from collections.abc import Iterator

from onlineornot_action.network.connect import Address, Resolve


def address_at(host: str, port: int) -> Address:
    """Return an IPv4 address."""
    return socket.AF_INET, (host, port)


def resolving_to(*addresses: Address) -> Resolve:
    """Make a resolver that knows these addresses for every name."""
    return lambda _host, _port: addresses


@contextlib.contextmanager
def silent_address(host: str = "127.0.0.1") -> Iterator[Address]:
    """Yield an address whose queue is full: a connection to it is neither accepted nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield address_at(*listener.getsockname())


@contextlib.contextmanager
def refusing_address() -> Iterator[Address]:
    """Yield an address that refuses connections, reserved so that no other process listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield address_at(*bound.getsockname())
