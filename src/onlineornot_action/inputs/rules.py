"""Which inputs fit together: what an operation needs, what it can use, and what contradicts it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onlineornot_action.inputs.parsers import AUTO, LATEST, IfNoIncident
from onlineornot_action.onlineornot.models import IncidentStatus

MAINTENANCE = frozenset(
    {IncidentStatus.SCHEDULED, IncidentStatus.IN_PROGRESS, IncidentStatus.VERIFYING, IncidentStatus.COMPLETED}
)
TEXT = ("description", "description-file")


class Operation(StrEnum):
    """What is done with the updates of an incident."""

    CREATE = "create"
    UPDATE = "update"
    GET = "get"
    LIST = "list"
    DELETE = "delete"


@dataclass(frozen=True)
class Rule:
    """What an operation makes of the inputs that are not for all operations.

    Attributes:
        needs: Groups of inputs; of each group at least one is required.
        uses: Further inputs that have an effect.
        forbids: Inputs that it contradicts, and why.
    """

    needs: tuple[tuple[str, ...], ...] = ()
    uses: frozenset[str] = frozenset()
    forbids: Mapping[str, str] = field(default_factory=dict)

    @property
    def knows(self) -> frozenset[str]:
        """Every input that it has an opinion on."""
        return self.uses.union(*self.needs, self.forbids)


UPDATE_ID = ("update-id",)
WRITING = frozenset({"dry-run", "comment"})
RULES = {
    Operation.CREATE: Rule(
        needs=(("status",), TEXT),
        uses=WRITING | {"components", "notify", "date-happened", "skip-duplicate"},
        forbids={"update-id": "a new update gets an id of its own; to change an existing one, say operation: update"},
    ),
    Operation.UPDATE: Rule(
        needs=(UPDATE_ID, ("status", *TEXT, "date-happened")),
        uses=WRITING,
        forbids={"components": "the API cannot change the components of an existing update; create a new one"},
    ),
    Operation.GET: Rule(needs=(UPDATE_ID,)),
    Operation.LIST: Rule(),
    Operation.DELETE: Rule(needs=(UPDATE_ID,), uses=WRITING),
}
FOR_ALL = frozenset(
    {
        "api-token",
        "status-page-id",
        "incident-id",
        "incident-title",
        "operation",
        "fail-on-error",
        "timeout-seconds",
        "api-url",
        "github-token",
    }
)


def resolve(operation: str, given: Mapping[str, str]) -> str:
    """The operation that `auto` stands for; any other word as it is."""
    if operation.casefold() != AUTO:
        return operation
    return Operation.UPDATE if "update-id" in given else Operation.CREATE


def contradictions(operation: Operation | None, given: Mapping[str, str], *, rerun: bool) -> Iterator[str]:
    """What is missing, and what does not go together. Without an operation, what holds for all of them."""
    if set(TEXT) <= given.keys():
        yield "description and description-file are both given; leave one of them out."
    yield from _incident_contradictions(given)
    if operation is None:
        return
    rule = RULES[operation]
    for names in rule.needs:
        if not given.keys() & set(names):
            yield f"{' or '.join(names)} is required to {operation} an update."
    for name, why in rule.forbids.items():
        if name in given:
            yield f"{name} does not go with operation: {operation}; {why}."
    if operation is not Operation.CREATE and _opens(given):
        yield f"if-no-incident: create does not go with operation: {operation}; a new incident has no such update."
    if operation is Operation.DELETE and rerun and given.get("update-id", "").casefold() == LATEST:
        yield "update-id: latest would delete one more update now that the job runs again; name the update's id."


def _incident_contradictions(given: Mapping[str, str]) -> Iterator[str]:
    if not given.keys() & {"incident-id", "incident-title"}:
        yield 'incident-id or incident-title is required; quote ids in the workflow (incident-id: "00012345").'
    if {"incident-id", "incident-title"} <= given.keys():
        yield "incident-id and incident-title are both given; leave one of them out."
    if _opens(given) and given.get("status", "").upper() in MAINTENANCE:
        yield f"status {given['status'].upper()} is for maintenances, and if-no-incident: create cannot open one."


def _opens(given: Mapping[str, str]) -> bool:
    return given.get("if-no-incident", "").casefold() == IfNoIncident.CREATE


def without_effect(operation: Operation, given: Mapping[str, str]) -> list[str]:
    """The given inputs that the operation has no use for."""
    used = RULES[operation].knows | FOR_ALL | ({"if-no-incident"} if "incident-title" in given else set())
    return sorted(given.keys() - used)
