"""The sandbox and the client's request bodies agree with the vendor's OpenAPI document, both ways.

The document lies beside the checkout and is not part of it. Where it is missing, these tests are skipped; they fail if
the environment has REQUIRE_CONTRACT=1.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no type hints

from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    ComponentStatus,
    IncidentCreate,
    IncidentStatus,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_sandbox import bodies
from onlineornot_sandbox.app import API_ROUTES
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

Schema = Mapping[str, Any]

IDS = {"page_id": PAGE_ID, "incident_id": INCIDENT_ID, "update_id": UPDATE_ID}
HEADERS = {"Authorization": f"Bearer {EDIT_TOKEN}", "Content-Type": "application/json"}
NOON = "2026-01-02T12:00:00.678Z"
ODDITIES: tuple[Any, ...] = (None, True, 1, 1.5, "", "COMPLETED", "é" * 256, "é" * 257, [], ["odd"], {}, {"odd": 1})
NOT_JSON = (b"", b"{", b"{'status': 'UPDATE'}", b"status=UPDATE", b'{"odd": NaN}', b"\xff", b"[" * 100_000)


def load_document() -> Any:
    """Read the newest version of the document, or skip all tests of this module."""
    found = sorted((Path(__file__).parents[3] / "shared" / "contract").glob("*.json"))
    if found:
        return json.loads(found[-1].read_text(encoding="utf-8"))
    if os.environ.get("REQUIRE_CONTRACT") == "1":
        raise FileNotFoundError("REQUIRE_CONTRACT=1, but there is no ../shared/contract/*.json")
    pytest.skip("the vendor's document is not there: ../shared/contract/*.json", allow_module_level=True)


def shape(path: str) -> str:
    """Remove the names of a path's parameters: the sandbox and the document name them differently."""
    return re.sub(r"<\w+>|\{\w+\}", "{}", path)


