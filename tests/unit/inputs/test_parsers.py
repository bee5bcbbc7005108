"""From the text of one input to its value, or to what is wrong with it."""

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.inputs import BY_TITLE, CREATE, GET, NOW, TOKEN, problem, read, refuse

from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.onlineornot.models import IncidentStatus

YEAR = timedelta(days=366)


@pytest.mark.parametrize("written", ["short", "two words", "${{ github.token }}", "abcdefgh\udcff"])
def test_a_malformed_github_token_does_not_fail_the_step(written: str) -> None:
    assert read(CREATE | {"comment": "true", "github-token": written}).inputs.github_token == written


def test_a_description_with_the_github_token_in_it_is_refused() -> None:
    error = refuse(CREATE | {"description": "It is ghs_1234567890", "github-token": "ghs_1234567890"})

    assert [line.split(";")[0] for line in error.problems] == ["description contains the API token or github-token"]


@pytest.mark.parametrize("character", [" ", "\n", "\t", "\x07", "\x7f", "é", "\u200b", "🔑", "\udcff"], ids=ascii)
def test_a_token_with_an_invalid_character_is_refused_without_being_shown(character: str) -> None:
    message = problem(CREATE | {"api-token": f"token-12{character}34567890"})

    assert message.startswith("api-token contains a space or another character that a token cannot have")
    assert "token-12" not in message


def test_a_token_may_have_eight_characters_but_not_seven() -> None:
    assert read(CREATE | {"api-token": "12345678"}).inputs.api_token == "12345678"
    assert problem(CREATE | {"api-token": "1234567"}).startswith("api-token is shorter than 8 characters")


def test_an_expression_that_was_not_evaluated_is_no_token() -> None:
    assert "has not evaluated" in problem(CREATE | {"api-token": "${{ secrets.ONLINEORNOT_API_TOKEN }}"})


@pytest.mark.parametrize("text", [TOKEN, f"It is {TOKEN}!", f"to\x07ken-{TOKEN[6:]}"], ids=ascii)
def test_a_description_with_the_token_in_it_is_refused(text: str) -> None:
    assert problem({"status": "UPDATE", "description": text}).startswith("description contains the API token")


def test_a_file_with_the_token_in_it_is_refused(workspace_environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(f"It is {TOKEN}!", encoding="utf-8")

    message = problem({"status": "UPDATE", "description-file": "secret.txt"}, workspace_environ)

    assert message.startswith("description-file contains the API token")


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
    assert "quote it in YAML" in message or "is a URL" in message


@pytest.mark.parametrize(
    "address",
    [
        "https://onlineornot.com/app/status-pages/abcd1234",
        "https://status.example.com/incidents/abcd1234/",
        "https://status.example.com/incidents/abcd1234?tab=updates#latest",
        "api.onlineornot.com/v1/status_pages/abcd1234/incidents",
    ],
)
def test_the_id_in_a_url_is_suggested(address: str) -> None:
    assert (
        problem(CREATE | {"incident-id": address})
        == "incident-id is a URL; give only the id in it, which seems to be abcd1234."
    )


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
def test_an_unknown_status_is_refused_with_the_known_words(written: str) -> None:
    message = problem({"description": "x", "status": written})

    assert message == f"status is '{written}', but must be one of {', '.join(IncidentStatus)}."


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

    assert message == f"{name} is '{written}', but must be true or false."


@pytest.mark.parametrize(
    ("written", "attempt", "value"),
    [
        ("auto", "1", SkipDuplicate.NEVER),
        ("Auto", "2", SkipDuplicate.IF_ANY_ON_RERUN),
        ("", "", SkipDuplicate.NEVER),
        ("", "2", SkipDuplicate.IF_ANY_ON_RERUN),
        ("false", "1", SkipDuplicate.NEVER),
        ("false", "2", SkipDuplicate.NEVER),
        ("TRUE", "1", SkipDuplicate.IF_NEWEST),
        ("true", "", SkipDuplicate.IF_NEWEST),
        ("True", "2", SkipDuplicate.IF_NEWEST_ON_RERUN),
    ],
)
def test_skip_duplicate_means_another_thing_on_a_rerun(written: str, attempt: str, value: SkipDuplicate) -> None:
    inputs, warnings = read(CREATE | {"skip-duplicate": written}, {"GITHUB_RUN_ATTEMPT": attempt})

    assert (inputs.skip_duplicate, warnings) == (value, [])


@pytest.mark.parametrize("written", ["yes", "1", "AUTOMATIC", "tRUE"])
def test_skip_duplicate_is_auto_true_or_false(written: str) -> None:
    message = problem(CREATE | {"skip-duplicate": written})

    assert message == f"skip-duplicate is '{written}', but must be auto, true or false."


@pytest.mark.parametrize("written", ["10", "11", "120", "600", "0060"])
def test_the_timeout_is_ten_to_600_seconds(written: str) -> None:
    assert read(CREATE | {"timeout-seconds": written}).inputs.timeout_seconds == int(written)


@pytest.mark.parametrize("written", ["9", "601", "0", "-1", "+60", "abc", "1e9", "60.0", "6_0", "٦٠", "²⁰", "1" * 5000])
def test_any_other_timeout_is_refused(written: str) -> None:
    assert "must be a whole number from 10 to 600" in problem(CREATE | {"timeout-seconds": written})


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
    assert "must be a date and time with an offset" in problem(CREATE | {"date-happened": written})


@pytest.mark.parametrize("written", [(NOW + YEAR + timedelta(seconds=1)).isoformat(), "3000-01-01T00:00:00Z"])
def test_a_date_more_than_a_year_ahead_is_refused(written: str) -> None:
    assert (
        problem(CREATE | {"date-happened": written})
        == f"date-happened is '{written}', which is more than a year ahead."
    )


@pytest.mark.parametrize("character", ["x", "🛠"])
@pytest.mark.parametrize("length", [9_999, 10_000])
def test_a_description_may_have_10_000_characters(character: str, length: int) -> None:
    assert read({"status": "UPDATE", "description": f" {character * length}\n"}).inputs.text == character * length


@pytest.mark.parametrize("character", ["x", "🛠"])
def test_a_longer_description_is_refused_with_both_numbers(character: str) -> None:
    message = problem({"status": "UPDATE", "description": character * 10_001})

    assert message.startswith("description has 10,001 characters, but at most 10,000 are allowed;")


@pytest.mark.parametrize("text", ["\u200b", "\x07", "\ufe0f\u2060", "\u2800"], ids=ascii)
def test_a_description_without_visible_characters_is_refused(text: str) -> None:
    assert problem({"status": "UPDATE", "description": text}) == "description contains no visible characters."


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
    assert warnings == [f"Removed {removed} control character(s) from description."]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("👩\u200d💻 क्\u200dष", "👩\u200d💻 क्\u200dष"),
        ("::error::x\n##[add-mask]x", "::error::x\n##[add-mask]x"),
        ("EOF\na<<b\nx=y\n```\n<b>*|", "EOF\na<<b\nx=y\n```\n<b>*|"),
    ],
)
def test_other_characters_stay_in_the_description_without_a_warning(written: str, text: str) -> None:
    inputs, warnings = read({"status": "UPDATE", "description": written})

    assert (inputs.text, warnings) == (text, [])


