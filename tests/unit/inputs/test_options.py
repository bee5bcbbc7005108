"""A command line and the inputs that it gives."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onlineornot_action.inputs.model import CommandLine, InvalidInputsError, input_names, read_inputs
from onlineornot_action.inputs.options import NO_OPTIONS, parse_command_line
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.onlineornot import __version__

SECRET = "sk-1234567890"
EXPECTED = "expected one argument; write --status=VALUE if the value begins with a hyphen; see --help."
OPTIONS = [name for name in input_names() if name not in NO_OPTIONS]
INCIDENT = ["--status-page-id", "page1234", "--incident-id", "incident1234"]
BOOLEANS = ["notify", "dry-run", "fail-on-error"]


def parse(*arguments: str, **environ: str) -> CommandLine:
    return parse_command_line(arguments, Environment.of(environ))


def problem(*arguments: str, **environ: str) -> str:
    (only,) = parse(*arguments, **environ).problems
    return only


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("written", [["--{}", "some text"], ["--{}=some text"]], ids=["apart", "joined"])
def test_every_input_except_those_of_github_is_an_option(name: str, written: list[str]) -> None:
    command_line = parse(*(part.format(name) for part in written))

    assert command_line == CommandLine({name: "some text"})


@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        (["--notify", "--dry-run", "--fail-on-error"], dict.fromkeys(BOOLEANS, "true")),
        (["--notify", "false", "--dry-run=false", "--fail-on-error", "false"], dict.fromkeys(BOOLEANS, "false")),
        (["--description", "- We are looking into it."], {"description": "- We are looking into it."}),
        (["--description", "--- a line of dashes ---"], {"description": "--- a line of dashes ---"}),
        (["--description", "ends with --status"], {"description": "ends with --status"}),
        (["--update-id=-Jc2Jfiri7u-"], {"update-id": "-Jc2Jfiri7u-"}),
        (["--update-id", "", "--status", " "], {}),
    ],
)
def test_a_boolean_may_stand_alone_a_text_begin_with_a_hyphen_and_an_empty_value_means_not_given(
    arguments: list[str], inputs: dict[str, str]
) -> None:
    assert parse(*arguments) == CommandLine(inputs)


@pytest.mark.parametrize("name", ["api-token", "github-token"])
@pytest.mark.parametrize("written", [["--{}", SECRET], ["--{}=" + SECRET], ["--{}"]], ids=["apart", "joined", "alone"])
def test_a_token_is_refused_with_the_reason_and_not_repeated(name: str, written: list[str]) -> None:
    command_line = parse(*(part.format(name) for part in written))

    (refused,) = command_line.problems
    assert refused.startswith(f"--{name} is not accepted, because other users of a machine can see command lines")
    assert SECRET not in str(command_line)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--stauts", SECRET], "--stauts"),
        ([f"--stauts={SECRET}"], "--stauts"),
        (["-c", "import os"], "-c"),
        (["--stat", "UPDATE"], "--stat"),
        (["--comment=1"], "--comment"),
    ],
)
def test_an_unknown_option_is_refused_without_its_value(arguments: list[str], name: str) -> None:
    assert problem(*arguments) == f"There is no option '{name}'; see --help."


def test_a_text_without_quotes_is_refused_and_not_repeated() -> None:
    words = problem("--description", "We", "are", SECRET)

    assert words == "2 argument(s) belong to no option; quote a text that contains spaces, and see --help."


def test_no_value_is_repeated_by_a_command_line_that_cannot_be_parsed() -> None:
    assert parse("--version=it's secret").usage_error == "--version: ignored explicit argument; see --help."


@pytest.mark.parametrize("arguments", [["--status"], ["--status", "--notify"]])
def test_a_command_line_that_cannot_be_parsed_says_why(arguments: list[str]) -> None:
    assert parse(*arguments) == CommandLine(usage_error=f"--status: {EXPECTED}")


@pytest.mark.parametrize("name", ["status", "notify", "dotenv", "if-no-incident"])
def test_an_option_may_be_given_only_once(name: str) -> None:
    assert problem(f"--{name}=true", f"--{name}=true") == f"--{name} is given twice."


@pytest.mark.parametrize("dotenv", [["--dotenv", "update.env"], ["--dotenv=update.env"]])
def test_a_command_line_that_cannot_be_parsed_still_names_the_file_for_later_jobs(dotenv: list[str]) -> None:
    assert parse(*dotenv, "--status").dotenv == "update.env"
    assert parse("--status").dotenv == ""


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("written", [["--{}", ""], ["--{}", "  "], ["--{}="]])
def test_an_empty_boolean_is_refused_since_a_dry_run_must_not_post(name: str, written: list[str]) -> None:
    assert problem(*(part.format(name) for part in written)) == f"--{name} has an empty value; give true or false."


@pytest.mark.parametrize(
    "argument", ["--api-token {}", "-t{}", "--token:{}", "--token={}", "--version={}", "--{}", "{}"]
)
def test_a_token_that_is_passed_in_the_wrong_way_is_not_repeated(argument: str) -> None:
    assert SECRET not in str(parse(argument.format(SECRET)))
    assert SECRET not in str(parse(argument.format(SECRET), ONLINEORNOT_API_TOKEN=SECRET))


def test_the_file_for_later_jobs_is_refused_in_a_workflow() -> None:
    assert problem("--dotenv", "update.env", GITHUB_ACTIONS="true").startswith("--dotenv has no effect in a workflow")
    assert parse("--dotenv", "update.env") == CommandLine(dotenv="update.env")


@pytest.mark.parametrize("variable", ["INPUT_STATUS-PAGE-ID", "INPUT_STATUS_PAGE_ID"])
def test_an_option_may_repeat_the_environment_but_not_differ_from_it(variable: str) -> None:
    refused = problem("--status-page-id", "page1234", **{variable: "page5678"})

    assert refused == "--status-page-id and the variable for status-page-id in the environment differ; give only one."
    assert parse("--status-page-id", "page1234", **{variable: " page1234\n"}).problems == ()


def test_arguments_are_refused_where_the_runner_has_set_inputs_but_not_in_a_script_of_a_workflow() -> None:
    refused = problem("--help", GITHUB_ACTIONS="true", INPUT_STATUS="")

    assert refused.startswith("The action takes no arguments on its command line; use inputs instead")
    assert parse("--dry-run", GITHUB_ACTIONS="true") == CommandLine({"dry-run": "true"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--status-page-id", "page1234"], "--incident-id or --incident-title is required."),
        ([*INCIDENT, "--description", "x", "--description-file", "x"], "--description and --description-file are both"),
        ([*INCIDENT, "--description-file", "-"], "--description-file is -, but standard input is empty"),
        ([*INCIDENT, "--description-file", "../x"], "--description-file is outside the current folder"),
        ([*INCIDENT, "--update-id", "latest", "--components", "restore"], "--components cannot be used"),
        ([*INCIDENT, "--operation", "get"], "--update-id is required to get an update."),
        ([*INCIDENT, "--operation", "get", "--if-no-incident", "create"], "with --operation get"),
        ([*INCIDENT, "--description", "a\\nb", "--notify", "x"], "--description-file -"),
    ],
)
def test_messages_on_a_command_line_name_options(arguments: list[str], words: str) -> None:
    environment = Environment.of({"ONLINEORNOT_API_TOKEN": SECRET}).with_inputs(parse(*arguments).inputs)

    with pytest.raises(InvalidInputsError) as caught:
        read_inputs(environment, stdin=io.TextIOWrapper(io.BytesIO()))

    messages = "\n".join((*caught.value.problems, *caught.value.warnings))
    assert words in messages
    assert [word for word in ("{{", "YAML", "workflow", "workspace") if word in messages] == []


def test_help_names_every_option_with_its_default() -> None:
    shown = " ".join(parse("--help").answer.split())

    assert [name for name in OPTIONS if f"--{name}" not in shown] == []
    assert "token" not in "".join(part for part in shown.split() if part.startswith("--"))
    assert "(default: https://api.onlineornot.com)" in shown
    assert "whether subscribers are notified (default: true)" in shown
    assert shown.count("(default: auto)") == len(["operation", "skip-duplicate"])


def test_version_is_that_of_the_package() -> None:
    assert parse("--version").answer == f"onlineornot-incident-update {__version__}\n"


WORDS = st.one_of(
    st.sampled_from([*(f"--{name}" for name in input_names()), "--dotenv", "--", "-", "-h", "=", "--status="]),
    st.text(max_size=8),
)


@settings(deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=6))
def test_any_command_line_is_parsed_or_refused(arguments: list[str]) -> None:
    command_line = parse(*arguments)

    assert command_line.usage_error or command_line.answer or command_line.inputs.keys() <= set(OPTIONS)
