"""What each operation does with the API. A new one is a function here, and a line in `OPERATIONS`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from onlineornot_action.amending import Change, insist
from onlineornot_action.input_rules import Operation
from onlineornot_action.input_values import LATEST
from onlineornot_action.inputs import Inputs
from onlineornot_action.matching import is_patched, says_the_same
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline, Limits
from onlineornot_action.onlineornot.errors import NotFoundError
from onlineornot_action.onlineornot.models import (
    IncidentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    Page,
)
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.posting import How, post

ENDING = frozenset({IncidentStatus.RESOLVED, IncidentStatus.COMPLETED})


class NotOnPageError(Exception):
    """Raised when an input names something that the status page does not have."""


@dataclass(frozen=True)
class Context:
    """What operations work with."""

    inputs: Inputs
    client: OnlineOrNotClient
    deadline: Deadline
    limits: Limits

    @property
    def incident(self) -> tuple[str, str]:
        """Where the updates are: the page and the incident."""
        return self.inputs.status_page_id, self.inputs.incident_id


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
        NotOnPageError: An input names something that is not there.
        APIError: It is not done.
        UnsettledError: It may be done.
        CancelledError: The job was cancelled.
    """
    return OPERATIONS[context.inputs.operation](context)


def _create(context: Context) -> Result:
    inputs = context.inputs
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=inputs.components,
        date_happened=inputs.date_happened,
    )
    if inputs.dry_run:
        return replace(_list(context), outcome=Outcome.DRY_RUN, updates=None, body=body)
    draft = UpdateDraft(context.client, context.incident, body)
    posted = post(draft, context.deadline, avoid_duplicate=inputs.skip_duplicate, limits=context.limits)
    if posted.how is How.BEFORE:
        return _about(context, Outcome.UNCHANGED, posted.item, how=posted.how)
    return replace(
        _about(context, Outcome.CREATED, posted.item, how=posted.how),
        notified=inputs.notify,
        blind=posted.blind,
        doubles=posted.doubles,
    )


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
        client.delete_incident_update(*target)
        return True

    def read_back() -> bool | None:
        try:
            client.get_incident_update(*target)
        except NotFoundError:
            return True
        return None

    _, how = insist(Change(delete, read_back), context.deadline, context.limits)
    return Result(Outcome.DELETED, context.inputs.incident_id, update_id, how=how)


def _list(context: Context) -> Result:
    updates = context.client.list_incident_updates(*context.incident)
    newest_first = tuple(sorted(updates, key=_created, reverse=True))
    return Result(Outcome.LISTED, context.inputs.incident_id, updates=newest_first)


OPERATIONS: dict[Operation, Callable[[Context], Result]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.GET: _get,
    Operation.LIST: _list,
    Operation.DELETE: _delete,
}


def _about(context: Context, outcome: Outcome, update: IncidentUpdate, *, how: How = How.ANSWERED) -> Result:
    return Result(outcome, context.inputs.incident_id, update.id, update, how=how)


def _update_id(context: Context) -> str:
    """The id that was given, or the newest update's, looked up once."""
    inputs = context.inputs
    if inputs.update_id != LATEST:
        return inputs.update_id or ""
    newest = max(context.client.list_incident_updates(*context.incident), key=_created, default=None)
    if newest is None:
        raise NotOnPageError(f"update-id is latest, but the incident {inputs.incident_id} has no updates.")
    return newest.id


def _created(update: IncidentUpdate) -> float:
    """When it was made; before all others, where it does not say."""
    return float("-inf") if update.created is None else update.created
