"""Send a request, and say how far it got.

`requests` raises the same exception for a reset handshake, where nothing was sent, and for a lost response. It also
waits forever for a server that sends a byte now and then, since its timeouts are for each read
(https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts). So each exchange runs in a thread of its own that
reports its progress, and is abandoned when its time is up.
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
from enum import Enum
from functools import partial
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import default_headers, get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection

from onlineornot_action.network import connect
from onlineornot_action.network.deadline import MIN_ANNOUNCED_WAIT, POLL_SECONDS, CancelledError, Deadline, Limits
from onlineornot_action.network.tls import ssl_context


class Effect(Enum):
    """What a failed request did on the server."""

    NOT_SENT = "nothing, the request was never sent"
    REJECTED = "nothing, the server refused it for good"
    THROTTLED = "nothing, the server asked to come back later"
    AMBIGUOUS = "unknown, the response was lost or says nothing about it"


class Cause(Enum):
    """Why no complete response arrived. A repetition may succeed only after the first two."""

    CONNECTION = "it could not be made, or broke"
    TIMEOUT = "it took longer than its limit"
    CERTIFICATE = "it is expired, not yet valid or for another host"
    UNKNOWN_AUTHORITY = "the certificate is signed by an authority that is not trusted"
    PROXY = "it requires a password, or its address is not valid"
    SOCKS_PROXY = "it is a SOCKS proxy, which is not supported"


class ExchangeError(Exception):
    """Raised when no complete response arrived."""

    def __init__(self, message: str, cause: Cause, effect: Effect, status: int | None = None) -> None:
        super().__init__(message)
        self.cause, self.effect, self.status = cause, effect, status


class Network(NamedTuple):
    """How servers are reached; `requests` reads the proxies themselves from the environment."""

    ca_paths: tuple[str, ...] = ()  # files and folders of certificates to trust in addition to certifi's
    proxy_variables: tuple[str, ...] = ()  # the names of the environment variables that set proxies, in their case


class Request(NamedTuple):
    """A request; its body is JSON or empty, and its headers replace those of the transport."""

    method: str
    url: str
    query: Mapping[str, int] | None = None
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @property
    def writes(self) -> bool:
        """Whether the request changes something on the server."""
        return self.method != "GET"


class Response(NamedTuple):
    """A complete response."""

    status: int
    headers: Mapping[str, str]  # found by their names in any case
    body: bytes  # decompressed
    began: float  # when the request began, on the deadline's clock


class Transport:
    """Sends requests with a bearer token, one at a time, over one connection while that is healthy.

    It follows no redirects. It uses no session of `requests`, which would read `.netrc` and a redirect's whole body.
    """

    def __init__(self, token: str, *, user_agent: str, network: Network) -> None:
        own = {"Authorization": f"Bearer {token}", "User-Agent": user_agent, "Accept": "application/json"}
        self._headers = {**default_headers(), **own}
        self._network, self._adapter = network, _Adapter(network.ca_paths)
        self._idle_since = 0.0

    def exchange(self, request: Request, deadline: Deadline) -> Response:
        """Send a request and read its whole response, whatever its status.

        Raises:
            ExchangeError: No complete response arrived.
            CancelledError: The run was cancelled, and the request has changed nothing.
        """
        began = deadline.clock.monotonic()
        if began - self._idle_since > deadline.limits.idle:
            self.close()
        # An abandoned exchange still uses its adapter, so the next exchange needs another.
        adapter, self._adapter = self._adapter, _Adapter(self._network.ca_paths)
        send = partial(self._send, adapter, request, deadline.limits, began)
        route = find_route(request.url, self._network)
        response = _Exchange(send, deadline, route, writes=request.writes).run()
        self._adapter, self._idle_since = adapter, deadline.clock.monotonic()
        if response.status >= 300:  # noqa: PLR2004 - a connection that carried a failure is not reused
            self.close()
        if route.proxy and response.status == http.client.PROXY_AUTHENTICATION_REQUIRED:  # for http, without a tunnel
            raise ExchangeError(route.password_required, Cause.PROXY, Effect.NOT_SENT)
        return response

    def _send(self, adapter: HTTPAdapter, request: Request, limits: Limits, began: float) -> Response:
        content_type = {"Content-Type": "application/json"} if request.body else {}
        headers = {**self._headers, **content_type, **request.headers}
        parts = requests.Request(request.method, request.url, headers, params=request.query, data=request.body)
        proxies, timeout = _find_proxies(request.url), (limits.connect, limits.response)
        try:
            with adapter.send(parts.prepare(), stream=True, timeout=timeout, proxies=proxies) as received:
                return Response(received.status_code, received.headers, _read_body(received, limits.body), began)
        except BaseException:
            adapter.close()
            raise

    def close(self) -> None:
        """Close the connection; the next exchange makes a new one."""
        self._adapter.close()


class _BodyTooLargeError(OSError):
    """The body is larger than the limit."""


def _read_body(received: requests.Response, max_bytes: int) -> bytes:
    body: bytes = received.raw.read(max_bytes + 1, decode_content=True)
    if len(body) > max_bytes:
        raise _BodyTooLargeError
    return body


class _Exchange:
    """A request and how far it got, shared by the thread that makes it and the one that waits for its response."""

    def __init__(self, call: Callable[[], Response], deadline: Deadline, route: "Route", *, writes: bool) -> None:
        self._call, self._deadline, self._route, self._writes = call, deadline, route, writes
        self._lock = threading.Lock()
        self._abandoned = False
        self._socket: socket.socket | None = None  # set before any byte of the request is sent
        self._response: Response | None = None
        self._failure: BaseException | None = None  # as the connection raised it, before urllib3 and `requests` wrap it
        self.status: int | None = None
        self._connected, self._over = threading.Event(), threading.Event()  # `_connected` is also set when all is over

    def run(self) -> Response:
        """Make the call in a thread of its own, and abandon it when its time is up."""
        threading.Thread(target=self._make_call, daemon=True).start()
        connected = self._wait_for(self._connected, self._deadline.limits.connect)
        if connected and self._wait_for(self._over, self._deadline.limits.response):
            return self._result()
        self._abandon()
        if self._deadline.cancelled() and not self._may_write:
            raise CancelledError
        raise self._error(TimeoutError())

    def _make_call(self) -> None:
        """Make the call, in its thread, and keep its response or what ended it."""
        _exchange.set(self)
        try:
            self._response = self._call()
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
            self._failure = self._failure or error
        self._over.set()
        self._connected.set()

    @contextlib.contextmanager
    def keeping_failure(self) -> Iterator[None]:
        """Record the exception that the context raises."""
        try:
            yield
        except Exception as error:
            self._failure = error
            raise

    def begin_sending(self, connected_socket: socket.socket) -> None:
        """Record that sending begins; raise `TimeoutError` if the request was abandoned."""
        with self._lock:
            if self._abandoned:
                raise TimeoutError("abandoned while connecting")
            self._socket = connected_socket
        self._connected.set()

    def _abandon(self) -> None:
        """Make sure that nothing is sent after this, and that the thread stops reading."""
        with self._lock:
            self._abandoned = True
        if self._socket:
            # The method of a TLS socket itself must not be called from a second thread.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _wait_for(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event; after a cancellation only for the response to a write, and not for long."""
        begun, deadline = time.monotonic(), self._deadline
        end = begun + min(seconds, deadline.left())
        graceful = announced = False
        while not event.wait(max(0.0, min(POLL_SECONDS, end - time.monotonic()))):
            if not announced and time.monotonic() - begun > MIN_ANNOUNCED_WAIT:
                announced = True
                deadline.announce(f"for {self._route} to respond")
            if deadline.cancelled() and not graceful:
                graceful = self._may_write
                end = min(end, time.monotonic() + (deadline.limits.grace if graceful else 0))
            if time.monotonic() >= end:
                return False
        return True

    @property
    def _may_write(self) -> bool:
        """Whether the request may have changed something on the server."""
        return self._writes and self._socket is not None

    def _result(self) -> Response:
        """Return the response, or raise what ended the call."""
        if self._response:
            return self._response
        if isinstance(self._failure, _FAILURES):
            raise self._error(self._failure) from self._failure
        raise self._failure or RuntimeError("the exchange is not over")

    def _error(self, failure: BaseException) -> ExchangeError:
        """Return the error that says why no complete response arrived."""
        explain, effect = (_explain_lost, Effect.AMBIGUOUS) if self._socket else (_explain_not_sent, Effect.NOT_SENT)
        cause, message = explain(self._route, failure)
        return ExchangeError(message, cause, effect, self.status)


