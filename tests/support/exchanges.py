"""Single HTTP exchanges that several test files make, below the API client."""

from collections.abc import Callable

import pytest

from onlineornot_action.onlineornot.deadline import Deadline, Limits
from onlineornot_action.onlineornot.errors import APIConnectionError
from onlineornot_action.onlineornot.transport import Request, Response, Transport
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

PATH = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates"
UPDATE_BODY = b'{"status": "UPDATE", "description": "We are still at it.", "notify_subscribers": false}'
SHORT = Limits(connect=0.2, response=0.2)
PASSWORD = "proxy-password"
SLOW_RESPONSES = ("silence", "headers stop", "headers drip", "body stops", "body drips", "103 for ever")

MakeTransport = Callable[..., Transport]


def get(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """List the updates of the sandbox's incident."""
    return transport.exchange(Request("GET", url + PATH, {"page": 1}), deadline or Deadline.after(20))


def post(transport: Transport, url: str, deadline: Deadline | None = None) -> Response:
    """Post an update."""
    return transport.exchange(Request("POST", url + PATH, body=UPDATE_BODY), deadline or Deadline.after(20))


def exchange_failure(transport: Transport, url: str) -> APIConnectionError:
    """Post an update in vain, and return the error."""
    with pytest.raises(APIConnectionError) as caught:
        post(transport, url)
    return caught.value


def through(address: str) -> str:
    """Return the URL of a proxy as it stands in the environment, with a password."""
    return f"http://someone:{PASSWORD}@{address}"


def address_of(url: str) -> str:
    """Return the host and port of a URL."""
    return url.rpartition("/")[2]
