"""Connecting to the first of a name's addresses that responds, as RFC 8305 ("Happy Eyeballs") recommends.

Left alone, urllib3 waits its whole timeout for each address in turn, so one that drops packets, as half-working IPv6
does, takes all the time there is: `create_connection` in
https://github.com/urllib3/urllib3/blob/main/src/urllib3/util/connection.py.

https://www.rfc-editor.org/rfc/rfc8305
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from math import inf
from types import TracebackType
from typing import Any, NamedTuple, Self

from urllib3.exceptions import LocationParseError
from urllib3.util.connection import allowed_gai_family

ATTEMPT_DELAY = 0.25
"""Seconds after which the next address is tried while those before it are still silent; the value of RFC 8305."""


_CONNECTING = frozenset({0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})
"""What a connection that is being made returns; the last on Windows, which alone has that name.

Elsewhere, EWOULDBLOCK is a failure: https://man7.org/linux/man-pages/man2/connect.2.html
"""


class Address(NamedTuple):
    """An address of a server, as `socket.getaddrinfo` describes it."""

    family: int
    sockaddr: tuple[Any, ...]


class Dialed(NamedTuple):
    """A connection, and the address that it leads to."""

    socket: socket.socket
    address: Address


Resolve = Callable[[str, int], Iterable[Address]]
SocketOptions = Sequence[tuple[Any, ...]]


def resolve_name(host: str, port: int) -> list[Address]:
    """Return the addresses of a name, in the order in which the system prefers them.

    Raises:
        socket.gaierror: The name has none.
        LocationParseError: The name is not valid.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    except UnicodeError:
        raise LocationParseError(f"{host!r}, label empty or too long") from None
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


class Dialer:
    """Connects to the first address that responds, and remembers those that did not.

    Args:
        resolve: Returns the addresses of a host and port.
        attempt_delay: Seconds until the next address is tried as well.
    """

    def __init__(self, resolve: Resolve = resolve_name, attempt_delay: float = ATTEMPT_DELAY) -> None:
        self._resolve = resolve
        self._attempt_delay = attempt_delay
        self._unconfirmed: set[Address] = set()
        """Addresses that were tried, and have neither refused nor been confirmed. They are tried last."""

    def connect(self, host: str, port: int, timeout: float | None, options: SocketOptions = ()) -> Dialed:
        """Connect to a host. The address counts as silent until it is confirmed.

        Raises:
            TimeoutError: No address responded in time.
            OSError: All addresses failed; the error is that of the last.
        """
        end = inf if timeout is None else time.monotonic() + timeout
        addresses = dict.fromkeys(self._resolve(host, port))
        queue = deque(
            chain(
                interleave([address for address in addresses if address not in self._unconfirmed]),
                interleave([address for address in addresses if address in self._unconfirmed]),
            )
        )
        with _Attempts(options, self._unconfirmed) as attempts:
            while queue or attempts.pending:
                if queue:
                    attempts.begin(queue.popleft())
                next_attempt = time.monotonic() + self._attempt_delay if queue else inf
                if dialed := attempts.wait(min(next_attempt, end)):
                    return dialed
                if time.monotonic() >= end:
                    raise TimeoutError("no address responded in time")
            raise attempts.last_error

    def confirm(self, address: Address) -> None:
        """Record that a connection to an address is ready: its tunnel and TLS handshake are done as well."""
        self._unconfirmed.discard(address)


def interleave(addresses: Iterable[Address]) -> Iterator[Address]:
    """Alternate between the families, beginning with that of the first address."""
    by_family: dict[int, list[Address]] = {}
    for address in addresses:
        by_family.setdefault(address.family, []).append(address)
    for group in zip_longest(*by_family.values()):
        yield from filter(None, group)


class _Attempts:
    """Connections that are being made. Those that are left at the end are closed."""

    def __init__(self, options: SocketOptions, unconfirmed: set[Address]) -> None:
        self._options = options
        self._unconfirmed = unconfirmed
        self._selector = selectors.DefaultSelector()
        self.last_error = OSError("the name has no address")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for dialed in self.pending:
            dialed.socket.close()
        self._selector.close()

    @property
    def pending(self) -> list[Dialed]:
        """The attempts without a response so far."""
        return [key.data for key in self._selector.get_map().values()]

    def begin(self, address: Address) -> None:
        """Begin to connect to an address."""
        try:
            attempt = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:  # such as a family that this machine does not have
            self.last_error = error
            return
        self._selector.register(attempt, selectors.EVENT_WRITE, Dialed(attempt, address))
        self._unconfirmed.add(address)
        attempt.setblocking(False)
        for option in self._options:
            attempt.setsockopt(*option)
        code = attempt.connect_ex(address.sockaddr)
        if code not in _CONNECTING:
            self._fail(Dialed(attempt, address), code)

    def wait(self, until: float) -> Dialed | None:
        """Wait for a connection; None when the time is up, or as soon as an attempt has failed."""
        if not self.pending:
            return None
        timeout = None if until == inf else max(0.0, until - time.monotonic())
        for key, _ in self._selector.select(timeout):
            dialed: Dialed = key.data
            code = dialed.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                self._selector.unregister(dialed.socket)
                return dialed
            self._fail(dialed, code)
        return None

    def _fail(self, dialed: Dialed, code: int) -> None:
        self._selector.unregister(dialed.socket)
        dialed.socket.close()
        self.last_error = OSError(code, os.strerror(code))
        if not isinstance(self.last_error, TimeoutError):
            self._unconfirmed.discard(dialed.address)
