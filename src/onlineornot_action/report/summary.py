"""The success annotation and the job summary, in which untrusted text is nothing but text."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onlineornot_action.exactly_once.evidence import Evidence
from onlineornot_action.inputs.components import Components
from onlineornot_action.inputs.model import Inputs, Operation
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.text import code, fence, table

if TYPE_CHECKING:
    from onlineornot_action.onlineornot.models import IncidentUpdate

MAX_NOTE_LENGTH = 2_000
"""Characters of a note, which may quote several titles."""

MAX_UPDATES = 100
"""Rows of a list in the summary; the output `updates` has all of them."""


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


def _sentences(notes: Iterable[str]) -> str:
    return "".join(f" {note}." for note in notes)


def _plan(result: Result, inputs: Inputs) -> str:
    return (
        f"{inputs.operation} an update of incident {result.incident_id}" if result.incident_id else "open an incident"
    )


def render(result: Result, inputs: Inputs | None, requests: int = 0, writes: int = 0) -> str:
    """Return the job summary in GitHub's Markdown.

    Args:
        result: What the run came to.
        inputs: What it was asked for; None when the inputs are wrong.
        requests: The number of requests sent.
        writes: The number of those that write.
    """
    facts = [*_facts(result, inputs), *_efforts(result, requests, writes)]
    rows = ((name, _cell(name, value)) for name, value in facts if value)
    blocks = [f"### {_icon(result.outcome)} OnlineOrNot: {_TITLES[result.outcome]}", table(rows)]
    if result.incident_url:
        blocks.append(f"[The incident, as readers see it]({result.incident_url})")
    blocks += [f"[The comment on the pull request]({url})" for url in result.comments]
    if result.error:
        blocks.append(fence(result.error))
    if result.updates is not None:
        blocks.append(_timeline(result.updates))
    text = _text(result, inputs)
    if text:
        blocks.append(fence(text))
    if result.body:
        blocks += ["What would be sent:", fence(result.body.to_json().decode(), "json")]
    return "\n\n".join(blocks) + "\n\n"


_NOTE = "Note"

_TITLES = {
    Outcome.CREATED: "update posted",
    Outcome.OPENED: "incident opened",
    Outcome.UPDATED: "update changed",
    Outcome.DELETED: "update deleted",
    Outcome.FETCHED: "update read",
    Outcome.LISTED: "updates read",
    Outcome.SKIPPED: "nothing posted, there is no open incident of this title",
    Outcome.UNCHANGED: "nothing posted, it is already there",
    Outcome.DRY_RUN: "dry run, nothing written",
    Outcome.INVALID: "nothing written, the inputs are wrong",
    Outcome.REJECTED: "nothing written, the request was refused",
    Outcome.NOT_SENT: "nothing written, the API could not be reached",
    Outcome.UNKNOWN: "it is not known whether the update was written",
    Outcome.CANCELLED: "cancelled",
}


def _cell(name: str, value: str) -> str:
    return code(value, MAX_NOTE_LENGTH) if name == _NOTE else code(value)


def _icon(outcome: Outcome) -> str:
    if outcome in (Outcome.UNKNOWN, Outcome.CANCELLED):
        return "⚠️"
    return "❌" if outcome.failed else "✅"


def _facts(result: Result, inputs: Inputs | None) -> Iterator[tuple[str, str]]:
    yield "Outcome", result.outcome
    if inputs is None:
        return
    yield "Status page", inputs.status_page_id
    yield "Incident", result.incident_id or inputs.incident_title or ""
    yield "Update", result.update_id
    yield "Status", _status(result, inputs)
    if result.outcome in (Outcome.CREATED, Outcome.OPENED):
        yield "Subscribers", _notified(notify=inputs.notify)
    yield from _components(result.update, inputs)


def _status(result: Result, inputs: Inputs) -> str:
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


def _efforts(result: Result, requests: int, writes: int) -> Iterator[tuple[str, str]]:
    if result.evidence is not Evidence.RESPONSE:
        yield "Known because", result.evidence.value
    for note in result.notes:
        yield _NOTE, note
    yield "Requests", f"{requests}, {writes} of them to write" if writes > 1 else str(requests)


def _components(update: "IncidentUpdate | None", inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Yield before → after as the API returned it; what was asked for when it did not."""
    if update and update.components:
        for change in update.components:
            before, after = change.old_status or "?", change.new_status or "?"
            yield "Component", f"{change.name or change.id or '?'}: {before} → {after}"
    else:
        yield from (("Component", component) for component in _requested(inputs.components))


def _requested(wanted: Components | None) -> list[str]:
    """Return the components as the input names them."""
    if isinstance(wanted, str):
        return []
    return [f"{each.name}: {each.status}" for each in wanted or ()]


def _timeline(updates: "tuple[IncidentUpdate, ...]") -> str:
    rows = (
        (code(update.date_happened or ""), code(update.status or ""), code(update.description or ""))
        for update in updates[:MAX_UPDATES]
    )
    shown = table([("When", "Status", "Text"), *rows])
    return f"{shown}\n\nOlder updates are left out here." if len(updates) > MAX_UPDATES else shown


def _notified(*, notify: bool) -> str:
    return "are notified" if notify else "are not notified"
