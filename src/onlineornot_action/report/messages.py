"""The messages of failures: what happened, what that usually means, and what to change."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, assert_never
from urllib.parse import urlsplit

from onlineornot_action.exactly_once.post import CancelledWriteError, Posted, UnknownOutcomeError
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.inputs.parsers import LATEST
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.network.deadline import CancelledError
from onlineornot_action.network.exchange import Cause
from onlineornot_action.onlineornot import errors
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import Incident, IncidentUpdate
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.text import one_line, quote, shorten

LOOK_FIRST = "Look at the incident on the status page before you try again"

_MAX_QUOTE_LENGTH = 200
"""Characters of the API's own words, which say more than an input that is quoted."""

_INTERCEPTED = (
    "This is not the API's own response: a proxy, a firewall or the network in front of the API refused the request"
)
_FAILED_ELSEWHERE = "The API, or something in front of it, failed. Try again later"

_MEANING: dict[type[APIError], str] = {
    errors.InterceptedError: (
        f"{_INTERCEPTED}. Check api-url and what lies between this runner and the API, or try again later"
    ),
    errors.AuthenticationError: (
        "The API token is wrong, revoked or expired (made through the API, it lasts 365 days). Store a new one"
    ),
    errors.PermissionDeniedError: (
        "The API token lacks the permission STATUS_PAGES:EDIT, or the status page belongs to another organisation"
    ),
    errors.NotFoundError: "Check the ids: this page has no such incident, or this incident no such update",
    errors.RateLimitError: "The API accepts no more requests for now. Try again later",
    errors.RedirectError: "Redirects are not followed, because the token is for the API alone. Check api-url",
    errors.BadRequestError: (
        "The API does not accept what was sent. Fix what it names. A wrong id may get the same response: check {ids}"
    ),
    errors.InternalServerError: "The API failed. A wrong id may get the same response: check {ids}",
    errors.APIStatusError: "Fix what the message names, and check the ids and api-url",
    APIError: "This is not a response of the API. Check api-url, and any proxy between this runner and the API",
}
"""What an error usually means and what to change; the first class that fits counts."""


def explain(
    error: APIError | UnknownOutcomeError | CancelledError | CancelledWriteError, inputs: Inputs, incident_id: str
) -> Result:
    """Return the result of a run that an error ended: what happened, what that usually means, and what to change."""
    match error:
        case APIError():
            return _explain_failure(error, inputs, incident_id)
        case UnknownOutcomeError():
            return _explain_unknown(error, inputs, incident_id)
        case CancelledError():
            done = verb_of(inputs.operation).done
            sentence = f"The run was cancelled before the update was {done}; nothing was written"
            return _result(Outcome.CANCELLED, inputs, incident_id, [sentence])
        case CancelledWriteError():
            return _explain_cancelled_write(error.posted, inputs, incident_id)


class Verb(NamedTuple):
    """What an operation does to an update: the participle, and what the page shows when it was not done."""

    done: str
    undone: str


def verb_of(operation: Operation) -> Verb:
    """Return the verb for an operation."""
    match operation:
        case Operation.CREATE:
            return Verb("posted", "is not there")
        case Operation.UPDATE:
            return Verb("changed", "has not changed")
        case Operation.GET | Operation.LIST:
            return Verb("read", "is not there")
        case Operation.DELETE:
            return Verb("deleted", "is still there")
        case _:
            assert_never(operation)


def _explain_failure(error: APIError, inputs: Inputs, incident_id: str) -> Result:
    """Say why nothing was written."""
    what = "The updates were" if inputs.operation is Operation.LIST else "The update was"
    not_done = f"{what} not {verb_of(inputs.operation).done}: {error}"
    sentences = [not_done, *_quotes(error), _meaning(error, inputs), *_asked_to_wait(error)]
    outcome = Outcome.REJECTED if error.is_refusal else Outcome.NOT_SENT
    return _result(outcome, inputs, incident_id, sentences)


def _explain_unknown(error: UnknownOutcomeError, inputs: Inputs, incident_id: str) -> Result:
    """Say why it is not known whether the write was applied."""
    sentences = [
        f"The update may have been {verb_of(inputs.operation).done}: {error.cause}",
        *_quotes(error.cause),
        *_hint(error.cause, inputs),
        *_others(_describe_new(inputs, incident_id), error.new_ids),
        *_others("These updates may be what was sent, or older", error.uncertain_ids),
        *_asked_to_wait(error.cause),
        LOOK_FIRST,
    ]
    return _result(Outcome.UNKNOWN, inputs, incident_id, sentences)._replace(notified=None)


