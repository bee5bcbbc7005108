"""Any inputs and any response of the API end in good order: one outcome, all outputs, no leaked token."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fault_server import FOREVER, JSON_TYPE, Rule, response
from support.runner_model import commands
from support.step import RunStep, run_main
from support.untrusted_text import texts

from onlineornot_action.inputs.model import input_names
from onlineornot_action.network.deadline import Limits
from onlineornot_action.outputs import Kind, Outcome, Outputs
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID

LIMITS = RunLimits(exchange=Limits(connect=1, response=1))
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


def check(result: StepResult) -> None:
    """Fail unless a step ended in good order."""
    outputs = result.outputs
    outcome = Outcome(outputs["outcome"])
    names = {command.name for command in commands(result.log)}
    assert list(outputs) == list(Outputs(outcome).by_name())
    assert result.exit_status == int(outcome.failed and not (outcome.kind is Kind.SOFT_FAILURE and "warning" in names))
    assert names <= {"add-mask", "notice", "warning", "error"}
    assert bool(outputs["error"]) == outcome.failed
    assert "Internal error" not in result.log
    assert EDIT_TOKEN not in re.sub("(?m)^::add-mask::.*$", "", result.log) + str(outputs) + result.summary


run: RunStep = partial(run_main, limits=LIMITS)
IN_ORDER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def all_inputs(draw: st.DrawFn) -> dict[str, str]:
    """Draw inputs of which most are valid, so that runs get far."""
    chosen = draw(st.sets(st.sampled_from(sorted(OPTIONAL)))) | {"status-page-id", "incident-id", "operation"}
    good = {name: draw(st.sampled_from(GOOD_VALUES[name]) | sayings) for name in chosen if name in GOOD_VALUES}
    others = {name: draw(st.sampled_from(["true", "false"]) | sayings) for name in chosen if name not in GOOD_VALUES}
    return {name: value.replace("\0", "") for name, value in (good | others).items()}


@given(inputs=all_inputs())
@IN_ORDER
def test_any_text_in_any_input_ends_in_good_order(tmp_path: Path, inputs: dict[str, str]) -> None:
    check(run(tmp_path, **inputs))


@given(
    operation=st.sampled_from(["create", "update", "get", "list", "delete"]),
    status=st.sampled_from([200, 200, 201, 400, 404, 500]),
    body=envelopes,
)
@IN_ORDER
def test_any_response_of_the_api_ends_in_good_order(tmp_path: Path, operation: str, status: int, body: Any) -> None:
    rule = Rule(response(status, json.dumps(body), JSON_TYPE), times=FOREVER)
    inputs = {"operation": operation, "timeout-seconds": "10"}
    create = {"status": "RESOLVED", "description": "All is well."} if operation in ("create", "update") else {}
    update = {} if operation in ("create", "list") else {"update-id": UPDATE_ID}

    check(run(tmp_path, rule, **inputs, **create, **update))
