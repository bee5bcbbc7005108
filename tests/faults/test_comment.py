"""The comment on the pull request as a part of whole steps, under every fault of GitHub and of the status page."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
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

from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.network.deadline import SYSTEM_CLOCK, Clock, Limits
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
OPEN = {"incident_id": "", "incident_title": "Deploys are failing", "if_no_incident": "create", **CREATE}
TITLED = {"incident_id": "", "incident_title": INCIDENT_TITLE, **CREATE}
PATCH = {"operation": "update", "update_id": UPDATE_ID, "status": "monitoring"}
DELETE = {"operation": "delete", "update_id": UPDATE_ID}
SAME = {"status": "investigating", "description": FIRST_TEXT, "skip_duplicate": "true"}
OTHER_SHA = "0123456789abcdef0123456789abcdef01234567"
RUNNER = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": SERVER_URL,
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_SHA": HEAD,
}
SINGLE_ATTEMPT_LIMITS = RunLimits(exchange=Limits(write_reserve=120), post=PostLimits(baseline_share=0.001))


@pytest.fixture
def environ(server: FaultServer, tmp_path: Path) -> Callable[[str, object, str], dict[str, str]]:
    """Make the runner's variables for an event."""

    def make(event: str, payload: object, sha: str) -> dict[str, str]:
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
    sandbox: Sandbox, github: GitHub, tmp_path: Path, environ: Callable[[str, object, str], dict[str, str]]
) -> RunStep:
    """Run the action with these inputs after a push; hyphens are written as underscores.

    The commit belongs to pull request 7.
    """
    github.pulls[HEAD] = [pull(7, merged=True)]

    def run(
        *,
        event: str = "push",
        payload: object = None,
        sha: str = HEAD,
        runner: Mapping[str, str] | None = None,
        received: Callable[[], int | None] = lambda: None,
        limits: RunLimits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        **inputs: str,
    ) -> Result:
        usual = {"api_url": sandbox.url, "incident_id": INCIDENT_ID, "comment": "true", "github_token": TOKEN}
        variables = {**environ(event, payload, sha), **(runner or {})}
        run_once: RunStep = partial(run_main, tmp_path, environ=variables, signal_received=received, limits=limits)
        return run_once(clock=clock, **(usual | inputs))

    return run


def asked(sandbox: Sandbox) -> list[str]:
    """Return the requests that OnlineOrNot received, without the query."""
    return [f"{request.method} {request.path.partition('?')[0]}" for request in sandbox.store.requests]


def sent_to(server: FaultServer) -> bytes:
    """Return everything that a server received."""
    return b"".join(
        b"%s %s %s" % (request.path.encode(), request.headers.as_bytes(), request.body) for request in server.requests
    )


def variables(sandbox: Sandbox, **inputs: str) -> dict[str, str]:
    """Return the variables with which a separate process comments on the pull request."""
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    return as_variables({**given, **CREATE, "comment": "true", "github-token": TOKEN, **inputs})


def timeline(body: str) -> list[tuple[str, str]]:
    """Return status and text of each update in a comment."""
    return re.findall(r"^\*\*([A-Z]+)\*\*.*\n\n> (.*)$", body, re.MULTILINE)


def said(log: str, *names: str) -> list[str]:
    """Return the messages of the commands with these names."""
    return [command.data for command in commands(log) if command.name in names]


@pytest.mark.parametrize(
    ("inputs", "outcome", "rows"),
    [
        (CREATE, "created", [NEW, FIRST]),
        (OPEN, "opened", [NEW]),
        (PATCH, "updated", [("MONITORING", FIRST_TEXT)]),
        (PATCH | {"update_id": "latest", "description": TEXT}, "updated", [("MONITORING", TEXT)]),
        (DELETE, "deleted", []),
        (DELETE | {"update_id": "latest"}, "deleted", []),
        (SAME, "unchanged", [FIRST]),
    ],
)
def test_the_comment_shows_the_updates_as_they_are_after_the_step(
    step: RunStep, github: GitHub, inputs: dict[str, str], outcome: str, rows: list[tuple[str, str]]
) -> None:
    result = step(**inputs)

    (body,) = texts(github)
    incident_id = result.outputs["incident-id"]
    assert (result.end, said(result.log, "warning", "error")) == ((0, outcome), [])
    assert body.startswith(f"{format_marker(PAGE_ID, incident_id)}\n")
    assert timeline(body) == rows
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

    (warning,) = said(result.log, "warning", "error")
    assert result.end == (0, "created")
    assert warning.startswith("There is no comment on the pull request: PyGithub is not installed.")
    assert texts(github) == []