def test_the_text_of_a_file_is_cleaned_in_the_same_way(workspace_environ: dict[str, str]) -> None:
    inputs, warnings = read({"status": "UPDATE", "description-file": "notes.txt"}, workspace_environ)

    assert inputs.text == "Rolled\nback."
    assert warnings == ["Removed 1 control character(s) from description-file."]


def test_without_a_workspace_a_file_lies_in_the_working_directory(
    workspace_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace_environ["GITHUB_WORKSPACE"])

    assert read({"status": "UPDATE", "description-file": "notes.txt"}).inputs.text == "Rolled\nback."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.txt", "cannot be read (No such file or directory)"),
        (".", "cannot be read (Is a directory)"),
        ("../notes.txt", "is outside the workspace"),
        ("/etc/passwd", "is outside the workspace"),
        ("blank.txt", "contains no visible characters"),
        ("long.txt", "has 10,001 characters, but at most 10,000 are allowed"),
    ],
)
def test_a_file_that_cannot_be_published_is_refused(
    workspace_environ: dict[str, str], tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "blank.txt").write_bytes(b"\xef\xbb\xbf\n")
    (tmp_path / "long.txt").write_text("x" * 10_001, encoding="utf-8")

    message = problem({"status": "UPDATE", "description-file": name}, workspace_environ)

    assert message.startswith(f"description-file {reason}")


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
def test_the_api_url_is_https_or_on_a_loopback_host(written: str, address: str) -> None:
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
def test_a_url_with_more_than_host_port_and_path_is_refused(written: str) -> None:
    message = problem(CREATE | {"api-url": written})

    assert message == "api-url must be an https URL without user name, password, query or fragment."


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
def test_http_to_another_host_is_refused(written: str) -> None:
    assert problem(CREATE | {"api-url": written}).startswith("api-url must begin with https://")


def test_the_environment_can_allow_http_to_another_host() -> None:
    environ = {"ONLINEORNOT_ALLOW_HTTP": "true"}

    assert read(CREATE | {"api-url": "http://sandbox:8787"}, environ).inputs.api_url == "http://sandbox:8787"


@pytest.mark.parametrize("word", ["", "1", "yes", "TRUE", "false"])
def test_only_the_word_true_allows_http(word: str) -> None:
    problem(CREATE | {"api-url": "http://sandbox:8787"}, {"ONLINEORNOT_ALLOW_HTTP": word})


def test_an_unknown_operation_is_refused_with_the_known_words() -> None:
    message = problem(CREATE | {"operation": "post"})

    assert message == "operation is 'post', but must be one of auto, create, update, get, list, delete."


