"""What each operation does with the API. A new one is a function here, and a line in `OPERATIONS`."""

from collections.abc import Callable
from dataclasses import replace

from onlineornot_action.input_rules import Operation
from onlineornot_action.input_values import LATEST
from onlineornot_action.inputs import Inputs
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.models import IncidentUpdate, IncidentUpdateCreate, IncidentUpdatePatch
from onlineornot_action.outputs import Outcome, Result


class NotOnPageError(Exception):
    """Raised when an input names something that the status page does not have."""


def run(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    """Do what the inputs ask for.

    Raises:
        NotOnPageError: An input names something that is not there.
        APIError: It could not be done; the error's `effect` says what became of it.
    """
    return OPERATIONS[inputs.operation](inputs, client)


def _create(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=inputs.components,
        date_happened=inputs.date_happened,
    )
    if inputs.dry_run:
        _list(inputs, client)
        return Result(Outcome.DRY_RUN, inputs.incident_id, body=body)
    update = client.create_incident_update(*_incident(inputs), body)
    return _about(Outcome.CREATED, inputs, update, notified=inputs.notify)


def _update(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    body = IncidentUpdatePatch(status=inputs.status, description=inputs.text, date_happened=inputs.date_happened)
    if inputs.dry_run:
        return replace(_get(inputs, client), outcome=Outcome.DRY_RUN, body=body)
    update_id = _update_id(inputs, client)
    update = client.update_incident_update(*_incident(inputs), update_id, body)
    return _about(Outcome.UPDATED, inputs, update, notified=None)


def _get(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    update_id = _update_id(inputs, client)
    return _about(Outcome.FETCHED, inputs, client.get_incident_update(*_incident(inputs), update_id))


def _delete(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    if inputs.dry_run:
        return replace(_get(inputs, client), outcome=Outcome.DRY_RUN)
    update_id = _update_id(inputs, client)
    client.delete_incident_update(*_incident(inputs), update_id)
    return Result(Outcome.DELETED, inputs.incident_id, update_id)


def _list(inputs: Inputs, client: OnlineOrNotClient) -> Result:
    updates = client.list_incident_updates(*_incident(inputs))
    newest_first = tuple(sorted(updates, key=_created, reverse=True))
    return Result(Outcome.LISTED, inputs.incident_id, updates=newest_first)


OPERATIONS: dict[Operation, Callable[[Inputs, OnlineOrNotClient], Result]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.GET: _get,
    Operation.LIST: _list,
    Operation.DELETE: _delete,
}


def _about(outcome: Outcome, inputs: Inputs, update: IncidentUpdate, *, notified: bool | None = False) -> Result:
    return Result(outcome, inputs.incident_id, update.id, update, notified=notified)


def _incident(inputs: Inputs) -> tuple[str, str]:
    """Where the updates are: the page and the incident."""
    return inputs.status_page_id, inputs.incident_id


def _update_id(inputs: Inputs, client: OnlineOrNotClient) -> str:
    """The id that was given, or the newest update's, looked up once."""
    if inputs.update_id != LATEST:
        return inputs.update_id or ""
    newest = max(client.list_incident_updates(*_incident(inputs)), key=_created, default=None)
    if newest is None:
        raise NotOnPageError(f"update-id is latest, but the incident {inputs.incident_id} has no updates.")
    return newest.id


def _created(update: IncidentUpdate) -> float:
    return update.created
