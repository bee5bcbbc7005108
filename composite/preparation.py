"""Prepare a run of the composite action: read its inputs, and make its packages importable."""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from installation import CancelledError, InstallationError, Installer

from onlineornot_action.inputs.variables import PREFIX, Environment, variable_of
from onlineornot_action.masking import masker
from onlineornot_action.outputs import Outcome, Outputs, Result
from onlineornot_action.process import as_utf_8
from onlineornot_action.report.actions import ActionsReporter, Level
from onlineornot_action.text import escape_markdown, locate_defect

ROOT = Path(__file__).resolve().parents[1]
INPUTS_VARIABLE = "ONLINEORNOT_INPUTS"
MAX_SECONDS = 60
"""Seconds until pip has to be done, unless `timeout-seconds` is less."""


def prepare(environ: Mapping[str, str], signal_received: Callable[[], int | None]) -> dict[str, str] | int:
    """Make the packages importable, and return the environment to run the action in.

    Where they cannot be had, return the exit status, once all is reported.
    """
    begin = time.monotonic()
    variables = set_inputs(environ)
    environment = Environment.of(variables)
    installer = Installer(variables, environment.secrets, lambda: signal_received() is not None)
    folder = _install(installer, environment, signal_received)
    if isinstance(folder, int):
        return folder
    sys.path.insert(0, str(folder))
    return shorten_limit(variables, time.monotonic() - begin)


def set_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the variables that the runner would set for the inputs of a container action.

    Those of an action that this one is a step of are left out.
    """
    given = json.loads(environ.get(INPUTS_VARIABLE) or "{}")
    others = {name: value for name, value in environ.items() if not name.startswith((PREFIX, INPUTS_VARIABLE))}
    return others | {variable_of(name): str(value) for name, value in given.items()}


def shorten_limit(environ: Mapping[str, str], seconds: float) -> dict[str, str]:
    """Return the environment with less time for the run, since the limit is for the whole step.

    Args:
        environ: The environment; what is wrong with `timeout-seconds` is left as it is.
        seconds: What has passed.
    """
    from onlineornot_action.inputs.parsers import TIMEOUT_SECONDS  # noqa: PLC0415 - needs the packages

    variable = variable_of("timeout-seconds")
    written = environ.get(variable, "").strip()
    if not _is_number(written) or int(written) not in TIMEOUT_SECONDS:
        return dict(environ)
    return {**environ, variable: str(max(TIMEOUT_SECONDS[0], int(int(written) - seconds)))}


def _install(installer: Installer, environment: Environment, signal_received: Callable[[], int | None]) -> Path | int:
    """Return the folder of the packages; or where they cannot be had, the exit status, once all is reported."""
    inputs, secrets = environment.inputs, environment.secrets
    reporter = ActionsReporter(environment.github, as_utf_8(sys.stdout), masker(secrets))
    try:
        return _install_what_is_needed(installer, environment, reporter)
    except CancelledError:
        error = "The job was cancelled while pip installed the action's packages; nothing was sent."
        _report(Result(Outcome.CANCELLED, error=error), reporter)
        return 128 + (signal_received() or 0)
    except InstallationError as error:
        _log_output(error, reporter, secrets)
        tolerated = not error.suspicious and inputs.get("fail-on-error") in ("false", "False", "FALSE")
        _report(Result(Outcome.NOT_SENT, error=f"{error} Nothing was sent.", tolerated=tolerated), reporter)
        return 0 if tolerated else 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the outputs and the exit status have to say so
        _report(Result(Outcome.NOT_SENT, error=f"Internal error: {locate_defect(error)}. Nothing was sent."), reporter)
        return 1


def _install_what_is_needed(installer: Installer, environment: Environment, reporter: ActionsReporter) -> Path:
    """Install what the comment needs too, if one is wanted; but never let customers wait for news because of that."""
    begin, seconds = time.monotonic(), _find_limit(environment)
    if environment.inputs.get("comment") in ("true", "True", "TRUE"):
        try:
            return installer.install(ROOT / "requirements.txt", begin + seconds / 2)
        except InstallationError as error:
            # That there is no comment is said once the update is posted, in a warning.
            _log_output(error, reporter, environment.secrets)
            reporter.log(f"{error} The action goes on without what the comment on the pull request needs.")
    return installer.install(ROOT / "requirements-core.txt", begin + seconds)


def _find_limit(environment: Environment) -> int:
    """Return how many seconds pip may take. What is wrong with `timeout-seconds` is said later."""
    written = environment.inputs.get("timeout-seconds", "")
    return min(MAX_SECONDS, max(10, int(written))) if _is_number(written) else MAX_SECONDS


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text) is not None


def _log_output(error: InstallationError, reporter: ActionsReporter, secrets: Sequence[str]) -> None:
    if not error.output:
        return
    reporter.mask_log(secrets)
    reporter.log_group("Output of pip", error.output)


def _report(result: Result, reporter: ActionsReporter) -> None:
    reporter.set_outputs(Outputs.of(result).by_name())
    reporter.annotate(Level.WARNING if result.tolerated else Level.ERROR, result.error)
    reporter.add_summary(f"### ❌ Nothing was sent\n\n{escape_markdown(result.error)}\n\n")
