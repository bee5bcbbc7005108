"""What `composite/action.yml` starts: gets the packages, then runs the action. Only Python's own are there before."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

from onlineornot_action.process import as_utf_8, catch_signals, run

if TYPE_CHECKING:
    from installation import InstallationError, Installer

    from onlineornot_action.outputs import Result
    from onlineornot_action.runner import Runner

INPUTS_VARIABLE = "ONLINEORNOT_INPUTS"
MAX_SECONDS = 60
"""Seconds until pip has to be done, unless `timeout-seconds` is less."""


def main() -> NoReturn:
    """Install the packages and run the action; or say why nothing was sent, in the log, the outputs and the status."""
    signal_received = catch_signals()
    environ = set_inputs(os.environ)
    begin = time.monotonic()
    folder = _install(environ, signal_received)
    if isinstance(folder, int):
        sys.exit(folder)
    sys.path.insert(0, str(folder))
    run([], shorten_limit(environ, time.monotonic() - begin), signal_received)


def set_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the variables that the runner would set for the inputs of a container action.

    Those of an action that this one is a step of are left out.
    """
    given = json.loads(environ.get(INPUTS_VARIABLE) or "{}")
    others = {name: value for name, value in environ.items() if not name.startswith(("INPUT_", INPUTS_VARIABLE))}
    return others | {f"INPUT_{name.upper()}": str(value) for name, value in given.items()}


def shorten_limit(environ: Mapping[str, str], seconds: float) -> dict[str, str]:
    """Return the environment with less time for the run, since the limit is for the whole step.

    Args:
        environ: The environment; what is wrong with `timeout-seconds` is left as it is.
        seconds: What has passed.
    """
    from onlineornot_action.inputs.parsers import TIMEOUT_SECONDS

    written = _find_value(environ, "TIMEOUT-SECONDS")
    if not _is_number(written) or int(written) not in TIMEOUT_SECONDS:
        return dict(environ)
    return {**environ, "INPUT_TIMEOUT-SECONDS": str(max(TIMEOUT_SECONDS[0], int(int(written) - seconds)))}


def find_secrets(environ: Mapping[str, str]) -> list[str]:
    """Return the tokens that were given, but for what is too short for one."""
    from onlineornot_action.text import MIN_SECRET_LENGTH

    names = ("INPUT_API-TOKEN", "ONLINEORNOT_API_TOKEN", "INPUT_GITHUB-TOKEN")
    tokens = (environ.get(name, "").strip().removeprefix("Bearer").strip() for name in names)
    return list(dict.fromkeys(token for token in tokens if len(token) >= MIN_SECRET_LENGTH))


def _install(environ: Mapping[str, str], signal_received: Callable[[], int | None]) -> Path | int:
    """Return the folder of the packages; or where they cannot be had, the exit status, once all is reported."""
    # Only now: a job can be cancelled while these are imported.
    from installation import CancelledError, InstallationError, Installer

    from onlineornot_action.outputs import Outcome, Result
    from onlineornot_action.runner import Runner
    from onlineornot_action.text import locate_defect

    runner = Runner(environ, as_utf_8(sys.stdout))
    secrets = find_secrets(environ)
    installer = Installer(environ, secrets, lambda: signal_received() is not None)
    try:
        return _install_what_is_needed(installer, environ, runner)
    except CancelledError:
        error = "The job was cancelled while pip installed the action's packages; nothing was sent."
        _report(Result(Outcome.CANCELLED, error=error), runner)
        return 128 + (signal_received() or 0)
    except InstallationError as error:
        _log_output(error, runner, secrets)
        tolerated = not error.suspicious and _find_value(environ, "FAIL-ON-ERROR") in ("false", "False", "FALSE")
        _report(Result(Outcome.NOT_SENT, error=f"{error} Nothing was sent."), runner, tolerated=tolerated)
        return 0 if tolerated else 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the outputs and the exit status have to say so
        _report(Result(Outcome.NOT_SENT, error=f"Internal error: {locate_defect(error)}. Nothing was sent."), runner)
        return 1


def _install_what_is_needed(installer: "Installer", environ: Mapping[str, str], runner: "Runner") -> Path:
    """Install what the comment needs too, if one is wanted; but never let customers wait for news because of that."""
    from installation import InstallationError

    begin, seconds = time.monotonic(), _find_limit(environ)
    if _find_value(environ, "COMMENT") in ("true", "True", "TRUE"):
        try:
            return installer.install(ROOT / "requirements.txt", begin + seconds / 2)
        except InstallationError as error:
            # That there is no comment is said once the update is posted, in a warning.
            _log_output(error, runner, find_secrets(environ))
            runner.log(f"{error} The action goes on without what the comment on the pull request needs.")
    return installer.install(ROOT / "requirements-core.txt", begin + seconds)


def _find_limit(environ: Mapping[str, str]) -> int:
    """Return how many seconds pip may take. What is wrong with `timeout-seconds` is said later."""
    written = _find_value(environ, "TIMEOUT-SECONDS")
    return min(MAX_SECONDS, max(10, int(written))) if _is_number(written) else MAX_SECONDS


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text) is not None


def _find_value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(f"INPUT_{name}", "").strip()


def _log_output(error: "InstallationError", runner: "Runner", secrets: list[str]) -> None:
    if not error.output:
        return
    for secret in secrets:
        runner.mask(secret)
    with runner.group("Output of pip"):
        runner.log(error.output)


def _report(result: "Result", runner: "Runner", *, tolerated: bool = False) -> None:
    from onlineornot_action.outputs import Outputs
    from onlineornot_action.runner import Level
    from onlineornot_action.text import escape_markdown

    runner.set_outputs(Outputs.of(result).by_name())
    runner.annotate(Level.WARNING if tolerated else Level.ERROR, result.error)
    runner.add_summary(f"### ❌ Nothing was sent\n\n{escape_markdown(result.error)}\n\n")


if __name__ == "__main__":
    main()