_exchange: ContextVar[_Exchange] = ContextVar("exchange")
"""The exchange that this thread makes. Connections find it here, since urllib3 cannot pass it on."""


class _HTTPConnection(HTTPConnection):
    """A connection that reports how far a request got.

    It connects before it sends, so that a failure to connect is known as such; http.client would connect within the
    first `send` (`auto_open` in https://github.com/python/cpython/blob/3.13/Lib/http/client.py).
    """

    def connect(self) -> None:
        with _exchange.get().keeping_failure():
            super().connect()
            connect.confirm(self.sock)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        with _exchange.get().keeping_failure():
            _exchange.get().begin_sending(self.sock)
            super().request(*args, **options)

    def getresponse(self) -> Any:
        self.response_class = _Response
        with _exchange.get().keeping_failure():
            return super().getresponse()


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    """The same with TLS."""


class _Adapter(HTTPAdapter):
    """Makes these connections, and verifies certificates with `ssl_context`.

    `requests` would replace certifi's certificates with those that REQUESTS_CA_BUNDLE names:
    https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    """

    def __init__(self, ca_paths: tuple[str, ...]) -> None:
        self._ca_paths = ca_paths
        super().__init__()

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = ssl_context(self._ca_paths)
        return super().proxy_manager_for(proxy, **options)

    def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, *_: Any) -> Any:
        host, options = super().build_connection_pool_key_attributes(request, True)
        if host["scheme"] == "https":
            options["ssl_context"] = ssl_context(self._ca_paths)
        return host, options

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _HTTPSConnection if pool.scheme == "https" else _HTTPConnection
        return pool

    def cert_verify(self, *args: Any, **options: Any) -> None:
        """Do nothing: urllib3 would load the certificates anew for each connection."""


