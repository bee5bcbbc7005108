"""The annotation and the job summary, in which untrusted text is nothing but text."""

from collections.abc import Iterator
from typing import assert_never

from onlineornot_action.inputs.description import MAX_LENGTH as MAX_TEXT_LENGTH
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.inputs.result import Choice
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.onlineornot.models import IncidentUpdate
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.report.messages import verb_of
from onlineornot_action.text import MAX_NAME_LENGTH, code, component_line, escape_markdown, fence, shorten, table

MAX_UPDATES = 100
"""Rows of a list in the summary; the output `updates` has all of them."""

MAX_COMPONENTS = 100
"""Components in the summary; the output `update` has all of them."""


def describe(result: Result, inputs: Inputs | None) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 - one case each
    """Return the headline of the summary and the text of the annotation."""
    incident, update = f"incident {result.incident_id}", f"update {result.update_id}"
    status = shorten(_status_and_text(result, inputs)[0], MAX_NAME_LENGTH) or "not given"
    nothing, done = "Nothing was posted:", verb_of(inputs.operation).done if inputs else "written"
    match result.outcome:
        case Outcome.CREATED:
            who = _subscribers(result)
            return f"Posted {status}; {who}", f"Posted {status} to {incident} as {update}; {who}."
        case Outcome.OPENED:
            who = _subscribers(result)
            return f"Opened an incident with {status}; {who}", f"Opened {incident} with {status}; {who}."
        case Outcome.UPDATED:
            return "Changed the update", f"Changed {update} of {incident}."
        case Outcome.DELETED:
            return "Deleted the update", f"Deleted {update} of {incident}."
        case Outcome.FETCHED:
            return "Read the update", f"Read {update} of {incident}; its status is {status}."
        case Outcome.LISTED:
            read = f"Read {len(result.updates or ())} update(s)"
            return read, f"{read} of {incident}."
        case Outcome.UNCHANGED:
            return f"{nothing} an update that matches is there already", f"{nothing} {update} of {incident} matches."
        case Outcome.SKIPPED:
            skipped = _skipped(inputs)
            return skipped, ". ".join([skipped, *result.notes]) + "."
        case Outcome.DRY_RUN:
            return "Dry run: nothing was written", f"Dry run: nothing was written. It would {_plan(result, inputs)}."
        case Outcome.INVALID:
            return f"Nothing was {done}: the inputs are invalid", result.error
        case Outcome.REJECTED:
            return f"Nothing was {done}: the request was refused", result.error
        case Outcome.NOT_SENT:
            return f"Nothing was {done}: the API could not be reached", result.error
        case Outcome.UNKNOWN:
            return f"It is not known whether the update was {done}", result.error
        case Outcome.CANCELLED:
            return "The run was cancelled", result.error
        case _:
            assert_never(result.outcome)


def _skipped(inputs: Inputs | None) -> str:
    """Say why nothing was posted."""
    if inputs is None or inputs.result is None or inputs.result.choice is Choice.REPORT:
        return "Nothing was posted: there is no open incident of this title"
    if inputs.result.choice is Choice.CLOSE:
        return "The deploy succeeded; no incident of this title is open"
    return f"The result is {inputs.result.word}; there is nothing to report"


