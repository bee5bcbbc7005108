"""What each operation does with the API. A new one is a function here and a line in `OPERATIONS`."""

from collections.abc import Callable, Iterator
from functools import partial

from onlineornot_action.exactly_once.change import change
from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.exactly_once.post import Evidence, Posted, duplicate_warnings, post
from onlineornot_action.inputs.model import InvalidInputsError
from onlineornot_action.inputs.parsers import LATEST
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.onlineornot.errors import NotFoundError
from onlineornot_action.onlineornot.models import (
    ENDING_STATUSES,
    IncidentUpdate,
    IncidentUpdatePatch,
    created_or_oldest,
    newest_first,
)
from onlineornot_action.operations.duplicates import check_duplicate
from onlineornot_action.operations.open_incident import open_incident
from onlineornot_action.operations.updates import differences, draft_update, is_patched
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session, Target
from onlineornot_action.text import quote

MAX_IDS = 20
"""Ids in one message."""


def run(session: Session, target: Target) -> Result:
    """Do what the inputs ask for.

    Raises:
        APIError: It was not done.
        UnknownOutcomeError: It may have been done.
        CancelledError: The run was cancelled; it was not done.
        CancelledWriteError: The run was cancelled; it may have been done.
    """
    return OPERATIONS[session.inputs.operation](session, target)


def _create(session: Session, target: Target) -> Result:
    if not target.incident_id:
        return open_incident(session, target)
    draft = draft_update(session, target)
    if session.inputs.dry_run:
        if target.updates is None:
            # Proves that the token and the ids are valid.
            session.client.list_incident_updates(session.page_id, target.incident_id)
        return Result(Outcome.DRY_RUN, target.incident_id, body=draft.body)
    checked = check_duplicate(session, target, draft)
    if checked.unchanged:
        return checked.unchanged
    posted = post(draft, session.deadline, checked.updates, session.limits.post)
    # Where the update was only found afterwards, others may have been posted since the baseline was read.
    up_to_date = posted.evidence is not Evidence.RECONCILED and not posted.duplicates
    return _about(Outcome.CREATED, target, posted.item, evidence=posted.evidence)._replace(
        known_updates=posted.baseline if up_to_date else None,
        notified=session.inputs.notify,
        notes=checked.notes or tuple(_circumstances(posted)),
        warnings=(*duplicate_warnings(posted), *differences(session, target, posted.item, draft.body)),
    )


def _circumstances(posted: Posted[IncidentUpdate]) -> Iterator[str]:
    if posted.baseline is None:
        yield "The updates could not be read beforehand"
    elif posted.baseline.items and max(posted.baseline.items, key=created_or_oldest).status in ENDING_STATUSES:
        yield "The incident was already over"


def _update(session: Session, target: Target) -> Result:
    inputs, client = session.inputs, session.client
    body = IncidentUpdatePatch(status=inputs.status, description=inputs.text, date_happened=inputs.date_happened)
    if inputs.dry_run:
        return _get(session, target)._replace(outcome=Outcome.DRY_RUN, body=body)
    ids = (session.page_id, target.incident_id, target.update_id)

    def read_back() -> IncidentUpdate | None:
        update = client.get_incident_update(*ids)
        return update if is_patched(update, body) else None

    update, evidence = change(
        lambda: client.update_incident_update(*ids, body), read_back, session.deadline, session.limits.post
    )
    result = _about(Outcome.UPDATED, target, update, evidence=evidence)
    warnings = () if is_patched(update, body) else ("The page has this update in another form than was sent.",)
    return result._replace(notified=None, warnings=warnings)


def _get(session: Session, target: Target) -> Result:
    update = session.client.get_incident_update(session.page_id, target.incident_id, target.update_id)
    return _about(Outcome.FETCHED, target, update)


def _delete(session: Session, target: Target) -> Result:
    if session.inputs.dry_run:
        return _get(session, target)._replace(outcome=Outcome.DRY_RUN)
    client = session.client
    ids = (session.page_id, target.incident_id, target.update_id)

    def delete() -> bool:
        try:
            client.delete_incident_update(*ids)
        except NotFoundError:
            if not client.may_have_written:
                raise
        return True

    def read_back() -> bool | None:
        try:
            client.get_incident_update(*ids)
        except NotFoundError:
            return True
        return None

    _, evidence = change(delete, read_back, session.deadline, session.limits.post)
    return Result(
        Outcome.DELETED, target.incident_id, target.update_id, known_updates=target.updates, known_because=evidence
    )


def _list(session: Session, target: Target) -> Result:
    pages = partial(session.client.incident_update_pages, session.page_id, target.incident_id)
    updates = Listing(pages(), max_pages=None)
    warnings: tuple[str, ...] = ()
    if not updates.complete:
        session.deadline.sleep(session.limits.post.second_reading_delay)
        updates = Listing(pages(), max_pages=None, before=updates)
    if not updates.complete:
        warnings = ("The list may be incomplete: the API counts more updates than it lists, or does not count them.",)
    return Result(Outcome.LISTED, target.incident_id, updates=tuple(newest_first(updates.items)), warnings=warnings)


OPERATIONS: dict[Operation, Callable[[Session, Target], Result]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.GET: _get,
    Operation.LIST: _list,
    Operation.DELETE: _delete,
}


def _about(
    outcome: Outcome, target: Target, update: IncidentUpdate, *, evidence: Evidence = Evidence.RESPONSE
) -> Result:
    return Result(outcome, target.incident_id, update.id, update, known_updates=target.updates, known_because=evidence)


def find_update(session: Session, target: Target) -> Target:
    """Return the target with the id of the update; look `latest` up once.

    Raises:
        InvalidInputsError: The incident has no updates, or their dates do not say which is the newest.
        APIError: The updates cannot be read.
    """
    if session.inputs.update_id != LATEST:
        return target._replace(update_id=session.inputs.update_id or "")
    updates = session.read_updates(target.incident_id)
    if not updates.ids:
        raise InvalidInputsError([f"update-id is latest, but the incident {target.incident_id} has no updates."])
    items = newest_first(updates.items)
    if updates.misfits or not _have_order(items):
        known = ", ".join(map(quote, sorted(updates.ids)[:MAX_IDS]))
        problem = (
            "update-id is latest, but the dates of the updates do not say which one that is; give the update's id."
        )
        raise InvalidInputsError([f"{problem} The incident {target.incident_id} has {known}."])
    return target._replace(update_id=items[0].id, updates=updates, latest=items[0])


def _have_order(items: list[IncidentUpdate]) -> bool:
    """Whether the dates of updates, which are sorted by them, say which is the newest."""
    return len(items) == 1 or (items[-1].created is not None and items[0].created != items[1].created)
