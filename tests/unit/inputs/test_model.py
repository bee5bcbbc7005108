"""The inputs as one model, or everything that is wrong with them at once."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.inputs import CREATE, DELETE, GET, LIST, NOW, TOKEN, UPDATE, USUAL, problem, read, refuse

from onlineornot_action.inputs.model import InvalidInputsError, input_names, read_inputs
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.inputs.rules import IfNoIncident, Operation
from onlineornot_action.inputs.variables import Environment
from onlineornot_sandbox import local_step


def test_an_input_that_is_not_given_has_its_default() -> None:
    inputs, warnings = read(CREATE)

    given = {"api_token", "status_page_id", "incident_id", "status", "description"}
    assert inputs.model_dump(exclude=given, exclude_none=True) == {
        "if_no_incident": IfNoIncident.FAIL,
        "operation": Operation.CREATE,
        "notify": True,
        "skip_duplicate": SkipDuplicate.NEVER,
        "dry_run": False,
        "fail_on_error": True,
        "timeout_seconds": 120,
        "api_url": "https://api.onlineornot.com",
        "comment": False,
    }
    assert warnings == []


def test_an_empty_input_counts_as_not_given() -> None:
    assert read(dict.fromkeys(input_names(), " \n") | USUAL | CREATE) == read(CREATE)


@pytest.mark.parametrize("inputs", [CREATE, UPDATE, GET, DELETE, LIST])
def test_the_defaults_that_the_runner_fills_in_change_nothing(inputs: dict[str, str]) -> None:
    assert read_inputs(Environment.of(local_step.as_variables(USUAL | inputs)), now=NOW) == read(inputs)


def test_white_space_around_every_value_is_dropped() -> None:
    given = CREATE | {"notify": "FALSE", "timeout-seconds": "60", "components": "component1: NO_IMPACT"}
    padded = {name: f" \t{value}\r\n" for name, value in (USUAL | given).items()}

    assert read(padded) == read(given)


@given(st.dictionaries(st.sampled_from(input_names()), st.text(max_size=40)))
@settings(deadline=None, derandomize=True)
def test_any_text_yields_inputs_or_problems(written: dict[str, str]) -> None:
    with contextlib.suppress(InvalidInputsError):
        read(written)


@pytest.mark.parametrize("name", [name for name in input_names() if name != "github-token"])
def test_text_that_is_not_utf_8_is_refused_with_a_message_that_is(name: str) -> None:
    error = refuse(CREATE | {"description": ""} | {name: "abcdefgh\udcff"})

    assert any(line.startswith(f"{name} ") for line in error.problems)
    assert "\n".join(error.problems).encode()


def test_the_word_none_is_a_text() -> None:
    assert read(CREATE | {"description": "None"}).inputs.text == "None"
    assert read(GET | {"description": "None"}).warnings == ["With operation: get, these have no effect: description."]


@pytest.mark.parametrize("written", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}", f" Bearer   {TOKEN} "])
def test_white_space_and_the_word_bearer_around_the_token_are_dropped(written: str) -> None:
    assert read(CREATE | {"api-token": written}).inputs.api_token == TOKEN


@pytest.mark.parametrize(("written", "variable"), [(" ", f" {TOKEN}\n"), (TOKEN, "another-token")])
def test_the_token_may_come_from_the_environment_where_the_input_is_empty(written: str, variable: str) -> None:
    environ = {"ONLINEORNOT_API_TOKEN": variable}

    assert read(CREATE | {"api-token": written}, environ).inputs.api_token == TOKEN


@pytest.mark.parametrize("written", ["", " \n", "Bearer ", " Bearer  \n"])
def test_a_missing_token_is_reported_with_the_usual_reasons(written: str) -> None:
    message = problem(CREATE | {"api-token": written})

    assert message.startswith("api-token is empty")
    assert all(reason in message for reason in ("forks", "Dependabot", "secrets: inherit", "environment: in the job"))


@pytest.mark.parametrize("name", [name for name in input_names() if name != "api-token"])
@pytest.mark.parametrize("written", [TOKEN, f"/{TOKEN}?", f"{TOKEN}: {TOKEN}", f'[{{"id": 1, "{TOKEN}": 2}}]'])
def test_no_message_repeats_a_token_that_was_pasted_into_another_input(name: str, written: str) -> None:
    error = refuse({"description": "", "timeout-seconds": "no", "mesage": ""} | {name: written})

    assert TOKEN not in "\n".join((*error.problems, *error.warnings, str(error), repr(error)))


def test_missing_required_ids_are_named() -> None:
    of_page, of_incident = refuse(CREATE | {"status-page-id": "", "incident-id": ""}).problems

    assert of_page.startswith("status-page-id is required; check where its value comes from, and quote ids")
    assert of_incident.startswith("incident-id or incident-title is required; quote ids in YAML (")


def test_outside_github_there_is_no_advice_on_workflows() -> None:
    error = refuse(CREATE | {"api-token": "", "status-page-id": ""}, {"GITHUB_ACTIONS": ""})

    assert error.problems == ("ONLINEORNOT_API_TOKEN is not set.", "--status-page-id is required.")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("mesage", "; did you mean description?"),
        ("token", "; did you mean api-token?"),
        ("status-page", "; did you mean status-page-id?"),
        ("zzz", "."),
    ],
)
def test_an_unknown_input_causes_a_warning_that_suggests_the_nearest(name: str, suggestion: str) -> None:
    assert read(CREATE | {name: "x"}).warnings == [f"There is no input '{name.lower()}'{suggestion}"]


def test_a_variable_with_underscores_is_understood_since_gitlab_allows_no_hyphens() -> None:
    inputs, warnings = read(CREATE, {"INPUT_DRY_RUN": "true", "GITHUB_ACTIONS": ""})

    assert (inputs.dry_run, warnings) == (True, [])


def test_on_github_a_variable_with_underscores_is_no_input_since_an_earlier_step_may_have_left_it() -> None:
    inputs, warnings = read(CREATE, {"INPUT_UPDATE_ID": "update1234"})

    assert (inputs.operation, inputs.update_id) == ("create", None)
    assert warnings == ["There is no input 'update_id'; did you mean update-id?"]


def test_variables_with_both_spellings_that_differ_are_refused() -> None:
    message = problem(CREATE, {"INPUT_STATUS_PAGE_ID": "page5678", "GITHUB_ACTIONS": ""})

    assert message == "INPUT_STATUS-PAGE-ID and INPUT_STATUS_PAGE_ID are both set, and differ; set only one of them."


def test_all_problems_are_reported_at_once() -> None:
    wrong = (
        *("api-token", "status-page-id", "incident-id", "status", "description", "description-file", "components"),
        *("notify", "date-happened", "dry-run", "fail-on-error", "timeout-seconds", "api-url"),
    )
    inputs = dict.fromkeys(wrong, "\u200b") | {"operation": "update", "mesage": "x"}

    error = refuse(inputs, {"SSL_CERT_FILE": "/no/such/file.pem"})

    together = ("SSL_CERT_FILE", "description", "update-id", "components")
    assert [line.split()[0] for line in error.problems] == [*wrong, *together]
    assert error.warnings == ("There is no input 'mesage'; did you mean description?",)


def test_an_invalid_operation_does_not_hide_the_problems_that_all_operations_share() -> None:
    problems = refuse({"operation": "post", "incident-title": "x"}).problems

    assert [line.split()[0] for line in problems] == ["operation", "incident-id"]


def test_a_long_value_is_quoted_shortened_and_on_one_line() -> None:
    message = problem(CREATE | {"timeout-seconds": "a\n" + "b" * 100})

    assert message.startswith(f"timeout-seconds is 'a {'b' * 58}…', but")