DOCUMENT = load_document()
DOCUMENTED = {
    (method.upper(), shape(path)): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
OFFERED = {(method, shape(rule)): rule for method, rule, _ in API_ROUTES}
INCIDENTS = "/v1/status_pages/{}/incidents"


def schema_of(part: Schema) -> Any:
    """Return the schema of a body or a response."""
    return part["content"]["application/json"]["schema"]


def validator(schema: Schema) -> Any:
    """Make a validator that resolves references of the schema."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


class Operation:
    """An operation that the sandbox offers, as the document describes it."""

    def __init__(self, method: str, path: str) -> None:
        documented = DOCUMENTED[method, path]
        (success,) = (status for status in documented["responses"] if status.startswith("2"))
        self.method = method
        self.path = re.sub(r"<(\w+)>", lambda match: IDS[match[1]], OFFERED[method, path])
        self.status = int(success)
        self.response = validator(schema_of(documented["responses"][success]))
        self.body: Any = schema_of(documented["requestBody"]) if "requestBody" in documented else None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


OPERATIONS = [Operation(*offered) for offered in OFFERED]
WRITES = [operation for operation in OPERATIONS if operation.body]


def example(schema: Schema) -> Any:
    """Make the value that the document gives as an example, with every field."""
    if schema["type"] == "object":
        return {name: example(part) for name, part in schema["properties"].items()}
    return [example(schema["items"])] if schema["type"] == "array" else schema["example"]


def variants(schema: Schema) -> Iterator[Any]:
    """Yield the example, and valid and invalid values that differ from it in one place."""
    yield from (*ODDITIES, *schema.get("enum", ()))
    if schema["type"] == "array":
        yield from ([each] for each in variants(schema["items"]))
    if schema["type"] == "object":
        whole = example(schema)
        yield from (whole, whole | {"odd": 1}, {name: whole[name] for name in schema.get("required", ())})
        for name, part in schema["properties"].items():
            yield {other: value for other, value in whole.items() if other != name}
            yield from (whole | {name: each} for each in variants(part))


def cases(*, allowed: bool) -> list[Any]:
    """List the variants of every operation's body, as JSON, that the document allows, or those that it forbids."""
    return [
        pytest.param(operation, json.dumps(body).encode(), id=f"{operation.method} {json.dumps(body)[:120]}")
        for operation in WRITES
        for body in variants(operation.body)
        if validator(operation.body).is_valid(body) is allowed
    ]


Send = Callable[[Operation, bytes], requests.Response]


@contextmanager
def sending_to(store: Store) -> Iterator[Send]:
    """Run a sandbox, and yield a function that sends an operation with the ids of the seed."""
    with Sandbox(store=store) as sandbox, requests.Session() as session:
        yield lambda operation, body: session.request(
            operation.method, sandbox.url + operation.path, data=body, headers=HEADERS, timeout=10
        )


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Send to a sandbox that all tests share, for requests that do not affect other tests."""
    with sending_to(Store()) as send:
        yield send


@pytest.fixture
def send_after_events() -> Iterator[Send]:
    """Send to a sandbox with open and ended incidents, a maintenance, and an update of components."""
    store = Store()
    components = [bodies.ComponentSetting(id=API_ID, status="MAINTENANCE")]
    store.create_incident(bodies.IncidentCreate(title="Over", description="", status="RESOLVED"))
    store.create_incident_update(
        INCIDENT_ID, bodies.IncidentUpdateCreate(status="UPDATE", description="Now.", components_affected=components)
    )
    soon = bodies.IncidentUpdateCreate(status="SCHEDULED", description="Soon.", components_affected=components)
    store.create_maintenance("Database move", datetime.now(UTC), 30, soon)
    with sending_to(store) as send:
        yield send


def test_every_documented_operation_that_the_action_may_need_is_supported() -> None:
    documented = {(method, path) for method, path in DOCUMENTED if path.startswith(INCIDENTS)}

    assert documented - set(OFFERED) == {("PATCH", f"{INCIDENTS}/{{}}"), ("DELETE", f"{INCIDENTS}/{{}}")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_response_is_as_documented_after_any_events(send_after_events: Send, operation: Operation) -> None:
    body = json.dumps(operation.body and example(operation.body)).encode()

    response = send_after_events(operation, body)

    assert response.status_code == operation.status
    operation.response.validate(response.json())


@pytest.mark.parametrize(("operation", "body"), cases(allowed=True))
def test_a_body_that_the_document_allows_is_accepted(send: Send, operation: Operation, body: bytes) -> None:
    response = send(operation, body)

    assert response.status_code == operation.status
    operation.response.validate(response.json())


@pytest.mark.parametrize(
    ("operation", "body"), [*cases(allowed=False), *((operation, body) for operation in WRITES for body in NOT_JSON)]
)
def test_a_body_that_the_document_forbids_or_that_is_not_json_is_refused(
    send: Send, operation: Operation, body: bytes
) -> None:
    response = send(operation, body)

    envelope = response.json()
    errors = [{"code": 10001, "message": envelope["errors"][0]["message"]}]
    assert response.status_code == 400
    assert envelope == {"success": False, "result": None, "errors": errors, "messages": []}


POSTED, PATCHED = ("POST", f"{INCIDENTS}/{{}}/updates"), ("PATCH", f"{INCIDENTS}/{{}}/updates/{{}}")
ANY_TEXT = "Zeile 1\n“2” 🎉\0"
AFFECTED = tuple(ComponentAffected(id="-_comp01", status=status) for status in ComponentStatus)
UPDATE = IncidentUpdateCreate(status=IncidentStatus.UPDATE, description="Text.", notify_subscribers=True)
OPENING = IncidentCreate(title="Down", status=IncidentStatus.UPDATE, description="Text.", notify_subscribers=True)
OPENING_STATUSES = map(IncidentStatus, ("INVESTIGATING", "IDENTIFIED", "MONITORING", "RESOLVED", "UPDATE"))


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        *((POSTED, UPDATE.model_copy(update={"status": status})) for status in IncidentStatus),
        (POSTED, UPDATE.model_copy(update={"description": ANY_TEXT})),
        (POSTED, UPDATE.model_copy(update={"description": "x" * 100_000, "notify_subscribers": False})),
        (POSTED, UPDATE.model_copy(update={"components_affected": ()})),
        (POSTED, UPDATE.model_copy(update={"components_affected": AFFECTED, "date_happened": NOON})),
        *((("POST", INCIDENTS), OPENING.model_copy(update={"status": status})) for status in OPENING_STATUSES),
        (("POST", INCIDENTS), OPENING.model_copy(update={"title": "é" * 256, "description": ANY_TEXT})),
        (("POST", INCIDENTS), OPENING.model_copy(update={"notify_subscribers": False, "components": ()})),
        (("POST", INCIDENTS), OPENING.model_copy(update={"components": AFFECTED})),
        (PATCHED, IncidentUpdatePatch()),
        (PATCHED, IncidentUpdatePatch(description="Text.")),
        (PATCHED, IncidentUpdatePatch(date_happened=NOON)),
        *((PATCHED, IncidentUpdatePatch(status=status, description="Text.")) for status in IncidentStatus),
    ],
)
def test_the_client_sends_documented_fields_only(
    operation: tuple[str, str], body: IncidentUpdateCreate | IncidentCreate | IncidentUpdatePatch
) -> None:
    schema = schema_of(DOCUMENTED[operation]["requestBody"])

    validator(schema | {"additionalProperties": False}).validate(json.loads(body.to_json()))