def _hint(cause: APIError, inputs: Inputs) -> Iterator[str]:
    """Say what else a response may mean that leaves the outcome unknown."""
    if isinstance(cause, errors.InterceptedError):
        yield _INTERCEPTED
    if isinstance(cause, errors.InternalServerError) and cause.details:
        yield f"If every request fails like this, a wrong id may be the reason: check {', '.join(_given_ids(inputs))}"


def _explain_cancelled_write(posted: Posted[Any] | None, inputs: Inputs, incident_id: str) -> Result:
    """Say whether the update was found although the response to the write was lost."""
    done = verb_of(inputs.operation).done
    if posted is None:
        sentences = [f"The run was cancelled while the update was being {done}; it may be there", LOOK_FIRST]
        return _result(Outcome.CANCELLED, inputs, incident_id, sentences)._replace(notified=None)
    update: IncidentUpdate | None = posted.item if isinstance(posted.item, IncidentUpdate) else None
    if isinstance(posted.item, Incident):
        incident_id, update = posted.item.id, next(iter(posted.item.updates or ()), None)
    result = _result(Outcome.CANCELLED, inputs, incident_id, [f"The run was cancelled, but the update was {done}"])
    result = result._replace(known_because=posted.evidence, notified=inputs.notify)
    return result._replace(update_id=update.id, update=update) if update else result


def _result(outcome: Outcome, inputs: Inputs, incident_id: str, sentences: Iterable[str]) -> Result:
    where = f"Page {inputs.status_page_id}, incident {incident_id or quote(inputs.incident_title or '')}"
    known_id = inputs.update_id if inputs.update_id and inputs.update_id != LATEST else ""
    return Result(outcome, incident_id, known_id, error=". ".join([*sentences, where]) + ".")


def _quotes(error: APIError) -> list[str]:
    """Quote the API's own words, or the host that a redirect points to."""
    if isinstance(error, errors.RedirectError):
        return [f"It points to {_host(error.location)}"]
    if isinstance(error, errors.InterceptedError) or not isinstance(error, errors.APIStatusError):
        return []
    return [f'The API says "{_shortened(str(detail))}"' for detail in error.details[:3]]


def _meaning_of_cause(cause: Cause) -> str:
    match cause:
        case Cause.CONNECTION | Cause.TIMEOUT:
            return "Check that this runner can reach it, then try again"
        case Cause.CERTIFICATE:
            return "The token was not sent. Check api-url, this runner's clock, and any proxy on the way"
        case Cause.UNKNOWN_AUTHORITY:
            return (
                "The token was not sent. If your company has an authority of its own, as inspecting proxies do, name "
                "the file of its certificate in REQUESTS_CA_BUNDLE; it is trusted in addition to the public ones"
            )
        case Cause.PROXY:
            return "Check the address, user name and password in that variable"
        case Cause.SOCKS_PROXY:
            return (
                "Name an HTTP proxy in HTTPS_PROXY, which takes precedence over ALL_PROXY, or list the host in NO_PROXY"
            )
        case _:
            assert_never(cause)


def _meaning(error: APIError, inputs: Inputs) -> str:
    if isinstance(error, errors.APIConnectionError):
        return _meaning_of_cause(error.cause)
    if isinstance(error, errors.InternalServerError) and not error.details:
        return _FAILED_ELSEWHERE
    meaning = next(meaning for kind, meaning in _MEANING.items() if isinstance(error, kind))
    return meaning.replace("{ids}", f"the ids ({', '.join(_given_ids(inputs))})")


def _given_ids(inputs: Inputs) -> Iterator[str]:
    """Name the inputs that are ids."""
    yield "status-page-id"
    if inputs.incident_id:
        yield "incident-id"
    if inputs.update_id and inputs.update_id != LATEST:
        yield "update-id"


def _asked_to_wait(error: APIError) -> list[str]:
    if error.final or not error.retry_after:
        return []
    return [f"The API asks to wait {error.retry_after:,.0f} s before the next request"]


def _others(what: str, ids: tuple[str, ...]) -> list[str]:
    return [f"{what}: {', '.join(map(_shortened, ids[:10]))}"] if ids else []


def _describe_new(inputs: Inputs, incident_id: str) -> str:
    if inputs.operation is Operation.CREATE and not incident_id:
        return "These incidents are new; their first update differs from what was sent, or could not be read"
    return "These updates are new, but their text differs from what was sent"


def _host(address: str) -> str:
    try:
        return _shortened(urlsplit(address).hostname or "another path")
    except ValueError:
        return "no valid address"


def _shortened(text: str) -> str:
    return shorten(one_line(text), _MAX_QUOTE_LENGTH)
