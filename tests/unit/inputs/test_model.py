"""From the environment to inputs, or to all that is wrong with them at once."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onlineornot_action.inputs.model import InvalidInputsError, ValidInputs, input_names, read_inputs
from onlineornot_action.inputs.parsers import IfNoIncident, NamedStatus
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.onlineornot.models import ComponentAffected, ComponentStatus, IncidentStatus
from onlineornot_sandbox import local_step

TOKEN = "token-1234567890"
EMPTY: Mapping[str, str] = MappingProxyType({})
UP = ComponentStatus.OPERATIONAL
DOWN = NamedStatus("component1", ComponentStatus.MAJOR_OUTAGE)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
YEAR = timedelta(days=366)
USUAL = {"api-token": TOKEN, "status-page-id": "page1234", "incident-id": "incident1234"}
CREATE = {"status": "IDENTIFIED", "description": "The cause is found."}
UPDATE = {"operation": "update", "update-id": "update1234", "status": "MONITORING"}
GET = {"operation": "get", "update-id": "update1234"}
DELETE = {"operation": "delete", "update-id": "update1234"}
LIST = {"operation": "list"}
BY_TITLE = {"incident-id": "", "incident-title": "Checkout is failing"}
OPEN = {"if-no-incident": "CREATE"}


def as_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    """Name inputs as the runner does."""
    return {f"INPUT_{name.upper()}": value for name, value in inputs.items()}


def read(inputs: Mapping[str, str], environ: Mapping[str, str] = EMPTY, arguments: Sequence[str] = ()) -> ValidInputs:
    """Read these inputs, and the three that are always required."""
    return read_inputs({**as_variables({**USUAL, **inputs}), **environ}, arguments, now=NOW)


def refuse(
    inputs: Mapping[str, str], environ: Mapping[str, str] = EMPTY, arguments: Sequence[str] = ()
) -> InvalidInputsError:
    """Say what is wrong with these inputs."""
    with pytest.raises(InvalidInputsError) as caught:
        read(inputs, environ, arguments)
    return caught.value


def problem(inputs: Mapping[str, str], environ: Mapping[str, str] = EMPTY, arguments: Sequence[str] = ()) -> str:
    """Say the only thing that is wrong with these inputs."""
    (only,) = refuse(inputs, environ, arguments).problems
    return only


@pytest.fixture
def workspace(tmp_path: Path) -> dict[str, str]:
    """Point to a workspace with a text."""
    (tmp_path / "notes.txt").write_bytes(b"\xef\xbb\xbfRolled\r\nback.\x07\n")
    return {"GITHUB_WORKSPACE": str(tmp_path)}


def test_what_is_not_given_has_its_default() -> None:
    inputs, warnings = read(CREATE)

    assert inputs.model_dump(exclude={"api_token", "status_page_id", "incident_id", "status", "description"}) == {
        "incident_title": None,
        "if_no_incident": IfNoIncident.FAIL,
        "update_id": None,
        "operation": Operation.CREATE,
        "description_file": None,
        "components": None,
        "notify": True,
        "date_happened": None,
        "skip_duplicate": False,
        "dry_run": False,
        "fail_on_error": True,
        "timeout_seconds": 120,
        "api_url": "https://api.onlineornot.com",
        "github_token": None,
        "comment": False,
    }
    assert warnings == []


def test_an_empty_input_is_one_that_is_not_given() -> None:
    assert read(dict.fromkeys(input_names(), " \n") | USUAL | CREATE) == read(CREATE)


@pytest.mark.parametrize("inputs", [CREATE, UPDATE, GET, DELETE, LIST])
def test_the_defaults_that_the_runner_fills_in_change_nothing(inputs: dict[str, str]) -> None:
    assert read_inputs(local_step.as_variables(USUAL | inputs), now=NOW) == read(inputs)


def test_white_space_around_every_value_is_dropped() -> None:
    given = CREATE | {"notify": "FALSE", "timeout-seconds": "60", "components": "component1: NO_IMPACT"}
    padded = {name: f" \t{value}\r\n" for name, value in (USUAL | given).items()}

    assert read(padded) == read(given)


def test_reading_inputs_imports_neither_requests_nor_github() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(local_step.ROOT / 'src')!r}); "
        "from onlineornot_action.inputs.model import read_inputs; "
        f"read_inputs({as_variables(USUAL | CREATE)!r}); print({{'requests', 'urllib3', 'github'}} & set(sys.modules))"
    )

    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=60, check=True)

    assert ended.stdout == b"set()\n"


@given(st.dictionaries(st.sampled_from(input_names()), st.text(max_size=40)))
@settings(deadline=None, derandomize=True)
def test_whatever_is_written_ends_as_inputs_or_as_problems(written: dict[str, str]) -> None:
    with contextlib.suppress(InvalidInputsError):
        read(written)


@pytest.mark.parametrize("name", [name for name in input_names() if name not in ("description", "github-token")])
def test_text_that_is_not_utf_8_is_refused_in_words_that_are(name: str) -> None:
    error = refuse(CREATE | {"description": ""} | {name: "abcdefgh\udcff"})

    assert any(line.startswith(f"{name} ") for line in error.problems)
    assert "\n".join(error.problems).encode()


@pytest.mark.parametrize("written", ["short", "two words", "${{ github.token }}", "abcdefgh\udcff"])
def test_a_github_token_is_no_reason_to_fail_whatever_it_is(written: str) -> None:
    assert read(CREATE | {"comment": "true", "github-token": written}).inputs.github_token == written


def test_a_text_that_contains_the_github_token_is_not_published() -> None:
    error = refuse(CREATE | {"description": "It is ghs_1234567890", "github-token": "ghs_1234567890"})

    assert [line.split(",")[0] for line in error.problems] == ["description contains the API token or github-token"]


@pytest.mark.parametrize("word", ["None", "none"])
def test_a_word_that_looks_like_no_value_is_a_text(word: str) -> None:
    assert read(CREATE | {"description": word}).inputs.text == word
    assert read(GET | {"description": word}).warnings == ["With operation: get, these have no effect: description."]


@pytest.mark.parametrize("inputs", [GET, LIST])
def test_a_comment_has_no_effect_where_nothing_is_told(inputs: dict[str, str]) -> None:
    warnings = read(inputs | {"comment": "true", "github-token": "ghs_1234567890"}).warnings

    assert warnings == [f"With operation: {inputs['operation']}, these have no effect: comment."]


@pytest.mark.parametrize("written", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}", f" Bearer   {TOKEN} "])
def test_the_token_is_found_whatever_was_pasted_around_it(written: str) -> None:
    assert read(CREATE | {"api-token": written}).inputs.api_token == TOKEN


def test_the_token_may_come_from_the_environment() -> None:
    environ = {"ONLINEORNOT_API_TOKEN": f" {TOKEN}\n"}

    assert read(CREATE | {"api-token": " "}, environ).inputs.api_token == TOKEN


def test_the_input_wins_over_the_environment() -> None:
    assert read(CREATE, {"ONLINEORNOT_API_TOKEN": "another-token"}).inputs.api_token == TOKEN


@pytest.mark.parametrize("written", ["", " \n", "Bearer "])
def test_without_a_token_the_usual_reasons_are_named(written: str) -> None:
    message = problem(CREATE | {"api-token": written})

    assert message.startswith("api-token ")
    assert "forks" in message or "shorter" in message


@pytest.mark.parametrize("character", [" ", "\n", "\t", "\x07", "\x7f", "é", "\u200b", "🔑", "\udcff"], ids=ascii)
def test_a_token_with_a_foreign_character_is_refused_without_being_shown(character: str) -> None:
    message = problem(CREATE | {"api-token": f"token-12{character}34567890"})

    assert message.startswith("api-token has a space or another character that no token has")
    assert "token-12" not in message


def test_a_token_may_have_eight_characters_but_not_seven() -> None:
    assert read(CREATE | {"api-token": "12345678"}).inputs.api_token == "12345678"
    assert problem(CREATE | {"api-token": "1234567"}).startswith("api-token is shorter than 8 characters")


def test_an_expression_that_was_not_evaluated_is_no_token() -> None:
    assert "has not evaluated" in problem(CREATE | {"api-token": "${{ secrets.ONLINEORNOT_API_TOKEN }}"})


@pytest.mark.parametrize("text", [TOKEN, f"It is {TOKEN}!", f"to\x07ken-{TOKEN[6:]}"], ids=ascii)
def test_a_description_with_the_token_in_it_is_refused(text: str) -> None:
    assert problem({"status": "UPDATE", "description": text}).startswith("description contains the API token")


def test_a_file_with_the_token_in_it_is_refused(workspace: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(f"It is {TOKEN}!", encoding="utf-8")

    message = problem({"status": "UPDATE", "description-file": "secret.txt"}, workspace)

    assert message.startswith("description-file contains the API token")


@pytest.mark.parametrize("name", [name for name in input_names() if name != "api-token"])
@pytest.mark.parametrize("written", [TOKEN, f"/{TOKEN}?", f"{TOKEN}: {TOKEN}", f'[{{"id": 1, "{TOKEN}": 2}}]'])
def test_the_token_is_never_repeated_wherever_it_was_pasted(name: str, written: str) -> None:
    error = refuse({"description": "", "timeout-seconds": "no", "mesage": ""} | {name: written})

    assert TOKEN not in "\n".join((*error.problems, *error.warnings, str(error), repr(error)))


@pytest.mark.parametrize("name", ["status-page-id", "incident-id", "update-id"])
@pytest.mark.parametrize("written", ["12345678", "x" * 64, "-hyphen-", "_A-z0189"])
def test_an_id_has_eight_to_64_letters_digits_hyphens_and_underscores(name: str, written: str) -> None:
    assert read(GET | {name: written}).inputs.model_dump(by_alias=True)[name] == written


@pytest.mark.parametrize("name", ["status-page-id", "incident-id", "update-id"])
@pytest.mark.parametrize(
    "written",
    [
        *(
            "1234567",
            "x" * 65,
            "12345",
            "abc.defgh",
            "abc#defgh",
            "abc?defgh",
            "abc%2Fdefgh",
            "abc defgh",
            "abc\ndefgh",
        ),
        *("../abcdefgh", "abcdefgé", "١٢٣٤٥٦٧٨", "abcd\x07efgh", "\u200babcdefgh", "::error::abc"),
    ],
    ids=ascii,
)
def test_any_other_id_is_refused_with_advice(name: str, written: str) -> None:
    message = problem(GET | {name: written})

    assert message.startswith(f"{name} is ")
    assert "quote it in the workflow" in message or "is an address" in message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status-page-id", "status-page-id is required; check what it comes from, and quote ids in the workflow ("),
        ("incident-id", "incident-id or incident-title is required; quote ids in the workflow ("),
    ],
)
def test_a_required_id_that_is_missing_is_named(name: str, words: str) -> None:
    assert problem(CREATE | {name: ""}).startswith(words)


def test_a_description_that_is_not_utf_8_is_refused() -> None:
    assert problem(CREATE | {"description": "half a \udcff"}) == "description is not valid UTF-8."


@pytest.mark.parametrize(
    "address",
    [
        "https://onlineornot.com/app/status-pages/abcd1234",
        "https://status.example.com/incidents/abcd1234/",
        "https://status.example.com/incidents/abcd1234?tab=updates#latest",
        "api.onlineornot.com/v1/status_pages/abcd1234/incidents",
    ],
)
def test_of_an_address_the_part_that_is_the_id_is_suggested(address: str) -> None:
    assert problem(CREATE | {"incident-id": address}) == "incident-id is an address; the id in it seems to be abcd1234."


@pytest.mark.parametrize("written", ["latest", "LATEST", " Latest "])
def test_an_update_may_be_the_latest(written: str) -> None:
    assert read({"operation": "get", "update-id": written}).inputs.update_id == "latest"


@pytest.mark.parametrize("name", ["status-page-id", "incident-id"])
def test_only_an_update_can_be_the_latest(name: str) -> None:
    assert "quote it" in problem(CREATE | {name: "latest"})


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("write", [str, str.lower, str.title, " {} ".format])
def test_a_status_may_be_written_in_any_case(status: IncidentStatus, write: Callable[[str], str]) -> None:
    assert read({"description": "x", "status": write(status)}).inputs.status is status


@pytest.mark.parametrize("written", ["FIXED", "IN PROGRESS", "resolved.", "0"])
def test_an_unknown_status_is_refused_with_the_words_that_are_known(written: str) -> None:
    message = problem({"description": "x", "status": written})

    assert message == f"status is '{written}', but has to be one of {', '.join(IncidentStatus)}."


@pytest.mark.parametrize("name", ["notify", "dry-run", "fail-on-error"])
@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
)
def test_a_boolean_is_written_as_in_yaml(name: str, written: str, value: bool) -> None:  # noqa: FBT001 - it is a table
    assert read(CREATE | {name: written}).inputs.model_dump(by_alias=True)[name] is value


@pytest.mark.parametrize("name", ["notify", "dry-run", "fail-on-error"])
@pytest.mark.parametrize("written", ["yes", "no", "on", "off", "1", "0", "tRUE", "y", "none", "true false"])
def test_any_other_boolean_is_refused(name: str, written: str) -> None:
    message = problem(CREATE | {name: written})

    assert message == f"{name} is '{written}', but has to be true or false."


@pytest.mark.parametrize(
    ("written", "attempt", "value"),
    [("auto", "1", False), ("Auto", "2", True), ("", "2", True), ("false", "2", False), ("TRUE", "1", True)],
)
def test_duplicates_are_skipped_when_the_job_runs_again_unless_it_is_said_otherwise(
    written: str,
    attempt: str,
    value: bool,  # noqa: FBT001 - it is a table
) -> None:
    inputs, warnings = read(CREATE | {"skip-duplicate": written}, {"GITHUB_RUN_ATTEMPT": attempt})

    assert (inputs.skip_duplicate, warnings) == (value, [])


@pytest.mark.parametrize("written", ["yes", "1", "AUTOMATIC", "tRUE"])
def test_whether_duplicates_are_skipped_has_three_words(written: str) -> None:
    message = problem(CREATE | {"skip-duplicate": written})

    assert message == f"skip-duplicate is '{written}', but has to be auto, true or false."


@pytest.mark.parametrize("written", ["10", "11", "120", "600", "0060"])
def test_the_timeout_is_ten_to_600_seconds(written: str) -> None:
    assert read(CREATE | {"timeout-seconds": written}).inputs.timeout_seconds == int(written)


@pytest.mark.parametrize("written", ["9", "601", "0", "-1", "+60", "abc", "1e9", "60.0", "6_0", "٦٠", "²⁰", "1" * 5000])
def test_any_other_timeout_is_refused(written: str) -> None:
    assert "has to be a whole number from 10 to 600" in problem(CREATE | {"timeout-seconds": written})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2026-01-31T14:00:00+01:00", "2026-01-31T13:00:00.000Z"),
        ("2026-01-31T14:00:00Z", "2026-01-31T14:00:00.000Z"),
        ("2026-01-31 14:00z", "2026-01-31T14:00:00.000Z"),
        ("2026-01-31t14:00:00.1239-0330", "2026-01-31T17:30:00.123Z"),
        ("2026-01-31T14:00:00,123456789Z", "2026-01-31T14:00:00.123Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000Z"),
        ((NOW + YEAR).isoformat(), "2027-02-01T12:00:00.000Z"),
    ],
)
def test_a_date_is_sent_in_utc_with_milliseconds(written: str, sent: str) -> None:
    assert read(CREATE | {"date-happened": written}).inputs.date_happened == sent


@pytest.mark.parametrize(
    "written",
    [
        *("2026-01-31", "2026-01-31T14:00:00", "14:00Z", "now", "yesterday", "1769868000", "31.01.2026 14:00 +0100"),
        *("2026-02-29T14:00:00Z", "2026-13-01T14:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T14:00:00+25:00"),
        *("2026-W05-6T14:00:00Z", "20260131T140000Z", "2026-01-31T14Z", "2026-01-31T14:00:00 CET", "2026-1-31T14:00Z"),
        *("٢٠٢٦-01-31T14:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "12026-01-31T14:00:00Z"),
    ],
    ids=ascii,
)
def test_a_date_without_time_and_offset_or_one_that_does_not_exist_is_refused(written: str) -> None:
    assert "has to be a date and time with an offset" in problem(CREATE | {"date-happened": written})


@pytest.mark.parametrize("written", [(NOW + YEAR + timedelta(seconds=1)).isoformat(), "3000-01-01T00:00:00Z"])
def test_a_date_more_than_a_year_ahead_is_refused(written: str) -> None:
    assert problem(CREATE | {"date-happened": written}) == f"date-happened is '{written}', more than a year ahead."


@pytest.mark.parametrize("character", ["x", "🛠"])
@pytest.mark.parametrize("length", [9_999, 10_000])
def test_a_description_may_have_10_000_characters(character: str, length: int) -> None:
    assert read({"status": "UPDATE", "description": f" {character * length}\n"}).inputs.text == character * length


@pytest.mark.parametrize("character", ["x", "🛠"])
def test_a_longer_description_is_refused_with_both_numbers(character: str) -> None:
    message = problem({"status": "UPDATE", "description": character * 10_001})

    assert message.startswith("description has 10,001 characters, but at most 10,000 are allowed;")


@pytest.mark.parametrize("text", ["\u200b", "\x07", "\ufe0f\u2060", "\u2800"], ids=ascii)
def test_a_description_in_which_nothing_is_visible_is_refused(text: str) -> None:
    assert problem({"status": "UPDATE", "description": text}) == "description has nothing to read in it."


@pytest.mark.parametrize(
    ("written", "text", "removed"),
    [
        ("\x1b[31mred\x1b[0m", "red", 9),
        ("a\u202eb\u2066c", "abc", 2),
        ("a\x00\x7f\x9bb", "ab", 3),
        ("a\r\x07\nb", "a\n\nb", 1),
    ],
)
def test_control_characters_are_removed_from_the_description_with_a_warning(
    written: str, text: str, removed: int
) -> None:
    inputs, warnings = read({"status": "UPDATE", "description": written})

    assert inputs.text == text
    assert warnings == [f"Removed {removed} control character(s) from the description."]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("👩\u200d💻 क्\u200dष", "👩\u200d💻 क्\u200dष"),
        ("::error::x\n##[add-mask]x", "::error::x\n##[add-mask]x"),
        ("EOF\na<<b\nx=y\n```\n<b>*|", "EOF\na<<b\nx=y\n```\n<b>*|"),
    ],
)
def test_everything_else_in_a_description_stays_without_a_warning(written: str, text: str) -> None:
    inputs, warnings = read({"status": "UPDATE", "description": written})

    assert (inputs.text, warnings) == (text, [])


def test_the_text_may_come_from_a_file_and_is_cleaned_in_the_same_way(workspace: dict[str, str]) -> None:
    inputs, warnings = read({"status": "UPDATE", "description-file": "notes.txt"}, workspace)

    assert inputs.text == "Rolled\nback."
    assert warnings == ["Removed 1 control character(s) from the description."]


def test_without_a_workspace_a_file_lies_in_the_working_directory(
    workspace: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace["GITHUB_WORKSPACE"])

    assert read({"status": "UPDATE", "description-file": "notes.txt"}).inputs.text == "Rolled\nback."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.txt", "cannot be read (No such file or directory)"),
        (".", "cannot be read (Is a directory)"),
        ("../notes.txt", "is outside the workspace"),
        ("/etc/passwd", "is outside the workspace"),
        ("blank.txt", "has nothing to read in it"),
        ("long.txt", "has 10,001 characters, but at most 10,000 are allowed"),
    ],
)
def test_a_file_that_cannot_be_published_is_refused(
    workspace: dict[str, str], tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "blank.txt").write_bytes(b"\xef\xbb\xbf\n")
    (tmp_path / "long.txt").write_text("x" * 10_001, encoding="utf-8")

    message = problem({"status": "UPDATE", "description-file": name}, workspace)

    assert message.startswith(f"description-file {reason}")


def test_only_one_of_description_and_file_may_be_given(workspace: dict[str, str]) -> None:
    message = problem(CREATE | {"description-file": "notes.txt"}, workspace)

    assert message == "description and description-file are both given; leave one of them out."


@pytest.mark.parametrize(
    ("written", "components"),
    [
        ("component1: MAJOR_OUTAGE\ncomponent2: operational", (DOWN, NamedStatus("component2", UP))),
        ("\r\n component1 :major_outage \r\n\r\n\tcomponent2:Up:Operational", (DOWN, NamedStatus("component2:Up", UP))),
        ("Core / API: operational", (NamedStatus("Core / API", UP),)),
        ("- 12345: Operational", (NamedStatus("- 12345", UP),)),
        ("API: OPERATIONAL\napi: operational", (NamedStatus("API", UP), NamedStatus("api", UP))),
        ('[{"id": "component1", "status": "UP"}]'.replace("UP", UP), (ComponentAffected(id="component1", status=UP),)),
        ('[{"id": " component1 ", "status": " operational "}]', (ComponentAffected(id="component1", status=UP),)),
        (" Restore\n", "restore"),
        ("restore: operational", (NamedStatus("restore", UP),)),
    ],
)
def test_components_are_lines_or_json_or_the_word_restore(written: str, components: object) -> None:
    assert read(CREATE | {"components": written}).inputs.components == components


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("component1", "has the line 'component1'"),
        ("component1: NO_IMPACT\ncomponent2 OPERATIONAL", "has the line 'component2 OPERATIONAL'"),
        ("component1: BROKEN", "gives 'component1' a status that is 'BROKEN', but has to be one of OPERATIONAL, "),
        ("component1:", "gives 'component1' a status that is ''"),
        (": NO_IMPACT", "has the line ': NO_IMPACT', but a line has to be NAME: STATUS"),
        ("restored", "has the line 'restored'"),
        ("API: NO_IMPACT\napi : OPERATIONAL", "gives 'api' two different statuses"),
        ("[", "is no JSON list of objects with id and status: Invalid JSON"),
        ("{}", "is no JSON list of objects with id and status: Input should be a valid array"),
        ('["component1"]', "item 0: "),
        ('[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component2"}]', "item 1.status: Field required"),
        ('[{"id": 12345678, "status": "NO_IMPACT"}]', "item 0.id: Input should be a valid string"),
        ('[{"id": "component1", "status": "NO_IMPACT", "name": "x"}]', "item 0.name: Extra inputs are not permitted"),
        ('[{"id": "component1", "status": "BROKEN"}]', "gives 'component1' a status that is 'BROKEN'"),
        ('[{"id": "12345", "status": "NO_IMPACT"}]', "names '12345', which is no component's id"),
        (
            '[{"id": "component1", "status": "NO_IMPACT"}, {"id": "component1", "status": "OPERATIONAL"}]',
            "gives component1 two different statuses",
        ),
        ("[" * 100_000, "recursion limit exceeded"),
    ],
    ids=lambda written: written[:40],
)
def test_components_that_are_wrong_are_refused_and_the_item_is_named(written: str, words: str) -> None:
    message = problem(CREATE | {"components": written})

    assert message.startswith("components ")
    assert words in message


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://api.onlineornot.com", "https://api.onlineornot.com"),
        ("https://api.onlineornot.com/", "https://api.onlineornot.com"),
        ("https://proxy.example.com:8443/onlineornot/v1/", "https://proxy.example.com:8443/onlineornot/v1"),
        ("HTTPS://API.example.com", "HTTPS://API.example.com"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8787/prefix", "http://localhost:8787/prefix"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_the_api_is_spoken_to_by_https_or_on_this_machine(written: str, address: str) -> None:
    assert read(CREATE | {"api-url": written}).inputs.api_url == address


@pytest.mark.parametrize(
    "written",
    [
        *("https://user:password@api.onlineornot.com", "https://user@api.onlineornot.com", "https://a@localhost"),
        *("https://api.onlineornot.com?x=y", "https://api.onlineornot.com/#x", "https://api.onlineornot.com/?"),
        *("ftp://api.onlineornot.com", "file:///etc/passwd", "api.onlineornot.com", "//api.onlineornot.com", "https:"),
        *("https://", "https:///x", "https://api.onlineornot.com:0", "https://api.onlineornot.com:65536", "https://h:"),
        *(
            "https://api.onlineornot.com\\@example.com",
            "https://api onlineornot.com",
            "https://api.onlineornot.com\n/x",
        ),
        *("https://api.önlineornot.com", "https://[::1", "https://[::zz]", "https://[1]", "https://%61pi.example.com"),
        *("http://user:password@localhost", "javascript:alert(1)", "https://a,b", "https://a;b"),
    ],
    ids=ascii,
)
def test_an_address_with_more_than_host_port_and_path_is_refused(written: str) -> None:
    message = problem(CREATE | {"api-url": written})

    assert message == "api-url has to be an https address, without user name, password, query or fragment."


@pytest.mark.parametrize(
    "written",
    [
        *(
            "http://api.onlineornot.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
        ),
        *(
            "http://[2001:db8::1]",
            "http://[::]",
            "http://192.168.0.1",
            "http://1",
        ),
    ],
)
def test_http_to_another_machine_is_refused(written: str) -> None:
    assert problem(CREATE | {"api-url": written}).startswith("api-url has to begin with https://")


def test_http_to_another_machine_can_be_allowed_by_the_environment() -> None:
    environ = {"ONLINEORNOT_ALLOW_HTTP": "true"}

    assert read(CREATE | {"api-url": "http://sandbox:8787"}, environ).inputs.api_url == "http://sandbox:8787"


@pytest.mark.parametrize("word", ["", "1", "yes", "TRUE", "false"])
def test_http_is_allowed_by_no_other_word(word: str) -> None:
    problem(CREATE | {"api-url": "http://sandbox:8787"}, {"ONLINEORNOT_ALLOW_HTTP": word})


@pytest.mark.parametrize(
    ("inputs", "operation"),
    [
        (CREATE, Operation.CREATE),
        (CREATE | {"operation": "auto"}, Operation.CREATE),
        (CREATE | {"operation": "AUTO", "update-id": " "}, Operation.CREATE),
        (CREATE | {"update-id": "update1234"}, Operation.UPDATE),
        (CREATE | {"operation": "Auto", "update-id": "latest"}, Operation.UPDATE),
        (CREATE | {"operation": "CREATE"}, Operation.CREATE),
        (UPDATE | {"operation": " Update "}, Operation.UPDATE),
        (GET, Operation.GET),
        (LIST, Operation.LIST),
        (DELETE, Operation.DELETE),
    ],
)
def test_auto_updates_where_an_update_is_named_and_creates_otherwise(
    inputs: dict[str, str], operation: Operation
) -> None:
    assert read(inputs).inputs.operation is operation


def test_an_unknown_operation_is_refused_with_the_words_that_are_known() -> None:
    message = problem(CREATE | {"operation": "post"})

    assert message == "operation is 'post', but has to be one of auto, create, update, get, list, delete."


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"description": "x"}, "status is required to create"),
        ({"status": "UPDATE"}, "description or description-file is required to create"),
        ({"operation": "update", "status": "UPDATE"}, "update-id is required to update"),
        (
            {"operation": "update", "update-id": "update1234"},
            "status or description or description-file or date-happened",
        ),
        ({"operation": "get"}, "update-id is required to get"),
        ({"operation": "delete"}, "update-id is required to delete"),
        (CREATE | GET | {"operation": "create"}, "update-id does not go with operation: create"),
        (UPDATE | {"components": "component1: NO_IMPACT"}, "components does not go with operation: update"),
        (UPDATE | {"components": "restore"}, "components does not go with operation: update"),
        (BY_TITLE | UPDATE | OPEN, "if-no-incident: create does not go with operation: update"),
        (BY_TITLE | GET | OPEN, "if-no-incident: create does not go with operation: get"),
        (BY_TITLE | LIST | OPEN, "if-no-incident: create does not go with operation: list"),
        (BY_TITLE | DELETE | OPEN, "if-no-incident: create does not go with operation: delete"),
        (BY_TITLE | CREATE | OPEN | {"status": "in_progress"}, "status IN_PROGRESS is for maintenances"),
        (CREATE | {"incident-title": "Down"}, "incident-id and incident-title are both given"),
    ],
)
def test_what_an_operation_lacks_or_contradicts_is_refused(inputs: dict[str, str], words: str) -> None:
    assert problem(inputs).startswith(words)


@pytest.mark.parametrize(
    "change", [{"status": "UPDATE"}, {"description": "x"}, {"date-happened": "2026-01-31T14:00:00Z"}]
)
def test_one_change_is_enough_to_update(change: dict[str, str]) -> None:
    assert read({"operation": "update", "update-id": "update1234"} | change).warnings == []


def test_a_file_is_enough_to_update(workspace: dict[str, str]) -> None:
    inputs, _ = read({"operation": "update", "update-id": "latest", "description-file": "notes.txt"}, workspace)

    assert inputs.text == "Rolled\nback."


@pytest.mark.parametrize(
    ("inputs", "idle"),
    [
        (UPDATE | {"notify": "false"}, "notify"),
        (GET | CREATE | {"notify": "FALSE"}, "description, notify, status"),
        (UPDATE | {"skip-duplicate": "true"}, "skip-duplicate"),
        (GET | {"dry-run": "true"}, "dry-run"),
        (DELETE | {"components": "component1: NO_IMPACT"}, "components"),
        (CREATE | {"operation": "create", "if-no-incident": "skip"}, "if-no-incident"),
        (LIST | {"update-id": "update1234", "date-happened": "2026-01-31T14:00:00Z"}, "date-happened, update-id"),
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
    ],
)
def test_inputs_that_have_an_effect_or_their_default_are_not_warned_of(inputs: dict[str, str]) -> None:
    assert read(inputs).warnings == []


@pytest.mark.parametrize("written", ["Checkout fails", ' ÉTÉ: 100 % "off" 🛠\n', "x" * 256, "::error::x", "Automated"])
def test_an_incident_may_be_named_by_any_title_of_one_line(written: str) -> None:
    assert read(CREATE | BY_TITLE | {"incident-title": written}).inputs.incident_title == written.strip()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("x" * 257, "has 257 characters, but at most 256 are allowed"),
        ("a\nb", "has a line break or another control character in it"),
        ("a\u202eb", "has a line break or another control character in it"),
        ("\u200b", "has nothing to read in it"),
        ("[automated] API is down", "begins with [Automated]"),
        (f"It is {TOKEN}", "contains the API token"),
    ],
    ids=ascii,
)
def test_any_other_title_is_refused(written: str, words: str) -> None:
    assert problem(CREATE | BY_TITLE | {"incident-title": written}).startswith(f"incident-title {words}")


def test_what_to_do_without_an_incident_has_three_words() -> None:
    message = problem(CREATE | BY_TITLE | {"if-no-incident": "open"})

    assert message == "if-no-incident is 'open', but has to be one of fail, create, skip."


@pytest.mark.parametrize("attempt", ["2", "13"])
def test_a_job_that_runs_again_cannot_delete_the_latest_update(attempt: str) -> None:
    message = problem({"operation": "delete", "update-id": "Latest"}, {"GITHUB_RUN_ATTEMPT": attempt})

    assert message.startswith("update-id: latest would delete one more update")


@pytest.mark.parametrize("attempt", ["1", "", "x", "²"])
def test_the_first_run_of_a_job_can(attempt: str) -> None:
    assert read({"operation": "delete", "update-id": "latest"}, {"GITHUB_RUN_ATTEMPT": attempt}).warnings == []


def test_a_job_that_runs_again_can_delete_an_update_by_its_id() -> None:
    assert read(DELETE, {"GITHUB_RUN_ATTEMPT": "2"}).warnings == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mesage", "description"),
        ("message", "description"),
        ("text", "description"),
        ("token", "api-token"),
        ("INCIDENTID", "incident-id"),
        ("status-page", "status-page-id"),
        ("dryrun", "dry-run"),
    ],
)
def test_an_unknown_input_is_warned_of_and_the_nearest_is_suggested(name: str, meant: str) -> None:
    (warning,) = read(CREATE | {name: "x"}).warnings

    assert warning == f"There is no input '{name.lower()}'; did you mean {meant}?"


def test_an_input_like_no_other_is_warned_of_without_a_suggestion() -> None:
    assert read(CREATE | {"zzz": "x"}).warnings == ["There is no input 'zzz'."]


def test_underscores_in_place_of_hyphens_are_another_name() -> None:
    warnings = read(CREATE, {"INPUT_DRY_RUN": "true"}).warnings

    assert warnings == ["There is no input 'dry_run'; did you mean dry-run?"]


def test_an_argument_on_the_command_line_is_refused() -> None:
    assert problem(CREATE, arguments=["--help"]).startswith("The action takes no arguments on its command line")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_that_are_not_there_are_refused(variable: str) -> None:
    message = problem(CREATE, {variable: "/no/such/file.pem"})

    assert message.startswith(f"{variable} names a file that this container does not have")


@pytest.mark.parametrize("path", ["", "/", __file__])
def test_certificates_may_be_a_file_or_a_folder(path: str) -> None:
    assert read(CREATE, {"REQUESTS_CA_BUNDLE": path}).warnings == []


def test_everything_that_is_wrong_is_said_at_once(workspace: dict[str, str]) -> None:
    error = refuse(
        {
            "api-token": "short",
            "status-page-id": "",
            "incident-id": "12345",
            "operation": "update",
            "status": "FIXED",
            "description": "\u200b",
            "description-file": "nothing.txt",
            "components": "component1",
            "notify": "yes",
            "date-happened": "now",
            "dry-run": "1",
            "fail-on-error": "on",
            "timeout-seconds": "5",
            "api-url": "ftp://x",
            "mesage": "x",
        },
        workspace | {"SSL_CERT_FILE": "/no/such/file.pem"},
        arguments=["--help"],
    )

    assert [line.split()[0] for line in error.problems] == [
        *("api-token", "status-page-id", "incident-id", "status", "description", "description-file", "components"),
        *("notify", "date-happened", "dry-run", "fail-on-error", "timeout-seconds", "api-url"),
        *("The", "SSL_CERT_FILE", "description", "update-id", "components"),
    ]
    assert error.warnings == ("There is no input 'mesage'; did you mean description?",)


def test_without_a_valid_operation_what_holds_for_all_of_them_is_still_said(workspace: dict[str, str]) -> None:
    error = refuse({"operation": "post", "description": "x", "description-file": "notes.txt"}, workspace)

    assert [line.split()[0] for line in error.problems] == ["operation", "description"]


def test_a_long_value_is_shown_shortened_and_in_one_line() -> None:
    message = problem(CREATE | {"timeout-seconds": "a\n" + "b" * 100})

    assert message.startswith(f"timeout-seconds is 'a {'b' * 58}…', but")
