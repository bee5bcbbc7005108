"""Single HTTP exchanges that several test files make, below the API client."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.network.exchange import ExchangeError, Request, Response, Transport
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

PATH = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates"
UPDATE_BODY = b'{"status": "UPDATE", "description": "We are still at it.", "notify_subscribers": false}'
PASSWORD = "proxy-password"


MakeTransport = Callable[..., Transport]


def get(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """List the updates of the sandbox's incident."""
    return transport.exchange(Request("GET", url + PATH, {"page": 1}), deadline or Deadline.after(20))


def post(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """Post an update."""
    return transport.exchange(Request("POST", url + PATH, body=UPDATE_BODY), deadline or Deadline.after(20))


def exchange_failure(transport: Transport, url: str, seconds: float = 20, **limits: Any) -> ExchangeError:
    """Post an update under a deadline and these limits, and return the error that it raises."""
    with pytest.raises(ExchangeError) as caught:
        post(transport, url, Deadline.after(seconds, limits=Limits()._replace(**limits)))
    return caught.value


@contextlib.contextmanager
def lasting(least: float = 0, most: float = 5) -> Iterator[None]:
    """Assert that the context takes this many seconds."""
    begin = time.monotonic()
    yield
    assert least <= time.monotonic() - begin < most


def through(address: str) -> str:
    """Return the URL of a proxy as it stands in the environment, with a password."""
    return f"http://someone:{PASSWORD}@{address}"


def address_of(url: str) -> str:
    """Return the host and port of a URL."""
    return url.rpartition("/")[2]
