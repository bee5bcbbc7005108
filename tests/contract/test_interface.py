"""Both `action.yml` files, the code and the README agree; a failing test names what is missing."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.documents import block, documented_workflows

from onlineornot_action.inputs.model import default_of, input_names
from onlineornot_action.onlineornot.models import ComponentStatus, IncidentStatus
from onlineornot_action.outputs import Kind, Outcome, Outputs

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
COMPOSITE = yaml.safe_load((ROOT / "composite" / "action.yml").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
OUTPUT_NAMES = list(Outputs(Outcome.CREATED).by_name())


def rows(heading: str) -> dict[str, str]:
    """Return the tables below a heading of the README: the name in the first column, and the rest of the row."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE))


def run_tool(name: str, *arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the virtual environment on a text on standard input."""
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, encoding="utf-8", check=False)


def test_every_input_is_in_action_yml_and_in_the_readme() -> None:
    assert list(ACTION["inputs"]) == input_names()
    assert sorted(rows("Inputs")) == sorted(input_names())


def test_every_output_is_in_action_yml_and_in_the_readme() -> None:
    assert list(ACTION["outputs"]) == OUTPUT_NAMES
    assert list(rows("Outputs")) == OUTPUT_NAMES


def test_every_outcome_is_in_action_yml_and_in_the_readme() -> None:
    assert re.findall("`([a-z-]+)`", ACTION["outputs"]["outcome"]["description"]) == list(Outcome)
    assert list(rows("When it goes red")) == sorted(Outcome, key=lambda outcome: not outcome.failed)  # failures first


@pytest.mark.parametrize("outcome", Outcome)
def test_the_readme_states_the_exit_status_of_each_outcome(outcome: Outcome) -> None:
    expected = "1, or 0 with `fail-on-error: false`" if outcome.kind is Kind.SOFT_FAILURE else str(int(outcome.failed))

    assert rows("When it goes red")[outcome].split(" | ")[0] in (expected, "130 or 143")


@pytest.mark.parametrize("name", [name for name, about in ACTION["inputs"].items() if "default" in about])
def test_defaults_are_the_same_in_action_yml_the_code_and_the_readme(name: str) -> None:
    default = ACTION["inputs"][name]["default"]

    assert default in (default_of(name), "${{ github.token }}")
    assert rows("Inputs")[name].startswith(f"`{default}` | ")


@pytest.mark.parametrize("word", [*IncidentStatus, *ComponentStatus])
def test_the_readme_names_every_status(word: str) -> None:
    assert word in rows("Inputs")["status"] + rows("Inputs")["components"]


def test_the_action_runs_in_a_container_without_arguments() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile", "entrypoint": "/action/entrypoint.py"}
    assert ACTION["branding"].keys() == {"icon", "color"}


def test_the_composite_action_has_the_same_inputs_and_outputs() -> None:
    assert list(COMPOSITE["inputs"].items()) == list(ACTION["inputs"].items())
    assert list(COMPOSITE["outputs"].items()) == [
        (name, {**about, "value": f"${{{{ steps.run.outputs.{name} }}}}"}) for name, about in ACTION["outputs"].items()
    ]
    assert {name: COMPOSITE[name] for name in ("name", "description", "author")}.items() <= ACTION.items()


def test_the_composite_action_is_one_step_that_gets_all_inputs_in_one_variable() -> None:
    (step,) = COMPOSITE["runs"]["steps"]

    assert (COMPOSITE["runs"]["using"], step["id"], step["shell"]) == ("composite", "run", 'bash -p "{0}"')
    assert step["env"] == {
        "ONLINEORNOT_INPUTS": "${{ toJSON(inputs) }}",
        "MSYS2_ENV_CONV_EXCL": "ONLINEORNOT_INPUTS",
    }
    assert "${{" not in step["run"]


def test_the_script_of_the_composite_action_passes_shellcheck() -> None:
    (step,) = COMPOSITE["runs"]["steps"]

    checked = run_tool("shellcheck", "--shell=bash", "-", text=step["run"])

    assert checked.returncode == 0, checked.stdout


def test_every_example_has_a_paragraph() -> None:
    page = (ROOT / "docs/examples.md").read_text(encoding="utf-8")

    assert [path.name for path in EXAMPLES if f"(../examples/{path.name})" not in page] == []


WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES} | documented_workflows()
DEPLOYING = re.compile(r"\./(deploy|rollback|withdraw|migrate)\.sh")


def jobs_of(workflow: str) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(workflow)["jobs"]
    return jobs


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_a_workflow_repeats_no_report_and_limits_its_deploys_since_a_job_that_times_out_counts_as_cancelled(
    workflow: str,
) -> None:
    steps = [step for job in jobs_of(workflow).values() for step in job.get("steps", ())]
    reports = [step["with"] for step in steps if step.get("with", {}).get("status") in ("INVESTIGATING", "IDENTIFIED")]
    deploys = [step for step in steps if DEPLOYING.match(step.get("run", ""))]

    assert all("result" in report or report["skip-duplicate"] is True for report in reports)
    assert all("timeout-minutes" in step for step in deploys)


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_every_job_has_a_time_limit_and_every_job_that_posts_waits_its_turn(workflow: str) -> None:
    jobs = [job for job in jobs_of(workflow).values() if "uses" not in job]
    posting = [job for job in jobs if any("onlineornot-" in step.get("uses", "") for step in job["steps"])]
    queues = [job["concurrency"] for job in posting if "concurrency" in job or workflow != WORKFLOWS["outputs"]]

    assert all("timeout-minutes" in job for job in jobs)
    assert all("status-page" in queue.pop("group") for queue in queues)
    assert all(queue == {"cancel-in-progress": False, "queue": "max"} for queue in queues)


def test_the_rehearsal_tries_the_step_of_deploy_and_rollback_for_both_results() -> None:
    jobs = {name: jobs_of(WORKFLOWS[name]) for name in ("deploy", "rollback", "rehearsal")}
    calls = {name: [job for job in found.values() if "uses" in job] for name, found in jobs.items()}
    rehearsed = [call["with"] for call in calls["rehearsal"]]

    assert {call["uses"] for found in calls.values() for call in found} == {"./.github/workflows/status-page.yml"}
    assert rehearsed == [{"result": result, "dry-run": True} for result in ("failure", "success")]
    assert [call["with"] for call in (*calls["deploy"], *calls["rollback"])] == [
        {"result": "${{ needs.deploy.result }}"},
        {"result": "${{ needs.rollback.result }}"},
    ]


def test_a_rehearsal_does_not_queue_with_real_updates_nor_a_caller_with_the_workflow_it_calls() -> None:
    group = jobs_of(WORKFLOWS["status-page"])["tell-customers"]["concurrency"]["group"]

    assert group == "${{ inputs.dry-run && 'status-page-rehearsal' || 'status-page' }}"
    assert [name for name in ("deploy", "rollback", "rehearsal") if "concurrency:" in WORKFLOWS[name]] == []


def test_the_example_has_the_documented_permissions() -> None:
    page = (ROOT / "docs/comment.md").read_text(encoding="utf-8")
    named = dict(re.findall("^[|] `([a-z-]+): ([a-z]+)` [|]", page, re.MULTILINE))
    example = jobs_of(WORKFLOWS["pull-request"])["tell-customers"]
    shown = yaml.safe_load(block("comment.md", "The comment on the pull request"))["jobs"]["tell-customers"]

    assert (example["permissions"], shown["permissions"]) == (named, named)
    assert yaml.safe_load(block("README.md", "The pull request"))["permissions"] == named


@pytest.mark.parametrize("workflow", documented_workflows().values(), ids=documented_workflows())
def test_documented_workflows_are_valid(workflow: str) -> None:
    # As `./`, the action is the one in this folder, so that its inputs and outputs are checked as well.
    local = re.sub(r"uses: \S+/onlineornot-incident-update(/composite)?@v1", r"uses: .\1/", workflow)

    checked = run_tool("actionlint", "-stdin-filename", "documents.yml", "-", text=local)

    assert checked.returncode == 0, checked.stdout