def render(result: Result, inputs: Inputs | None, requests: int = 0, writes: int = 0, *, run_url: str = "") -> str:
    """Return the job summary in GitHub's Markdown: what the engineer on call needs first, then how it is known.

    The inputs are None when they are invalid. Of the `requests`, `writes` were writes. `run_url` is where people see
    the workflow run; empty when unknown.
    """
    blocks = [
        f"### {_icon(result)} {escape_markdown(describe(result, inputs)[0])}",
        *(_failure(result, inputs, run_url) if result.outcome.failed else _links(result)),
        *(f"⚠️ {escape_markdown(line)}" for warning in result.warnings for line in warning.split("\n")),
        *_content(result, inputs),
        _details(result, inputs, requests, writes),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n\n"


def _icon(result: Result) -> str:
    if result.outcome in (Outcome.UNKNOWN, Outcome.CANCELLED):
        return "⚠️"
    if result.outcome.failed:
        return "❌"
    return "⚠️" if result.warnings else "✅"


def _links(result: Result) -> Iterator[str]:
    if result.incident_url:
        yield f"[The incident, as readers see it]({result.incident_url})"
    for url in result.comments:
        yield f"[The comment on the pull request]({url})"


def _failure(result: Result, inputs: Inputs | None, run_url: str) -> Iterator[str]:
    """Say what to do now, whether customers know, and what happened."""
    yield f"**{_advice(result, inputs, run_url)}**"
    if inputs is None or inputs.operation.writes:
        yield _consequence(result)
    yield from (escape_markdown(line) for line in result.error.split("\n"))


def _advice(result: Result, inputs: Inputs | None, run_url: str) -> str:
    """Say the one thing to do after a failure."""
    if result.notified is None:
        undone = verb_of(inputs.operation if inputs else Operation.CREATE).undone
        look = f"Look at the {'incident' if result.incident_id else 'status page'}"
        look = f"[{look}]({result.incident_url})" if result.incident_url else look
        return f"{look} first. If the update {undone} after a minute, re-run this job alone."
    again = f"[Run the job again]({run_url})" if run_url else "Run the job again"
    if result.outcome in (Outcome.INVALID, Outcome.REJECTED):
        return "Fix what is named below, and run the job again."
    if result.outcome is Outcome.NOT_SENT:
        return f"{again}."
    return "There is nothing to do." if result.known_because else f"{again} if the update is still needed."


def _consequence(result: Result) -> str:
    if result.notified is None:
        return "Customers may see it already, and subscribers may have been notified."
    if result.outcome is Outcome.CANCELLED and result.known_because:
        return f"Customers see the update; {_subscribers(result)}."
    return "Customers see no change, and nobody was notified."


def _content(result: Result, inputs: Inputs | None) -> Iterator[str]:
    """Show the text as customers read it, the components, and what was replaced, was read or would be sent."""
    (_, text), components = _status_and_text(result, inputs), _components(result.update, inputs)
    is_skipped = result.outcome is Outcome.SKIPPED
    if is_skipped:
        yield from map(escape_markdown, result.notes)
    if is_skipped and inputs and inputs.result and inputs.result.choice is not Choice.REPORT:
        return
    if (result.outcome.failed or is_skipped) and not result.update and (text or components):
        yield "What was to be posted:"
    if text:
        yield f"> {escape_markdown(shorten(text, MAX_TEXT_LENGTH))}"
    yield components
    if result.replaced:
        yield f"Before, the update was {code(result.replaced.status or '?')}, with this text:"
        yield f"> {escape_markdown(shorten(result.replaced.description or '', MAX_TEXT_LENGTH))}"
    if result.updates is not None:
        yield _timeline(result.updates)
    if result.body:
        yield f"What would be sent:\n\n{fence(result.body.to_json().decode())}"


def _components(update: IncidentUpdate | None, inputs: Inputs | None) -> str:
    """List the changes of components that the API returned; the requested ones if it returned none."""
    requested = inputs.components if inputs and isinstance(inputs.components, tuple) else ()
    changes: list[tuple[str | None, str | None, str | None]] = [(each.name, None, each.status) for each in requested]
    if update and update.components is not None:
        changes = [(each.name or each.id, each.old_status, each.new_status) for each in update.components]
    lines = [component_line(*change) for change in changes[:MAX_COMPONENTS]]
    more = [f"and {len(changes) - MAX_COMPONENTS} more"] if len(changes) > MAX_COMPONENTS else []
    return "<br>".join([*lines, *more])


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
        if inputs.result:
            yield "Result", f"{code(inputs.result.word)} {inputs.result.choice.value}"
    yield "Known because", result.known_because
    for note in result.notes if result.outcome is not Outcome.SKIPPED else ():
        yield "Note", escape_markdown(shorten(note, MAX_TEXT_LENGTH))
    yield "Requests", f"{requests}, {writes} of them to write" if writes > 1 else str(requests)


def _status_and_text(result: Result, inputs: Inputs | None) -> tuple[str, str]:
    """Return the status and the text of the update; those asked for where the API did not return them."""
    status, text = "", ""
    if inputs and inputs.operation in (Operation.CREATE, Operation.UPDATE):
        status, text = inputs.status or "", inputs.text or ""
    if result.update:
        status = result.update.status or status
        text = text if result.update.description is None else result.update.description
    return status, text


def _timeline(updates: tuple[IncidentUpdate, ...]) -> str:
    rows = (
        (code(update.date_happened or ""), code(update.status or ""), code(update.description or ""))
        for update in updates[:MAX_UPDATES]
    )
    shown = table([("When", "Status", "Text"), *rows])
    return f"{shown}\n\nOlder updates are left out here." if len(updates) > MAX_UPDATES else shown


def _subscribers(result: Result) -> str:
    return "subscribers are notified" if result.notified else "subscribers are not notified"


def _plan(result: Result, inputs: Inputs | None) -> str:
    if inputs and result.incident_id:
        return f"{inputs.operation} an update of incident {result.incident_id}"
    return "open an incident"
