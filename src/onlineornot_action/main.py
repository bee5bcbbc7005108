"""The run from the inputs to the exit status: inputs → session → result → report; and every failure on the way."""

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TextIO

from onlineornot_action.exactly_once.post import CancelledWriteError, UnknownOutcomeError
from onlineornot_action.inputs.model import CommandLine, Inputs, InvalidInputsError, read_inputs
from onlineornot_action.inputs.result import Choice
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.masking import masker
from onlineornot_action.network.deadline import SYSTEM_CLOCK, CancelledError, Clock, Deadline
from onlineornot_action.network.exchange import Network
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.operations.components import find_components
from onlineornot_action.operations.find_incident import find_incident
from onlineornot_action.operations.permissions import check_permissions
from onlineornot_action.operations.run import find_update, run
from onlineornot_action.outputs import Kind, Outcome, Outputs, Result
from onlineornot_action.report import summary
from onlineornot_action.report.actions import ActionsReporter, Level, Reporter, escape_commands, warn, write_line
from onlineornot_action.report.console import ConsoleReporter
from onlineornot_action.report.messages import LOOK_FIRST, explain
from onlineornot_action.session import RunLimits, Session, Target
from onlineornot_action.text import locate_defect

_NO_PYGITHUB = (
    "There is no comment on the pull request: PyGithub is not installed. The update itself is not affected. "
    "Install the package with its extra `comment`; where the action installs packages by itself, the log says why "
    "this one is missing."
)


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    stdout: TextIO | None,
    stderr: TextIO | None,
    signal_received: Callable[[], int | None] = lambda: None,
    *,
    stdin: TextIO | None = None,
    clock: Clock = SYSTEM_CLOCK,
    limits: RunLimits = RunLimits(),  # noqa: B008 - frozen
) -> int:
    """Run the action, and return its exit status: 0 on success, otherwise 1, or 128 plus the number of the signal.

    On GitHub, `stdout` receives the log; elsewhere it receives the outputs, and `stderr` the log. `stdin` has the
    text for `--description-file -`. A closed stream is None. `signal_received` returns the number of the signal that
    ends the run, or None.
    """
    environment = Environment.of(environ)
    command_line = _read_command_line(arguments, environment)
    if command_line.answer:
        write_line(stdout, command_line.answer.rstrip("\n"))
        return 0
    environment = environment.with_inputs(command_line.inputs)
    reporter = _make_reporter(environment, stdout, stderr, command_line.dotenv)
    session: Session | None = None
    try:
        inputs = _read_inputs(command_line, environment, reporter, stdin)
        deadline = Deadline.after(
            inputs.timeout_seconds, clock, lambda: signal_received() is not None, reporter.log, limits.exchange
        )
        session = _open_session(inputs, environment, deadline, reporter.mask, limits)
        result = _run(session)
    except InvalidInputsError as error:
        result = Result(Outcome.INVALID, error="\n".join(error.problems), warnings=error.warnings)
    except Exception as error:  # noqa: BLE001 - whatever it is, the outputs and the exit status have to say so
        result = _defect(error, session, reporter)
    exit_status = _exit_status(result, signal_received())
    _report(result, session, environment, reporter)
    return exit_status


def _read_command_line(arguments: Sequence[str], environment: Environment) -> CommandLine:
    if not arguments:
        return CommandLine()
    from onlineornot_action.inputs.options import parse_command_line  # noqa: PLC0415 - a step has no use for argparse

    return parse_command_line(arguments, environment)


def _make_reporter(environment: Environment, stdout: TextIO | None, stderr: TextIO | None, dotenv: str) -> Reporter:
    """Make the reporter, and mask the tokens before anything is printed."""
    mask = masker(environment.secrets)
    if not environment.on_github:
        return ConsoleReporter(environment, stdout, stderr, mask, dotenv)
    reporter = ActionsReporter(environment.github, stdout, mask)
    reporter.mask_log(environment.secrets)
    return reporter


def _read_inputs(
    command_line: CommandLine, environment: Environment, reporter: Reporter, stdin: TextIO | None
) -> Inputs:
    if environment.has_bearer_prefix:
        reporter.log("The word Bearer before the API token was left out.")
    if command_line.usage_error:
        raise InvalidInputsError([command_line.usage_error])
    inputs, warnings = read_inputs(environment, command_line.problems, stdin=stdin)
    warn(reporter, "\n".join(warnings))
    return inputs


def _open_session(
    inputs: Inputs, environment: Environment, deadline: Deadline, mask: Callable[[str], str], limits: RunLimits
) -> Session:
    network = Network(environment.certificates.paths, environment.proxy_variables)
    token, url = inputs.api_token, inputs.api_url
    client = OnlineOrNotClient(token, deadline=deadline, base_url=url, network=network, mask=mask)
    return Session(inputs, client, deadline, limits, network)


def _run(session: Session) -> Result:
    """Do what the inputs ask for; in a dry run, everything except writing."""
    inputs = session.inputs
    if inputs.result and inputs.result.choice is Choice.NOTHING:
        return Result(Outcome.SKIPPED)
    result = _rehearse(session) if inputs.dry_run and inputs.operation.writes else _operate(session)
    return result._replace(tolerated=result.outcome.kind is Kind.SOFT_FAILURE and not inputs.fail_on_error)


def _rehearse(session: Session) -> Result:
    """Check whether the token may write, before a lookup can end the run; then do everything except writing."""
    try:
        checked = check_permissions(session)
    except (APIError, CancelledError) as error:
        return explain(error, session.inputs, session.inputs.incident_id or "")
    if checked.outcome.failed:
        return checked
    result = _operate(session)
    return result._replace(notes=(*checked.notes, *result.notes), warnings=(*checked.warnings, *result.warnings))


