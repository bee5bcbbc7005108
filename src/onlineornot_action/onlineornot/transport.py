"""One HTTP exchange with the API, on `requests`: a complete response, or an error that says how far the request got.

`requests` alone cannot say whether a request left before it failed: it raises the same exception for a reset handshake
and for a lost response. It also waits forever for a server that sends a byte now and then, since its timeouts are for
each read (https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts). So each exchange runs in a thread of
its own that reports its progress, and is abandoned when its time is up.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from onlineornot_action.onlineornot.connection import Progress, current_progress, new_session
from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, MIN_ANNOUNCED_WAIT, POLL_SECONDS, Deadline, Limits
from onlineornot_action.onlineornot.errors import CancelledError
from onlineornot_action.onlineornot.failures import (
    EXPECTED,
    BodyTooLargeError,
    FailedExchange,
    failure_of,
    password_required,
    timed_out,
)
from onlineornot_action.onlineornot.network import Network
from onlineornot_action.onlineornot.route import find_route


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
        network: How servers are reached.
        limits: Time limits, and the largest body to accept.

    Proxies come from the environment, as `requests` reads it. Redirects are never followed.
    """

    def __init__(
        self, token: str, *, user_agent: str, network: Network | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._token = token
        self._user_agent = user_agent
        self._network = network or Network()
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
        session, self._session = self._session or self._new_session(), None
        exchange = _Exchange(request, began)
        threading.Thread(target=exchange.run, args=(partial(self._send, session),), daemon=True).start()
        response = self._wait(exchange, deadline)
        self._session, self._idle_since = session, deadline.clock.monotonic()
        if response.status >= 300:  # noqa: PLR2004 - a connection that carried a failure is not reused
            self.close()
        if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and urlsplit(request.url).scheme == "http":
            self._check_proxy(exchange)
        return response

    def close(self) -> None:
        """Close the connection; the next exchange makes a new one."""
        if self._session:
            self._session.close()
        self._session = None

    def _new_session(self) -> requests.Session:
        return new_session(self._token, self._user_agent, self._network)

    def _failed(self, exchange: "_Exchange") -> FailedExchange:
        route = find_route(exchange.request.url, self._network.proxy_variables)
        return FailedExchange(route, exchange.progress, exchange.began)

    def _check_proxy(self, exchange: "_Exchange") -> None:
        """Raise `ProxyError` if it was a proxy that responded with 407: without TLS there is no tunnel to refuse."""
        failed = self._failed(exchange)
        if failed.route.proxy:
            raise password_required(failed, failed.route.proxy)

    def _send(self, session: requests.Session, request: Request, began: float) -> Response:
        try:
            with session.request(
                request.method,
                request.url,
                params=request.query,
                data=request.body,
                headers={"Content-Type": "application/json"} if request.body else None,
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
            except EXPECTED as error:
                raise failure_of(self._failed(exchange), error) from error
        exchange.progress.abandon()
        if deadline.cancelled() and not exchange.may_write:
            raise CancelledError
        raise timed_out(self._failed(exchange))

    def _wait_for(self, event: threading.Event, seconds: float, exchange: "_Exchange", deadline: Deadline) -> bool:
        """Wait for an event; after a cancellation only for a write that was sent, and not for long."""
        begun = time.monotonic()
        end = begun + min(seconds, deadline.left())
        graceful = announced = False
        while not event.wait(max(0.0, min(POLL_SECONDS, end - time.monotonic()))):
            if not announced and time.monotonic() - begun > MIN_ANNOUNCED_WAIT:
                announced = True
                deadline.announce(f"for {self._failed(exchange).route} to respond")
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


def _capped(received: requests.Response, limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in received.iter_content(64 * 1024):
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError
        yield chunk
