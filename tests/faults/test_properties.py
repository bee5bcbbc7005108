"""Whatever stands in the inputs and whatever the API answers, the step ends in good order."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fault_server import FOREVER, JSON_TYPE, FaultServer, Play, VirtualClock, response
from support.runner_model import commands, parse_outputs, texts

from onlineornot_action.inputs.model import input_names
from onlineornot_action.main import main
from onlineornot_action.outputs import Kind, Outcome, Outputs
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID

LIMITS = RunLimits(connect=1, response=1)
GOOD_VALUES = {
    "status-page-id": [PAGE_ID],
    "incident-id": [INCIDENT_ID],
    "update-id": [UPDATE_ID, "latest"],
    "operation": ["auto", "create", "update", "get", "list", "delete"],
    "status": ["resolved", "SCHEDULED"],
    "components": [f"{API_ID}: OPERATIONAL", f'[{{"id": "{API_ID}", "status": "MAINTENANCE"}}]'],
    "date-happened": ["2026-01-31T14:00:00+01:00"],
    "timeout-seconds": ["10", "600"],
}
OPTIONAL = set(input_names()) - {"api-token", "status-page-id", "incident-id", "operation"}

sayings = texts | texts.map(lambda text: text + EDIT_TOKEN)
values = st.none() | st.booleans() | st.integers() | st.floats() | sayings
updates = st.fixed_dictionaries(
    {"id": st.just("update000009") | sayings},
    optional={
        "status": values,
        "description": values,
        "date_happened": values,
        "created_at": values | st.just("2026-01-31T14:00:00Z"),
        "components": st.lists(st.dictionaries(st.sampled_from(["id", "name", "old_status", "new_status"]), values)),
    },
)
errors = st.lists(st.fixed_dictionaries({"code": values, "message": values}), max_size=2)
results = updates | st.lists(updates, max_size=3) | values
envelopes = st.fixed_dictionaries(
    {"success": st.booleans() | values, "result": results},
    optional={"errors": errors | values, "result_info": st.fixed_dictionaries({"total_count": values})},
)


@dataclass(frozen=True)
class Ended:
    """What a step left behind."""

    exit_status: int
    log: str
    outputs: str
    summary: str

    def check(self) -> None:
        """Fail unless it ended in good order."""
        outputs = parse_outputs(self.outputs)
        outcome = Outcome(outputs["outcome"])
        names = {command.name for command in commands(self.log)}
        assert list(outputs) == list(Outputs(outcome).by_name())
        assert self.exit_status == int(outcome.failed and not (outcome.kind is Kind.TOLERABLE and "warning" in names))
        assert names <= {"add-mask", "notice", "warning", "error"}
        assert bool(outputs["error"]) == outcome.failed
        assert "Internal error" not in self.log
        assert EDIT_TOKEN not in re.sub("(?m)^::add-mask::.*$", "", self.log) + self.outputs + self.summary


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def run(folder: Path, inputs: dict[str, str]) -> Ended:
    files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_bytes(b"")
    environ = as_variables(inputs) | {name: str(file) for name, file in files.items()}
    log = io.StringIO()
    exit_status = main([], environ, log, clock=VirtualClock(), limits=LIMITS)
    return Ended(exit_status, log.getvalue(), *(file.read_bytes().decode() for file in files.values()))


@st.composite
def all_inputs(draw: st.DrawFn) -> dict[str, str]:
    """Inputs of which most are in order, so that runs get far."""
    chosen = draw(st.sets(st.sampled_from(sorted(OPTIONAL)))) | {"status-page-id", "incident-id", "operation"}
    good = {name: draw(st.sampled_from(GOOD_VALUES[name]) | sayings) for name in chosen if name in GOOD_VALUES}
    others = {name: draw(st.sampled_from(["true", "false"]) | sayings) for name in chosen if name not in GOOD_VALUES}
    return {name: value.replace("\0", "") for name, value in (good | others).items()}


@given(inputs=all_inputs())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_in_any_input_ends_in_good_order(server: FaultServer, tmp_path: Path, inputs: dict[str, str]) -> None:
    safe = {"api-token": EDIT_TOKEN, **inputs, "api-url": server.url}

    run(tmp_path, safe).check()


@given(
    operation=st.sampled_from(["create", "update", "get", "list", "delete"]),
    status=st.sampled_from([200, 200, 201, 400, 404, 500]),
    body=envelopes,
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_response_of_the_api_ends_in_good_order(
    server: FaultServer, tmp_path: Path, operation: str, status: int, body: Any
) -> None:
    server.script[:] = [Play(response(status, json.dumps(body), JSON_TYPE), times=FOREVER)]
    inputs = {"api-token": EDIT_TOKEN, "api-url": server.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    create = {"status": "RESOLVED", "description": "All is well."} if operation in ("create", "update") else {}
    update = {} if operation in ("create", "list") else {"update-id": UPDATE_ID}

    run(tmp_path, {**inputs, **create, **update, "operation": operation, "timeout-seconds": "30"}).check()
