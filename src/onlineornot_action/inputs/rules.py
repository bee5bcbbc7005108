"""Which inputs go together: what each operation requires, uses and rejects."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from onlineornot_action.inputs.parsers import LATEST
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.onlineornot.models import IncidentStatus

MAINTENANCE_STATUSES = frozenset(
    {IncidentStatus.SCHEDULED, IncidentStatus.IN_PROGRESS, IncidentStatus.VERIFYING, IncidentStatus.COMPLETED}
)
INCIDENT = ("incident-id", "incident-title")
TEXT = ("description", "description-file")
UPDATE_ID = ("update-id",)
_INCIDENT_IN_YAML = 'incident-id or incident-title is required; quote ids in YAML (incident-id: "00012345").'
WRITING = frozenset({"dry-run", "comment", "pull-request"})
"""Inputs used by every operation that writes; the last one only with `comment: true`."""


class Operation(StrEnum):
    """What to do with the updates of an incident."""

    CREATE = "create"
    UPDATE = "update"
    GET = "get"
    LIST = "list"
    DELETE = "delete"

    @property
    def writes(self) -> bool:
        """Whether it changes what readers see."""
        return self not in (Operation.GET, Operation.LIST)


class IfNoIncident(StrEnum):
    """What to do when no open incident has the title."""

    FAIL = "fail"
    CREATE = "create"
    SKIP = "skip"


class Rule(NamedTuple):
    """How one operation treats the inputs that not all operations use."""

    needs: tuple[tuple[str, ...], ...] = ()  # groups of inputs; at least one of each group is required
    uses: frozenset[str] = frozenset()  # further inputs that have an effect
    forbids: Mapping[str, str] = {}  # inputs that conflict with the operation, with the reason

    @property
    def names(self) -> frozenset[str]:
        """Every input that the rule names."""
        return self.uses.union(*self.needs, self.forbids)


RULES = {
    Operation.CREATE: Rule(
        needs=(("status",), TEXT),
        uses=WRITING | {"components", "notify", "date-happened", "skip-duplicate", "result", "resolved-description"},
        forbids={
            "update-id": "a new update gets an id of its own; to change an existing one, use the operation update"
        },
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
"""How each operation treats its inputs; a test names an input that is neither here nor below."""

ALWAYS_USED = frozenset(
    {"api-token", "status-page-id", "incident-id", "incident-title", "operation", "github-token"}
    | {"fail-on-error", "timeout-seconds", "api-url"}
)
USED_WITH_TITLE = frozenset({"if-no-incident"})
"""Inputs used by every operation, but only when `incident-title` is given."""


def conflicts(operation: Operation | None, given: Mapping[str, str], environment: Environment) -> Iterator[str]:
    """Say which inputs are missing and which do not go together.

    Args:
        operation: None when the input is not an operation; then only the rules for all operations are checked.
        given: The text of each input that was given, by name, except for defaults.
        environment: Says whether the job is run again, and how messages write inputs.
    """
    for pair in (TEXT, INCIDENT):
        if set(pair) <= given.keys():
            yield f"{_join('and', pair, environment)} are both given; give only one of them."
    if not given.keys() & {*INCIDENT, "result"}:
        yield _INCIDENT_IN_YAML if environment.on_github else f"{_join('or', INCIDENT, environment)} is required."
    status = given.get("status", "").upper()
    if _opens_incident(given) and status in MAINTENANCE_STATUSES:
        create = environment.assign("if-no-incident", "create")
        yield f"{environment.name_of('status')} {status} is for a maintenance, which {create} cannot open."
    if operation is not None:
        yield from _operation_conflicts(operation, given, environment)


def _join(word: str, names: Iterable[str], environment: Environment) -> str:
    return f" {word} ".join(map(environment.name_of, names))


def without_effect(operation: Operation, given: Mapping[str, str], environment: Environment) -> Iterator[str]:
    """Say which of the given inputs the operation does not use."""
    used = RULES[operation].names | ALWAYS_USED
    if "incident-title" in given:
        used |= USED_WITH_TITLE
    if operation.writes and "pull-request" in given and "comment" not in given:
        yield "pull-request has no effect without comment: true."
    if unused := sorted(given.keys() - used):
        names = ", ".join(map(environment.name_of, unused))
        yield f"With {environment.assign('operation', operation)}, these have no effect: {names}."


def _operation_conflicts(operation: Operation, given: Mapping[str, str], environment: Environment) -> Iterator[str]:
    rule, chosen = RULES[operation], environment.assign("operation", operation)
    for names in rule.needs:
        if names == ("status",) and given.keys() & {"result", "resolved-description"}:
            continue  # with a result, `status` has a default
        if not given.keys() & set(names):
            is_id = names == UPDATE_ID and environment.on_github
            advice = "; check where its value comes from, and quote ids in the workflow" if is_id else ""
            yield f"{_join('or', names, environment)} is required to {operation} an update{advice}."
    for name, reason in rule.forbids.items():
        if name in given and "result" not in given:
            yield f"{environment.name_of(name)} cannot be used with {chosen}; {reason}."
    if operation is not Operation.CREATE and _opens_incident(given):
        create = environment.assign("if-no-incident", "create")
        yield f"{create} cannot be used with {chosen}; a new incident has no update to {operation}."
    rerun = environment.github.is_rerun
    if operation is Operation.DELETE and rerun and given.get("update-id", "").casefold() == LATEST:
        yield "update-id: latest would delete one more update now that the job is run again; give the update's id."


def _opens_incident(given: Mapping[str, str]) -> bool:
    return given.get("if-no-incident", "").casefold() == IfNoIncident.CREATE