@pytest.mark.parametrize(
    "written", ["Checkout fails", ' ÉTÉ: 100 % "off" 🛠\n', "x" * 256, "::error::x", "Automated", "A &amp; B"]
)
def test_an_incident_may_be_named_by_any_title_of_one_line(written: str) -> None:
    assert read(CREATE | BY_TITLE | {"incident-title": written}).inputs.incident_title == written.strip()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("x" * 257, "has 257 characters, but at most 256 are allowed"),
        ("a\nb", "contains a line break or another control character"),
        ("a\u202eb", "contains a line break or another control character"),
        ("\u200b", "contains no visible characters"),
        ("&nbsp;&#8203;", "contains no visible characters"),
        ("[automated] API is down", "begins with [Automated]"),
        ("&#91;Automated&rsqb; API is down", "begins with [Automated]"),
        ("\u2007[Automated]", "begins with [Automated]"),
        (f"It is {TOKEN}", "contains the API token"),
    ],
    ids=ascii,
)
def test_any_other_title_is_refused(written: str, words: str) -> None:
    assert problem(CREATE | BY_TITLE | {"incident-title": written}).startswith(f"incident-title {words}")


def test_if_no_incident_is_fail_create_or_skip() -> None:
    message = problem(CREATE | BY_TITLE | {"if-no-incident": "open"})

    assert message == "if-no-incident is 'open', but must be one of fail, create, skip."


def test_a_file_under_runner_temp_is_a_text(workspace_environ: dict[str, str], tmp_path: Path) -> None:
    environ = {"GITHUB_WORKSPACE": str(tmp_path / "workspace"), "RUNNER_TEMP": workspace_environ["GITHUB_WORKSPACE"]}

    inputs, _ = read({"status": "UPDATE", "description-file": f"{tmp_path}/notes.txt"}, environ)

    assert inputs.text == "Rolled\nback."


@pytest.mark.parametrize("runner_temp", ["", ".", "relative"])
def test_without_an_absolute_runner_temp_only_the_workspace_is_read(tmp_path: Path, runner_temp: str) -> None:
    (tmp_path / "notes.txt").write_text("Rolled back.", encoding="utf-8")
    environ = {"GITHUB_WORKSPACE": str(tmp_path / "workspace"), "RUNNER_TEMP": runner_temp}

    message = problem({"status": "UPDATE", "description-file": f"{tmp_path}/notes.txt"}, environ)

    assert message.startswith("description-file is outside the workspace")


def test_a_file_with_the_jobs_token_in_a_header_of_git_is_refused(tmp_path: Path) -> None:
    credential = base64.b64encode(b"x-access-token:ghs_1234567890").decode()
    (tmp_path / "config").write_text(f"[http]\n\textraheader = AUTHORIZATION: basic {credential}\n", encoding="utf-8")

    message = problem(
        {"status": "UPDATE", "description-file": f"{tmp_path}/config", "github-token": "ghs_1234567890"},
        {"RUNNER_TEMP": str(tmp_path)},
    )

    assert message.startswith("description-file contains the API token or github-token")


@pytest.mark.parametrize(
    ("written", "escape"), [(r"Down.\nWe are on it.", r"\n"), (" Down.%0AWe are on it.\n", "%0A"), (r"a\tb", r"\t")]
)
def test_an_escape_is_published_as_it_is_with_a_warning(written: str, escape: str) -> None:
    inputs, warnings = read({"status": "UPDATE", "description": written})

    assert inputs.text == written.strip()
    advice = "for line breaks, begin the text below description: | in YAML."
    assert warnings == [f"description contains '{escape}', which customers read as these characters; {advice}"]


def test_an_escape_in_a_file_is_warned_of_as_well(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Down.\\r\\nWe are on it.\n", encoding="utf-8")

    _, warnings = read({"status": "UPDATE", "description-file": "notes.txt"}, {"GITHUB_WORKSPACE": str(tmp_path)})

    advice = "for line breaks, write real ones into the file."
    assert warnings == [rf"description-file contains '\r\n', which customers read as these characters; {advice}"]


@pytest.mark.parametrize(("written", "number"), [("1", 1), (" 12\n", 12), ("4294967295", 4_294_967_295)])
def test_a_pull_request_is_a_number(written: str, number: int) -> None:
    assert read(CREATE | {"comment": "true", "pull-request": written}).inputs.pull_request == number


def test_an_empty_pull_request_is_not_given() -> None:
    inputs, warnings = read(CREATE | {"comment": "true", "pull-request": " "})

    assert (inputs.pull_request, warnings) == (None, [])


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("#12", "; write 12."),
        ("PR-12", "; write 12."),
        ("pr 12", "; write 12."),
        ("012", "; write 12."),
        ("12.0", "; write 12."),
        ("refs/pull/12/merge", "; write 12."),
        ("https://github.com/owner/repo2/pull/12#issuecomment-345", "; write 12."),
        ("owner/repo#12", "; write 12."),
        *((written, ", such as 12.") for written in ("0", "-1", "twelve", "true", "main", "٣", "9" * 11)),
    ],
    ids=ascii,
)
def test_anything_else_is_refused_with_the_number_inside(written: str, advice: str) -> None:
    message = problem(CREATE | {"comment": "true", "pull-request": written})

    assert message == f"pull-request is '{written}', but must be the number of a pull request{advice}"
