"""The responses with which GitHub refuses or fails, and how the action reports them."""

import json
from collections.abc import Iterable

from support.fault_server import (
    BEFORE,
    FAULTS,
    HTML,
    HTML_TYPE,
    JSON_TYPE,
    STRANGE_RESPONSES,
    Fault,
    Reply,
    Step,
    response,
)
from support.github_app import OTHER


def message(status: int, text: str, **headers: str) -> Fault:
    """Make the response with which GitHub refuses a request; an underscore stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return response(status, json.dumps(body), JSON_TYPE | named, phases=BEFORE)


def slow(seconds: float) -> Fault:
    """Make the fault that is a good response after a pause."""

    def stream(reply: Reply) -> Iterable[Step]:
        return [seconds, reply.wire()]

    return Fault(stream)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
EXHAUSTED = {"x_ratelimit_limit": "1000", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "1795521600"}
LEFT = {"x_ratelimit_limit": "1000", "x_ratelimit_remaining": "812", "x_ratelimit_reset": "1795521600"}
NO_MORE, REFUSED = "rate limit is exhausted", "refused the request"
FAILURES = {
    "bad credentials": (message(401, "Bad credentials"), "does not accept github-token"),
    "no permission": (message(403, "Resource not accessible by integration", **LEFT), "accessible by integration"),
    "html": (response(403, HTML, HTML_TYPE, phases=BEFORE), REFUSED),
    "primary limit": (message(403, "Wait", **EXHAUSTED), NO_MORE),
    "pause of an hour": (message(403, "Wait", retry_after="3600", **LEFT), NO_MORE),
    "429": (message(429, "Wait", **LEFT), NO_MORE),
    "secondary limit": (message(403, SECONDARY, **LEFT), NO_MORE),
    "not found": (message(404, "Not Found"), REFUSED),
    "gone": (message(410, "Issues are disabled for this repo"), REFUSED),
    "locked": (message(403, "Unable to create comment because issue is locked."), "is locked"),
    **{
        body: (response(422, body, JSON_TYPE, phases=BEFORE), f"{REFUSED} (422")
        for body in ('{"message": null}', '{"message": 1}', '{"errors": 1}', '["x"]', "true", '"no"')
    },
}
"""Responses of GitHub, and the words that the action reports them in."""

NOT_LISTS = {
    **STRANGE_RESPONSES,
    **{name: FAULTS[name] for name in ("302 elsewhere", "307 elsewhere", "103, then close")},
    "200 empty object": response(200, "{}", JSON_TYPE),
    "200 null": response(200, "null", JSON_TYPE),
}
"""Responses that do not contain a list, and do not say that they failed."""
UNCONFIRMED = {
    **STRANGE_RESPONSES,
    "as it was": response(200, json.dumps({"id": 1001, "body": OTHER}), JSON_TYPE),
    "without a body": response(200, json.dumps({"id": 1001, "body": None}), JSON_TYPE),
}
"""Responses to an edit of the comment 1001 that do not contain its new body."""
