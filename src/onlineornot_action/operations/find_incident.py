"""Which incident a run is about when it only has a title: an open one, or one that it opens."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.exactly_once.post import Evidence, Posted, duplicate_warnings, post
from onlineornot_action.inputs.model import IfNoIncident, InvalidInputsError, Operation
from onlineornot_action.onlineornot.errors import APIError, CancelledError
from onlineornot_action.onlineornot.models import Incident, IncidentCreate, IncidentUpdateCreate, newest_first
from onlineornot_action.operations.components import components_affected
from onlineornot_action.operations.incidents import (
    IncidentDraft,
    describe_missing,
    first_update,
    has_title,
    older_rivals,
    open_incidents,
)
from onlineornot_action.operations.updates import UpdateDraft
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session


def find_incident(context: Session, title: str) -> Result | None:
    """Find the open incident of this title; without one, what the run comes to."""
    known = context.read_incidents(is_enough=lambda incidents: bool(open_incidents(incidents, title))).items
    candidates = open_incidents(known, title)
    if not candidates:
        return _said_before(context, known, title) or _without_incident(context, title)
    context.incident_id = candidates[0].id
    if len(candidates) > 1:
        ids = ", ".join(incident.id for incident in candidates)
        context.warnings.append(
            f"Several open incidents have this title: {ids}. The newest, which is the first, is used."
        )
    return None


def _said_before(context: Session, known: list[Incident], title: str) -> Result | None:
    """What an earlier attempt of the job posted to the incident that it thereby ended."""
    inputs = context.inputs
    ended = newest_first(incident for incident in known if has_title(incident, title))
    if not (ended and inputs.skip_duplicate and inputs.operation is Operation.CREATE):
        return None
    before = replace(context, incident_id=ended[0].id, notes=[])
    draft = draft_update(before)
    reading = before.updates or before.read_updates()
    duplicate = draft.find_duplicate(reading.items)
    if duplicate is None:
        return None
    context.updates = reading
    return Result(Outcome.UNCHANGED, ended[0].id, duplicate.id, duplicate, evidence=Evidence.DUPLICATE)


def draft_update(context: Session) -> UpdateDraft:
    """The update that the inputs ask for."""
    inputs = context.inputs
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=components_affected(context),
        date_happened=inputs.date_happened,
    )
    return UpdateDraft(context.client, context.incident, body)


def _without_incident(context: Session, title: str) -> Result:
    match context.inputs.if_no_incident:
        case IfNoIncident.CREATE:
            return _open(context, title)
        case IfNoIncident.SKIP:
            return Result(Outcome.SKIPPED)
        case IfNoIncident.FAIL:
            raise InvalidInputsError([describe_missing(title)])


def _open(context: Session, title: str) -> Result:
    inputs = context.inputs
    if inputs.date_happened:
        context.warnings.append("date-happened has no effect on an incident that is opened.")
    body = IncidentCreate(
        title=title,
        description=inputs.text,
        status=inputs.status,
        notify_subscribers=inputs.notify,
        components=components_affected(context),
    )
    if inputs.dry_run:
        return Result(Outcome.DRY_RUN, body=body)
    draft = IncidentDraft(context.client, context.page_id, body)
    return _opened(context, draft, post(draft, context.deadline, baseline=context.incidents, limits=context.limits))


def _opened(context: Session, draft: IncidentDraft, posted: Posted[Incident]) -> Result:
    """Look once at what has become of it: that is good to know, but no reason to fail."""
    incident = posted.item
    context.incident_id = incident.id
    patience = context.deadline.within(context.limits.follow_up, detached=True)
    update, rivals = None, list[Incident]()
    with contextlib.suppress(APIError, CancelledError):
        update = first_update(context.client, context.page_id, incident, patience)
        others = (each for each in Listing(draft.pages(patience)).items if each.id not in posted.duplicates)
        rivals = older_rivals(others, incident, draft.body.title)
    context.warnings += [*duplicate_warnings(posted), *_rival_warnings(incident, rivals)]
    notified, update_id = draft.body.notify_subscribers, update.id if update else ""
    return Result(Outcome.OPENED, incident.id, update_id, update, notified=notified, evidence=posted.evidence)


def _rival_warnings(opened: Incident, rivals: list[Incident]) -> Iterator[str]:
    if rivals:
        ids = ", ".join(rival.id for rival in rivals)
        yield f"Somebody else opened an incident of this title before: {ids}. This run opened {opened.id}; delete one."