def test_the_comment_grows_with_the_incident_until_it_is_resolved(step: RunStep, github: GitHub) -> None:
    step(**CREATE, components=f"{API_ID}: major_outage")
    step(operation="update", update_id=UPDATE_ID, description="It began with payments.")
    step(status="resolved", description="It is over.", components="restore", notify="false")

    (body,) = texts(github)
    assert timeline(body) == [("RESOLVED", "It is over."), NEW, ("INVESTIGATING", "It began with payments.")]
    assert re.search("^### ✅ .*: RESOLVED$", body, re.MULTILINE)
    assert "\n🟢 API: MAJOR\\_OUTAGE → OPERATIONAL\n" in body
    assert "\n**RESOLVED** · subscribers not notified\n" in body
    assert "\n**IDENTIFIED** · subscribers notified" in body


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        *((inputs | {"notify": "true"}, ["subscribers notified"]) for inputs in (CREATE, OPEN)),
        *((inputs | {"notify": "false"}, ["subscribers not notified"]) for inputs in (CREATE, OPEN)),
        *((inputs, []) for inputs in (PATCH, DELETE, SAME)),
    ],
)
def test_the_comment_says_whether_subscribers_were_notified_if_the_run_knows(
    step: RunStep, github: GitHub, inputs: dict[str, str], words: list[str]
) -> None:
    step(**inputs)

    assert re.findall("subscribers[a-z ]*[a-z]", texts(github)[0]) == words


@pytest.mark.parametrize(
    ("inputs", "requests", "after"),
    [
        (CREATE, [f"GET {UPDATES}", f"POST {UPDATES}"], [INCIDENT]),
        (TITLED, [f"GET {INCIDENTS}", f"GET {UPDATES}", f"POST {UPDATES}"], []),
        (
            CREATE | {"components": "restore"},
            [f"GET {UPDATES}", INCIDENT, f"POST {UPDATES}"],
            [INCIDENT],
        ),
        (OPEN, [f"GET {INCIDENTS}", f"POST {INCIDENTS}", f"GET {INCIDENTS}"], []),
        (SAME, [f"GET {UPDATES}", INCIDENT], [INCIDENT]),
        (PATCH | {"update_id": "latest"}, [f"GET {UPDATES}", f"PATCH {UPDATE}"], [INCIDENT]),
        (DELETE | {"update_id": "latest"}, [f"GET {UPDATES}", f"DELETE {UPDATE}"], [INCIDENT]),
        (PATCH, [f"PATCH {UPDATE}"], [f"GET {UPDATES}", INCIDENT]),
        (DELETE, [f"DELETE {UPDATE}"], [f"GET {UPDATES}", f"GET {UPDATES}", INCIDENT]),
    ],
)
def test_only_what_the_run_has_not_read_is_read_afterwards_and_an_empty_list_twice(
    step: RunStep, sandbox: Sandbox, inputs: dict[str, str], requests: list[str], after: list[str]
) -> None:
    step(**inputs)

    assert asked(sandbox) == [*requests, f"GET {PAGE}", *after]


def test_updates_that_others_posted_are_shown_after_a_lost_response(step: RunStep, github: GitHub) -> None:
    store = Store()
    other = IncidentUpdateCreate(status="MONITORING", description="We are watching it.")
    lost = lost_while(lambda: store.create_incident_update(INCIDENT_ID, other))

    with FaultServer([Rule(lost, Phase.AFTER, "POST")], store=store) as status_page:
        result = step(**CREATE, api_url=status_page.url)

    assert result.end == (0, "created")
    assert timeline(texts(github)[0]) == [("MONITORING", "We are watching it."), NEW, FIRST]


