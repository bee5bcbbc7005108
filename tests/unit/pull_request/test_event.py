"""Which change a workflow run is about, from the runner's variables and the payload of the event."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onlineornot_action.inputs.variables import GitHubVariables
from onlineornot_action.pull_request.event import WorkflowRun

always = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])

RUN_SHA, SHA, OTHER_SHA, ZEROS = "a" * 40, "b" * 40, "c" * 40, "0" * 40
ENVIRON = {
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SHA": RUN_SHA,
}
RUN_URL = "https://github.com/octo/shop/actions/runs/77"
WITH_SHA = ("push", "release", "merge_group", "deployment", "deployment_status", "workflow_dispatch", "schedule", "")
EVENTS = (
    *(*WITH_SHA, "pull_request", "issue_comment", "workflow_run", "repository_dispatch", "no_such_event"),
    *("status", "check_run", "check_suite", "discussion"),
)
NO_NUMBERS: tuple[Any, ...] = (None, True, False, 0, -1, 1.0, 1.5, "", "1", [], [1], {}, {"number": 1})
NO_OBJECTS: tuple[Any, ...] = (None, True, 1, 1.5, "number", [{"number": 1}], [["id", "x"]])
NO_COMMITS: tuple[Any, ...] = (None, True, 0, 1, 1.5, "", " ", "-", [], [SHA], {}, {"id": SHA})

Read = Callable[..., WorkflowRun]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read the workflow run of an event, from its payload or the content of its file; variables replace the usual."""
    path = tmp_path / "event.json"

    def read(event: str, payload: Any, **variables: str) -> WorkflowRun:
        path.write_bytes(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        about = {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)}
        return WorkflowRun.of(GitHubVariables.of({**ENVIRON, **about, **variables}))

    return read


@pytest.mark.parametrize(
    ("event", "payload", "commit"),
    [
        ("push", {"head_commit": {"id": SHA}, "after": OTHER_SHA}, SHA),
        ("push", {"head_commit": None, "after": SHA, "before": OTHER_SHA}, SHA),
        ("push", {"head_commit": {"id": SHA.upper()}}, SHA.upper()),
        ("push", {"head_commit": {"id": "d" * 64}}, "d" * 64),
        ("push", {"head_commit": None, "after": ZEROS, "deleted": True}, ""),
        ("push", {}, RUN_SHA),
        ("push", b'\xef\xbb\xbf{"after": "' + SHA.encode() + b'"}', SHA),
        ("deployment", {"deployment": {"sha": SHA}}, SHA),
        ("workflow_run", {"workflow_run": {"head_sha": SHA, "id": 5, "conclusion": "failure"}}, SHA),
        ("workflow_run", {"workflow_run": {"id": 5, "conclusion": "failure"}}, ""),
        ("workflow_dispatch", {"inputs": {"sha": SHA}, "ref": "refs/heads/main"}, RUN_SHA),
        ("status", {"sha": SHA, "commit": {"sha": OTHER_SHA}, "state": "failure"}, SHA),
        ("check_run", {"check_run": {"head_sha": SHA, "pull_requests": []}}, SHA),
        ("check_suite", {"check_suite": {"head_sha": SHA, "pull_requests": []}}, SHA),
        ("repository_dispatch", {"client_payload": {"sha": SHA}}, SHA),
        ("repository_dispatch", {"client_payload": {"git": {"sha": SHA[:7], "ref": "main"}}}, SHA[:7]),
        ("repository_dispatch", {"client_payload": {"sha": "main"}}, ""),
        ("repository_dispatch", {"client_payload": {"head_commit": {"id": SHA}}}, ""),
        ("issue_comment", {"issue": {"number": 12}, "comment": {"id": 12}}, ""),
        ("issue_comment", {"issue": {"number": 12, "pull_request": None}}, ""),
        ("discussion", {"discussion": {"number": 12}}, ""),
        ("no_such_event", {"head_commit": {"id": SHA}, "after": SHA, "deployment": {"sha": SHA}}, ""),
        ("", {"after": SHA}, RUN_SHA),
    ],
)
def test_each_event_names_its_commit_in_a_place_of_its_own(read: Read, event: str, payload: Any, commit: str) -> None:
    workflow = read(event, payload)

    assert (workflow.commit, workflow.pull_request) == (commit, None)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {"number": 12, "pull_request": {"number": 12}}),
        ("pull_request_review", {"pull_request": {"number": 12}, "review": {}}),
        ("issue_comment", {"issue": {"number": 12, "pull_request": {"url": "https://api.github.com/x"}}}),
        ("repository_dispatch", {"client_payload": {"pull_request": {"number": 12}, "sha": SHA}}),
    ],
)
def test_an_event_about_a_pull_request_knows_its_number(read: Read, event: str, payload: Any) -> None:
    assert read(event, payload).pull_request == 12


@pytest.mark.parametrize("check", ["check_run", "check_suite"])
def test_a_check_names_pull_requests_beside_its_commit(read: Read, check: str) -> None:
    named = [{"number": 12}, {"number": "13"}, {"id": 14}, None, {"number": 15}]

    workflow = read(check, {check: {"head_sha": SHA, "pull_requests": named}})

    assert (workflow.pull_request, workflow.commit, workflow.pull_requests) == (None, SHA, (12, 15))


