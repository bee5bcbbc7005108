"""The workflows in `examples` do what they are for: their steps are run, in order, against the sandbox."""

from pathlib import Path

import pytest
from support.fault_server import FaultServer
from support.github_app import HEAD, GitHub, create_github_app, pull
from support.workflow_model import Workflow, after_a_failed_run

from onlineornot_sandbox.local_step import StepResult
from onlineornot_sandbox.seed import INCIDENT_ID
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


CALM = {"Website": "OPERATIONAL", "Payments": "OPERATIONAL", "API": "OPERATIONAL", "Search": "OPERATIONAL"}


def test_deploy_and_rollback_share_nothing_but_the_title(sandbox: Sandbox) -> None:
    failed = Workflow("deploy", sandbox).run("tell-customers")
    during = statuses(sandbox.store)
    ended = Workflow("rollback", sandbox).run("tell-customers")

    assert (outcomes(failed), outcomes(ended)) == (["opened"], ["created"])
    assert during == CALM | {"API": "MAJOR_OUTAGE", "Website": "PARTIAL_OUTAGE"}
    assert statuses(sandbox.store) == CALM
    assert timeline(sandbox.store, "Checkout disrupted by a deploy") == ["INVESTIGATING", "RESOLVED"]


def test_a_second_failed_deploy_adds_to_the_open_incident(sandbox: Sandbox) -> None:
    Workflow("deploy", sandbox).run("tell-customers")

    assert outcomes(Workflow("deploy", sandbox).run("tell-customers")) == ["created"]


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
def test_whatever_becomes_of_deploy_and_rollback_customers_hear_the_right_thing(
    sandbox: Sandbox, deploy: str, rollback: str, said: list[str], api: str
) -> None:
    workflow = Workflow("outcomes", sandbox)
    workflow.set_result("deploy", deploy)
    workflow.set_result("rollback", rollback)

    begun = workflow.run("begin")
    ended = workflow.run("end") if begun else []

    assert outcomes(begun + ended) == (["opened", "created"] if said else [])
    assert timeline(sandbox.store, "Checkout disrupted by a deploy") == said
    assert statuses(sandbox.store)["API"] == api


def test_a_canary_hands_on_the_incident_and_corrects_its_update(sandbox: Sandbox) -> None:
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
def test_the_form_of_the_engineer_on_call_opens_an_incident(sandbox: Sandbox, dry_run: str, outcome: str) -> None:
    form = {
        "title": "Search is slow",
        "status": "INVESTIGATING",
        "description": "We are looking into it.",
        "components": "Core / Search: degraded_performance",
        "notify": "true",
        "dry-run": dry_run,
    }

    assert outcomes(Workflow("manual", sandbox, form).run("tell-customers")) == [outcome]


def test_the_pull_request_behind_a_failed_deploy_hears_of_it(sandbox: Sandbox, tmp_path: Path) -> None:
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
