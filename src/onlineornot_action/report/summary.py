"""The success annotation and the job summary, in which untrusted text is nothing but text."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onlineornot_action.exactly_once.evidence import Evidence
from onlineornot_action.inputs.components import Components
from onlineornot_action.inputs.model import Inputs, Operation
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.text import code, dot, escape_markdown, fence, shorten, table

if TYPE_CHECKING:
    from onlineornot_action.onlineornot.models import IncidentUpdate

MAX_TEXT_LENGTH = 10_000
"""Characters of a text that customers read: the most that a description has."""

MAX_NAME_LENGTH = 256
"""Characters of a name or a title."""

MAX_UPDATES = 100
"""Rows of a list in the summary; the output `updates` has all of them."""

MAX_COMPONENTS = 100
"""Components in the summary; the output `update` has all of them."""

_DONE = {Operation.CREATE: "posted", Operation.UPDATE: "changed", Operation.DELETE: "deleted"}
_UNDONE = {
    Operation.CREATE: "is not there",
    Operation.UPDATE: "has not changed",
    Operation.DELETE: "is still there",
}
"""What shows that a write whose response was lost was not made."""


def sentence(result: Result, inputs: Inputs) -> str:
    """Return the annotation of a success."""
    incident, update = f"incident {result.incident_id}", f"update {result.update_id}"
    status = _status(result, inputs) or "not given"
    return {
        Outcome.CREATED: f"Posted {status} to {incident} as {update}; subscribers {_notified(notify=inputs.notify)}.",
        Outcome.OPENED: f"Opened {incident} with {status}; subscribers {_notified(notify=inputs.notify)}.",
        Outcome.SKIPPED: f"Nothing was posted: there is no open incident of this title.{_sentences(result.notes)}",
        Outcome.UNCHANGED: f"Nothing was posted: {update} of {incident} already says the same.",
        Outcome.UPDATED: f"Changed {update} of {incident}.",
        Outcome.DELETED: f"Deleted {update} of {incident}.",
        Outcome.FETCHED: f"Read {update} of {incident}; its status is {status}.",
        Outcome.LISTED: f"Read {len(result.updates or ())} update(s) of {incident}.",
        Outcome.DRY_RUN: f"Dry run: nothing was written. It would {_plan(result, inputs)}.",
    }[result.outcome]


def render(result: Result, inputs: Inputs | None, requests: int = 0, writes: int = 0, *, run_url: str = "") -> str:
    """Return the job summary in GitHub's Markdown: what the engineer on call needs first, then how it is known.

    Args:
        result: What the run came to.
        inputs: What it was asked for; None when the inputs are wrong.
        requests: The number of requests sent.
        writes: The number of those that write.
        run_url: Where people see the workflow run; empty when unknown.
    """
    blocks = [
        f"### {_icon(result.outcome)} {_headline(result, inputs)}",
        *(_failure(result, inputs, run_url) if result.outcome.failed else _links(result)),
        *_content(result, inputs),
        _details(result, inputs, requests, writes),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n\n"


def _icon(outcome: Outcome) -> str:
    if outcome in (Outcome.UNKNOWN, Outcome.CANCELLED):
        return "⚠️"
    return "❌" if outcome.failed else "✅"


def _headline(result: Result, inputs: Inputs | None) -> str:
    """Say what was done, and of what was posted whether subscribers are notified."""
    status = escape_markdown(shorten(_status(result, inputs), MAX_NAME_LENGTH)) or "an update"
    posted = f"{status}; subscribers {_notified(notify=inputs is None or inputs.notify)}"
    done = _DONE.get(inputs.operation, "read") if inputs else "written"
    return {
        Outcome.CREATED: f"Posted {posted}",
        Outcome.OPENED: f"Opened an incident with {posted}",
        Outcome.UPDATED: "Changed the update",
        Outcome.DELETED: "Deleted the update",
        Outcome.FETCHED: "Read the update",
        Outcome.LISTED: f"Read {len(result.updates or ())} update(s)",
        Outcome.UNCHANGED: "Nothing was posted: the incident already says the same",
        Outcome.SKIPPED: "Nothing was posted: there is no open incident of this title",
        Outcome.DRY_RUN: "Dry run: nothing was written",
        Outcome.INVALID: f"Nothing was {done}: the inputs are invalid",
        Outcome.REJECTED: f"Nothing was {done}: the request was refused",
        Outcome.NOT_SENT: f"Nothing was {done}: the API could not be reached",
        Outcome.UNKNOWN: f"It is not known whether the update was {done}",
        Outcome.CANCELLED: "The job was cancelled",
    }[result.outcome]


def _links(result: Result) -> Iterator[str]:
    if result.incident_url:
        yield f"[The incident, as readers see it]({result.incident_url})"
    for url in result.comments:
        yield f"[The comment on the pull request]({url})"


def _failure(result: Result, inputs: Inputs | None, run_url: str) -> Iterator[str]:
    """Say what to do now, whether customers know, and what happened."""
    yield f"**{_advice(result, inputs, run_url)}**"
    if inputs is None or inputs.operation in _DONE:
        yield _consequence(result)
    yield from (escape_markdown(line) for line in result.error.split("\n"))


def _advice(result: Result, inputs: Inputs | None, run_url: str) -> str:
    again = f"[Run the job again]({run_url})" if run_url else "Run the job again"
    if result.notified is None:
        look = f"Look at the {'incident' if result.incident_id else 'status page'}"
        look = f"[{look}]({result.incident_url})" if result.incident_url else look
        undone = _UNDONE[inputs.operation if inputs else Operation.CREATE]
        return f"{look} first, and run the job again only if the update {undone}."
    return {
        Outcome.INVALID: "Fix what is named below, and run the job again.",
        Outcome.REJECTED: "Fix what is named below, and run the job again.",
        Outcome.NOT_SENT: f"{again}.",
    }.get(result.outcome, "There is nothing to do." if result.update_id else f"{again} if the update is still needed.")


def _consequence(result: Result) -> str:
    if result.notified is None:
        return "Customers may see it already, and subscribers may have been notified."
    if result.outcome is Outcome.CANCELLED and result.update_id:
        return f"Customers see the update; subscribers {_notified(notify=result.notified)}."
    return "Customers see no change, and nobody was notified."


def _content(result: Result, inputs: Inputs | None) -> Iterator[str]:
    """Show the text as customers read it, the components, and what was read or would be sent."""
    text, components = _text(result, inputs), _components(result.update, inputs)
    if result.outcome.failed and not result.update and (text or components):
        yield "What was to be posted:"
    if text:
        yield f"> {escape_markdown(shorten(text, MAX_TEXT_LENGTH))}"
    yield components
    if result.updates is not None:
        yield _timeline(result.updates)
    if result.body:
        yield f"What would be sent:\n\n{fence(result.body.to_json().decode(), 'json')}"


def _components(update: "IncidentUpdate | None", inputs: Inputs | None) -> str:
    """List before → after as the API returned it; what was asked for when it did not."""
    read = (update and update.components) or ()
    changes = [(each.name or each.id, each.old_status, each.new_status) for each in read]
    changes = changes or [(name, None, status) for name, status in _requested(inputs.components if inputs else None)]
    lines = [_component(*change) for change in changes[:MAX_COMPONENTS]]
    more = [f"and {len(changes) - MAX_COMPONENTS} more"] if len(changes) > MAX_COMPONENTS else []
    return "<br>".join([*lines, *more])


def _component(name: str | None, before: str | None, after: str | None) -> str:
    shown = [escape_markdown(shorten(text or "", MAX_NAME_LENGTH)) or "?" for text in (name, before, after)]
    return f"{dot(after)} {shown[0]}: {f'{shown[1]} → ' if before else ''}{shown[2]}"


def _details(result: Result, inputs: Inputs | None, requests: int, writes: int) -> str:
    """Fold away how the result is known, what it took, and the ids."""
    rows = [(name, value) for name, value in _facts(result, inputs, requests, writes) if value]
    return f"<details><summary>How this is known</summary>\n\n{table([('', ''), *rows])}\n\n</details>"


def _facts(result: Result, inputs: Inputs | None, requests: int, writes: int) -> Iterator[tuple[str, str]]:
    yield "Outcome", code(result.outcome)
    if inputs:
        yield "Status page", code(inputs.status_page_id)
        yield "Incident", code(result.incident_id or inputs.incident_title or "")
        yield "Update", code(result.update_id)
    if result.evidence is not Evidence.RESPONSE:
        yield "Known because", result.evidence.value
    for note in result.notes:
        yield "Note", escape_markdown(shorten(note, MAX_TEXT_LENGTH))
    yield "Requests", f"{requests}, {writes} of them to write" if writes > 1 else str(requests)


def _status(result: Result, inputs: Inputs | None) -> str:
    """Return the status of the update; the one asked for when the API did not return it."""
    if result.update and result.update.status:
        return result.update.status
    requested = _writing(inputs)
    return (requested and requested.status) or ""


def _text(result: Result, inputs: Inputs | None) -> str:
    """Return the text of the update; the one asked for when the API did not return it."""
    if result.update and result.update.description:
        return result.update.description
    requested = _writing(inputs)
    return (requested and requested.text) or ""


def _writing(inputs: Inputs | None) -> Inputs | None:
    """Return the inputs if their operation writes; a status or a text has no meaning for the others."""
    return inputs if inputs and inputs.operation in (Operation.CREATE, Operation.UPDATE) else None


def _requested(wanted: Components | None) -> list[tuple[str, str]]:
    """Return the components as the input names them, with their status."""
    if isinstance(wanted, str):
        return []
    return [(each.name, each.status) for each in wanted or ()]


def _timeline(updates: "tuple[IncidentUpdate, ...]") -> str:
    rows = (
        (code(update.date_happened or ""), code(update.status or ""), code(update.description or ""))
        for update in updates[:MAX_UPDATES]
    )
    shown = table([("When", "Status", "Text"), *rows])
    return f"{shown}\n\nOlder updates are left out here." if len(updates) > MAX_UPDATES else shown


def _notified(*, notify: bool) -> str:
    return "are notified" if notify else "are not notified"


def _sentences(notes: Iterable[str]) -> str:
    return "".join(f" {note}." for note in notes)


def _plan(result: Result, inputs: Inputs) -> str:
    return (
        f"{inputs.operation} an update of incident {result.incident_id}" if result.incident_id else "open an incident"
    )
