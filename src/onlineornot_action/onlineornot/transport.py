"""One HTTP exchange with the API, on `requests`: a complete response comes back, or an error that knows how far it got.

`requests` alone cannot say whether a request left before it failed: a handshake that is reset and a response that is
lost raise the same exception. It also waits for ever on a server that sends a byte now and then. So each exchange runs
in a thread of its own that reports its progress, and the caller leaves it behind when its time is up.
"""

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection

from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, POLL_SECONDS, Deadline, Limits
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APITimeoutError,
    CancelledError,
    CertificateError,
    Effect,
    ProxyError,
)


@dataclass(frozen=True)
class Request:
    """What to send. The body, if there is one, is JSON."""

    method: str
    url: str
    query: Mapping[str, int] | None = None
    body: bytes | None = None

    @property
    def writes(self) -> bool:
        """Whether it is to change something."""
        return self.method != "GET"


@dataclass(frozen=True)
class Response:
    """A complete response: nothing of it was cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests one at a time, on one connection while that stays healthy.

    Args:
        token: The API token, sent as a bearer token. An explicit auth object, so that no `.netrc` can replace it.
        user_agent: Name and version of the caller.
        ca_bundle: A file or folder of certificates to trust instead of certifi's.
        limits: How long connecting and answering may take, and how large a response may be.

    Proxies come from the environment, as `requests` reads it. Redirects are never followed.
    """

    def __init__(
        self, token: str, *, user_agent: str, ca_bundle: str | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._auth = _BearerAuth(token)
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._verify = ca_bundle or True
        self._limits = limits
        self._session: requests.Session | None = None
        self._idle_since = 0.0

    def exchange(self, request: Request, deadline: Deadline) -> Response:
        """Send a request and read its whole response, whatever its status.

        Raises:
            APIConnectionError: No complete response arrived; its `effect` is NOT_SENT or AMBIGUOUS.
            CancelledError: All is to end, and nothing was written.
        """
        if deadline.clock.monotonic() - self._idle_since > self._limits.idle:
            self.close()
        session, self._session = self._session or self._new_session(), None
        exchange = _Exchange()
        threading.Thread(target=exchange.run, args=(partial(self._send, session, request),), daemon=True).start()
        response = self._wait(exchange, request, deadline)
        self._session, self._idle_since = session, deadline.clock.monotonic()
        if response.status >= 300:  # noqa: PLR2004 - a connection that saw a failure is not used again
            self.close()
        if response.status == 407 and urlsplit(request.url).scheme == "http" and _proxy(request.url):  # noqa: PLR2004
            raise ProxyError(
                f"{_route(request.url)} could not be reached: the proxy answered 407", effect=Effect.NOT_SENT
            )
        return response

    def close(self) -> None:
        """Close the connection; the next exchange makes a new one."""
        if self._session:
            self._session.close()
        self._session = None

    def _new_session(self) -> requests.Session:
        session = _Session()
        session.auth = self._auth
        session.headers.update(self._headers)
        session.mount("https://", _Adapter())
        session.mount("http://", _Adapter())
        return session

    def _send(self, session: requests.Session, request: Request) -> Response:
        try:
            with session.request(
                request.method,
                request.url,
                params=request.query,
                data=request.body,
                headers={"Content-Type": "application/json"} if request.body else None,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
                timeout=(self._limits.connect, self._limits.response),
            ) as received:
                body = b"".join(_capped(received, self._limits.body))
                return Response(received.status_code, received.headers, body)
        except BaseException:
            session.close()
            raise

    def _wait(self, exchange: "_Exchange", request: Request, deadline: Deadline) -> Response:
        """Wait for the response as long as the limits allow, and say what became of the request."""
        in_time = self._is_set_in_time(
            exchange.sent_or_over, self._limits.connect, exchange, request, deadline
        ) and self._is_set_in_time(exchange.over, self._limits.response, exchange, request, deadline)
        if not in_time:
            exchange.give_up()
            if deadline.cancelled() and not (request.writes and exchange.sent):
                raise CancelledError
            raise _timed_out(exchange, request.url)
        try:
            return exchange.result()
        except _EXPECTED as error:
            raise _failed(exchange, request.url, error) from error

    def _is_set_in_time(
        self, event: threading.Event, seconds: float, exchange: "_Exchange", request: Request, deadline: Deadline
    ) -> bool:
        """Wait for an event. When all is to end, a write that has left gets a little time for its response."""
        end = time.monotonic() + min(seconds, deadline.left())
        graceful = False
        while not event.wait(max(0.0, min(POLL_SECONDS, end - time.monotonic()))):
            if deadline.cancelled() and not graceful:
                graceful = request.writes and exchange.sent
                end = min(end, time.monotonic() + (self._limits.grace if graceful else 0))
            if time.monotonic() >= end:
                return False
        return True


class _Exchange:
    """How far one request got: shared by the thread that sends it and the one that waits."""

    def __init__(self) -> None:
        self.sent = False
        """Whether a byte of the request may have left; what fails before is safe to repeat."""
        self.status: int | None = None
        self.sent_or_over = threading.Event()
        self.over = threading.Event()
        self._given_up = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._outcome: Response | BaseException | None = None

    def run(self, send: Callable[[], Response]) -> None:
        """Do the exchange and keep what comes of it; the body of the thread."""
        _current.set(self)
        try:
            self._outcome = send()
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
            self._outcome = error
        self.over.set()
        self.sent_or_over.set()

    def result(self) -> Response:
        """The response, or the exception in its place."""
        if isinstance(self._outcome, Response):
            return self._outcome
        raise self._outcome or RuntimeError("the exchange is not over")

    def begin_sending(self, connected_socket: socket.socket) -> None:
        """Pass from connecting to sending, unless nobody waits any more."""
        with self._lock:
            if self._given_up:
                raise TimeoutError("given up while connecting")
            self.sent = True
            self._socket = connected_socket
        self.sent_or_over.set()

    def give_up(self) -> None:
        """Leave the thread behind: it never sends after this, and reads no further."""
        with self._lock:
            self._given_up = True
        if self._socket:
            # The raw socket's own method: that of a TLS socket is not made for two threads.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_current: ContextVar[_Exchange] = ContextVar("exchange")
"""The exchange of this thread, for the connection that urllib3 makes in it."""


class _BearerAuth(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: even when told not to follow, `requests` reads a redirect's body, however long, and its target."""


class _HTTPConnection(HTTPConnection):
    def request(self, *args: Any, **options: Any) -> None:
        _connect_and_announce(self)
        super().request(*args, **options)


class _HTTPSConnection(HTTPSConnection):
    def request(self, *args: Any, **options: Any) -> None:
        _connect_and_announce(self)
        super().request(*args, **options)


def _connect_and_announce(connection: HTTPConnection) -> None:
    """Connect before anything is sent, not while it is, so that the two kinds of failure are told apart."""
    if connection.sock is None:
        connection.connect()
    exchange = _current.get()
    connection.response_class = partial(_Response, exchange)  # type: ignore[assignment]  # whatever makes one will do
    exchange.begin_sending(connection.sock)


class _Response(http.client.HTTPResponse):
    """A response that skips interim ones (such as 103) and does not take headers that end early for all of them."""

    def __init__(self, exchange: _Exchange, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._exchange = exchange

    def begin(self) -> None:
        lines = _LineReader(self.fp)
        self.fp = lines  # type: ignore[assignment]  # it reads lines, and that is all that happens here
        super().begin()
        self.fp = lines.file
        if not lines.last:
            self.close()
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
        while http.client.CONTINUE <= status < http.client.OK and status != http.client.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        self._exchange.status = status
        return version, status, reason


class _LineReader:
    """Remembers the last line that was read: empty at the end of a connection, never at the end of headers."""

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


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class _Adapter(HTTPAdapter):
    """Makes connections that report their progress, with and without a proxy."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _BodyTooLargeError(Exception):
    """The body is larger than the limit."""


def _capped(received: requests.Response, limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in received.iter_content(64 * 1024):
        size += len(chunk)
        if size > limit:
            raise _BodyTooLargeError
        yield chunk


_EXPECTED = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    _BodyTooLargeError,
)

_BAD_ADDRESSES = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
)

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name could not be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ssl.SSLError, "the TLS handshake failed"),
    (http.client.RemoteDisconnected, "the connection was closed without a response"),
    (ConnectionError, "the connection was reset"),
    (http.client.IncompleteRead, "the response was cut short"),
    (_BodyTooLargeError, "the response is too large"),
    (urllib3.exceptions.DecodeError, "the response cannot be decompressed"),
    (http.client.HTTPException, "the response is not HTTP"),
    (urllib3.exceptions.ProtocolError, "the response was cut short"),
)
"""What is said of a failure, by the first of these that is among its causes."""


def _timed_out(exchange: _Exchange, url: str) -> APITimeoutError:
    if exchange.sent:
        message = f"{_route(url)} did not response in time"
        return APITimeoutError(message, effect=Effect.AMBIGUOUS, status=exchange.status)
    return APITimeoutError(f"{_route(url)} could not be reached in time", effect=Effect.NOT_SENT)


def _failed(exchange: _Exchange, url: str, error: BaseException) -> APIConnectionError:
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return _timed_out(exchange, url)
    why = next((words for kind, words in _WORDS if any(isinstance(cause, kind) for cause in causes)), "it failed")
    if exchange.sent:
        message = f"the response of {_route(url)} was lost: {why}"
        return APIConnectionError(message, effect=Effect.AMBIGUOUS, status=exchange.status)
    return _not_connected(url, why, causes)


def _not_connected(url: str, why: str, causes: list[BaseException]) -> APIConnectionError:
    route, proxied = _route(url), _proxy(url)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = f"the certificate of {route} was refused: {cause.verify_message}"
            return CertificateError(message, effect=Effect.NOT_SENT)
        if isinstance(cause, ssl.SSLError) and cause.library in ("PEM", "X509"):
            return CertificateError("the file of trusted certificates is not one", effect=Effect.NOT_SENT)
        if isinstance(cause, _BAD_ADDRESSES) and proxied:
            return ProxyError(f"{route} could not be reached: the proxy's address is of no use", effect=Effect.NOT_SENT)
        if tunnel := re.match(r"Tunnel connection failed: (\d{3})", str(cause)):
            status = tunnel[1]
            message = f"{route} could not be reached: the proxy answered {status}"
            return (ProxyError if status == "407" else APIConnectionError)(message, effect=Effect.NOT_SENT)
    return APIConnectionError(f"{route} could not be reached: {why}", effect=Effect.NOT_SENT)


def _route(url: str) -> str:
    """The host, and the proxy on the way to it without its password."""
    proxy, host = _proxy(url), urlsplit(url).netloc
    if not proxy:
        return host
    return f"{host} through the proxy {proxy.split('://')[-1].rpartition('@')[2].strip('/')}"


def _proxy(url: str) -> str | None:
    return select_proxy(url, get_environ_proxies(url))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it wraps; urllib3 and requests each put the cause somewhere else."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        around = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        pending += [one for one in around if isinstance(one, BaseException)]