def test_updates_that_cannot_be_read_leave_the_comment_as_it_is(step: RunStep, github: GitHub) -> None:
    github.add_comment(7, OTHER)

    with FaultServer([Rule(FAULTS["404 envelope"], method="GET", path="/updates")]) as status_page:
        result = step(**PATCH, api_url=status_page.url)

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "updated")
    assert "the incident's updates could not be read" in warning
    assert texts(github) == [OTHER]


FAILED_RUN_LINK = f"[Failed]({SERVER_URL}/{REPOSITORY}/actions/runs/{FAILED_RUN})"
FAILED = {"id": FAILED_RUN, "head_sha": HEAD, "conclusion": "failure", "pull_requests": []}


@pytest.mark.parametrize(
    ("event", "payload", "sha"),
    [
        ("push", {"after": HEAD, "head_commit": {"id": HEAD}}, OTHER_SHA),
        ("pull_request", {"number": 7, "pull_request": {"number": 7, "head": {"sha": OTHER_SHA}}}, OTHER_SHA),
        ("workflow_run", {"workflow_run": FAILED}, OTHER_SHA),
        ("schedule", {"schedule": "0 * * * *"}, HEAD),
        ("check_run", {"check_run": {"head_sha": HEAD, "pull_requests": [{"number": 8}]}}, OTHER_SHA),
        ("check_suite", {"check_suite": {"pull_requests": [{"number": 7}]}}, OTHER_SHA),
    ],
)
def test_an_event_finds_its_pull_request(
    step: RunStep, github: GitHub, event: str, payload: dict[str, Any], sha: str
) -> None:
    github.jobs[FAILED_RUN] = []
    github.pulls[OTHER_SHA] = [pull(8, head=OTHER_SHA)]

    result = step(**CREATE, event=event, payload=payload, sha=sha)

    assert (result.end, said(result.log, "warning")) == ((0, "created"), [])
    assert [comment.issue for comment in github.comments] == [7]


def test_the_input_names_the_pull_request_in_place_of_the_event(step: RunStep, github: GitHub) -> None:
    result = step(**CREATE, pull_request="12")

    assert (result.end, said(result.log, "warning")) == ((0, "created"), [])
    assert [comment.issue for comment in github.comments] == [12]


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        (CREATE | {"dry_run": "true"}, "dry-run"),
        (OPEN | {"dry_run": "true"}, "dry-run"),
        (PATCH | {"dry_run": "true"}, "dry-run"),
        (DELETE | {"dry_run": "true"}, "dry-run"),
        (OPEN | {"if_no_incident": "skip"}, "skipped"),
        (OPEN | {"if_no_incident": "fail"}, "invalid"),
        (CREATE | {"status": "broken"}, "invalid"),
        (CREATE | {"api_token": READ_TOKEN}, "rejected"),
        (CREATE | {"api_url": "http://127.0.0.1:9"}, "not-sent"),
        (CREATE | {"api_url": "http://127.0.0.1:9", "fail_on_error": "false"}, "not-sent"),
        ({"operation": "get", "update_id": UPDATE_ID}, "fetched"),
        ({"operation": "list"}, "listed"),
        (CREATE | {"comment": "false"}, "created"),
        (CREATE | {"comment": ""}, "created"),
    ],
)
def test_a_run_that_changes_nothing_sends_nothing_to_github(
    step: RunStep, server: FaultServer, inputs: dict[str, str], outcome: str
) -> None:
    result = step(**inputs, limits=SINGLE_ATTEMPT_LIMITS if "api_url" in inputs else RunLimits())

    assert result.end[1] == outcome
    assert server.connections == 0


def test_an_update_that_may_not_exist_leads_to_no_comment(
    step: RunStep, server: FaultServer, clock: SkippingClock
) -> None:
    script = [Rule(FAULTS["200 empty"], method="POST"), Rule(FAULTS["500 empty"], method="GET", times=FOREVER)]

    with FaultServer(script) as status_page:
        result = step(**CREATE, api_url=status_page.url, clock=clock)

    assert (result.end, server.connections) == ((1, "unknown"), 0)


