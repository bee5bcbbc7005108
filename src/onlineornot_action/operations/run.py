"""What each operation does with the API. A new one is a function here, and a line in `OPERATIONS`."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from onlineornot_action.exactly_once.change import change
from onlineornot_action.exactly_once.post import Evidence, Posted, duplicate_warnings, post
from onlineornot_action.inputs.model import InvalidInputsError, Operation
from onlineornot_action.inputs.parsers import LATEST
from onlineornot_action.onlineornot.errors import NotFoundError
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    IncidentUpdate,
    IncidentUpdatePatch,
    created_or_oldest,
    newest_first,
)
from onlineornot_action.operations.find_incident import draft_update, find_incident
from onlineornot_action.operations.updates import is_patched
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session


def run(context: Session) -> Result:
    """Do what the inputs ask for.

    Raises:
        InvalidInputsError: An input names something that the page does not have.
        APIError: It is not done.
        UnknownOutcomeError: It may be done.
        CancelledError: The job was cancelled.
    """
    inputs = context.inputs
    context.incident_id = inputs.incident_id or ""
    if inputs.incident_title and (ended := find_incident(context, inputs.incident_title)):
        return ended
    return OPERATIONS[inputs.operation](context)


def _create(context: Session) -> Result:
    inputs, draft = context.inputs, draft_update(context)
    if inputs.dry_run:
        if not context.updates:
            _list(context)  # to prove token and ids
        return Result(Outcome.DRY_RUN, context.incident_id, body=draft.body)
    posted = post(
        draft,
        context.deadline,
        find_duplicate=draft.find_duplicate if inputs.skip_duplicate else None,
        baseline=context.updates,
        limits=context.limits,
    )
    # What is there now is this and what was posted; if it was found again, others may have posted as well.
    context.updates = None if posted.evidence is Evidence.RECONCILED or posted.duplicates else posted.baseline
    if posted.evidence is Evidence.DUPLICATE:
        return _about(context, Outcome.UNCHANGED, posted.item, evidence=posted.evidence)
    context.notes += _circumstances(posted)
    context.warnings += duplicate_warnings(posted)
    return replace(_about(context, Outcome.CREATED, posted.item, evidence=posted.evidence), notified=inputs.notify)


def _circumstances(posted: Posted[IncidentUpdate]) -> Iterator[str]:
    if posted.baseline is None:
        yield "The updates could not be read beforehand"
    elif (before := posted.baseline.items) and max(before, key=created_or_oldest).status in ENDING_STATUSES:
        yield "The incident was over already"


def _update(context: Session) -> Result:
    inputs, client = context.inputs, context.client
    body = IncidentUpdatePatch(status=inputs.status, description=inputs.text, date_happened=inputs.date_happened)
    if inputs.dry_run:
        return replace(_get(context), outcome=Outcome.DRY_RUN, body=body)
    target = (*context.incident, _update_id(context))

    def read_back() -> IncidentUpdate | None:
        update = client.get_incident_update(*target)
        return update if is_patched(update, body) else None

    update, evidence = change(
        lambda: client.update_incident_update(*target, body), read_back, context.deadline, context.limits
    )
    return replace(_about(context, Outcome.UPDATED, update, evidence=evidence), notified=None)


def _get(context: Session) -> Result:
    update = context.client.get_incident_update(*context.incident, _update_id(context))
    return _about(context, Outcome.FETCHED, update)


def _delete(context: Session) -> Result:
    if context.inputs.dry_run:
        return replace(_get(context), outcome=Outcome.DRY_RUN)
    client, update_id = context.client, _update_id(context)
    target = (*context.incident, update_id)

    def delete() -> bool:
        try:
            client.delete_incident_update(*target)
        except NotFoundError:
            if not client.may_have_written:
                raise
        return True

    def read_back() -> bool | None:
        try:
            client.get_incident_update(*target)
        except NotFoundError:
            return True
        return None

    _, evidence = change(delete, read_back, context.deadline, context.limits)
    return Result(Outcome.DELETED, context.incident_id, update_id, evidence=evidence)


def _list(context: Session) -> Result:
    updates = newest_first(context.client.list_incident_updates(*context.incident))
    return Result(Outcome.LISTED, context.incident_id, updates=tuple(updates))


OPERATIONS: dict[Operation, Callable[[Session], Result]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.GET: _get,
    Operation.LIST: _list,
    Operation.DELETE: _delete,
}


def _about(
    context: Session, outcome: Outcome, update: IncidentUpdate, *, evidence: Evidence = Evidence.RESPONSE
) -> Result:
    return Result(outcome, context.incident_id, update.id, update, evidence=evidence)


def _update_id(context: Session) -> str:
    """The id that was given, or the newest update's, looked up once."""
    inputs = context.inputs
    if inputs.update_id != LATEST:
        return inputs.update_id or ""
    newest = max(context.read_updates().items, key=created_or_oldest, default=None)
    if newest is None:
        raise InvalidInputsError([f"update-id is latest, but the incident {context.incident_id} has no updates."])
    return newest.id
