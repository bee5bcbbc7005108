"""Calls of the API client that several test files make, and their outcomes."""

from collections.abc import Callable

import pytest
from support.fault_server import JSON_TYPE, Rule, VirtualClock, envelope, response

from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    ComponentStatus,
    IncidentStatus,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID

UPDATE = IncidentUpdateCreate(
    status=IncidentStatus.MONITORING,
    description="A fix is out: «we are watching it».",
    notify_subscribers=False,
    components_affected=(ComponentAffected(id=API_ID, status=ComponentStatus.DEGRADED_PERFORMANCE),),
    date_happened="2026-11-24T09:30:00.000Z",
)
PATCH = IncidentUpdatePatch(description="It was the database.")
START = VirtualClock.BEGINNING

Operation = Callable[[OnlineOrNotClient], object]
MakeClient = Callable[..., OnlineOrNotClient]

OPERATIONS: dict[str, Operation] = {
    "list": lambda client: list(client.list_incident_updates(PAGE_ID, INCIDENT_ID)),
    "get": lambda client: client.get_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID),
    "update": lambda client: client.update_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID, PATCH),
    "delete": lambda client: client.delete_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID),
    "create": lambda client: client.create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE),
}
METHODS = {"list": "GET", "get": "GET", "update": "PATCH", "delete": "DELETE", "create": "POST"}
WRITES = ("update", "delete", "create")
READS = ("list", "get")


def failure(operation: str, client: OnlineOrNotClient) -> APIError:
    """Run an operation that fails, and return its error."""
    with pytest.raises(APIError) as caught:
        OPERATIONS[operation](client)
    return caught.value


def outcome_of(operation: str, client: OnlineOrNotClient) -> object:
    """Run an operation, and return its result or its error."""
    try:
        return OPERATIONS[operation](client)
    except APIError as error:
        return error


def pages(*ids: str, total: int | None) -> list[Rule]:
    """Make the script of a list with these pages; each letter of a page is an update."""
    info = {"total_count": total}
    bodies = (envelope([{"id": f"update-{letter}"} for letter in page], result_info=info) for page in ids)
    return [Rule(response(200, body, JSON_TYPE)) for body in bodies]
