"""What each operation does with the API. A new one is a function here, and a line in `OPERATIONS`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from onlineornot_action.amending import Change, insist
from onlineornot_action.components import look_up, restore
from onlineornot_action.incidents import (
    ENDING,
    IncidentDraft,
    describe_missing,
    first_update,
    older_rivals,
    open_incidents,
    read_incidents,
)
from onlineornot_action.input_rules import Operation
from onlineornot_action.input_values import LATEST, RESTORE, IfNoIncident, NamedStatus
from onlineornot_action.inputs import Inputs, InvalidInputsError
from onlineornot_action.matching import is_patched, says_the_same
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline, Limits
from onlineornot_action.onlineornot.errors import APIError, CancelledError, NotFoundError
from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    Incident,
    IncidentCreate,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    Page,
)
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.posting import How, Posted, post
from onlineornot_action.readings import Reading, read_reliably


@dataclass
class Context:
    """What operations work with, and what they have found out so far."""

    inputs: Inputs
    client: OnlineOrNotClient
    deadline: Deadline
    limits: Limits
    incident_id: str = ""
    """Empty until the incident is known."""
    incidents: Reading[Incident] | None = None
    """All incidents of the page, once they have been read."""
    updates: Reading[IncidentUpdate] | None = None
    """All updates of the incident, likewise."""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def page_id(self) -> str:
        """The page."""
        return self.inputs.status_page_id

    @property
    def incident(self) -> tuple[str, str]:
        """Where the updates are: the page and the incident."""
        return self.page_id, self.incident_id


@dataclass(frozen=True)
class UpdateDraft:
    """An update that is to be posted exactly once."""

    client: OnlineOrNotClient
    incident: tuple[str, str]
    body: IncidentUpdateCreate

    def post(self) -> IncidentUpdate:
        """Post it."""
        return self.client.create_incident_update(*self.incident, self.body)

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[Page[IncidentUpdate]]:
        """Read the updates of its incident."""
        return self.client.incident_update_pages(*self.incident, deadline, to_the_end=to_the_end)

    def concerns(self, item: IncidentUpdate) -> bool:  # noqa: ARG002 - any new update may be ours
        """Whether an update could be this one."""
        return True

    def is_same(self, item: IncidentUpdate) -> bool:
        """Whether an update says what this one does."""
        return says_the_same(item, self.body)

    def find_duplicate(self, items: list[IncidentUpdate]) -> IncidentUpdate | None:
        """An update that says the same, unless the incident was declared over since."""
        over = max((_created(item) for item in items if item.status in ENDING), default=float("-inf"))
        same = (item for item in items if _created(item) >= over and self.is_same(item))
        return max(same, key=_created, default=None)


def run(context: Context) -> Result:
    """Do what the inputs ask for.

    Raises:
        InvalidInputsError: An input names something that the page does not have.
        APIError: It is not done.
        UnsettledError: It may be done.
        CancelledError: The job was cancelled.
    """
    inputs = context.inputs
    context.incident_id = inputs.incident_id or ""
    if inputs.incident_title:
        title = inputs.incident_title
        context.incidents = read_incidents(context.client, context.page_id, title, context.deadline, context.limits)
        if not _choose(context, open_incidents(context.incidents.items, title)):
            return _without_incident(context, title)
    result = OPERATIONS[inputs.operation](context)
    return replace(result, notes=(*context.notes, *result.notes), warnings=(*context.warnings, *result.warnings))


def _choose(context: Context, candidates: list[Incident]) -> bool:
    """Settle on the newest of several incidents."""
    if not candidates:
        return False
    context.incident_id = candidates[0].id
    if len(candidates) > 1:
        ids = ", ".join(incident.id for incident in candidates)
        context.warnings.append(
            f"Several open incidents have this title: {ids}. The newest, {ids.split(',')[0]}, is used."
        )
    return True


def _without_incident(context: Context, title: str) -> Result:
    match context.inputs.if_no_incident:
        case IfNoIncident.CREATE:
            return _open(context, title)
        case IfNoIncident.SKIP:
            return Result(Outcome.SKIPPED)
        case IfNoIncident.FAIL:
            raise InvalidInputsError([describe_missing(title)])


def _open(context: Context, title: str) -> Result:
    inputs, client = context.inputs, context.client
    if inputs.date_happened:
        context.warnings.append("date-happened has no effect on an incident that is opened.")
    body = IncidentCreate(
        title=title,
        description=inputs.text,
        status=inputs.status,
        notify_subscribers=inputs.notify,
        components=_components_affected(context),
    )
    if inputs.dry_run:
        return Result(Outcome.DRY_RUN, body=body, warnings=tuple(context.warnings))
    draft = IncidentDraft(client, context.page_id, body)
    posted = post(draft, context.deadline, baseline=context.incidents, limits=context.limits)
    incident = posted.item
    context.incident_id = incident.id
    update = _attempt(lambda: first_update(client, context.page_id, incident))
    patience = context.deadline.within(context.limits.afterwards, detached=True)
    rivals = _attempt(lambda: older_rivals(Reading(draft.pages(patience)).items, incident, title)) or []
    return Result(
        Outcome.OPENED,
        incident.id,
        update.id if update else "",
        update,
        notified=inputs.notify,
        how=posted.how,
        notes=tuple(context.notes),
        warnings=(*context.warnings, *_double_warnings(posted), *_rival_warnings(incident, rivals)),
    )


T = TypeVar("T")


def _attempt(read: Callable[[], T]) -> T | None:
    """What is good to know, but no reason to fail once the work is done."""
    try:
        return read()
    except (APIError, CancelledError):
        return None


def _rival_warnings(opened: Incident, rivals: list[Incident]) -> Iterator[str]:
    if rivals:
        ids = ", ".join(rival.id for rival in rivals)
        yield f"Somebody else opened an incident of this title before: {ids}. This run opened {opened.id}; delete one."


def _double_warnings(posted: Posted[Incident] | Posted[IncidentUpdate]) -> Iterator[str]:
    if posted.doubles:
        ids = ", ".join((posted.item.id, *posted.doubles))
        yield f"The same was posted more than once: {ids}. Delete all but one."


def _create(context: Context) -> Result:
    inputs = context.inputs
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=_components_affected(context),
        date_happened=inputs.date_happened,
    )
    if inputs.dry_run:
        return replace(_list(context), outcome=Outcome.DRY_RUN, updates=None, body=body)
    draft = UpdateDraft(context.client, context.incident, body)
    posted = post(
        draft,
        context.deadline,
        avoid_duplicate=inputs.skip_duplicate,
        baseline=context.updates,
        limits=context.limits,
    )
    if posted.how is How.BEFORE:
        return _about(context, Outcome.UNCHANGED, posted.item, how=posted.how)
    return replace(
        _about(context, Outcome.CREATED, posted.item, how=posted.how),
        notified=inputs.notify,
        notes=tuple(_circumstances(posted)),
        warnings=tuple(_double_warnings(posted)),
    )


def _circumstances(posted: Posted[IncidentUpdate]) -> Iterator[str]:
    if posted.blind:
        yield "The updates could not be read beforehand"
    elif posted.before and max(posted.before, key=_created).status in ENDING:
        yield "The incident was over already"


def _components_affected(context: Context) -> tuple[ComponentAffected, ...] | None:
    """The components with their ids, looked up where they are not known."""
    wanted = context.inputs.components
    if wanted is None:
        return None
    if wanted == RESTORE:
        return _restored(context)
    named = tuple(each for each in wanted if isinstance(each, NamedStatus))
    if named:
        return look_up(context.client, context.page_id, named)
    return tuple(each for each in wanted if isinstance(each, ComponentAffected))


def _restored(context: Context) -> tuple[ComponentAffected, ...] | None:
    if not context.incident_id:
        context.notes.append("There are no components to restore: the incident is new")
        return None
    context.updates = _read_updates(context)
    restoration = restore(context.client, *context.incident, context.updates.items, _all_incidents(context))
    context.notes += [f"Not restored: {reason}" for reason in restoration.left]
    if not restoration.components:
        context.notes.append("No component was restored")
    return restoration.components or None


def _all_incidents(context: Context) -> Iterator[Incident]:
    """All incidents of the page, where none may be missing; read when they are asked for."""
    if context.incidents is None or not context.incidents.complete:
        pages = partial(context.client.incident_pages, context.page_id)
        context.incidents = read_reliably(pages, lambda _: False, context.deadline, context.limits)
    yield from context.incidents.items


def _update(context: Context) -> Result:
    inputs, client = context.inputs, context.client
    body = IncidentUpdatePatch(status=inputs.status, description=inputs.text, date_happened=inputs.date_happened)
    if inputs.dry_run:
        return replace(_get(context), outcome=Outcome.DRY_RUN, body=body)
    target = (*context.incident, _update_id(context))

    def read_back() -> IncidentUpdate | None:
        update = client.get_incident_update(*target)
        return update if is_patched(update, body) else None

    change = Change(lambda: client.update_incident_update(*target, body), read_back)
    update, how = insist(change, context.deadline, context.limits)
    return replace(_about(context, Outcome.UPDATED, update, how=how), notified=None)


def _get(context: Context) -> Result:
    update = context.client.get_incident_update(*context.incident, _update_id(context))
    return _about(context, Outcome.FETCHED, update)


def _delete(context: Context) -> Result:
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

    _, how = insist(Change(delete, read_back), context.deadline, context.limits)
    return Result(Outcome.DELETED, context.incident_id, update_id, how=how)


def _list(context: Context) -> Result:
    updates = context.client.list_incident_updates(*context.incident)
    newest_first = tuple(sorted(updates, key=_created, reverse=True))
    return Result(Outcome.LISTED, context.incident_id, updates=newest_first)


OPERATIONS: dict[Operation, Callable[[Context], Result]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.GET: _get,
    Operation.LIST: _list,
    Operation.DELETE: _delete,
}


def _about(context: Context, outcome: Outcome, update: IncidentUpdate, *, how: How = How.ANSWERED) -> Result:
    return Result(outcome, context.incident_id, update.id, update, how=how)


def _update_id(context: Context) -> str:
    """The id that was given, or the newest update's, looked up once."""
    inputs = context.inputs
    if inputs.update_id != LATEST:
        return inputs.update_id or ""
    newest = max(_read_updates(context).items, key=_created, default=None)
    if newest is None:
        raise InvalidInputsError([f"update-id is latest, but the incident {context.incident_id} has no updates."])
    return newest.id


def _read_updates(context: Context) -> Reading[IncidentUpdate]:
    """All updates of the incident, where none may be missing."""
    pages = partial(context.client.incident_update_pages, *context.incident)
    return read_reliably(pages, lambda _: False, context.deadline, context.limits)


def _created(update: IncidentUpdate) -> float:
    """When it was made; before all others, where it does not say."""
    return float("-inf") if update.created is None else update.created