@pytest.mark.parametrize(
    ("about", "change"),
    [({}, f"commit {HEAD}"), ({"event": "discussion", "payload": {"discussion": {"number": 7}}}, "this event")],
)
def test_without_a_pull_request_there_is_a_notice(
    step: RunStep, github: GitHub, server: FaultServer, about: dict[str, Any], change: str
) -> None:
    github.pulls.clear()

    result = step(**CREATE, **about)

    assert (result.end, github.comments) == ((0, "created"), [])
    assert requests_of(server) == ([] if about else [f"GET /commits/{HEAD}/pulls"])
    assert said(result.log, "warning", "error") == []
    assert said(result.log, "notice")[1:] == [f"There is no comment: no pull request belongs to {change}."]


NO_PERMISSION = FAILURES["no permission"][0]
TROUBLES = {
    "no permission": Rule(NO_PERMISSION, path="/comments", times=FOREVER),
    "no permission, at the end": Rule(NO_PERMISSION, method="POST", times=FOREVER),
    "rate limit": Rule(FAILURES["secondary limit, 429 for an hour"][0], times=FOREVER),
    "500": Rule(FAULTS["500 html"], method="GET", times=FOREVER),
    "redirect": Rule(FAULTS["301 elsewhere"], times=FOREVER),
    "not HTTP": Rule(FAULTS["not HTTP"], times=FOREVER),
    "deep JSON": Rule(FAULTS["200 deep JSON"], path="/comments", times=FOREVER),
    "silence": Rule(FAULTS["silence"], times=FOREVER),
    "headers drip": Rule(FAULTS["headers drip"], path="/comments", times=FOREVER),
    "command": Rule(message(403, "No\n::error::x\r::add-mask::y ##[error]z %0A::error::w\x1b[2K"), times=FOREVER),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_failure_of_github_leaves_the_step_as_it_is_with_one_warning(
    step: RunStep,
    sandbox: Sandbox,
    server: FaultServer,
    clock: SkippingClock,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    server.script.append(TROUBLES[name])

    result = step(**CREATE, limits=RunLimits(comment=1.5), clock=clock)

    posted = sandbox.store.timeline()[-1]
    assert result.end == (0, "created")
    assert (result.outputs["update-id"], result.outputs["notified"], result.outputs["error"]) == (posted.id, "true", "")
    assert result.outputs["incident-url"]
    assert [command.name for command in commands(result.log)] == ["add-mask", "add-mask", "notice", "warning"]
    assert PERMISSIONS in said(result.log, "warning")[0]
    heading, *_ = result.summary.split("\n")
    assert heading == "### ⚠️ Posted IDENTIFIED; subscribers are notified"
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

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "created")
    assert (words in warning, PERMISSIONS in warning, "ghs_" in warning) == (True, True, False)
    assert server.connections == 0


def test_a_slash_at_the_end_of_an_address_does_no_harm(step: RunStep, server: FaultServer, github: GitHub) -> None:
    result = step(**CREATE, runner={"GITHUB_API_URL": f"{server.url}/", "GITHUB_SERVER_URL": f"{SERVER_URL}/"})

    assert said(result.log, "warning") == []
    assert f"[Workflow run]({RUN_URL})" in texts(github)[0]


def test_jobs_that_cannot_be_read_and_a_comment_that_cannot_be_written_are_one_annotation(
    step: RunStep, server: FaultServer
) -> None:
    server.script += [Rule(NO_PERMISSION, path="/jobs"), Rule(NO_PERMISSION, method="POST")]

    result = step(**CREATE, event="workflow_run", payload={"workflow_run": FAILED}, sha=OTHER_SHA)

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "created")
    assert "actions: read" in warning
    assert PERMISSIONS in warning


def test_the_outputs_are_complete_before_the_first_request_to_github(
    step: RunStep, github: GitHub, tmp_path: Path
) -> None:
    seen: list[dict[str, str]] = []
    github.meanwhile("GET", lambda: seen.append(outputs_in(tmp_path)), "/pulls")

    result = step(**CREATE)

    assert seen == [result.outputs]


def test_a_job_that_was_cancelled_leaves_the_comment_as_it_is(
    step: RunStep, sandbox: Sandbox, server: FaultServer
) -> None:
    result = step(**CREATE, received=lambda: signal.SIGTERM if f"GET {PAGE}" in asked(sandbox) else None)

    assert result.end == (0, "created")
    assert server.connections == 0
    assert said(result.log, "warning", "error") == []
    assert "was left as it is: the run was cancelled" in result.log


