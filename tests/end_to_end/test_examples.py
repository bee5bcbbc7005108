"""The workflows in `examples` and in the README do what they promise: act runs them against the sandbox."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.act import ACT, FAILS, SUCCEEDS, Act
from support.documents import block, documented_workflows
from support.fault_server import FaultServer
from support.github_app import HEAD, GitHub, pull
from support.github_fixtures import *  # noqa: F403
from support.image import skip_unless_required

from onlineornot_sandbox.auth import READ_TOKEN
from onlineornot_sandbox.bodies import ComponentSetting, IncidentCreate
from onlineornot_sandbox.local_step import ROOT
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, SUBSCRIBERS
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

pytestmark = pytest.mark.container

TITLE = "Checkout disrupted by a deploy"
CALM = {"Website": "OPERATIONAL", "Payments": "OPERATIONAL", "API": "OPERATIONAL", "Search": "OPERATIONAL"}
DISRUPTED = CALM | {"API": "MAJOR_OUTAGE", "Website": "PARTIAL_OUTAGE"}
ONE_REGION_FAILS = 'test "$1" != eu'


@pytest.fixture
def act(image: str, sandbox: Sandbox, tmp_path: Path) -> Act:
    """Run workflows against the sandbox."""
    if not ACT.exists():
        skip_unless_required("act is not installed; `make .venv-tools/installed` does it")
    return Act(image, tmp_path, sandbox.url)


@pytest.fixture
def commenting(act: Act, github: GitHub, server: FaultServer) -> Act:
    """Run workflows about a commit that belongs to pull request 7."""
    github.pulls[HEAD] = [pull(7, merged=True)]
    return replace(act, github_url=server.url)


def example(name: str) -> str:
    return (ROOT / "examples" / f"{name}.yml").read_text(encoding="utf-8")


def statuses(store: Store) -> dict[str, str]:
    return {component.name: component.status for component in store.components.values()}


def timeline(store: Store, title: str = TITLE) -> list[str]:
    found = [incident for incident in store.incidents.values() if incident.title == title]
    return [update.status for incident in found for update in incident.updates]


def mails(store: Store) -> list[str]:
    """Return the subjects of the mails that a subscriber received."""
    return [mail.subject for mail in store.mails if mail.to == SUBSCRIBERS[0]]


def test_failed_deploys_are_one_update_until_a_rollback_succeeds(act: Act, store: Store) -> None:
    failed = [act.run(example("deploy"), "push", scripts={"deploy.sh": ONE_REGION_FAILS}) for _ in range(2)]
    in_vain = act.run(example("rollback"), "workflow_dispatch", scripts={"rollback.sh": FAILS})
    during = statuses(store)
    ended = act.run(example("rollback"), "workflow_dispatch", scripts={"rollback.sh": SUCCEEDS})

    assert [result.jobs for result in failed] == [{"deploy": "failure", "tell-customers": "success"}] * 2
    assert in_vain.jobs == {"rollback": "failure", "tell-customers": "success"}
    results = (*failed, in_vain, ended)
    assert [result.outcomes for result in results] == [["opened"], ["unchanged"], ["unchanged"], ["created"]]
    assert (during, statuses(store)) == (DISRUPTED, CALM)
    assert timeline(store) == ["INVESTIGATING", "RESOLVED"]
    assert mails(store) == [f"[{status}] {TITLE}" for status in timeline(store)]


def ended(conclusion: str) -> dict[str, Any]:
    return {"workflow_run": {"id": 55, "head_sha": HEAD, "conclusion": conclusion}}


def deployment(environment: str, state: str) -> dict[str, Any]:
    return {"deployment": {"sha": HEAD, "environment": environment}, "deployment_status": {"state": state}}


def test_a_deploy_that_succeeds_closes_the_incident_and_the_next_failure_opens_another(act: Act, store: Store) -> None:
    scripts = (FAILS, SUCCEEDS, FAILS)

    results = [act.run(example("deploy"), "push", scripts={"deploy.sh": script}) for script in scripts]

    assert [result.outcomes for result in results] == [["opened"], ["created"], ["opened"]]
    assert (timeline(store), statuses(store)) == (["INVESTIGATING", "RESOLVED", "INVESTIGATING"], DISRUPTED)
    assert mails(store) == [f"[{status}] {TITLE}" for status in timeline(store)]


@pytest.mark.parametrize(
    ("name", "event", "payload"),
    [
        ("deploy", "push", {}),
        ("rollback", "workflow_dispatch", {}),
        ("pull-request", "workflow_run", ended("success")),
        ("deployment", "deployment_status", deployment("production", "success")),
    ],
)
def test_a_success_without_an_incident_posts_nothing(
    act: Act, store: Store, name: str, event: str, payload: dict[str, Any]
) -> None:
    result = act.run(example(name), event, payload, scripts={"deploy.sh": SUCCEEDS, "rollback.sh": SUCCEEDS})

    assert (result.outcomes, timeline(store), mails(store)) == (["skipped"], [], [])
    assert {request.method for request in store.requests} == {"GET"}


@pytest.mark.parametrize(("result", "jobs"), [("cancelled", {"tell-customers": "success"}), ("skipped", {})])
def test_a_deploy_that_did_not_end_posts_nothing(act: Act, store: Store, result: str, jobs: dict[str, str]) -> None:
    ran = act.run(example("deploy"), "push", scripts={"deploy.sh": SUCCEEDS}, results={"deploy": result})

    assert (ran.jobs, store.requests) == ({"deploy": "success", **jobs}, [])


def test_two_services_that_fail_have_an_incident_each_and_one_recovers(act: Act, store: Store) -> None:
    failed = act.run(example("services"), "push", scripts={"deploy.sh": FAILS})
    during = statuses(store)
    recovered = act.run(example("services"), "push", scripts={"deploy.sh": 'test "$1" = api'})

    api, web = "Checkout disrupted (api)", "Checkout disrupted (web)"
    assert (failed.outcomes, sorted(recovered.outcomes)) == (["opened"] * 2, ["created", "unchanged"])
    assert (timeline(store, api), timeline(store, web)) == (["INVESTIGATING", "RESOLVED"], ["INVESTIGATING"])
    assert during == CALM | {"API": "MAJOR_OUTAGE", "Website": "MAJOR_OUTAGE"}
    assert statuses(store) == CALM | {"Website": "MAJOR_OUTAGE"}
    assert sorted(mails(store)) == [f"[INVESTIGATING] {api}", f"[INVESTIGATING] {web}", f"[RESOLVED] {api}"]
    assert failed.annotations + recovered.annotations == ["notice"] * 4


@pytest.mark.parametrize(
    ("deploy", "rollback", "said", "mailed", "api"),
    [
        ("failure", "success", ["INVESTIGATING", "RESOLVED"], 2, "OPERATIONAL"),
        ("failure", "cancelled", ["INVESTIGATING", "UPDATE"], 1, "MAJOR_OUTAGE"),
        ("cancelled", "success", ["INVESTIGATING", "RESOLVED"], 2, "OPERATIONAL"),
        ("cancelled", "skipped", ["INVESTIGATING", "UPDATE"], 1, "DEGRADED_PERFORMANCE"),
        ("cancelled", "failure", ["INVESTIGATING", "IDENTIFIED"], 2, "DEGRADED_PERFORMANCE"),
        ("success", "skipped", [], 0, "OPERATIONAL"),
        ("skipped", "skipped", [], 0, "OPERATIONAL"),
    ],
)
def test_customers_read_the_right_thing_however_deploy_and_rollback_end(
    act: Act, store: Store, deploy: str, rollback: str, said: list[str], mailed: int, api: str
) -> None:
    scripts = {"deploy.sh": SCRIPTS.get(deploy, SUCCEEDS), "rollback.sh": SCRIPTS.get(rollback, SUCCEEDS)}
    results = {job: result for job, result in (("deploy", deploy), ("rollback", rollback)) if result not in SCRIPTS}

    act.run(example("outcomes"), "push", scripts=scripts, results=results)

    assert timeline(store, "Checkout may be disrupted by a deploy") == said
    assert (len(mails(store)), statuses(store)["API"]) == (mailed, api)


def test_a_deploy_that_succeeds_ends_the_incident_of_one_that_could_not_be_rolled_back(act: Act, store: Store) -> None:
    act.run(example("outcomes"), "push", scripts={"deploy.sh": FAILS, "rollback.sh": FAILS})
    during = statuses(store)["API"]
    act.run(example("outcomes"), "push", scripts={"deploy.sh": SUCCEEDS, "rollback.sh": FAILS})

    title = "Checkout may be disrupted by a deploy"
    assert mails(store) == [f"[{status}] {title}" for status in ("INVESTIGATING", "IDENTIFIED", "RESOLVED")]
    assert (during, timeline(store, title)) == ("MAJOR_OUTAGE", ["INVESTIGATING", "IDENTIFIED", "RESOLVED"])
    assert statuses(store) == CALM


SCRIPTS = {"success": SUCCEEDS, "failure": FAILS}
"""What a script does to give its job a result. act can neither cancel a job nor skip one that has to run."""


def test_a_canary_passes_on_the_incident_and_corrects_its_update(act: Act, store: Store) -> None:
    scripts = {"deploy.sh": 'test "$1" != --canary', "withdraw.sh": SUCCEEDS}

    result = act.run(example("canary"), "workflow_dispatch", scripts=scripts)

    title = "Some customers see errors"
    first = next(incident.updates[0] for incident in store.incidents.values() if incident.title == title)
    assert result.outcomes == ["opened", "updated", "created"]
    assert timeline(store, title) == ["IDENTIFIED", "RESOLVED"]
    assert first.description == "A new version failed for one customer in twenty. It has been withdrawn."
    assert (statuses(store), mails(store)) == (CALM, [])


def test_a_canary_is_withdrawn_even_if_no_update_could_be_posted(act: Act, store: Store) -> None:
    scripts, powerless = {"deploy.sh": FAILS, "withdraw.sh": SUCCEEDS}, replace(act, secret=READ_TOKEN)

    result = powerless.run(example("canary"), "workflow_dispatch", scripts=scripts)

    assert (result.jobs["tell-customers"], result.jobs["withdraw"]) == ("failure", "success")
    assert (result.outcomes, mails(store)) == (["rejected", "skipped"], [])


@pytest.mark.parametrize(
    ("work", "last", "payments"), [(SUCCEEDS, "COMPLETED", "OPERATIONAL"), (FAILS, "UPDATE", "MAINTENANCE")]
)
def test_a_maintenance_moves_on_by_its_id(act: Act, store: Store, work: str, last: str, payments: str) -> None:
    form = {"inputs": {"incident-id": INCIDENT_ID}}

    result = act.run(example("maintenance"), "workflow_dispatch", form, scripts={"migrate.sh": work})

    assert result.outcomes == ["created"] * 3
    assert [update.status for update in store.timeline()[1:]] == ["SCHEDULED", "IN_PROGRESS", last]
    assert mails(store) == [f"[IN_PROGRESS] {INCIDENT_TITLE}", f"[{last}] {INCIDENT_TITLE}"]
    assert statuses(store)["Payments"] == payments


@pytest.mark.parametrize(
    ("notify", "dry_run", "said", "mailed"),
    [
        ("true", "false", ["INVESTIGATING"], ["[INVESTIGATING] Search is slow"]),
        ("false", "false", ["INVESTIGATING"], []),
        ("true", "true", [], []),
    ],
)
def test_the_manual_workflow_opens_an_incident(
    act: Act, store: Store, notify: str, dry_run: str, said: list[str], mailed: list[str]
) -> None:
    form = {
        "title": "Search is slow",
        "status": "INVESTIGATING",
        "description": "We are looking into it.",
        "components": "Core / Search: degraded_performance, API: partial_outage",
        "notify": notify,
        "dry-run": dry_run,
    }

    result = act.run(example("manual"), "workflow_dispatch", {"inputs": form})

    assert result.outcomes == ["dry-run" if dry_run == "true" else "opened"]
    assert (timeline(store, "Search is slow"), mails(store)) == (said, mailed)


def test_a_mistyped_title_in_the_form_opens_no_incident_that_is_over_already(act: Act, store: Store) -> None:
    form = {"title": "Serch is slow", "status": "RESOLVED", "description": "Search is fast again."}

    result = act.run(example("manual"), "workflow_dispatch", {"inputs": form})

    assert (result.outcomes, list(store.incidents)) == (["invalid"], [INCIDENT_ID])


RED, GREEN = {"tell-customers": "failure"}, {"tell-customers": "success"}
"""The job of the called workflow, which runs twice."""


@pytest.mark.parametrize(("title", "outcomes"), [("Another", ["dry-run", "skipped"]), (TITLE, ["dry-run"] * 2)])
def test_a_rehearsal_succeeds_and_posts_nothing_even_during_an_incident(
    act: Act, store: Store, title: str, outcomes: list[str]
) -> None:
    setting = ComponentSetting(id=API_ID, status="MAJOR_OUTAGE")
    body = IncidentCreate(title=title, description="It fails.", status="INVESTIGATING", components=[setting])
    store.create_incident(body)

    result = act.run(example("rehearsal"), "schedule")

    assert (result.jobs, sorted(result.outcomes)) == (GREEN, outcomes)
    assert {request.method for request in store.requests} == {"GET"}


@pytest.mark.parametrize(
    "changes", [{"secret": "an-expired-token"}, {"secret": READ_TOKEN}, {"page_id": "deletedpage1"}]
)
def test_a_rehearsal_is_red_when_the_token_may_not_write_or_the_status_page_was_deleted(
    act: Act, changes: dict[str, Any]
) -> None:
    rehearsing = replace(act, **changes)

    result = rehearsing.run(example("rehearsal"), "schedule")

    token = rehearsing.secret
    assert (result.jobs, result.outcomes) == (RED, ["rejected"] * 2)
    assert token not in result.log.replace(f"::add-mask::{token}", "").replace(f'"arg":"{token}"', "")


def test_a_rehearsal_is_red_when_a_component_was_renamed(act: Act, store: Store) -> None:
    store.components[API_ID] = replace(store.components[API_ID], name="Public API")

    result = act.run(example("rehearsal"), "schedule")

    assert (result.jobs, sorted(result.outcomes)) == (RED, ["invalid", "skipped"])


def rows_of(comment: str) -> list[str]:
    """Return the bold text of each update in a comment, newest first."""
    return re.findall(r"^\*\*[A-Z]+\*\* · subscribers [a-z ]+", comment, re.MULTILINE)


TOLD_THE_END = ["**RESOLVED** · subscribers notified", "**INVESTIGATING** · subscribers notified"]


def test_the_pull_request_behind_a_failed_deploy_gets_a_comment(commenting: Act, store: Store, github: GitHub) -> None:
    github.jobs[55] = [("deploy (eu)", "failure"), ("test", "success")]

    results = [
        commenting.run(example("pull-request"), "workflow_run", ended(conclusion))
        for conclusion in ("timed_out", "failure", "success")
    ]

    (comment,) = github.bodies(7)
    assert [result.outcomes for result in results] == [["opened"], ["unchanged"], ["created"]]
    assert (timeline(store), statuses(store)) == (["INVESTIGATING", "RESOLVED"], CALM)
    assert rows_of(comment) == TOLD_THE_END
    assert "`deploy (eu)`" in comment


def test_a_deploy_that_was_cancelled_posts_nothing(act: Act, store: Store) -> None:
    result = act.run(example("pull-request"), "workflow_run", ended("cancelled"))

    assert (result.outcomes, store.requests) == (["skipped"], [])


@pytest.mark.parametrize(
    ("environment", "state", "outcomes"),
    [
        ("production", "error", ["opened"]),
        ("Production", "failure", ["opened"]),
        ("production", "in_progress", ["skipped"]),
        ("staging", "success", []),
        ("Preview", "failure", []),
    ],
)
def test_only_the_end_of_a_deployment_to_production_is_posted(
    act: Act, store: Store, environment: str, state: str, outcomes: list[str]
) -> None:
    result = act.run(example("deployment"), "deployment_status", deployment(environment, state))

    assert (result.outcomes, timeline(store)) == (outcomes, ["INVESTIGATING"] * outcomes.count("opened"))


def test_a_deployment_that_failed_and_a_later_success_are_one_incident(
    commenting: Act, store: Store, github: GitHub
) -> None:
    results = [
        commenting.run(example("deployment"), "deployment_status", deployment("production", state))
        for state in ("failure", "success")
    ]

    (comment,) = github.bodies(7)
    assert [result.outcomes for result in results] == [["opened"], ["created"]]
    assert (timeline(store), statuses(store)) == (["INVESTIGATING", "RESOLVED"], CALM)
    assert rows_of(comment) == TOLD_THE_END


def test_a_later_job_reads_the_outputs_as_it_is_documented(act: Act, store: Store) -> None:
    result = act.run(documented_workflows()["outputs"], "deployment")

    (update,) = next(incident.updates for incident in store.incidents.values() if incident.title == TITLE)
    assert (result.outcomes, statuses(store)["API"]) == (["opened"], "MAJOR_OUTAGE")
    assert f"Posted at {update.date_happened}" in result.log


def test_the_documented_job_comments_on_the_pull_request(commenting: Act, github: GitHub) -> None:
    commenting.run(documented_workflows()["comment"], "deployment", {"deployment": {"sha": HEAD}})

    (comment,) = github.bodies(7)
    assert rows_of(comment) == TOLD_THE_END[1:]


def test_the_steps_of_the_readme_lead_through_an_incident(act: Act, store: Store) -> None:
    workflows = documented_workflows()
    opened = act.run(workflows["first update"], "deployment")
    during = statuses(store)
    changed = act.run(workflows["change"], "deployment")
    closed = act.run(workflows["first update that succeeds"], "deployment")

    assert (opened.jobs, during) == ({"deploy": "failure", "tell-customers": "success"}, DISRUPTED)
    assert [result.outcomes for result in (opened, changed, closed)] == [["opened"], ["updated"], ["created"]]
    assert (timeline(store), statuses(store)) == (["INVESTIGATING", "RESOLVED"], CALM)
    assert mails(store) == [f"[{status}] {TITLE}" for status in timeline(store)]


def test_the_job_of_the_readme_does_not_run_when_the_deploy_was_skipped(act: Act, store: Store) -> None:
    workflow = documented_workflows()["first update that succeeds"]

    result = act.run(workflow, "deployment", results={"deploy": "skipped"})

    assert (result.jobs, store.requests) == ({"deploy": "success"}, [])


@pytest.mark.parametrize(("secret", "expected"), [("sandbox-edit-token", ["opened"]), ("", [])])
def test_the_job_for_forks_leaves_the_step_out_where_there_is_no_secret(
    act: Act, secret: str, expected: list[str]
) -> None:
    workflow = documented_workflows()["forks"]

    result = replace(act, secret=secret).run(workflow, "deployment")

    assert (result.jobs["tell-customers"], result.outcomes) == ("success", expected)


def test_a_workflow_can_be_tried_with_the_documented_command_even_if_a_response_is_lost(act: Act, store: Store) -> None:
    section = "Try your own workflow without an account"
    workflow = documented_workflows()["first update"].replace("on: deployment", "on: push")
    own = re.sub(r"( *)api-token:", rf"\1{block('try-it.md', section).strip()}\n\g<0>", workflow)
    store.lost_responses = 1

    result = act.run_command(block("try-it.md", section, "sh"), own)

    assert result.outcomes == ["opened"]
    assert (timeline(store), statuses(store)) == (["INVESTIGATING"], DISRUPTED)
