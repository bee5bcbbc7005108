"""From the environment to the exit status: inputs → session → result → report; and every failure on the way."""

import contextlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from onlineornot_action.inputs.certificates import find_ca_paths
from onlineornot_action.inputs.environment import read_inputs
from onlineornot_action.inputs.model import Inputs, InvalidInputsError, Operation
from onlineornot_action.inputs.variables import find_proxy_variables, find_secrets, has_bearer_prefix, is_on_github
from onlineornot_action.outputs import Kind, Outcome, Outputs, Result
from onlineornot_action.report import summary
from onlineornot_action.report.actions import Level, Runner
from onlineornot_action.report.run_url import find_run_url
from onlineornot_action.text import locate_defect

if TYPE_CHECKING:
    from onlineornot_action.inputs.options import CommandLine
    from onlineornot_action.network.connect import Resolve
    from onlineornot_action.network.deadline import Clock
    from onlineornot_action.network.exchange import Network
    from onlineornot_action.session import RunLimits, Session, Target


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    stdout: TextIO | None,
    stderr: TextIO | None,
    signal_received: Callable[[], int | None] = lambda: None,
    *,
    clock: "Clock | None" = None,
    limits: "RunLimits | None" = None,
    resolve: "Resolve | None" = None,
) -> int:
    """Run the action.

    Args:
        arguments: The command line's arguments; a step that uses the action has none.
        environ: The inputs, and what the runner says about itself.
        stdout: Gets the step's log; outside GitHub, the outputs. None when it is closed.
        stderr: Gets the log outside GitHub. None when it is closed.
        signal_received: Returns the number of the signal that ends the run, once there is one.
        clock: The clock that the deadline is measured on; None for the system's.
        limits: How long each part of the work may take; None for the defaults.
        resolve: Returns the addresses of a name; None for the system's way.

    Returns:
        The exit status: 0 when the step did what it was asked to, 1 when it did not, 128 plus the number of the signal
        that ended it.
    """
    command_line = _read_command_line(arguments, environ) if arguments else None
    if command_line and command_line.answer:
        with contextlib.suppress(OSError, ValueError):
            print(command_line.answer, end="", file=stdout, flush=True)
        return 0
    if command_line:
        environ = _overlay(environ, command_line.variables)
    runner = _make_runner(environ, stdout, stderr, command_line.dotenv if command_line else "")
    session: Session | None = None
    try:
        inputs = _read_inputs(command_line, environ, runner)
        if isinstance(inputs, Result):
            return _report(inputs, None, environ, runner)
        network = _open_network(environ, resolve)
        session = _open_session(inputs, network, runner, lambda: signal_received() is not None, clock, limits)
        result = _rehearse(session) if _is_rehearsal(inputs) else _operate(session)
        tolerated = result.outcome.kind is Kind.TOLERABLE and not inputs.fail_on_error
        return _report(result, session, environ, runner, tolerated=tolerated, signal_number=signal_received())
    except Exception as error:  # noqa: BLE001 - whatever it is, the outputs and the exit status have to say so
        return _report(_defect(error, session, runner), session, environ, runner)


def _read_command_line(arguments: Sequence[str], environ: Mapping[str, str]) -> "CommandLine":
    from onlineornot_action.inputs.options import parse_command_line

    return parse_command_line(arguments, environ)


