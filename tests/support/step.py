"""The action in this process, run as a step of a workflow."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path

from onlineornot_action.main import main
from onlineornot_action.network.connect import Resolve
from onlineornot_action.network.deadline import SYSTEM_CLOCK, Clock
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import PAGE_ID

RunStep = Callable[..., StepResult]
"""Runs the action with these inputs, whose hyphens are written as underscores."""


def files_of_step(folder: Path) -> dict[str, str]:
    """Name the files that a step writes, as its environment does."""
    return {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}


def outputs_in(folder: Path) -> dict[str, str]:
    """Read the outputs that a step has written so far."""
    return parse_outputs((folder / "output").read_text(encoding="utf-8"))


def run_main(
    folder: Path,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    signal_received: Callable[[], int | None] = lambda: None,
    clock: Clock = SYSTEM_CLOCK,
    limits: RunLimits | None = None,
    resolve: Resolve | None = None,
    **inputs: str,
) -> StepResult:
    """Run the action once on the sandbox's page.

    Args:
        folder: Where its output and its summary are written, anew.
        arguments: What stands on its command line, which should be nothing.
        environ: What its environment has beside inputs and files.
        signal_received: Tells which signal has come.
        clock: What tells the time.
        limits: How long each part of the work may take.
        resolve: Returns the addresses of a name.
        inputs: What stands under `with:`; hyphens are written as underscores.
    """
    files = files_of_step(folder)
    for file in files.values():
        Path(file).write_bytes(b"")
    usual = {"api_token": EDIT_TOKEN, "status_page_id": PAGE_ID}
    given = {name.replace("_", "-"): value for name, value in (usual | inputs).items()}
    variables = {**files, **as_variables(given), **(environ or {})}
    log = io.StringIO()
    exit_status = main(arguments, variables, log, log, signal_received, clock=clock, limits=limits, resolve=resolve)
    summary = (folder / "summary").read_text(encoding="utf-8")
    return StepResult(exit_status, log.getvalue(), outputs_in(folder), summary)