def _operate(session: Session) -> Result:
    """Find what the inputs name and do what they ask for; or say why it was not done."""
    inputs, target = session.inputs, Target(session.inputs.incident_id or "")
    try:
        if inputs.incident_title is not None:
            found = find_incident(session, inputs.incident_title)
            if isinstance(found, Result):
                return found
            target = found
        if inputs.operation is Operation.CREATE:
            target = find_components(session, target)
        if inputs.operation in (Operation.UPDATE, Operation.GET, Operation.DELETE):
            target = find_update(session, target)
        result = run(session, target)
    except InvalidInputsError as error:
        problems = "\n".join(error.problems)
        result = Result(Outcome.INVALID, target.incident_id, error=problems, warnings=error.warnings)
    except (APIError, UnknownOutcomeError, CancelledError, CancelledWriteError) as error:
        result = explain(error, inputs, target.incident_id)
    known_title = target.incident.title if target.incident else None
    is_written = result.outcome is Outcome.DELETED or result.notified is None  # or may have been
    return result._replace(
        incident_title=inputs.incident_title or known_title or "",
        replaced=target.latest if is_written else None,
        notes=(*target.notes, *result.notes),
        warnings=(*target.warnings, *result.warnings),
    )


def _defect(error: Exception, session: Session | None, reporter: Reporter) -> Result:
    """Report where the action has a defect, without values, which could be secret; log the masked traceback."""
    with _soft_failure("writing the traceback", reporter):
        reporter.log_group("Traceback", "".join(traceback.format_exception(error)))
    advice = "The action has a defect; please report it with the traceback from the log."
    message = f"Internal error: {locate_defect(error)}. {advice}"
    if session is None or not session.client.may_have_written:
        return Result(Outcome.NOT_SENT, error=message)
    return Result(Outcome.UNKNOWN, notified=None, error=f"{message} {LOOK_FIRST}.")


def _exit_status(result: Result, signal_number: int | None) -> int:
    if result.outcome is Outcome.CANCELLED:
        return 128 + (signal_number or 0)
    return int(result.outcome.failed and not result.tolerated)


def _report(result: Result, session: Session | None, environment: Environment, reporter: Reporter) -> None:
    """Write the outputs, then everything that people read. Nothing here changes the result."""
    inputs = session.inputs if session else None
    with _soft_failure("writing the outputs", reporter):
        result = result._replace(error=escape_commands(reporter.mask(result.error)))
        reporter.set_outputs(Outputs.of(result).by_name())
    with _soft_failure("reading the address of the incident", reporter):
        result = _with_incident_url(result, session, reporter)
    with _soft_failure("writing the outputs", reporter):
        reporter.publish_outputs()
    with _soft_failure("writing the annotation", reporter):
        reporter.annotate(_level(result), summary.describe(result, inputs)[1])
    with _soft_failure("updating the comment on the pull request", reporter):
        result = _with_comment(result, session, environment, reporter)
    with _soft_failure("writing the warnings", reporter):
        warn(reporter, "\n".join(result.warnings))
        if result.body:
            reporter.log(f"It would send {result.body.to_json().decode()}")
        if result.replaced:
            reporter.log(f"Before, the update was {result.replaced.status}: {result.replaced.description}")
    with _soft_failure("writing the job summary", reporter):
        requests, writes = (session.client.requests, session.client.writes) if session else (0, 0)
        result = result._replace(warnings=tuple(reporter.warnings))
        reporter.add_summary(summary.render(result, inputs, requests, writes, run_url=environment.github.run_url))


@contextlib.contextmanager
def _soft_failure(doing: str, reporter: Reporter) -> Iterator[None]:
    """Turn a defect in a part of the report into a warning, without values, which could be secret."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the result stays as it is
        with contextlib.suppress(Exception):  # the warning may meet the same defect
            warn(reporter, f"Internal error: {locate_defect(error)}, while {doing}. The result is not affected.")


def _level(result: Result) -> Level:
    if not result.outcome.failed:
        return Level.NOTICE
    return Level.WARNING if result.tolerated else Level.ERROR


def _with_incident_url(result: Result, session: Session | None, reporter: Reporter) -> Result:
    """Add the incident's public address if the run has succeeded, or if somebody has to look at the incident."""
    is_success = result.incident_id and not result.outcome.failed and result.outcome is not Outcome.DRY_RUN
    if session is None or not (is_success or result.outcome is Outcome.UNKNOWN):
        return result
    try:
        deadline = session.deadline.within(session.limits.follow_up)
        url, problem = session.read_url(result.incident_id, deadline), "the page has no valid domain."
    except (APIError, CancelledError) as error:
        url, problem = "", str(error)
    if not url:
        reporter.log(f"The address of the incident is not known: {problem}")
    elif result.incident_id:
        reporter.set_outputs({"incident-url": url})
    return result._replace(incident_url=url)


def _with_comment(result: Result, session: Session | None, environment: Environment, reporter: Reporter) -> Result:
    """Update the comment on the pull request."""
    if not session or not session.inputs.comment or result.outcome.kind is not Kind.POSTED:
        return result
    if find_spec("github") is None:
        return result._replace(warnings=(*result.warnings, _NO_PYGITHUB))
    from onlineornot_action.pull_request.comment import with_comment  # noqa: PLC0415 - PyGithub is slow to import

    return with_comment(session, result, environment, reporter)