@pytest.mark.parametrize(
    ("event", "run", "failed_run"),
    [
        *(("workflow_run", {"id": 5, "conclusion": end}, 5) for end in ("failure", "timed_out", "cancelled")),
        ("workflow_run", {"id": 5, "conclusion": "success"}, None),
        ("workflow_run", {"conclusion": "failure"}, None),
        ("push", {"id": 5, "conclusion": "failure"}, None),
    ],
)
def test_only_a_run_that_did_not_succeed_and_triggered_this_one_is_a_failed_run(
    read: Read, event: str, run: Any, failed_run: int | None
) -> None:
    assert read(event, {"workflow_run": run}).failed_run == failed_run


def test_an_enterprise_server_has_urls_of_its_own_which_may_end_with_a_slash(read: Read) -> None:
    server = {"GITHUB_API_URL": "https://ghe.example/api/v3/", "GITHUB_SERVER_URL": "https://ghe.example/"}

    workflow = read("push", {}, **server, GITHUB_RUN_ATTEMPT="")

    assert (workflow.api_url, workflow.server_url) == ("https://ghe.example/api/v3", "https://ghe.example")
    assert workflow.url == "https://ghe.example/octo/shop/actions/runs/77/attempts/1"
    assert workflow.url_of(5) == "https://ghe.example/octo/shop/actions/runs/5"


def test_an_empty_environment_is_about_no_change() -> None:
    assert WorkflowRun.of(GitHubVariables.of({})) == WorkflowRun("", "https://github.com", "", "", None, "", None)


@pytest.mark.parametrize("path", ["", "/", "/no/such/file", "x" * 5000, "\x00", "\ud800"])
def test_without_a_readable_event_the_commit_is_that_of_the_run(read: Read, path: str) -> None:
    workflow = read("push", {"pull_request": {"number": 12}}, GITHUB_EVENT_PATH=path)

    assert (workflow.commit, workflow.pull_request) == (RUN_SHA, None)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b'{"after": ', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000),
        b'{"head_commit":' * 300 + b"{}" + b"}" * 300,
        b'{"pull_request": {"number": ' + b"9" * 10_000 + b"}}",
    ],
    ids=lambda content: repr(content[:20]),
)
@pytest.mark.parametrize(("event", "commit"), [("push", RUN_SHA), ("workflow_run", "")])
def test_a_malformed_event_is_treated_as_missing(read: Read, event: str, commit: str, content: bytes) -> None:
    workflow = read(event, content)

    assert (workflow.commit, workflow.pull_request, workflow.failed_run) == (commit, None, None)


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_an_invalid_number_is_neither_a_pull_request_nor_a_failed_run(read: Read, number: Any) -> None:
    own = read("pull_request", {"pull_request": {"number": number}})
    commented = read("issue_comment", {"issue": {"number": number, "pull_request": {"url": "x"}}})
    other_run = read("workflow_run", {"workflow_run": {"id": number, "conclusion": "failure"}})

    assert (own.pull_request, commented.pull_request, other_run.failed_run) == (None, None, None)


@pytest.mark.parametrize("value", NO_OBJECTS)
@pytest.mark.parametrize("event", EVENTS)
def test_a_value_that_is_not_an_object_is_ignored(read: Read, event: str, value: Any) -> None:
    places = ("head_commit", "deployment", "workflow_run", "issue", "pull_request", "check_run", "client_payload")

    workflow = read(event, dict.fromkeys(places, value))

    commit = RUN_SHA if event in WITH_SHA else ""
    assert (workflow.commit, workflow.pull_request, workflow.failed_run) == (commit, None, None)


@pytest.mark.parametrize("sha", NO_COMMITS)
@pytest.mark.parametrize(("event", "commit"), [("push", RUN_SHA), ("deployment_status", RUN_SHA), ("workflow_run", "")])
def test_an_invalid_commit_is_replaced_by_that_of_the_run_except_that_of_another_run(
    read: Read, event: str, sha: Any, commit: str
) -> None:
    about = {"head_commit": {"id": sha}, "after": sha, "deployment": {"sha": sha}, "workflow_run": {"head_sha": sha}}

    assert read(event, about).commit == commit


@pytest.mark.parametrize("sha", ["", ZEROS, "../../x", "a/b", "a?b", "a b", f"{SHA}\n", "é", "٣", "-a", "e" * 65])
def test_a_commit_has_no_character_with_a_meaning_in_a_url(read: Read, sha: str) -> None:
    named = read("workflow_run", {"workflow_run": {"head_sha": sha}})
    of_the_run = read("schedule", {}, GITHUB_SHA=sha)

    assert (named.commit, of_the_run.commit) == ("", "")


@always
@given(content=st.binary(), event=st.sampled_from(EVENTS))
def test_no_file_raises_an_exception(read: Read, content: bytes, event: str) -> None:
    assert read(event, content).url == f"{RUN_URL}/attempts/2"