def _overlay(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the variables of options, in place of those with underscores that say the same."""
    replaced = {variable.replace("-", "_") for variable in variables}
    return {name: value for name, value in environ.items() if name not in replaced} | dict(variables)


def _make_runner(environ: Mapping[str, str], stdout: TextIO | None, stderr: TextIO | None, dotenv: str) -> Runner:
    if is_on_github(environ):
        return Runner(environ, stdout)
    from onlineornot_action.report.console import Terminal

    return Terminal(environ, stdout, stderr, dotenv)


def _read_inputs(command_line: "CommandLine | None", environ: Mapping[str, str], runner: Runner) -> Inputs | Result:
    """Mask the tokens before anything is printed, then read the inputs; the result when they are wrong."""
    for secret in find_secrets(environ):
        runner.mask(secret)
    if has_bearer_prefix(environ):
        runner.log("The word Bearer before the API token was left out.")
    if command_line and command_line.usage_error:
        return Result(Outcome.INVALID, error=command_line.usage_error)
    try:
        inputs, warnings = read_inputs(environ, command_line.problems if command_line else ())
    except InvalidInputsError as error:
        _warn(runner, error.warnings)
        return Result(Outcome.INVALID, error="\n".join(error.problems))
    _warn(runner, warnings)
    return inputs


def _open_network(environ: Mapping[str, str], resolve: "Resolve | None") -> "Network":
    from onlineornot_action.network.connect import install, resolve_name
    from onlineornot_action.network.exchange import Network

    install(resolve or resolve_name)
    return Network(find_ca_paths(environ), find_proxy_variables(environ))


def _open_session(
    inputs: Inputs,
    network: "Network",
    runner: Runner,
    cancelled: Callable[[], bool],
    clock: "Clock | None",
    limits: "RunLimits | None",
) -> "Session":
    # A run that fails on its inputs does without `requests`, which these import.
    from onlineornot_action.network.deadline import SYSTEM_CLOCK, Deadline
    from onlineornot_action.onlineornot.client import OnlineOrNotClient
    from onlineornot_action.session import RunLimits, Session

    limits = limits or RunLimits()
    deadline = Deadline.after(inputs.timeout_seconds, clock or SYSTEM_CLOCK, cancelled, runner.log, limits.exchange)
    client = OnlineOrNotClient(
        inputs.api_token, deadline=deadline, base_url=inputs.api_url, network=network, mask=runner.scrub
    )
    return Session(inputs, client, deadline, limits, network)


def _is_rehearsal(inputs: Inputs) -> bool:
    return inputs.dry_run and inputs.operation not in (Operation.GET, Operation.LIST)


def _rehearse(session: "Session") -> Result:
    """Check whether the token may write, before a lookup can end the run; then do all but the writing."""
    from onlineornot_action.network.deadline import CancelledError
    from onlineornot_action.onlineornot.errors import APIError
    from onlineornot_action.operations.permissions import check_permissions

    try:
        checked = check_permissions(session)
    except (APIError, CancelledError) as error:
        from onlineornot_action.report.messages import explain

        return explain(error, session.inputs, session.inputs.incident_id or "")
    if checked.outcome.failed:
        return checked
    result = _operate(session)
    return replace(result, notes=(*checked.notes, *result.notes), warnings=(*checked.warnings, *result.warnings))


def _operate(session: "Session") -> Result:
    """Find what the inputs name and do what they ask for; or say why it was not done."""
    from onlineornot_action.exactly_once.post import CancelledWriteError, UnknownOutcomeError
    from onlineornot_action.network.deadline import CancelledError
    from onlineornot_action.onlineornot.errors import APIError
    from onlineornot_action.operations.run import run
    from onlineornot_action.session import Target

    target = Target(session.inputs.incident_id or "")
    try:
        found = _find_incident(session, target)
        if isinstance(found, Result):
            return found
        target = found
        target = _find_components(session, target)
        result = run(session, target)
    except InvalidInputsError as error:
        problems = "\n".join(error.problems)
        result = Result(Outcome.INVALID, target.incident_id, error=problems, warnings=error.warnings)
    except (APIError, UnknownOutcomeError, CancelledError, CancelledWriteError) as error:
        from onlineornot_action.report.messages import explain

        result = explain(error, session.inputs, target.incident_id)
    return replace(result, notes=(*target.notes, *result.notes), warnings=(*target.warnings, *result.warnings))


def _find_incident(session: "Session", target: "Target") -> "Target | Result":
    if session.inputs.incident_title is None:
        return target
    from onlineornot_action.operations.find_incident import find_incident

    return find_incident(session, session.inputs.incident_title)


def _find_components(session: "Session", target: "Target") -> "Target":
    if session.inputs.components is None or session.inputs.operation is not Operation.CREATE:
        return target
    from onlineornot_action.operations.components import find_components

    return find_components(session, target)


def _report(
    result: Result,
    session: "Session | None",
    environ: Mapping[str, str],
    runner: Runner,
    *,
    tolerated: bool = False,
    signal_number: int | None = None,
) -> int:
    """Write outputs, annotations, the comment and the job summary, and return the exit status."""
    result = replace(result, error=runner.escape(result.error))
    runner.set_outputs(Outputs.of(result).by_name())
    if session:
        result = _with_incident_url(result, session, runner)
    if result.outcome.failed:
        runner.annotate(Level.WARNING if tolerated else Level.ERROR, result.error)
    elif session:
        runner.annotate(Level.NOTICE, summary.sentence(result, session.inputs))
    if session:
        result = _with_comment(result, session, environ, runner)
    _warn(runner, result.warnings)
    if result.body:
        runner.log(f"It would send {result.body.to_json().decode()}")
    runner.add_summary(_summary(result, session, find_run_url(environ)))
    # Last, so that a defect above cannot make it happen twice.
    runner.publish_outputs()
    if result.outcome is Outcome.CANCELLED:
        return 128 + (signal_number or 0)
    return 1 if result.outcome.failed and not tolerated else 0


def _summary(result: Result, session: "Session | None", run_url: str) -> str:
    if session is None:
        return summary.render(result, None, run_url=run_url)
    return summary.render(result, session.inputs, session.client.requests, session.client.writes, run_url=run_url)


def _with_incident_url(result: Result, session: "Session", runner: Runner) -> Result:
    """Add the incident's public address: after the work has succeeded, or where somebody has to look at it."""
    is_unknown = result.outcome is Outcome.UNKNOWN
    if result.outcome is Outcome.DRY_RUN or (result.outcome.failed and not is_unknown):
        return result
    if not result.incident_id and not is_unknown:
        return result
    from onlineornot_action.report.incident_url import find_incident_url

    url = find_incident_url(session, result.incident_id, runner.log)
    if url and result.incident_id:
        runner.set_outputs({"incident-url": url})
    return replace(result, incident_url=url)


def _with_comment(result: Result, session: "Session", environ: Mapping[str, str], runner: Runner) -> Result:
    """Bring the comment on the pull request up to date; never the reason for a failure."""
    if not session.inputs.comment or result.outcome.kind is not Kind.POSTED:
        return result
    from onlineornot_action.pull_request.comment import with_comment

    return with_comment(session, result, environ, runner)


def _defect(error: Exception, session: "Session | None", runner: Runner) -> Result:
    """Say where the action itself is wrong. Values could be secret; the scrubbed traceback is folded away."""
    with runner.group("Traceback"):
        runner.log("".join(traceback.format_exception(error)))
    advice = "The action has a defect; please report it with the traceback from the log."
    message = f"Internal error: {locate_defect(error)}. {advice}"
    if session is None or not session.client.may_have_written:
        return Result(Outcome.NOT_SENT, error=message)
    from onlineornot_action.report.messages import LOOK_FIRST

    return Result(Outcome.UNKNOWN, notified=None, error=f"{message} {LOOK_FIRST}.")


def _warn(runner: Runner, warnings: Iterable[str]) -> None:
    """Write all that the user should fix as one annotation."""
    if text := "\n".join(warnings):
        runner.annotate(Level.WARNING, text)
