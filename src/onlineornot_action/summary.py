"""What a person reads: one sentence for the log, and the job summary, in which foreign text is nothing but text."""

import re
from collections.abc import Iterator

from onlineornot_action.inputs import Inputs
from onlineornot_action.onlineornot.models import IncidentUpdate
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.runner import plain

MOST_UPDATES = 100
"""Rows of a list; the output has all of them."""

_LONGEST_CELL = 200
_LOOKALIKES = str.maketrans("`|", "'¦")


def sentence(result: Result, inputs: Inputs) -> str:
    """Say what was done."""
    incident, update = f"incident {result.incident_id}", f"update {result.update_id}"
    status = result.update.status if result.update else None
    match result.outcome:
        case Outcome.CREATED:
            told = _told(notify=inputs.notify)
            return f"Posted {status or inputs.status} to {incident} as {update}; subscribers {told}."
        case Outcome.UPDATED:
            return f"Changed {update} of {incident}."
        case Outcome.DELETED:
            return f"Deleted {update} of {incident}."
        case Outcome.FETCHED:
            return f"Read {update} of {incident}; its status is {status or 'not given'}."
        case Outcome.LISTED:
            return f"Read {len(result.updates or ())} update(s) of {incident}."
        case _:
            return f"Dry run: nothing was written. It would {inputs.operation} an update of {incident}."


def render(result: Result, inputs: Inputs | None, *, requests: int) -> str:
    """Write the job summary, in GitHub's Markdown.

    Args:
        result: What the run came to.
        inputs: What it was asked for, if that was in order.
        requests: How many requests were sent.
    """
    blocks = [f"### {_icon(result.outcome)} OnlineOrNot: {_TITLES[result.outcome]}", _table(result, inputs, requests)]
    if result.error:
        blocks.append(_fence(result.error))
    if result.updates is not None:
        blocks.append(_timeline(result.updates))
    if text := (result.update and result.update.description) or (inputs and not result.updates and inputs.text):
        blocks.append(_fence(text))
    if result.body:
        blocks += ["What would be sent:", _fence(result.body.to_json().decode(), "json")]
    return "\n\n".join(blocks) + "\n\n"


_TITLES = {
    Outcome.CREATED: "update posted",
    Outcome.UPDATED: "update changed",
    Outcome.DELETED: "update deleted",
    Outcome.FETCHED: "update read",
    Outcome.LISTED: "updates read",
    Outcome.DRY_RUN: "dry run, nothing written",
    Outcome.INVALID: "nothing sent, the inputs are wrong",
    Outcome.REJECTED: "nothing written, the API refused",
    Outcome.NOT_SENT: "nothing written, the API is out of reach",
    Outcome.UNKNOWN: "it is not known whether the update was written",
}


def _icon(outcome: Outcome) -> str:
    if outcome is Outcome.UNKNOWN:
        return "⚠️"
    return "❌" if outcome.failed else "✅"


def _table(result: Result, inputs: Inputs | None, requests: int) -> str:
    rows = [("Outcome", result.outcome), *_facts(result, inputs), ("Requests", str(requests))]
    head, *others = (f"| {name} | {_cell(value)} |" for name, value in rows if value)
    return "\n".join([head, "| --- | --- |", *others])


def _facts(result: Result, inputs: Inputs | None) -> Iterator[tuple[str, str]]:
    if inputs is None:
        return
    yield "Status page", inputs.status_page_id
    yield "Incident", result.incident_id
    yield "Update", result.update_id
    yield "Status", (result.update and result.update.status) or inputs.status or ""
    if result.outcome is Outcome.CREATED:
        yield "Subscribers", _told(notify=inputs.notify)
    yield from _components(result.update, inputs)


def _components(update: IncidentUpdate | None, inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Before and after, as the API says; what was asked for, where it does not say."""
    if update and update.components:
        for change in update.components:
            before, after = change.old_status or "?", change.new_status or "?"
            yield "Component", f"{change.name or change.id or '?'}: {before} → {after}"
    else:
        for component in inputs.components or ():
            yield "Component", f"{component.id}: {component.status}"


def _timeline(updates: tuple[IncidentUpdate, ...]) -> str:
    rows = [
        f"| {_cell(update.date_happened or '')} | {_cell(update.status or '')} | {_cell(update.description or '')} |"
        for update in updates[:MOST_UPDATES]
    ]
    table = "\n".join(["| When | Status | Text |", "| --- | --- | --- |", *rows])
    return f"{table}\n\nOlder ones are left out here." if len(updates) > MOST_UPDATES else table


def _told(*, notify: bool) -> str:
    return "are told" if notify else "are not told"


def _cell(text: str) -> str:
    """A text inside a table: one line of code, not too long, without the two marks that could end it."""
    line = " ".join(plain(text).split()).translate(_LOOKALIKES)
    return f"`{line if len(line) <= _LONGEST_CELL else f'{line[:_LONGEST_CELL]}…'}`" if line else ""


def _fence(text: str, language: str = "text") -> str:
    """A text in a block of its own, behind a fence longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{plain(text)}\n{fence}"
