"""The workflows in `examples` do what they promise: their steps run, in order, against the sandbox."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.fault_server import FaultServer
from support.github_app import HEAD, GitHub, create_github_app, pull
from support.workflow_model import Workflow, after_a_failed_run, on_event

from onlineornot_sandbox.auth import OTHER_ORGANISATION_TOKEN, READ_TOKEN
from onlineornot_sandbox.local_step import ROOT, StepResult
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store


def outcomes(results: list[StepResult]) -> list[str]:
    return [result.outputs["outcome"] for result in results]


def statuses(store: Store) -> dict[str, str]:
    return {component.name: component.status for component in store.components.values()}


def timeline(store: Store, title: str) -> list[str]:
    return [
        update.status for incident in store.incidents.values() if incident.title == title for update in incident.updates
    ]


TITLE = "Checkout disrupted by a deploy"
CALM = {"Website": "OPERATIONAL", "Payments": "OPERATIONAL", "API": "OPERATIONAL", "Search": "OPERATIONAL"}


def test_deploy_and_rollback_share_nothing_but_the_title(sandbox: Sandbox) -> None:
    failed = Workflow("deploy", sandbox).run("tell-customers")
    during = statuses(sandbox.store)
    ended = Workflow("rollback", sandbox).run("tell-customers")

    assert (outcomes(failed), outcomes(ended)) == (["opened"], ["created"])
    assert during == CALM | {"API": "MAJOR_OUTAGE", "Website": "PARTIAL_OUTAGE"}
    assert statuses(sandbox.store) == CALM
    assert timeline(sandbox.store, TITLE) == ["INVESTIGATING", "RESOLVED"]


def test_three_failed_deploys_in_a_row_are_one_update(sandbox: Sandbox) -> None:
    failed = [Workflow("deploy", sandbox).run("tell-customers") for _ in range(3)]

    assert [outcomes(results) for results in failed] == [["opened"], ["unchanged"], ["unchanged"]]
    assert timeline(sandbox.store, TITLE) == ["INVESTIGATING"]


def test_a_deploy_that_fails_after_the_rollback_opens_another_incident(sandbox: Sandbox) -> None:
    Workflow("deploy", sandbox).run("tell-customers")
    Workflow("rollback", sandbox).run("tell-customers")

    assert outcomes(Workflow("deploy", sandbox).run("tell-customers")) == ["opened"]


def test_a_rollback_without_an_incident_says_nothing(sandbox: Sandbox) -> None:
    assert outcomes(Workflow("rollback", sandbox).run("tell-customers")) == ["skipped"]


@pytest.mark.parametrize(
    ("deploy", "rollback", "said", "api"),
    [
        ("failure", "success", ["INVESTIGATING", "RESOLVED"], "OPERATIONAL"),
        ("failure", "failure", ["INVESTIGATING", "IDENTIFIED"], "MAJOR_OUTAGE"),
        ("failure", "cancelled", ["INVESTIGATING", "UPDATE"], "MAJOR_OUTAGE"),
        ("cancelled", "success", ["INVESTIGATING", "RESOLVED"], "OPERATIONAL"),
        ("cancelled", "skipped", ["INVESTIGATING", "UPDATE"], "DEGRADED_PERFORMANCE"),
        ("success", "skipped", [], "OPERATIONAL"),
        ("skipped", "skipped", [], "OPERATIONAL"),
    ],
)
def test_customers_read_the_right_thing_however_deploy_and_rollback_end(
    sandbox: Sandbox, deploy: str, rollback: str, said: list[str], api: str
) -> None:
    workflow = Workflow("outcomes", sandbox)
    workflow.set_result("deploy", deploy)
    workflow.set_result("rollback", rollback)

    begun = workflow.run("begin")
    ended = workflow.run("end") if begun else []

    assert outcomes(begun + ended) == (["opened", "created"] if said else [])
    assert timeline(sandbox.store, "Checkout may be disrupted by a deploy") == said
    assert statuses(sandbox.store)["API"] == api


def test_a_canary_passes_on_the_incident_and_corrects_its_update(sandbox: Sandbox) -> None:
    workflow = Workflow("canary", sandbox)

    results = workflow.run("tell-customers") + workflow.run("tell-customers-again")

    assert outcomes(results) == ["opened", "updated", "created"]
    assert timeline(sandbox.store, "Some customers see errors") == ["IDENTIFIED", "RESOLVED"]
    assert (statuses(sandbox.store), sandbox.store.mails) == (CALM, [])


@pytest.mark.parametrize(("work", "last"), [("success", "COMPLETED"), ("failure", "UPDATE")])
def test_a_maintenance_moves_on_by_its_id(sandbox: Sandbox, work: str, last: str) -> None:
    workflow = Workflow("maintenance", sandbox, {"incident-id": INCIDENT_ID})
    workflow.set_result("work", work)

    results = workflow.run("announce") + workflow.run("begin") + workflow.run("end")

    assert outcomes(results) == ["created"] * 3
    assert [update.status for update in sandbox.store.timeline()[1:]] == ["SCHEDULED", "IN_PROGRESS", last]


@pytest.mark.parametrize(("dry_run", "outcome"), [("true", "dry-run"), ("false", "opened")])
def test_the_manual_workflow_opens_an_incident(sandbox: Sandbox, dry_run: str, outcome: str) -> None:
    form = {
        "title": "Search is slow",
        "status": "INVESTIGATING",
        "description": "We are looking into it.",
        "components": "Core / Search: degraded_performance",
        "notify": "true",
        "dry-run": dry_run,
    }

    assert outcomes(Workflow("manual", sandbox, form).run("tell-customers")) == [outcome]


def test_a_mistyped_title_in_the_form_opens_no_incident_that_is_over_already(sandbox: Sandbox) -> None:
    form = {"title": "Serch is slow", "status": "RESOLVED", "description": "Search is fast again."}

    results = Workflow("manual", sandbox, form).run("tell-customers")

    assert (outcomes(results), list(sandbox.store.incidents)) == (["invalid"], [INCIDENT_ID])


def moments(workflow: Workflow) -> list[StepResult]:
    return workflow.run("deploy-failed") + workflow.run("rollback-complete")


def test_a_rehearsal_goes_well_and_posts_nothing(sandbox: Sandbox) -> None:
    results = moments(Workflow("rehearsal", sandbox))

    assert outcomes(results) == ["dry-run", "skipped"]
    assert {request.method for request in sandbox.store.requests} == {"GET"}


def test_a_rehearsal_during_an_incident_tries_to_restore_its_components(sandbox: Sandbox) -> None:
    Workflow("deploy", sandbox).run("tell-customers")

    assert outcomes(Workflow("rehearsal", sandbox).run("rollback-complete")) == ["dry-run"]
    assert timeline(sandbox.store, TITLE) == ["INVESTIGATING"]


@pytest.mark.parametrize("token", ["an-expired-token", READ_TOKEN, OTHER_ORGANISATION_TOKEN])
def test_a_rehearsal_is_red_when_the_token_may_not_write(sandbox: Sandbox, token: str) -> None:
    workflow = Workflow("rehearsal", sandbox)
    workflow.set_value("secrets.ONLINEORNOT_API_TOKEN", token)

    assert [result.end for result in moments(workflow)] == [(1, "rejected")] * 2


def test_a_rehearsal_is_red_when_the_status_page_was_deleted(sandbox: Sandbox) -> None:
    workflow = Workflow("rehearsal", sandbox)
    workflow.set_value("vars.ONLINEORNOT_STATUS_PAGE_ID", "deletedpage1")

    assert [result.end for result in moments(workflow)] == [(1, "rejected")] * 2


def test_a_rehearsal_is_red_when_a_component_was_renamed(sandbox: Sandbox) -> None:
    sandbox.store.components[API_ID] = replace(sandbox.store.components[API_ID], name="Public API")

    assert [result.end for result in Workflow("rehearsal", sandbox).run("deploy-failed")] == [(1, "invalid")]


def test_the_pull_request_behind_a_failed_deploy_gets_a_comment(sandbox: Sandbox, tmp_path: Path) -> None:
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]}, jobs={55: [("deploy (eu)", "failure"), ("test", "success")]})
    with FaultServer(app=create_github_app(github)) as server:
        workflow = Workflow("pull-request", sandbox, environ=after_a_failed_run(55, server.url, tmp_path))
        results = workflow.run("begin") + workflow.run("end")

    (comment,) = github.bodies(7)
    assert outcomes(results) == ["opened", "created"]
    assert [line.split(" | ")[1] for line in comment.splitlines() if line.startswith("| 20")] == [
        "`RESOLVED`<br>subscribers notified",
        "`INVESTIGATING`<br>subscribers notified",
    ]
    assert "`deploy (eu)`" in comment


@pytest.mark.parametrize(
    ("environment", "state", "jobs"),
    [
        ("production", "failure", ["failed"]),
        ("production", "error", ["failed"]),
        ("production", "success", ["succeeded"]),
        ("Production", "failure", ["failed"]),
        ("production", "in_progress", []),
        ("production", "inactive", []),
        ("staging", "success", []),
        ("Preview", "failure", []),
        ("Preview", "error", []),
    ],
)
def test_only_the_end_of_a_deployment_to_production_concerns_customers(
    sandbox: Sandbox, environment: str, state: str, jobs: list[str]
) -> None:
    workflow = Workflow("deployment", sandbox)
    workflow.set_value("github.event.deployment.environment", environment)
    workflow.set_value("github.event.deployment_status.state", state)

    assert [job for job in ("failed", "succeeded") if workflow.condition_holds(job)] == jobs


def test_a_deployment_that_failed_and_a_later_success_are_one_incident(sandbox: Sandbox, tmp_path: Path) -> None:
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]})
    with FaultServer(app=create_github_app(github)) as server:
        environ = on_event("deployment_status", {"deployment": {"sha": HEAD}}, server.url, tmp_path)
        workflow = Workflow("deployment", sandbox, environ=environ)
        results = [*workflow.run("failed"), *workflow.run("failed"), *workflow.run("succeeded")]

    assert outcomes(results) == ["opened", "unchanged", "created"]
    assert timeline(sandbox.store, TITLE) == ["INVESTIGATING", "RESOLVED"]
    assert (statuses(sandbox.store), len(github.bodies(7))) == (CALM, 1)


def test_a_deployment_that_succeeds_without_an_incident_posts_nothing(sandbox: Sandbox) -> None:
    assert outcomes(Workflow("deployment", sandbox).run("succeeded")) == ["skipped"]


def recipe() -> str:
    """The README's job for workflows without secrets, as a complete workflow."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n### Forks and Dependabot\n")[1]
    (block,) = re.findall(r"```yaml\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    return f"on: push\n{block}"


@pytest.mark.parametrize(("secret", "expected"), [("sandbox-edit-token", ["opened"]), ("", [])])
def test_the_recipe_leaves_the_step_out_where_there_is_no_secret(
    sandbox: Sandbox, secret: str, expected: list[str]
) -> None:
    workflow = Workflow(recipe(), sandbox)
    workflow.set_value("secrets.ONLINEORNOT_API_TOKEN", secret)

    assert outcomes(workflow.run("tell-customers")) == expected


def test_the_recipe_is_a_valid_workflow(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yml"
    path.write_text(recipe(), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]

    checked = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    assert checked.returncode == 0, checked.stdout
