"""The text of each input is parsed, or refused with what is wrong with it."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from support.inputs import BY_TITLE, CREATE, NOW, TOKEN, problem, read, refuse

from onlineornot_action.inputs.parsers import ID_RULE, SkipDuplicate
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import quote

YEAR = timedelta(days=366)
IDS = ("status-page-id", "incident-id", "update-id")
BOOLEANS = ("notify", "dry-run", "fail-on-error")
NO_IDS = (
    *("1234567", "x" * 65, "12345", "abc.defgh", "abc#defgh", "abc?defgh", "abc%2Fdefgh", "abc defgh", "../abcdefgh"),
    "abc\ndefgh",
    *("abcdefgé", "١٢٣٤٥٦٧٨", "abcd\x07efgh", "\u200babcdefgh", "::error::abc"),
)
URLS = (
    *("https://onlineornot.com/app/status-pages/abcd1234", "https://status.example.com/incidents/abcd1234/"),
    "https://status.example.com/incidents/abcd1234?tab=updates#latest",
    "api.onlineornot.com/v1/status_pages/abcd1234/incidents",
)
NO_BOOLEANS = ("yes", "no", "on", "off", "1", "0", "tRUE", "y", "none", "true false")
NO_TIMEOUTS = ("9", "601", "0", "-1", "+60", "abc", "1e9", "60.0", "6_0", "٦٠", "²⁰", "1" * 5000)
NO_DATES = (
    *("2026-01-31", "2026-01-31T14:00:00", "14:00Z", "now", "yesterday", "1769868000", "31.01.2026 14:00 +0100"),
    *("2026-02-29T14:00:00Z", "2026-13-01T14:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T14:00:00+25:00"),
    *("2026-W05-6T14:00:00Z", "20260131T140000Z", "2026-01-31T14Z", "2026-01-31T14:00:00 CET", "2026-1-31T14:00Z"),
    *("٢٠٢٦-01-31T14:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "12026-01-31T14:00:00Z"),
)
NO_URLS = (
    *("https://user:password@api.onlineornot.com", "https://user@api.onlineornot.com", "https://a@localhost"),
    *("https://api.onlineornot.com?x=y", "https://api.onlineornot.com/#x", "https://api.onlineornot.com/?"),
    *("ftp://api.onlineornot.com", "file:///etc/passwd", "api.onlineornot.com", "//api.onlineornot.com", "https:"),
    *("https://", "https:///x", "https://api.onlineornot.com:0", "https://api.onlineornot.com:65536", "https://h:"),
    *("https://api.onlineornot.com\\@example.com", "https://api onlineornot.com", "https://a.com\n/x"),
    *("https://api.önlineornot.com", "https://[::1", "https://[::zz]", "https://[1]", "https://%61pi.example.com"),
    *("http://user:password@localhost", "javascript:alert(1)", "https://a,b", "https://a;b"),
)
PLAIN_URLS = (
    *("http://api.onlineornot.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://1"),
    *("http://[2001:db8::1]", "http://[::]", "http://192.168.0.1", "http://0.0.0.0"),
)
AROUND_12 = (
    *("#12", "PR-12", "pr 12", "012", "12.0", "refs/pull/12/merge", "owner/repo#12"),
    "https://github.com/owner/repo2/pull/12#issuecomment-345",
)

NO_TOKEN = "contains a space or another character that a token cannot have"
NO_ID = f"is {{}}, but {ID_RULE}; quote it in YAML ("
NO_PULL_REQUEST = "is {}, but must be the number of a pull request"
REFUSED = [
    ("api-token", "is shorter than 8 characters", ["1234567"]),
    ("api-token", "looks like a token in quotes", ['"token-1234567890"', "'token-1234567890'"]),
    ("api-token", "looks like the name of a variable", ["$(TOKEN_OF_PAGE)", "$TOKEN", "${TOKEN}", "%TOKEN_OF_PAGE%"]),
    ("api-token", "looks like the path of a file", ["/builds/shop/web.tmp/TOKEN", "C:\\builds\\web.tmp\\TOKEN"]),
    ("api-token", "is an expression that GitHub has not evaluated", ["${{ secrets.ONLINEORNOT_API_TOKEN }}"]),
    ("api-token", NO_TOKEN, [f"token-12{character}3456" for character in " \n\x07\x7fé\u200b🔑\udcff"]),
    *((name, NO_ID, NO_IDS) for name in IDS),
    *((name, NO_ID, ["latest"]) for name in ("status-page-id", "incident-id")),
    ("incident-id", "is a URL; give only the id in it, which seems to be abcd1234.", URLS),
    ("status", f"is {{}}, but must be one of {', '.join(IncidentStatus)}.", ["FIXED", "IN PROGRESS", "r.", "0"]),
    ("operation", "is {}, but must be one of auto, create, update, get, list, delete.", ["post"]),
    ("if-no-incident", "is {}, but must be one of fail, create, skip.", ["open"]),
    *((name, "is {}, but must be true or false.", NO_BOOLEANS) for name in BOOLEANS),
    ("skip-duplicate", "is {}, but must be auto, true or false.", NO_BOOLEANS),
    ("timeout-seconds", "is {}, but must be a whole number from 10 to 600.", NO_TIMEOUTS),
    ("date-happened", "is {}, but must be a date and time with an offset", NO_DATES),
    ("date-happened", "is {}, which is more than a year ahead.", [(NOW + YEAR + timedelta(seconds=1)).isoformat()]),
    ("api-url", "must be an https URL without user name, password, query or fragment.", NO_URLS),
    ("api-url", "must begin with https://", PLAIN_URLS),
    ("pull-request", f"{NO_PULL_REQUEST}; write 12.", AROUND_12),
    ("pull-request", f"{NO_PULL_REQUEST}, such as 12.", ["0", "-1", "twelve", "true", "main", "٣", "9" * 11]),
]


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("api-token", "12345678", "12345678"),
        # A malformed token for the comment must not fail the step.
        *(("github-token", text, text) for text in ("short", "two words", "${{ github.token }}", "abcdefgh\udcff")),
        *((name, text, text) for name in IDS for text in ("12345678", "x" * 64, "-hyphen-", "_A-z0189")),
        *(("update-id", text, "latest") for text in ("latest", "LATEST", " Latest ")),
        *(("status", write(word), word) for word in IncidentStatus for write in (str.lower, str.title, " {} ".format)),
        *((name, text, True) for name in BOOLEANS for text in ("true", "True", "TRUE")),
        *((name, text, False) for name in BOOLEANS for text in ("false", "False", "FALSE")),
        *(("timeout-seconds", text, int(text)) for text in ("10", "11", "120", "600", "0060")),
        ("date-happened", "2026-01-31T14:00:00+01:00", "2026-01-31T13:00:00.000Z"),
        ("date-happened", "2026-01-31 14:00z", "2026-01-31T14:00:00.000Z"),
        ("date-happened", "2026-01-31t14:00:00.1239-0330", "2026-01-31T17:30:00.123Z"),
        ("date-happened", "2026-01-31T14:00:00,123456789Z", "2026-01-31T14:00:00.123Z"),
        ("date-happened", "2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000Z"),
        ("date-happened", (NOW + YEAR).isoformat(), "2027-02-01T12:00:00.000Z"),
        ("api-url", "https://api.onlineornot.com/", "https://api.onlineornot.com"),
        ("api-url", "https://proxy.example.com:8443/onlineornot/v1/", "https://proxy.example.com:8443/onlineornot/v1"),
        *(("api-url", text, text) for text in ("HTTPS://API.example.com", "https://[2001:db8::1]:8443")),
        *(("api-url", text, text) for text in ("http://127.9.9.9", "http://[::1]:8787", "http://localhost:87/prefix")),
        *(("pull-request", text, int(text)) for text in ("1", " 12\n", "4294967295")),
        ("pull-request", " ", None),
    ],
    ids=ascii,
)
def test_a_text_is_parsed(name: str, written: str, value: object) -> None:
    assert read(CREATE | {name: written}).inputs.model_dump(by_alias=True)[name] == value


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [(name, written, words) for name, words, texts in REFUSED for written in texts],
    ids=lambda text: ascii(text)[:60],
)
def test_any_other_text_is_refused_with_what_to_write_instead(name: str, written: str, words: str) -> None:
    message = problem(CREATE | {name: written})

    assert message.startswith(f"{name} {words.replace('{}', quote(written))}")
    assert name != "api-token" or written not in message


@pytest.mark.parametrize("token", [TOKEN, "ghs_1234567890"])
@pytest.mark.parametrize("name", ["description", "description-file", "incident-title"])
@pytest.mark.parametrize("write", ["{}", "It is {}!", "auth: eC1hY2Nlc3MtdG9rZW46{}"])
def test_a_text_for_customers_with_a_token_in_it_is_refused(
    name: str, token: str, write: str, workspace_environ: dict[str, str], tmp_path: Path
) -> None:
    text = write.format(base64.b64encode(token.encode()).decode() if ":" in write else token)
    (tmp_path / "secret.txt").write_text(text, encoding="utf-8")
    given = BY_TITLE | {"status": "UPDATE", "description": "", "github-token": "ghs_1234567890"}

    error = refuse(given | {name: "secret.txt" if name == "description-file" else text}, workspace_environ)

    assert error.problems[0].startswith(f"{name} contains the API token or github-token")
    assert token not in "".join(error.problems)


def test_a_token_is_found_behind_control_characters() -> None:
    message = problem({"status": "UPDATE", "description": f"to\x07ken-{TOKEN[6:]}"})

    assert message.startswith("description contains the API token")


@pytest.mark.parametrize(
    ("written", "attempt", "value"),
    [
        ("auto", "1", SkipDuplicate.NEVER),
        ("Auto", "2", SkipDuplicate.IF_ANY_ON_RERUN),
        ("", "2", SkipDuplicate.IF_ANY_ON_RERUN),
        ("false", "2", SkipDuplicate.NEVER),
        ("TRUE", "1", SkipDuplicate.IF_NEWEST),
        ("True", "2", SkipDuplicate.IF_NEWEST_ON_RERUN),
    ],
)
def test_skip_duplicate_means_something_else_on_a_rerun(written: str, attempt: str, value: SkipDuplicate) -> None:
    inputs, warnings = read(CREATE | {"skip-duplicate": written}, {"GITHUB_RUN_ATTEMPT": attempt})

    assert (inputs.skip_duplicate, warnings) == (value, [])


@pytest.mark.parametrize(
    ("written", "text", "removed"),
    [
        ("\x1b[31mred\x1b[0m", "red", 9),
        ("a\u202eb\u2066c", "abc", 2),
        ("a\x00\x7f\x9bb", "ab", 3),
        ("a\r\x07\nb", "a\n\nb", 1),
        ("a\r\nb\rc\td", "a\nb\nc\td", 0),
        ("👩\u200d💻 क्\u200dष", "👩\u200d💻 क्\u200dष", 0),
        ("::error::x\n##[add-mask]x", "::error::x\n##[add-mask]x", 0),
        ("EOF\na<<b\nx=y\n```\n<b>*|", "EOF\na<<b\nx=y\n```\n<b>*|", 0),
        (f" {'🛠' * 10_000}\n", "🛠" * 10_000, 0),
    ],
)
def test_only_control_characters_are_removed_from_the_description_with_a_warning(
    written: str, text: str, removed: int
) -> None:
    inputs, warnings = read({"status": "UPDATE", "description": written})

    assert inputs.text == text
    assert warnings == [f"Removed {removed} control character(s) from description."] * bool(removed)


def test_a_step_has_no_standard_input() -> None:
    assert problem({"status": "UPDATE", "description-file": "-"}) == (
        "description-file is -, which is standard input on a command line; give a file, since a step has none."
    )


@pytest.mark.parametrize("word", ["", "1", "yes", "TRUE", "false"])
def test_only_the_word_true_in_the_environment_allows_http_to_another_host(word: str) -> None:
    url = {"api-url": "http://sandbox:8787"}

    assert problem(CREATE | url, {"ONLINEORNOT_ALLOW_HTTP": word}).startswith("api-url must begin with https://")
    assert read(CREATE | url, {"ONLINEORNOT_ALLOW_HTTP": "true"}).inputs.api_url == "http://sandbox:8787"


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


def test_the_text_of_a_file_under_runner_temp_or_in_the_working_directory_is_cleaned_in_the_same_way(
    workspace_environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"status": "UPDATE", "description-file": f"{tmp_path}/notes.txt"}
    environ = {"GITHUB_WORKSPACE": str(tmp_path / "workspace"), "RUNNER_TEMP": workspace_environ["GITHUB_WORKSPACE"]}
    monkeypatch.chdir(tmp_path)

    inputs, warnings = read(given, environ)

    assert (inputs.text, warnings) == ("Rolled\nback.", ["Removed 1 control character(s) from description-file."])
    assert read(given | {"description-file": "notes.txt"}).inputs.text == "Rolled\nback."


@pytest.mark.parametrize("runner_temp", ["", ".", "relative"])
def test_without_an_absolute_runner_temp_only_the_workspace_is_read(tmp_path: Path, runner_temp: str) -> None:
    (tmp_path / "notes.txt").write_text("Rolled back.", encoding="utf-8")
    environ = {"GITHUB_WORKSPACE": str(tmp_path / "workspace"), "RUNNER_TEMP": runner_temp}

    message = problem({"status": "UPDATE", "description-file": f"{tmp_path}/notes.txt"}, environ)

    assert message.startswith("description-file is outside the workspace")


@pytest.mark.parametrize(("written", "escape"), [(r"Down.\nWe see.", r"\n"), (" Down.%0AWe see.\n", "%0A")])
def test_an_escape_is_published_as_it_is_with_a_warning(
    written: str, escape: str, workspace_environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text(written, encoding="utf-8")

    typed = read({"status": "UPDATE", "description": written})
    from_file = read({"status": "UPDATE", "description-file": "notes.txt"}, workspace_environ)
    closing = read(BY_TITLE | {"result": "success", "description": "Down.", "resolved-description": written})

    assert typed.inputs.text == from_file.inputs.text == written.strip()
    meaning = f"contains '{escape}', which customers will see literally; for line breaks,"
    assert typed.warnings == [f"description {meaning} begin the text below description: | in YAML."]
    assert from_file.warnings == [f"description-file {meaning} write real ones into the file."]
    in_yaml = "begin the text below resolved-description: | in YAML."
    assert closing.warnings == [f"resolved-description {meaning} {in_yaml}"]
