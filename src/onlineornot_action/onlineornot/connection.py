"""Connections for `requests` that report how far a request got, and detect a response that was cut short.

Everything here extends hooks of urllib3, requests and http.client; one of them, `_read_status`, is private to CPython.
"""

import contextlib
import http.client
import socket
import threading
from contextvars import ContextVar
from functools import partial
from typing import Any

import requests
from urllib3.connection import HTTPConnection

from onlineornot_action.onlineornot.adapter import (
    Connections,
    DialedHTTPConnection,
    DialedHTTPSConnection,
    NetworkAdapter,
)
from onlineornot_action.onlineornot.network import Network


class Progress:
    """How far one request got: shared by the thread that sends it and the one that waits for its response.

    Attributes:
        sent: Whether a byte of the request may have left. A failure before that is safe to repeat.
        status: The HTTP status, once the status line was read.
        connected: Set when sending begins, and when the exchange ends without it.
    """

    def __init__(self) -> None:
        self.sent = False
        self.status: int | None = None
        self.connected = threading.Event()
        self._abandoned = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def begin_sending(self, connected_socket: socket.socket) -> None:
        """Record that the request is sent from now on.

        Raises:
            TimeoutError: The request was abandoned and must not be sent.
        """
        with self._lock:
            if self._abandoned:
                raise TimeoutError("abandoned while connecting")
            self.sent = True
            self._socket = connected_socket
        self.connected.set()

    def abandon(self) -> None:
        """Make sure that nothing is sent after this, and that a thread that reads the response stops."""
        with self._lock:
            self._abandoned = True
        if self._socket:
            # The raw socket's own method: that of a TLS socket must not be called from a second thread.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


current_progress: ContextVar[Progress] = ContextVar("progress")
"""The progress of the request that this thread sends; urllib3 makes the connection and cannot pass it on."""


def new_session(token: str, user_agent: str, network: Network) -> requests.Session:
    """Make a session that sends this token and reports the progress of each request; it has no connection yet."""
    session = _Session()
    session.auth = _BearerAuth(token)
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    adapter = NetworkAdapter(network, _CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _BearerAuth(requests.auth.AuthBase):
    """The token as an explicit auth object, which no `.netrc` can replace."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find no target: even with `allow_redirects=False`, `requests` would read the body of a redirect at once.

        See `send` and `resolve_redirects` in https://github.com/psf/requests/blob/main/src/requests/sessions.py.
        """


class _ReportingHTTPConnection(DialedHTTPConnection):
    def request(self, *args: Any, **options: Any) -> None:
        _connect_and_report(self)
        super().request(*args, **options)


class _ReportingHTTPSConnection(_ReportingHTTPConnection, DialedHTTPSConnection):
    pass


_CONNECTIONS: Connections = {"http": _ReportingHTTPConnection, "https": _ReportingHTTPSConnection}


def _connect_and_report(connection: HTTPConnection) -> None:
    """Connect before the request is sent, so that a failure to connect is known as one.

    Left alone, http.client connects within the first `send`: `auto_open` in
    https://github.com/python/cpython/blob/3.13/Lib/http/client.py. The same file's `getresponse` makes the response
    from `response_class`.
    """
    if connection.sock is None:
        connection.connect()
    progress = current_progress.get()
    connection.response_class = partial(_Response, progress)  # type: ignore[assignment]  # any callable will do
    progress.begin_sending(connection.sock)


class _Response(http.client.HTTPResponse):
    """A response that skips every interim response and refuses headers that end early.

    http.client does neither (https://github.com/python/cpython/blob/3.13/Lib/http/client.py): `begin` skips only 100,
    though a server may send others, such as 103 (https://www.rfc-editor.org/rfc/rfc9110#section-15.2), and
    `_read_headers` takes the end of the connection for the empty line that ends the headers. A response that was cut
    between two headers, before its Content-Length, would pass for a complete one with an empty body.
    """

    def __init__(self, progress: Progress, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._progress = progress

    def begin(self) -> None:
        # `begin` calls only `readline` of `fp`; where it fails, closing the response calls `flush` and `close`.
        lines = _LineReader(self.fp)
        self.fp = lines  # type: ignore[assignment]
        super().begin()
        self.fp = lines.file
        if not lines.last:
            self.close()
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # private, so not in the stubs
        # After 101 the connection would speak another protocol; no final response follows.
        while http.client.CONTINUE <= status < http.client.OK and status != http.client.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        self._progress.status = status
        return version, status, reason


class _LineReader:
    """Remembers the last line: it is empty only at the end of the connection, never at the end of the headers."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.file.readline(limit)
        return self.last

    def close(self) -> None:
        self.file.close()

    def flush(self) -> None:
        self.file.flush()
