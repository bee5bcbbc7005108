"""The comment on the pull request as a part of whole steps, under every fault of GitHub and of the status page."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, FOREVER, HEALTHY, Fault, FaultServer, Phase, Reply, Rule, Step, lost_while
from support.github_app import (
    FAILED_RUN,
    HEAD,
    OTHER,
    REPOSITORY,
    RUN_URL,
    SERVER_URL,
    TOKEN,
    GitHub,
    pull,
    requests_of,
    texts,
    url_of,
)
from support.github_faults import FAILURES, message
from support.github_fixtures import *  # noqa: F403
from support.markdown import Page
from support.runner_model import commands
from support.step import Result, RunStep, files_of_step, outputs_in, run_main

from onlineornot_action.pull_request.body import format_marker
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN, READ_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.local_step import ROOT, as_variables
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

PERMISSIONS = "permissions: pull-requests: write, issues: write"
PAGE = f"/v1/status_pages/{PAGE_ID}"
INCIDENTS = f"{PAGE}/incidents"
UPDATES = f"{INCIDENTS}/{INCIDENT_ID}/updates"
UPDATE = f"{UPDATES}/{UPDATE_ID}"
INCIDENT = f"GET {INCIDENTS}/{INCIDENT_ID}"
TEXT = "The cause is found."
FIRST_TEXT = "Some payments do not go through. We are looking into it."
NEW, FIRST = ("IDENTIFIED", TEXT), ("INVESTIGATING", FIRST_TEXT)
CREATE = {"status": "identified", "description": TEXT}
OPEN = {"incident_title": "Deploys are failing", "if_no_incident": "create", **CREATE}
TITLED = {"incident_title": INCIDENT_TITLE, **CREATE}
PATCH = {"operation": "update", "update_id": UPDATE_ID, "status": "monitoring"}
DELETE = {"operation": "delete", "update_id": UPDATE_ID}
LATEST = {"update_id": "latest"}
SAME = {"status": "investigating", "description": FIRST_TEXT, "skip_duplicate": "true"}
WATCHED = {"status": "monitoring", "description": "We are watching it."}
RESOLVED = {"status": "resolved", "description": "It is over."}
OTHER_SHA = "0123456789abcdef0123456789abcdef01234567"
FAILED = {"id": FAILED_RUN, "head_sha": HEAD, "conclusion": "failure", "pull_requests": []}
AFTER_FAILURE = {"event": "workflow_run", "payload": {"workflow_run": FAILED}, "sha": OTHER_SHA}
RUNNER = {"GITHUB_SERVER_URL": SERVER_URL, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": "1658821493"}


@pytest.fixture
def environ(server: FaultServer, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Make the runner's variables for an event."""

    def make(event: str = "push", payload: object = None, sha: str = HEAD) -> dict[str, str]:
        path = tmp_path / "event.json"
        path.write_text(json.dumps(payload), encoding="utf-8")
        about = {"GITHUB_API_URL": server.url, "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)}
        files = files_of_step(tmp_path)
        for file in files.values():
            Path(file).touch()
        return {**RUNNER, **about, **files, "GITHUB_SHA": sha}

    return make


@pytest.fixture
def step(
    store: Store, clock: SkippingClock, github: GitHub, tmp_path: Path, environ: Callable[..., dict[str, str]]
) -> RunStep:
    """Run the action after a push whose commit belongs to pull request 7, or about another event.

    Further variables of the runner replace the usual ones; the other arguments are those of `run_main`.
    """
    github.pulls[HEAD] = [pull(7, merged=True)]

    def run(*script: Rule, about: Any = None, runner: Any = None, **arguments: Any) -> Result:
        variables = {**environ(**(about or {})), **(runner or {})}
        arguments = {"comment": "true", "github_token": TOKEN, "store": store, "clock": clock, **arguments}
        return run_main(tmp_path, *script, environ=variables, **arguments)

    return run


def variables(sandbox: Sandbox, **inputs: str) -> dict[str, str]:
    """Return the variables with which a separate process comments on the pull request."""
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    return as_variables({**given, **CREATE, "comment": "true", "github-token": TOKEN, **inputs})


def timeline(github: GitHub) -> list[tuple[str, str]]:
    """Return status and text of each update in the only comment."""
    (body,) = texts(github)
    return re.findall(r"^\*\*([A-Z]+)\*\*.*\n\n> (.*)$", body, re.MULTILINE)


def sent_to(server: FaultServer) -> str:
    """Return everything that a server received."""
    return str([(request.path, request.headers.items(), request.body) for request in server.requests])


def said(log: str, name: str) -> list[str]:
    """Return the messages of the commands with this name."""
    return [command.data for command in commands(log) if command.name == name]


@pytest.mark.parametrize(
    ("inputs", "outcome", "rows", "words"),
    [
        (CREATE | {"notify": "true"}, "created", [NEW, FIRST], ["subscribers notified"]),
        (CREATE | {"notify": "false"}, "created", [NEW, FIRST], ["subscribers not notified"]),
        (OPEN | {"notify": "true"}, "opened", [NEW], ["subscribers notified"]),
        (OPEN | {"notify": "false"}, "opened", [NEW], ["subscribers not notified"]),
        (PATCH, "updated", [("MONITORING", FIRST_TEXT)], []),
        (PATCH | LATEST | {"description": TEXT}, "updated", [("MONITORING", TEXT)], []),
        (DELETE, "deleted", [], []),
        (DELETE | LATEST, "deleted", [], []),
        (SAME, "unchanged", [FIRST], []),
    ],
)
def test_the_comment_shows_the_updates_as_they_are_after_the_step_and_whether_it_notified(
    step: RunStep, github: GitHub, inputs: dict[str, str], outcome: str, rows: list[tuple[str, str]], words: list[str]
) -> None:
    result = step(**inputs)

    (body,) = texts(github)
    assert (result.end, result.warnings) == ((0, outcome), [])
    assert body.startswith(f"{format_marker(PAGE_ID, result.outputs['incident-id'])}\n")
    assert (timeline(github), re.findall("subscribers[a-z ]*[a-z]", body)) == (rows, words)
    assert f"[Workflow run]({RUN_URL})" in body
    assert f"]({result.outputs['incident-url']})" in body
    assert f"[The comment on the pull request]({url_of(7, 1001)})" in result.summary
    assert f"The comment on the pull request is up to date: {url_of(7, 1001)}\n" in result.log


def test_without_pygithub_the_update_is_posted_and_one_warning_says_so(
    step: RunStep, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None is how Python marks a module that cannot be imported: https://docs.python.org/3/library/sys.html#sys.modules
    monkeypatch.setitem(sys.modules, "github", None)

    result = step(**CREATE)

    (warning,) = result.warnings
    assert warning.startswith("There is no comment on the pull request: PyGithub is not installed.")
    assert (result.end, github.comments) == ((0, "created"), [])


def test_the_comment_grows_with_the_incident_until_it_is_resolved(step: RunStep, github: GitHub) -> None:
    step(**CREATE, components=f"{API_ID}: major_outage")
    step(operation="update", update_id=UPDATE_ID, description="It began with payments.")
    step(**RESOLVED, components="restore", notify="false")

    (body,) = texts(github)
    assert timeline(github) == [("RESOLVED", "It is over."), NEW, ("INVESTIGATING", "It began with payments.")]
    assert re.search("^### ✅ .*: RESOLVED$", body, re.MULTILINE)
    assert "\n🟢 API: MAJOR\\_OUTAGE → OPERATIONAL\n" in body
    assert "\n**RESOLVED** · subscribers not notified\n" in body
    assert "\n**IDENTIFIED** · subscribers notified" in body


@pytest.mark.parametrize(
    ("inputs", "requests", "after"),
    [
        (CREATE, [f"GET {UPDATES}", f"POST {UPDATES}"], [INCIDENT]),
        (TITLED, [f"GET {INCIDENTS}", f"GET {UPDATES}", f"POST {UPDATES}"], []),
        (CREATE | {"components": "restore"}, [f"GET {UPDATES}", INCIDENT, f"POST {UPDATES}"], [INCIDENT]),
        (OPEN, [f"GET {INCIDENTS}", f"POST {INCIDENTS}", f"GET {INCIDENTS}"], []),
        (SAME, [f"GET {UPDATES}", INCIDENT], [INCIDENT]),
        (PATCH | LATEST, [f"GET {UPDATES}", f"PATCH {UPDATE}"], [INCIDENT]),
        (DELETE | LATEST, [f"GET {UPDATES}", f"DELETE {UPDATE}"], [INCIDENT]),
        (PATCH, [f"PATCH {UPDATE}"], [f"GET {UPDATES}", INCIDENT]),
        (DELETE, [f"DELETE {UPDATE}"], [f"GET {UPDATES}", f"GET {UPDATES}", INCIDENT]),
    ],
)
def test_only_what_the_run_has_not_read_is_read_afterwards_and_an_empty_list_twice(
    step: RunStep, inputs: dict[str, str], requests: list[str], after: list[str]
) -> None:
    assert step(**inputs).requests == [*requests, f"GET {PAGE}", *after]


def test_updates_that_others_posted_are_shown_after_a_lost_response(
    step: RunStep, store: Store, github: GitHub
) -> None:
    other = IncidentUpdateCreate(status="MONITORING", description="We are watching it.")
    lost = lost_while(lambda: store.create_incident_update(INCIDENT_ID, other))

    result = step(Rule(lost, Phase.AFTER, "POST"), **CREATE)

    assert result.end == (0, "created")
    assert timeline(github) == [("MONITORING", "We are watching it."), NEW, FIRST]


def test_updates_that_cannot_be_read_leave_the_comment_as_it_is(step: RunStep, github: GitHub) -> None:
    github.add_comment(7, OTHER)

    result = step(Rule(FAULTS["404 envelope"], method="GET", path="/updates"), **PATCH)

    (warning,) = result.warnings
    assert "the incident's updates could not be read" in warning
    assert (result.end, texts(github)) == ((0, "updated"), [OTHER])


@pytest.mark.parametrize(
    ("about", "inputs", "number"),
    [
        ({"payload": {"after": HEAD, "head_commit": {"id": HEAD}}, "sha": OTHER_SHA}, {}, 7),
        ({"event": "pull_request", "payload": {"pull_request": {"number": 7, "head": {"sha": OTHER_SHA}}}}, {}, 7),
        (AFTER_FAILURE, {}, 7),
        ({"event": "schedule", "payload": {"schedule": "0 * * * *"}}, {}, 7),
        ({"event": "check_run", "payload": {"check_run": {"head_sha": HEAD, "pull_requests": [{"number": 8}]}}}, {}, 7),
        ({"event": "check_suite", "payload": {"check_suite": {"pull_requests": [{"number": 7}]}}}, {}, 7),
        (None, {"pull_request": "12"}, 12),
    ],
)
def test_the_input_or_else_the_event_names_the_pull_request(
    step: RunStep, github: GitHub, about: Any, inputs: dict[str, str], number: int
) -> None:
    github.jobs[FAILED_RUN] = []
    github.pulls[OTHER_SHA] = [pull(8, head=OTHER_SHA)]

    result = step(**CREATE, **inputs, about=about)

    assert (result.end, result.warnings) == ((0, "created"), [])
    assert [comment.issue for comment in github.comments] == [number]


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        (CREATE | {"dry_run": "true"}, "dry-run"),
        (OPEN | {"if_no_incident": "skip"}, "skipped"),
        (CREATE | {"status": "broken"}, "invalid"),
        (CREATE | {"api_token": READ_TOKEN}, "rejected"),
        (CREATE | {"api_url": "http://127.0.0.1:9"}, "not-sent"),
        ({"operation": "get", "update_id": UPDATE_ID}, "fetched"),
        ({"operation": "list"}, "listed"),
        (CREATE | {"comment": "false"}, "created"),
        (CREATE | {"comment": ""}, "created"),
    ],
)
def test_a_run_that_changes_nothing_sends_nothing_to_github(
    step: RunStep, server: FaultServer, inputs: dict[str, str], outcome: str
) -> None:
    result = step(**inputs)

    assert (result.outcome, server.connections) == (outcome, 0)


