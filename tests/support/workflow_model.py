"""The workflows in `examples`, run as far as they use the action."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from support.github_app import HEAD, REPOSITORY, TOKEN

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, StepResult, run_step
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")


class Workflow:
    """A workflow whose jobs a test runs one by one, with results of its choice.

    It is given by the name of an example, or by its text.
    """

    def __init__(
        self,
        workflow: str,
        sandbox: Sandbox,
        inputs: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        example = ROOT / "examples" / f"{workflow}.yml"
        text = workflow if "\n" in workflow else example.read_text(encoding="utf-8")
        self._jobs = yaml.safe_load(text)["jobs"]
        self._api_url = sandbox.url
        self._environ = environ
        self._values = {
            "github.token": TOKEN,
            "secrets.ONLINEORNOT_API_TOKEN": EDIT_TOKEN,
            "vars.ONLINEORNOT_STATUS_PAGE_ID": PAGE_ID,
            **{f"inputs.{name}": value for name, value in (inputs or {}).items()},
        }

    def set_result(self, job: str, result: str) -> None:
        """Set the result of a job that does not use the action."""
        self.set_value(f"needs.{job}.result", result)

    def set_value(self, name: str, value: str) -> None:
        """Set what an expression finds under a name, such as `secrets.ONLINEORNOT_API_TOKEN`."""
        self._values[name] = value

    def condition_holds(self, job: str) -> bool:
        """Whether GitHub would run a job, as far as its `if` compares values."""
        return bool(self._value(self._jobs[job]["if"]))

    def run(self, job: str) -> list[StepResult]:
        """Run the steps of a job that use the action and whose condition holds."""
        steps = [step for step in self._jobs[job]["steps"] if "onlineornot-incident-update@" in step.get("uses", "")]
        assert steps
        for name, value in self._jobs[job].get("env", {}).items():
            self._values[f"env.{name}"] = self._fill_in(value)
        results = [self._run_step(step) for step in steps if self._value(step.get("if", "'yes'"))]
        for name, value in self._jobs[job].get("outputs", {}).items():
            self._values[f"needs.{job}.outputs.{name}"] = self._fill_in(value)
        return results

    def _run_step(self, step: Mapping[str, Any]) -> StepResult:
        given = {name: self._fill_in(str(value)) for name, value in step["with"].items()}
        # `github-token` has an expression as its default in action.yml, which the runner evaluates.
        usual = {"api-url": self._api_url, "github-token": self._values["github.token"]}
        result = run_step({**usual, **given}, self._environ)
        for name, value in result.outputs.items():
            self._values[f"steps.{step.get('id')}.outputs.{name}"] = value
        return result

    def _fill_in(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: self._value(match[1]), text)

    def _value(self, expression: str) -> str:
        """Evaluate what the examples use of GitHub's expressions: names, strings, ==, !=, &&, || and parentheses."""
        while group := _IN_PARENTHESES.search(expression):
            expression = expression.replace(group[0], f"'{self._value(group[1])}'")
        alternatives = [self._conjunction(part) for part in expression.split("||")]
        return next(filter(None, alternatives), "")

    def _conjunction(self, expression: str) -> str:
        parts = [self._comparison(part.strip()) for part in expression.split("&&")]
        return parts[-1] if all(parts) else ""

    def _comparison(self, expression: str) -> str:
        left, differ, right = expression.partition(" != ")
        if differ:
            return "" if self._equal(left, right) else "true"
        left, equals, right = expression.partition(" == ")
        if equals:
            return "true" if self._equal(left, right) else ""
        return self._operand(expression)

    def _equal(self, left: str, right: str) -> bool:
        """Compare strings as GitHub does, which ignores case."""
        return self._operand(left).casefold() == self._operand(right).casefold()

    def _operand(self, name: str) -> str:
        return name.strip("'") if name.startswith("'") else self._values.get(name, "")


def after_a_failed_run(run_id: int, github_url: str, folder: Path) -> dict[str, str]:
    """Make the environment of a workflow that was started by a failed run."""
    run = {"id": run_id, "head_sha": HEAD, "conclusion": "failure"}
    return on_event("workflow_run", {"workflow_run": run}, github_url, folder)


def on_event(name: str, payload: Mapping[str, Any], github_url: str, folder: Path) -> dict[str, str]:
    """Make the environment of a workflow that was started by an event."""
    event = folder / "event.json"
    event.write_text(json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_API_URL": github_url,
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "1658821493",
        "GITHUB_SERVER_URL": "https://github.com",
    }
