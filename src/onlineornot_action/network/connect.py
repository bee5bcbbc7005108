"""Connect to the first address of a host that responds: "Happy Eyeballs", https://www.rfc-editor.org/rfc/rfc8305.

urllib3 waits its whole timeout for each address in turn, so one that drops packets, as half-working IPv6 does, uses
up all the time: https://github.com/urllib3/urllib3/blob/main/src/urllib3/util/connection.py
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

import urllib3.util.connection
from urllib3.exceptions import LocationParseError

ATTEMPT_DELAY = 0.25  # seconds until the next address is tried while earlier ones are silent, as RFC 8305 recommends

_CONNECTING = frozenset({0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})
"""What `connect_ex` returns unless it fails. WSAEWOULDBLOCK exists only on Windows; elsewhere, EWOULDBLOCK is a
failure: https://man7.org/linux/man-pages/man2/connect.2.html
"""

Address = tuple[int, tuple[Any, ...]]  # a family and a socket address, as `socket.getaddrinfo` returns them
Resolve = Callable[[str, int], Iterable[Address]]

_unconfirmed: set[tuple[Any, ...]] = set()  # socket addresses that were tried, but not confirmed since: tried last


def resolve_name(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, in the system's order of preference."""
    family = urllib3.util.connection.allowed_gai_family()
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, family, socket.SOCK_STREAM)
    except UnicodeError:
        raise LocationParseError(f"{host!r}, label empty or too long") from None
    return [(family, sockaddr) for family, _, _, _, sockaddr in found]


def install(resolve: Resolve = resolve_name) -> None:
    """Make urllib3, and all that is built on it, connect with `create_connection`."""
    urllib3.util.connection.create_connection = partial(create_connection, resolve=resolve)


def create_connection(
    address: tuple[str, int],
    timeout: float,
    source_address: None = None,  # noqa: ARG001 - urllib3 passes it; requests never sets it
    socket_options: Sequence[tuple[Any, ...]] = (),
    *,
    resolve: Resolve,
    attempt_delay: float = ATTEMPT_DELAY,
) -> socket.socket:
    """Connect to the first address that responds. Until `confirm` is called, later calls try that address last.

    Raises:
        TimeoutError: No address responded in time.
        OSError: All addresses failed; the error is that of the last.
    """
    end = time.monotonic() + timeout
    waiting = deque(in_order(resolve(*address)))
    error = OSError("the name has no address")
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if time.monotonic() >= end:
                    raise TimeoutError("no address responded in time")
                try:
                    if waiting:
                        _begin(waiting.popleft(), selector, socket_options)
                    until = min(end, time.monotonic() + attempt_delay) if waiting else end
                    if connected := _wait(selector, until):
                        connected.settimeout(timeout)
                        return connected
                except OSError as failure:
                    error = failure
            raise error
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]  # only sockets are registered


def confirm(connection: socket.socket) -> None:
    """Record that a connection is ready, with its proxy's tunnel and its TLS handshake."""
    # In TLS within TLS, urllib3's wrapper has the socket in this attribute.
    _unconfirmed.discard(getattr(connection, "socket", connection).getpeername())


def in_order(addresses: Iterable[Address]) -> Iterator[Address]:
    """Put unconfirmed addresses last, and alternate between the families, beginning with that of the first."""
    distinct = dict.fromkeys(addresses)
    for is_last in (False, True):
        by_family: dict[int, list[Address]] = {}
        for address in distinct:
            if (address[1] in _unconfirmed) is is_last:
                by_family.setdefault(address[0], []).append(address)
        for group in zip_longest(*by_family.values()):
            yield from filter(None, group)


def _begin(address: Address, selector: selectors.BaseSelector, options: Iterable[tuple[Any, ...]]) -> None:
    """Begin to connect to an address; raise an `OSError` if that fails at once."""
    family, sockaddr = address
    _unconfirmed.add(sockaddr)
    attempt = socket.socket(family, socket.SOCK_STREAM)
    selector.register(attempt, selectors.EVENT_WRITE)
    attempt.setblocking(False)
    for option in options:
        attempt.setsockopt(*option)
    _raise_failure(attempt, attempt.connect_ex(sockaddr), selector)


def _wait(selector: selectors.BaseSelector, until: float) -> socket.socket | None:
    """Wait for a connection; return None when the time is up, and raise an `OSError` when an attempt has failed."""
    ready = selector.select(max(0.0, until - time.monotonic()))
    if not ready:
        return None
    attempt: socket.socket = ready[0][0].fileobj  # type: ignore[assignment]  # only sockets are registered
    _raise_failure(attempt, attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), selector)
    selector.unregister(attempt)
    return attempt


def _raise_failure(attempt: socket.socket, code: int, selector: selectors.BaseSelector) -> None:
    if code not in _CONNECTING:
        selector.unregister(attempt)
        attempt.close()
        raise OSError(code, os.strerror(code))