def test_a_request_that_never_ends_does_not_delay_the_end_of_the_process(
    environ: Callable[[str, object, str], dict[str, str]], sandbox: Sandbox, server: FaultServer
) -> None:
    server.script.append(Rule(FAULTS["silence"], times=FOREVER))

    with subprocess.Popen(
        [sys.executable, "-I", str(ROOT / "entrypoint.py")],
        env=environ("push", None, HEAD) | variables(sandbox),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        server.wait_for("GET")
        process.send_signal(signal.SIGTERM)
        log, errors = process.communicate(timeout=2)

    assert (process.returncode, errors) == (0, "")
    assert ["the run was cancelled" in warning for warning in said(log, "warning")] == [True]


def test_the_github_token_is_masked_and_each_token_appears_nowhere_else(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    with FaultServer() as status_page:
        result = step(**CREATE, api_url=status_page.url)

    everything = (*result.outputs.values(), result.summary, *texts(github))
    assert f"::add-mask::{TOKEN}\n" in result.log
    assert result.log.count(TOKEN) == 1
    assert [text for text in everything if TOKEN in text] == []
    assert TOKEN.encode() not in sent_to(status_page)
    assert EDIT_TOKEN.encode() not in sent_to(server)
    assert {request.headers["Authorization"] for request in server.requests} == {f"token {TOKEN}"}


@pytest.mark.parametrize("status", [200, 401, 403, 422])
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
@pytest.mark.parametrize("before", ["It is ", "x" * 190])
def test_a_secret_on_the_status_page_does_not_reach_the_comment(
    step: RunStep, sandbox: Sandbox, server: FaultServer, github: GitHub, secret: str, before: str
) -> None:
    written = IncidentUpdateCreate(status="UPDATE", description=f"{before}{secret}{secret}")
    sandbox.store.create_incident_update(INCIDENT_ID, written)

    step(**CREATE)

    assert secret[:8] not in texts(github)[0]
    assert secret[:8].encode() not in b"".join(request.body for request in server.requests)


@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize("before", ["deploy ", "x" * 40])
def test_a_secret_in_the_name_of_a_job_does_not_reach_the_comment(
    step: RunStep, github: GitHub, secret: str, before: str
) -> None:
    github.jobs[FAILED_RUN] = [(f"{before}{secret}", "failure")]

    step(**CREATE, event="workflow_run", payload={"workflow_run": FAILED}, sha=OTHER_SHA)

    assert f"`{before}***`" in texts(github)[0]
    assert secret[:8] not in texts(github)[0]


@pytest.mark.parametrize(("comment", "loaded"), [("false", "set()"), ("", "set()"), ("true", "{'github'}")])
def test_a_run_never_loads_the_command_line_and_loads_pygithub_only_for_a_comment(
    environ: Callable[[str, object, str], dict[str, str]], sandbox: Sandbox, comment: str, loaded: str
) -> None:
    code = (
        f"import io, os, sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from onlineornot_action.main import main; "
        "main([], os.environ, io.StringIO(), None); print({'github', 'argparse'} & set(sys.modules))"
    )

    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env=environ("push", None, HEAD) | variables(sandbox, comment=comment),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{loaded}\n", "")
    assert len(sandbox.store.timeline()) == 2


def test_the_comment_keeps_what_no_later_run_could_find_out(step: RunStep, github: GitHub) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    step(
        **CREATE,
        incident_id="",
        incident_title=INCIDENT_TITLE,
        notify="false",
        event="workflow_run",
        payload={"workflow_run": FAILED},
    )

    step(status="resolved", description="It is over.")

    (body,) = texts(github)
    assert timeline(body) == [("RESOLVED", "It is over."), NEW, FIRST]
    assert f"\n**{INCIDENT_TITLE}** · " in body
    assert "\n**IDENTIFIED** · subscribers not notified" in body
    assert f"{FAILED_RUN_LINK}: `deploy`" in body


FORGED = (
    f"{format_marker(PAGE_ID, INCIDENT_ID)}\n"
    '<!-- {"title": "Your account is at risk", "incident_url": "https://evil.example/incidents/incident0001", '
    '"notified": {"update000099": true}, "failed_run": {"id": 666, "jobs": ["](https://evil.example) @octocat"]}} -->'
)


def test_a_comment_by_another_workflow_lends_neither_title_nor_link(step: RunStep, github: GitHub) -> None:
    github.add_comment(7, FORGED)

    result = step(**CREATE)

    (body,) = texts(github)
    page = Page(body.split("\n", 2)[2])
    runs = f"{SERVER_URL}/{REPOSITORY}/actions/runs"
    assert page.links == [f"{runs}/666", result.outputs["incident-url"], RUN_URL]
    assert f"\n**{INCIDENT_TITLE}** · " in body
    assert "at risk" not in body


@pytest.mark.parametrize(("times", "is_linked"), [(1, True), (FOREVER, False)])
def test_the_page_is_read_again_where_its_address_is_not_known(
    step: RunStep, sandbox: Sandbox, github: GitHub, times: int, *, is_linked: bool
) -> None:
    github.add_comment(7, FORGED)
    others = replace(HEALTHY, path="/incidents", times=FOREVER)

    with FaultServer([others, Rule(FAULTS["500 html"], times=times)], store=sandbox.store) as status_page:
        result = step(**CREATE, api_url=status_page.url)

    (body,) = texts(github)
    address = f"](https://{sandbox.store.page.subdomain}.onlineornot.com/incidents/{INCIDENT_ID})"
    assert (result.end, result.outputs["incident-url"]) == ((0, "created"), "")
    assert (address in body, "customers see it" in body) == (is_linked, is_linked)


def test_a_title_that_cannot_be_read_is_left_out(step: RunStep, github: GitHub, clock: SkippingClock) -> None:
    github.add_comment(7, FORGED)
    updates = replace(HEALTHY, path="/updates", times=FOREVER)
    began = clock.monotonic()

    with FaultServer([updates, Rule(FAULTS["500 html"], path="/incidents/", times=FOREVER)]) as status_page:
        step(**CREATE, api_url=status_page.url, clock=clock)

    assert "\nsince " in texts(github)[0]
    assert clock.monotonic() - began < 10


@pytest.mark.parametrize(("moment", "before"), [("GET", [CREATE]), ("GET", []), ("POST", [])])
def test_an_older_state_does_not_overwrite_a_newer_one(
    step: RunStep, github: GitHub, moment: str, before: list[dict[str, str]]
) -> None:
    known = [step(**inputs).outputs["update-id"] for inputs in before]
    github.meanwhile(moment, lambda: step(status="resolved", description="It is over."))

    step(status="monitoring", description="We are watching it.")

    (body,) = texts(github)
    newest = [("RESOLVED", "It is over."), ("MONITORING", "We are watching it.")]
    assert timeline(body) == [*newest, *[NEW for _ in known], FIRST]


def test_the_names_of_failed_jobs_are_kept_when_they_can_no_longer_be_read(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    again = {"event": "workflow_run", "payload": {"workflow_run": FAILED}}
    step(**CREATE, **again)
    server.script.append(Rule(NO_PERMISSION, path="/jobs"))

    step(status="resolved", description="It is over.", **again)

    assert f"{FAILED_RUN_LINK}: `deploy`" in texts(github)[0]


def test_an_update_whose_response_leaves_out_its_components_is_read_again(step: RunStep, github: GitHub) -> None:
    def without_components(reply: Reply) -> Iterable[Step]:
        envelope = json.loads(reply.body)
        del envelope["result"]["components"]
        yield replace(reply, body=json.dumps(envelope).encode()).wire()

    with FaultServer([Rule(Fault(without_components), Phase.AFTER, "POST")]) as status_page:
        step(**CREATE, components=f"{API_ID}: major_outage", api_url=status_page.url)

    assert "\n🔴 API: OPERATIONAL → MAJOR\\_OUTAGE\n" in texts(github)[0]


def test_an_edit_whose_response_was_lost_does_not_overwrite_a_newer_one(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    step(**CREATE)
    server.script.append(Rule(FAULTS["502 empty"], method="PATCH"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: step(status="resolved", description="It is over.")))

    step(status="monitoring", description="We are watching it.")

    assert timeline(texts(github)[0])[0] == ("RESOLVED", "It is over.")
