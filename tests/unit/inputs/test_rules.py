"""Which inputs go together."""

import pytest
from support.inputs import BY_TITLE, CREATE, DELETE, GET, LIST, OPEN, UPDATE, problem, read

from onlineornot_action.inputs.model import input_names
from onlineornot_action.inputs.rules import ALWAYS_USED, RULES, USED_WITH_TITLE, Operation


@pytest.mark.parametrize(
    ("inputs", "operation"),
    [
        (CREATE, Operation.CREATE),
        (CREATE | {"operation": "AUTO", "update-id": " "}, Operation.CREATE),
        (CREATE | {"update-id": "update1234"}, Operation.UPDATE),
        (CREATE | {"operation": "Auto", "update-id": "latest"}, Operation.UPDATE),
        (CREATE | {"operation": "CREATE"}, Operation.CREATE),
        (UPDATE | {"operation": " Update "}, Operation.UPDATE),
    ],
)
def test_auto_updates_when_an_update_is_named_and_creates_otherwise(
    inputs: dict[str, str], operation: Operation
) -> None:
    assert read(inputs).inputs.operation is operation


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"description": "x"}, "status is required to create"),
        ({"status": "UPDATE"}, "description or description-file is required to create"),
        ({"operation": "update", "status": "UPDATE"}, "update-id is required to update an update; check where its"),
        (UPDATE | {"status": ""}, "status or description or description-file or date-happened is required to update"),
        ({"operation": "get"}, "update-id is required to get"),
        ({"operation": "delete"}, "update-id is required to delete"),
        (CREATE | GET | {"operation": "create"}, "update-id cannot be used with operation: create"),
        (UPDATE | {"components": "component1: NO_IMPACT"}, "components cannot be used with operation: update"),
        (BY_TITLE | UPDATE | OPEN, "if-no-incident: create cannot be used with operation: update"),
        (BY_TITLE | GET | OPEN, "if-no-incident: create cannot be used with operation: get"),
        (BY_TITLE | CREATE | OPEN | {"status": "in_progress"}, "status IN_PROGRESS is for a maintenance"),
        (CREATE | {"incident-title": "Down"}, "incident-id and incident-title are both given"),
        (CREATE | {"description-file": "notes.txt"}, "description and description-file are both given; give only one"),
    ],
)
def test_missing_and_conflicting_inputs_are_refused(
    inputs: dict[str, str], words: str, workspace_environ: dict[str, str]
) -> None:
    assert problem(inputs, workspace_environ).startswith(words)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "x"},
        {"date-happened": "2026-01-31T14:00:00Z"},
        {"description-file": "notes.txt"},
        {"status": "UPDATE"},
    ],
)
def test_one_change_is_enough_to_update(change: dict[str, str], workspace_environ: dict[str, str]) -> None:
    warnings = read({"operation": "update", "update-id": "update1234"} | change, workspace_environ).warnings

    assert [warning for warning in warnings if "Removed" not in warning] == []


@pytest.mark.parametrize(
    ("inputs", "idle"),
    [
        (UPDATE | {"notify": "false"}, "notify"),
        (GET | CREATE | {"notify": "FALSE"}, "description, notify, status"),
        (DELETE | {"components": "component1: NO_IMPACT"}, "components"),
        (CREATE | {"operation": "create", "if-no-incident": "skip"}, "if-no-incident"),
        (LIST | {"update-id": "update1234", "date-happened": "2026-01-31T14:00:00Z"}, "date-happened, update-id"),
        (GET | {"comment": "true", "github-token": "ghs_1234567890"}, "comment"),
        (LIST | {"comment": "true", "pull-request": "12"}, "comment, pull-request"),
    ],
)
def test_inputs_without_effect_are_named_in_one_warning(inputs: dict[str, str], idle: str) -> None:
    assert read(inputs).warnings == [f"With operation: {inputs['operation']}, these have no effect: {idle}."]


@pytest.mark.parametrize(
    "inputs",
    [
        CREATE | {"notify": "false", "dry-run": "true", "date-happened": "2026-01-31T14:00:00Z"},
        CREATE | {"skip-duplicate": "false"},
        CREATE | {"if-no-incident": "FAIL"},
        CREATE | BY_TITLE | OPEN,
        GET | BY_TITLE | {"if-no-incident": "skip"},
        UPDATE | {"notify": "True", "skip-duplicate": "AUTO", "dry-run": "true"},
        DELETE | {"dry-run": "true", "fail-on-error": "false"},
        GET | {"timeout-seconds": "10", "api-url": "http://localhost"},
        *(inputs | {"comment": "false", "github-token": "ghs_1234567890"} for inputs in (CREATE, UPDATE, GET, LIST)),
    ],
)
def test_inputs_that_have_an_effect_or_the_value_that_the_runner_fills_in_cause_no_warning(
    inputs: dict[str, str],
) -> None:
    assert read(inputs).warnings == []


@pytest.mark.parametrize("inputs", [CREATE, UPDATE, DELETE])
def test_the_pull_request_has_an_effect_only_with_comment(inputs: dict[str, str]) -> None:
    assert read(inputs | {"pull-request": "12", "comment": "True"}).warnings == []
    assert read(inputs | {"pull-request": "", "comment": "false"}).warnings == []
    assert read(inputs | {"pull-request": "12", "comment": "FALSE"}).warnings == [
        "pull-request has no effect without comment: true."
    ]


def test_a_rerun_cannot_delete_the_latest_update_but_one_by_its_id() -> None:
    message = problem({"operation": "delete", "update-id": "Latest"}, {"GITHUB_RUN_ATTEMPT": "13"})

    assert message.startswith("update-id: latest would delete one more update")
    assert read(DELETE, {"GITHUB_RUN_ATTEMPT": "13"}).warnings == []


@pytest.mark.parametrize("attempt", ["1", "", "x", "²"])
def test_the_first_run_of_a_job_can_delete_the_latest_update(attempt: str) -> None:
    assert read({"operation": "delete", "update-id": "latest"}, {"GITHUB_RUN_ATTEMPT": attempt}).warnings == []


def test_every_input_is_always_used_or_named_by_a_rule() -> None:
    named = ALWAYS_USED.union(USED_WITH_TITLE, *(rule.names for rule in RULES.values()))

    assert named == set(input_names())