def test_an_update_that_may_not_exist_leads_to_no_comment(step: RunStep, server: FaultServer) -> None:
    lost, unreadable = Rule(FAULTS["200 empty"], method="POST"), Rule(FAULTS["500 empty"], method="GET", times=FOREVER)

    result = step(lost, unreadable, **CREATE)

    assert (result.end, server.connections) == ((1, "unknown"), 0)


@pytest.mark.parametrize(
    ("about", "change"),
    [(None, f"commit {HEAD}"), ({"event": "discussion", "payload": {"discussion": {"number": 7}}}, "this event")],
)
def test_without_a_pull_request_there_is_a_notice(
    step: RunStep, github: GitHub, server: FaultServer, about: Any, change: str
) -> None:
    github.pulls.clear()

    result = step(**CREATE, about=about)

    assert (result.end, result.warnings, github.comments) == ((0, "created"), [], [])
    assert requests_of(server) == ([] if about else [f"GET /commits/{HEAD}/pulls"])
    assert said(result.log, "notice")[1:] == [f"There is no comment: no pull request belongs to {change}."]


NO_PERMISSION = FAILURES["no permission"][0]
TROUBLES = {
    "no permission": Rule(NO_PERMISSION, path="/comments", times=FOREVER),
    "rate limit": Rule(FAILURES["pause of an hour"][0], times=FOREVER),
    "500": Rule(FAULTS["500 html"], method="GET", times=FOREVER),
    "not HTTP": Rule(FAULTS["not HTTP"], times=FOREVER),
    "silence": Rule(FAULTS["silence"], times=FOREVER),
    "headers drip": Rule(FAULTS["headers drip"], path="/comments", times=FOREVER),
    "command": Rule(message(403, "No\n::error::x\r::add-mask::y ##[error]z %0A::error::w\x1b[2K"), times=FOREVER),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_failure_of_github_leaves_the_step_as_it_is_with_one_warning(
    step: RunStep, store: Store, server: FaultServer, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    server.script.append(TROUBLES[name])

    result = step(**CREATE, limits=RunLimits(comment=1))

    assert (result.end, result.error) == ((0, "created"), "")
    assert (result.outputs["update-id"], result.outputs["notified"]) == (store.timeline()[-1].id, "true")
    assert result.outputs["incident-url"]
    assert [command.name for command in commands(result.log)] == ["add-mask", "add-mask", "notice", "warning"]
    assert PERMISSIONS in result.warnings[0]
    assert result.summary.startswith("### ⚠️ Posted IDENTIFIED; subscribers are notified\n")
    assert "The update itself is not affected" in result.summary
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("about", "words"),
    [
        *(({"github_token": token}, "github-token ") for token in ("", "two words", "ghs_\u00e4", "ghs_1\nghs_2")),
        ({"github_token": "${{ github.token }}"}, "github-token contains a space"),
        ({"github_token": EDIT_TOKEN}, "github-token is the API token of OnlineOrNot"),
        *(
            ({"runner": {"GITHUB_API_URL": url}}, "GITHUB_API_URL is not the URL of an API")
            for url in ("", "api.github.com", "ftp://api.github.com", "https://user:password@api.github.com")
        ),
        *(
            ({"runner": {"GITHUB_API_URL": url}}, "")
            for url in ("https://api.github.com?x=y", "https://api.github.com:port", "https://[::1")
        ),
        *(
            ({"runner": {"GITHUB_REPOSITORY": name}}, "GITHUB_REPOSITORY is not the name of a repository")
            for name in ("", "shop", "octo-org/shop/pulls", "octo-org/shop?x")
        ),
    ],
)
def test_an_unusable_token_or_variable_is_one_warning(
    step: RunStep, server: FaultServer, about: dict[str, Any], words: str
) -> None:
    result = step(**CREATE, **about)

    (warning,) = result.warnings
    assert (words in warning, PERMISSIONS in warning, "ghs_" in warning) == (True, True, False)
    assert (result.end, server.connections) == ((0, "created"), 0)


def test_jobs_that_cannot_be_read_and_a_comment_that_cannot_be_written_are_one_annotation(
    step: RunStep, server: FaultServer
) -> None:
    server.script += [Rule(NO_PERMISSION, path="/jobs"), Rule(NO_PERMISSION, method="POST")]

    result = step(**CREATE, about=AFTER_FAILURE)

    (warning,) = result.warnings
    assert result.end == (0, "created")
    assert ("actions: read" in warning, PERMISSIONS in warning) == (True, True)


def test_the_outputs_are_complete_before_the_first_request_to_github(
    step: RunStep, github: GitHub, tmp_path: Path
) -> None:
    seen: list[dict[str, str]] = []
    github.meanwhile("GET", lambda: seen.append(outputs_in(tmp_path)), "/pulls")

    result = step(**CREATE)

    assert seen == [result.outputs]


def test_a_job_that_was_cancelled_leaves_the_comment_as_it_is(step: RunStep, server: FaultServer) -> None:
    updates = replace(HEALTHY, path="/updates", times=2)

    result = step(updates, replace(HEALTHY, cancels=True), **CREATE)

    assert (result.end, result.warnings, server.connections) == ((0, "created"), [], 0)
    assert "was left as it is: the run was cancelled" in result.log


def test_a_request_that_never_ends_does_not_delay_the_end_of_the_process(
    environ: Callable[..., dict[str, str]], sandbox: Sandbox, server: FaultServer
) -> None:
    server.script.append(Rule(FAULTS["silence"], times=FOREVER))

    with subprocess.Popen(
        [sys.executable, "-I", str(ROOT / "entrypoint.py")],
        env=environ() | variables(sandbox),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        server.wait_for("GET")
        process.send_signal(signal.SIGTERM)
        log, errors = process.communicate(timeout=2)

    (warning,) = said(log, "warning")
    assert (process.returncode, errors) == (0, "")
    assert "the run was cancelled" in warning


def test_the_github_token_is_masked_and_each_token_appears_nowhere_else(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    with FaultServer() as status_page:
        result = step(**CREATE, api_url=status_page.url)

    everything = (*result.outputs.values(), result.summary, *texts(github))
    assert f"::add-mask::{TOKEN}\n" in result.log
    assert result.log.count(TOKEN) == 1
    assert [text for text in everything if TOKEN in text] == []
    assert TOKEN not in sent_to(status_page)
    assert EDIT_TOKEN not in sent_to(server)
    assert {request.headers["Authorization"] for request in server.requests} == {f"token {TOKEN}"}


@pytest.mark.parametrize("status", [200, 401, 422])
@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize("before", ["No ", "x" * 50])
def test_a_secret_in_a_response_from_github_is_not_shown(
    step: RunStep, server: FaultServer, status: int, secret: str, before: str
) -> None:
    server.script.append(Rule(message(status, f"{before}{secret}"), times=FOREVER))

    result = step(**CREATE)

    assert result.log.count(secret[:8]) == 1
    assert secret[:8] not in result.summary + str(result.outputs)


@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize(("before", "job"), [("It is ", "deploy "), ("x" * 190, "x" * 40)])
def test_a_secret_on_the_status_page_or_in_the_name_of_a_job_does_not_reach_the_comment(
    step: RunStep, store: Store, server: FaultServer, github: GitHub, secret: str, before: str, job: str
) -> None:
    written = IncidentUpdateCreate(status="UPDATE", description=f"{before}{secret}{secret}")
    store.create_incident_update(INCIDENT_ID, written)
    github.jobs[FAILED_RUN] = [(f"{job}{secret}", "failure")]

    step(**CREATE, about=AFTER_FAILURE)

    assert f"`{job}***`" in texts(github)[0]
    assert secret[:8] not in str([request.body for request in server.requests])


@pytest.mark.parametrize(("comment", "loaded"), [("false", "set()"), ("true", "{'github'}")])
def test_a_run_never_loads_the_command_line_and_loads_pygithub_only_for_a_comment(
    environ: Callable[..., dict[str, str]], sandbox: Sandbox, comment: str, loaded: str
) -> None:
    code = (
        f"import io, os, sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from onlineornot_action.main import main; "
        "main([], os.environ, io.StringIO(), None); print({'github', 'argparse'} & set(sys.modules))"
    )

    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env=environ() | variables(sandbox, comment=comment),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{loaded}\n", "")
    assert len(sandbox.store.timeline()) == 2


@pytest.mark.parametrize("about", [None, AFTER_FAILURE])
def test_the_comment_keeps_what_no_later_run_could_find_out(
    step: RunStep, server: FaultServer, github: GitHub, about: Any
) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    step(**TITLED, about=AFTER_FAILURE, notify="false")
    server.script.append(Rule(NO_PERMISSION, path="/jobs"))

    step(**RESOLVED, about=about)

    (body,) = texts(github)
    assert timeline(github) == [("RESOLVED", "It is over."), NEW, FIRST]
    assert f"\n**{INCIDENT_TITLE}** · " in body
    assert "\n**IDENTIFIED** · subscribers not notified" in body
    assert f"[Failed]({SERVER_URL}/{REPOSITORY}/actions/runs/{FAILED_RUN}): `deploy`" in body


FORGED = (
    f"{format_marker(PAGE_ID, INCIDENT_ID)}\n"
    '<!-- {"title": "Your account is at risk", "incident_url": "https://evil.example/incidents/incident0001", '
    '"notified": {"update000099": true}, "failed_run": {"id": 666, "jobs": ["](https://evil.example) @octocat"]}} -->'
)


def test_a_comment_by_another_workflow_lends_neither_title_nor_link(step: RunStep, github: GitHub) -> None:
    github.add_comment(7, FORGED)

    result = step(**CREATE)

    (body,) = texts(github)
    failed_run = f"{SERVER_URL}/{REPOSITORY}/actions/runs/666"
    assert Page(body.split("\n", 2)[2]).links == [failed_run, result.outputs["incident-url"], RUN_URL]
    assert f"\n**{INCIDENT_TITLE}** · " in body
    assert "at risk" not in body


@pytest.mark.parametrize(("times", "is_linked"), [(1, True), (FOREVER, False)])
def test_the_page_is_read_again_where_its_address_is_not_known(
    step: RunStep, store: Store, github: GitHub, times: int, *, is_linked: bool
) -> None:
    github.add_comment(7, FORGED)
    others = replace(HEALTHY, path="/incidents", times=FOREVER)

    result = step(others, Rule(FAULTS["500 html"], times=times), **CREATE)

    (body,) = texts(github)
    address = f"](https://{store.page.subdomain}.onlineornot.com/incidents/{INCIDENT_ID})"
    assert (result.end, result.outputs["incident-url"]) == ((0, "created"), "")
    assert (address in body, "customers see it" in body) == (is_linked, is_linked)


def test_a_title_that_cannot_be_read_is_left_out(step: RunStep, github: GitHub, clock: SkippingClock) -> None:
    github.add_comment(7, FORGED)
    updates = replace(HEALTHY, path="/updates", times=FOREVER)
    began = clock.monotonic()

    step(updates, Rule(FAULTS["500 html"], path="/incidents/", times=FOREVER), **CREATE)

    assert "\nsince " in texts(github)[0]
    assert clock.monotonic() - began < 10


@pytest.mark.parametrize(("moment", "before"), [("GET", [CREATE]), ("GET", []), ("POST", [])])
def test_an_older_state_does_not_overwrite_a_newer_one(
    step: RunStep, github: GitHub, moment: str, before: list[dict[str, str]]
) -> None:
    known = [step(**inputs).outputs["update-id"] for inputs in before]
    github.meanwhile(moment, lambda: step(**RESOLVED))

    step(**WATCHED)

    newest = [("RESOLVED", "It is over."), ("MONITORING", "We are watching it.")]
    assert timeline(github) == [*newest, *[NEW for _ in known], FIRST]


def test_an_edit_whose_response_was_lost_does_not_overwrite_a_newer_one(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    step(**CREATE)
    server.script.append(Rule(FAULTS["502 empty"], method="PATCH"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: step(**RESOLVED)))

    step(**WATCHED)

    assert timeline(github)[0] == ("RESOLVED", "It is over.")


def test_an_update_whose_response_leaves_out_its_components_is_read_again(step: RunStep, github: GitHub) -> None:
    def without_components(reply: Reply) -> Iterable[Step]:
        envelope = json.loads(reply.body)
        del envelope["result"]["components"]
        yield replace(reply, body=json.dumps(envelope).encode()).wire()

    step(Rule(Fault(without_components), Phase.AFTER, "POST"), **CREATE, components=f"{API_ID}: major_outage")

    assert "\n🔴 API: OPERATIONAL → MAJOR\\_OUTAGE\n" in texts(github)[0]
