"""What is said when the API could not do it: what happened, what that usually means, and what to change."""

from urllib.parse import urlsplit

from onlineornot_action.input_rules import Operation
from onlineornot_action.input_values import LATEST
from onlineornot_action.inputs import Inputs
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    CertificateError,
    Effect,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    RedirectError,
)
from onlineornot_action.outputs import Outcome, Result

LONGEST_QUOTE = 200

_DONE = {
    Operation.CREATE: "posted",
    Operation.UPDATE: "changed",
    Operation.GET: "read",
    Operation.LIST: "read",
    Operation.DELETE: "deleted",
}
LOOK_FIRST = "Look at the incident on the status page before you run the job again"
_MEANING: tuple[tuple[type[APIError], str], ...] = (
    (
        CertificateError,
        "The token was not sent. If a proxy signs with its own authority, name its certificate in REQUESTS_CA_BUNDLE",
    ),
    (ProxyError, "Check the address, user name and password in HTTPS_PROXY"),
    (APIConnectionError, "Check that this runner can reach it, then run the job again"),
    (
        AuthenticationError,
        "The API token is wrong, revoked or expired (made through the API, it lasts 365 days). Store a new one",
    ),
    (
        PermissionDeniedError,
        "The API token lacks the permission STATUS_PAGES:EDIT, or the status page belongs to another organisation",
    ),
    (NotFoundError, "Check the ids: this page has no such incident, or this incident no such update"),
    (RateLimitError, "The API takes no more requests for now. Run the job again later"),
    (RedirectError, "It was not followed, as the token is for the API alone. Check api-url"),
    (BadRequestError, "The API does not accept what was sent. Mend the input that it names"),
    (InternalServerError, "The API is in trouble, or one of the ids is wrong: it may answer so then"),
    (APIError, "This is no answer of the API's. Check api-url, and what stands between this runner and the API"),
)


def explain(error: APIError, inputs: Inputs, *, may_have_written: bool) -> Result:
    """What a run comes to that ends with this error."""
    outcome = _outcome(error, may_have_written=may_have_written)
    unknown = outcome is Outcome.UNKNOWN
    sentences = [_what_happened(error, inputs.operation, unknown=unknown), *_quotes(error), _meaning(error)]
    if error.retry_after:
        sentences.append(f"The API asks to wait {error.retry_after:,.0f} s, longer than timeout-seconds leaves")
    sentences.append(f"Page {inputs.status_page_id}, incident {inputs.incident_id}")
    if unknown:
        sentences.append(LOOK_FIRST)
    return Result(
        outcome,
        incident_id=inputs.incident_id,
        update_id=inputs.update_id if inputs.update_id and inputs.update_id != LATEST else "",
        notified=None if unknown else False,
        error=". ".join(sentences) + ".",
    )


def _outcome(error: APIError, *, may_have_written: bool) -> Outcome:
    if may_have_written:
        return Outcome.UNKNOWN
    return Outcome.REJECTED if error.effect is Effect.REJECTED else Outcome.NOT_SENT


def _what_happened(error: APIError, operation: Operation, *, unknown: bool) -> str:
    what = "The updates were" if operation is Operation.LIST else "The update was"
    done = _DONE[operation]
    if unknown:
        return f"The update may have been {done}, or not: {error}"
    return f"{what} not {done}: {error}"


def _quotes(error: APIError) -> list[str]:
    """The API's own words."""
    if isinstance(error, RedirectError):
        return [f"It points to {_host(error.location or '')}"]
    refusals = error.refusals if isinstance(error, APIStatusError) else ()
    return [f'The API says "{_shortened(str(refusal))}"' for refusal in refusals[:3]]


def _meaning(error: APIError) -> str:
    return next(meaning for kind, meaning in _MEANING if isinstance(error, kind))


def _host(address: str) -> str:
    try:
        return _shortened(urlsplit(address).hostname or "another path")
    except ValueError:
        return "no valid address"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