class _Response(http.client.HTTPResponse):
    """A response that reports its status once that is read, and skips every interim response, not only 100.

    A server may send others, such as 103: https://www.rfc-editor.org/rfc/rfc9110#section-15.2. `_read_status` is
    private to https://github.com/python/cpython/blob/3.13/Lib/http/client.py.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # private, so not in the stubs
        # After 101 the connection speaks another protocol; no final response follows.
        while http.client.CONTINUE <= status < http.client.OK and status != http.client.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        _exchange.get().status = status
        return version, status, reason


class Route(NamedTuple):
    """The way to a host: direct, or through the proxy that a variable sets, here without its password."""

    host: str
    proxy: str = ""
    variable: str = ""
    is_socks: bool = False

    def __str__(self) -> str:
        return f"{self.host} through the proxy {self.proxy}" if self.proxy else self.host

    @property
    def password_required(self) -> str:
        """The message when the proxy responds with 407."""
        return f"{self} could not be reached: the proxy, which {self.variable} names, responded with 407"


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets, is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _find_proxies(url: str) -> dict[str, str]:
    """Return the proxies for a URL; none for this machine itself, or a proxy elsewhere could read the token."""
    return {} if is_loopback(urlsplit(url).hostname or "") else get_environ_proxies(url)


def find_route(url: str, network: Network) -> Route:
    """Find the way to the host of a URL, as `requests` does: through the scheme's proxy, or that of ALL_PROXY.

    A variable's name may be in any case, and lower case takes precedence. Without variables, the system's settings
    count on Windows and macOS: https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies
    """
    parts, proxies = urlsplit(url), _find_proxies(url)
    chosen = select_proxy(url, proxies)
    if not chosen:
        return Route(parts.netloc)
    name = f"{parts.scheme if parts.scheme in proxies else 'all'}_proxy"
    variable = max((each for each in network.proxy_variables if each.lower() == name), default=name.upper())
    address = chosen.split("://")[-1].rpartition("@")[2].strip("/")
    return Route(parts.netloc, address, variable, chosen.lower().startswith("socks"))


_FAILURES = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)
"""What may end an exchange; anything else is a defect. All errors of `requests` are an `OSError`."""

_NOT_ABOUT_THE_AUTHORITY = frozenset({9, 10, 62, 64})
"""X509_V_ERR_* of dates, host names and addresses: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/"""

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
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
"""The words for a failure; the first class that fits counts."""


def _explain_lost(route: Route, failure: BaseException) -> tuple[Cause, str]:
    """Explain why the response to a request was lost."""
    if _is(TimeoutError, failure):
        return Cause.TIMEOUT, f"{route} did not respond in time"
    return Cause.CONNECTION, f"the response from {route} was lost: {_reason(failure)}"


def _explain_not_sent(route: Route, failure: BaseException) -> tuple[Cause, str]:
    """Explain why a request was not sent."""
    unreachable = f"{route} could not be reached"
    if _is(TimeoutError, failure):
        return Cause.TIMEOUT, f"{route} could not be reached in time"
    if isinstance(failure, ssl.SSLCertVerificationError):
        is_of_known_authority = failure.verify_code in _NOT_ABOUT_THE_AUTHORITY
        message = f"the certificate of {route} was refused: {failure.verify_message}"
        return Cause.CERTIFICATE if is_of_known_authority else Cause.UNKNOWN_AUTHORITY, message
    if route.variable and isinstance(failure, ValueError):  # of `requests` or urllib3, for the proxy's address
        if route.is_socks:
            return Cause.SOCKS_PROXY, f"{unreachable}: {route.variable} names a SOCKS proxy, and SOCKS is not supported"
        return Cause.PROXY, f"{unreachable}: the proxy's address, in {route.variable}, is not valid"
    tunnel = re.match(r"Tunnel connection failed: (\d{3})", str(failure))
    if tunnel and tunnel[1] == "407":
        return Cause.PROXY, route.password_required
    reason = f"the proxy responded with {tunnel[1]}" if tunnel else _reason(failure)
    return Cause.CONNECTION, f"{unreachable}: {reason}"


def _reason(failure: BaseException) -> str:
    return next((text for kind, text in _REASONS if _is(kind, failure)), "it failed")


def _is(kind: type[BaseException], failure: BaseException) -> bool:
    """Tell whether a failure is of a class, or was raised from one that is; urllib3 wraps the system's errors once."""
    return isinstance(failure, kind) or isinstance(failure.__cause__, kind)
