"""One HTTP exchange with the API, on `requests`: a complete response, or an error that says how far the request got.

`requests` alone cannot say whether a request left before it failed: it raises the same exception for a reset handshake
and for a lost response. It also waits forever for a server that sends a byte now and then, since its timeouts are for
each read (https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts). So each exchange runs in a thread of
its own that reports its progress, and is abandoned when its time is up.
"""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy

from onlineornot_action.onlineornot.connection import Progress, current_progress, new_session
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
    """A request to send. Its body, if any, is JSON."""

    method: str
    url: str
    query: Mapping[str, int] | None = None
    body: bytes | None = None

    @property
    def writes(self) -> bool:
        """Whether the request changes something on the server."""
        return self.method != "GET"


@dataclass(frozen=True)
class Response:
    """A complete response.

    Attributes:
        status: The HTTP status.
        headers: The headers, under names of any case.
        body: The body, decompressed.
        began: When its request began, on the deadline's clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    began: float


class Transport:
    """Sends requests one at a time, on one connection as long as that is healthy.

    Args:
        token: The API token, sent as a bearer token.
        user_agent: Name and version of the caller.
        ca_bundle: A file or folder of certificates to trust instead of certifi's.
        limits: Time limits, and the largest body to accept.

    Proxies come from the environment, as `requests` reads it. Redirects are never followed.
    """

    def __init__(
        self, token: str, *, user_agent: str, ca_bundle: str | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._token = token
        self._user_agent = user_agent
        self._verify = ca_bundle or True
        self._limits = limits
        self._session: requests.Session | None = None
        self._idle_since = 0.0

    def exchange(self, request: Request, deadline: Deadline) -> Response:
        """Send a request and read its whole response, whatever its status.

        Raises:
            APIConnectionError: No complete response arrived; its `effect` is NOT_SENT or AMBIGUOUS.
            CancelledError: The run was cancelled, and the request has changed nothing.
        """
        began = deadline.clock.monotonic()
        if began - self._idle_since > self._limits.idle:
            self.close()
        session, self._session = self._session or new_session(self._token, self._user_agent), None
        exchange = _Exchange(request, began)
        threading.Thread(target=exchange.run, args=(partial(self._send, session),), daemon=True).start()
        response = self._wait(exchange, deadline)
        self._session, self._idle_since = session, deadline.clock.monotonic()
        if response.status >= 300:  # noqa: PLR2004 - a connection that carried a failure is not reused
            self.close()
        if response.status == 407 and urlsplit(request.url).scheme == "http" and _proxy(request.url):  # noqa: PLR2004
            message = f"{_route(request.url)} could not be reached: the proxy responded with 407"
            raise ProxyError(message, effect=Effect.NOT_SENT, began=began)
        return response

    def close(self) -> None:
        """Close the connection; the next exchange makes a new one."""
        if self._session:
            self._session.close()
        self._session = None

    def _send(self, session: requests.Session, request: Request, began: float) -> Response:
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
                return Response(received.status_code, received.headers, body, began)
        except BaseException:
            session.close()
            raise

    def _wait(self, exchange: "_Exchange", deadline: Deadline) -> Response:
        """Wait for the response as long as the limits allow."""
        connected = self._wait_for(exchange.progress.connected, self._limits.connect, exchange, deadline)
        if connected and self._wait_for(exchange.over, self._limits.response, exchange, deadline):
            try:
                return exchange.result()
            except _EXPECTED as error:
                raise _error_for(exchange, error) from error
        exchange.progress.abandon()
        if deadline.cancelled() and not exchange.may_write:
            raise CancelledError
        raise _timed_out(exchange)

    def _wait_for(self, event: threading.Event, seconds: float, exchange: "_Exchange", deadline: Deadline) -> bool:
        """Wait for an event; after a cancellation only for a write that was sent, and not for long."""
        end = time.monotonic() + min(seconds, deadline.left())
        graceful = False
        while not event.wait(max(0.0, min(POLL_SECONDS, end - time.monotonic()))):
            if deadline.cancelled() and not graceful:
                graceful = exchange.may_write
                end = min(end, time.monotonic() + (self._limits.grace if graceful else 0))
            if time.monotonic() >= end:
                return False
        return True


class _Exchange:
    """A request on its way, and what came of it."""

    def __init__(self, request: Request, began: float) -> None:
        self.request = request
        self.began = began
        self.progress = Progress()
        self.over = threading.Event()
        self._outcome: Response | BaseException | None = None

    def run(self, send: Callable[[Request, float], Response]) -> None:
        """Send the request and keep the outcome; the body of the thread."""
        current_progress.set(self.progress)
        try:
            self._outcome = send(self.request, self.began)
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
            self._outcome = error
        self.over.set()
        self.progress.connected.set()

    def result(self) -> Response:
        """Return the response, or raise what came instead."""
        if isinstance(self._outcome, Response):
            return self._outcome
        raise self._outcome or RuntimeError("the exchange is not over")

    @property
    def may_write(self) -> bool:
        """Whether the request may have changed something on the server."""
        return self.request.writes and self.progress.sent


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
"""The reason given for a failure: that of the first of these classes among its causes."""


def _error_for(exchange: _Exchange, error: BaseException) -> APIConnectionError:
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return _timed_out(exchange)
    reason = next((text for kind, text in _REASONS if any(isinstance(cause, kind) for cause in causes)), "it failed")
    if exchange.progress.sent:
        return _error(exchange, f"the response from {_route(exchange.request.url)} was lost: {reason}")
    return _not_sent(exchange, reason, causes)


def _timed_out(exchange: _Exchange) -> APIConnectionError:
    problem = "did not respond in time" if exchange.progress.sent else "could not be reached in time"
    return _error(exchange, f"{_route(exchange.request.url)} {problem}", APITimeoutError)


def _not_sent(exchange: _Exchange, reason: str, causes: list[BaseException]) -> APIConnectionError:
    route, proxied = _route(exchange.request.url), _proxy(exchange.request.url)
    unreachable = f"{route} could not be reached"
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _error(exchange, f"the certificate of {route} was refused: {cause.verify_message}", CertificateError)
        if isinstance(cause, ssl.SSLError) and cause.library in ("PEM", "X509"):
            return _error(exchange, "the file of trusted certificates has no valid certificate", CertificateError)
        if isinstance(cause, _BAD_ADDRESSES) and proxied:
            return _error(exchange, f"{unreachable}: the proxy's address is not valid", ProxyError)
        if tunnel := re.match(r"Tunnel connection failed: (\d{3})", str(cause)):
            kind = ProxyError if tunnel[1] == "407" else APIConnectionError
            return _error(exchange, f"{unreachable}: the proxy responded with {tunnel[1]}", kind)
    return _error(exchange, f"{unreachable}: {reason}")


def _error(
    exchange: _Exchange, message: str, kind: type[APIConnectionError] = APIConnectionError
) -> APIConnectionError:
    progress = exchange.progress
    effect = Effect.AMBIGUOUS if progress.sent else Effect.NOT_SENT
    return kind(message, effect=effect, status=progress.status, began=exchange.began)


def _route(url: str) -> str:
    """Return the host, and the proxy on the way to it without its password."""
    proxy, host = _proxy(url), urlsplit(url).netloc
    if not proxy:
        return host
    return f"{host} through the proxy {proxy.split('://')[-1].rpartition('@')[2].strip('/')}"


def _proxy(url: str) -> str | None:
    return select_proxy(url, get_environ_proxies(url))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps; urllib3 keeps a cause in `reason`, requests in its arguments."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        around = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        pending += [wrapped for wrapped in around if isinstance(wrapped, BaseException)]
