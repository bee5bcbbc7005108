"""Run the action as GitHub's runner runs a step, but as a local process instead of a container."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from onlineornot_sandbox.output_file import parse_outputs

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class StepResult:
    """Exit status, log, outputs and job summary of a step."""

    exit_status: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def end(self) -> tuple[int, str | None]:
        """The exit status and the outcome."""
        return self.exit_status, self.outputs.get("outcome")


def run_step(inputs: Mapping[str, str], environ: Mapping[str, str] | None = None) -> StepResult:
    """Run the action once.

    Args:
        inputs: The step's `with:`.
        environ: The step's `env:`. The environment of this process is not passed on.
    """
    with TemporaryDirectory() as folder:
        output_file, summary_file = Path(folder, "output"), Path(folder, "summary")
        output_file.touch()
        summary_file.touch()
        files = {"GITHUB_OUTPUT": str(output_file), "GITHUB_STEP_SUMMARY": str(summary_file)}
        ended = subprocess.run(  # noqa: S603 - runs this project's own entry point
            [sys.executable, "-I", str(ROOT / "entrypoint.py")],
            env={"PATH": os.defpath, **files, **(environ or {}), **as_variables(inputs)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        outputs = parse_outputs(output_file.read_text(encoding="utf-8"))
        return StepResult(ended.returncode, ended.stdout, outputs, summary_file.read_text(encoding="utf-8"))


def as_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a step with these inputs, and the defaults of `action.yml`.

    The runner upper-cases the name and keeps hyphens:
    https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputs
    """
    variables = {f"INPUT_{name.upper()}": value for name, value in (_defaults() | dict(inputs)).items()}
    return {"GITHUB_ACTIONS": "true", **variables}


@cache
def _defaults() -> dict[str, str]:
    declared = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    defaults = {name: str(about.get("default", "")) for name, about in declared.items()}
    return {name: default for name, default in defaults.items() if not default.startswith("${{")}
