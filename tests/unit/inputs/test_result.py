"""The input `result` is a choice of other inputs."""

import pytest
from support.inputs import problem, read, refuse

from onlineornot_action.inputs.components import RESTORE
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.inputs.result import Choice
from onlineornot_action.inputs.rules import IfNoIncident, Operation

STEP = {
    "incident-id": "",
    "incident-title": "Checkout disrupted",
    "description": "We look into it.",
    "resolved-description": "It works again.",
    "components": "API: MAJOR_OUTAGE",
}
DECLARED = {"operation": "auto", "if-no-incident": "fail", "skip-duplicate": "auto", "notify": "true"}


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        (("failure", "Failed", "ERROR", "timed_out", "startup_failure"), Choice.REPORT),
        (("success", "Success"), Choice.CLOSE),
        (("cancelled", "canceled", "skipped", "neutral", "stale", "action_required", "inactive"), Choice.NOTHING),
        (("in_progress", "queued", "pending", "waiting", "requested"), Choice.NOTHING),
    ],
)
def test_a_result_is_read_in_any_case(words: tuple[str, ...], choice: Choice) -> None:
    chosen = {read(STEP | {"result": word}).inputs.result.choice for word in words}  # type: ignore[union-attr]

    assert chosen == {choice}


@pytest.mark.parametrize("declared", [{}, DECLARED], ids=["nothing else", "the defaults of action.yml"])
@pytest.mark.parametrize(("attempt", "skip"), [("1", SkipDuplicate.IF_NEWEST), ("2", SkipDuplicate.IF_NEWEST_ON_RERUN)])
def test_a_failure_is_reported_as_a_new_update_or_incident_if_the_newest_update_differs(
    declared: dict[str, str], attempt: str, skip: SkipDuplicate
) -> None:
    inputs, warnings = read(STEP | declared | {"result": "failure"}, {"GITHUB_RUN_ATTEMPT": attempt})

    assert (inputs.operation, inputs.status, inputs.text) == (Operation.CREATE, "INVESTIGATING", "We look into it.")
    assert (inputs.if_no_incident, inputs.skip_duplicate) == (IfNoIncident.CREATE, skip)
    assert warnings == []


@pytest.mark.parametrize("declared", [{}, DECLARED], ids=["nothing else", "the defaults of action.yml"])
def test_a_success_closes_and_restores(declared: dict[str, str]) -> None:
    inputs, warnings = read(STEP | declared | {"result": "success", "date-happened": "2026-01-31T14:00:00Z"})

    assert (inputs.operation, inputs.status, inputs.text) == (Operation.CREATE, "RESOLVED", "It works again.")
    assert (inputs.if_no_incident, inputs.components, inputs.date_happened) == (IfNoIncident.SKIP, RESTORE, None)
    assert warnings == []


def test_inputs_that_the_user_gave_are_kept() -> None:
    kept = {"status": "identified", "if-no-incident": "skip", "skip-duplicate": "false", "notify": "false"}

    inputs = read(STEP | kept | {"result": "failure"}).inputs

    assert (inputs.status, inputs.if_no_incident) == ("IDENTIFIED", IfNoIncident.SKIP)
    assert (inputs.skip_duplicate, inputs.notify) == (SkipDuplicate.NEVER, False)


@pytest.mark.parametrize("result", ["failure", "success", "cancelled"])
@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"incident-title": ""}, "incident-title is required with result."),
        ({"resolved-description": ""}, "resolved-description is required with result"),
        ({"description": ""}, "description or description-file is required"),
        ({"incident-title": "", "incident-id": "incident1234"}, "incident-id cannot be used with result"),
        ({"update-id": "update1234"}, "update-id cannot be used with result"),
        ({"if-no-incident": "skp"}, "if-no-incident is 'skp', but must be one of fail, create, skip."),
        ({"operation": "delete"}, "operation cannot be used with result"),
        ({"components": "Restore"}, "components: restore cannot be used with result"),
        ({"components": "API: DOWN"}, "components gives 'API' the status 'DOWN'"),
        ({"status": "resolved"}, "status RESOLVED cannot be used with result"),
        ({"status": "SCHEDULED"}, "status SCHEDULED cannot be used with result"),
        ({"resolved-description": f"ghp_{'a1B2' * 9}"}, "resolved-description contains a GitHub token in line 1"),
    ],
)
def test_invalid_inputs_are_refused_whatever_the_result(result: str, inputs: dict[str, str], words: str) -> None:
    assert words in "\n".join(refuse(STEP | inputs | {"result": result}).problems)


def test_messages_name_only_inputs_that_the_user_gave() -> None:
    problems = "\n".join(refuse(STEP | {"result": "success", "incident-title": "", "status": "SCHEDULED"}).problems)

    assert "if-no-incident" not in problems
    assert "skip-duplicate" not in problems


def test_any_other_word_is_refused_with_the_allowed_ones() -> None:
    words = "failure, failed, error, timed_out, startup_failure, success, cancelled, canceled, "

    assert problem(STEP | {"result": "ok"}).startswith(f"result is 'ok', but must be one of {words}")


@pytest.mark.parametrize("status", ["IDENTIFIED", ""])
def test_an_empty_result_is_a_misspelt_job(status: str) -> None:
    message = problem(STEP | {"result": "", "status": status})

    assert message.startswith("resolved-description is given, but result is empty; check the name of the job")
