"""From the environment to the exit status: inputs, client, operation, outputs; and every failure on the way."""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from onlineornot_action.exactly_once.post import UnknownOutcomeError
from onlineornot_action.inputs.model import (
    Inputs,
    InvalidInputsError,
    find_ca_bundle,
    find_secrets,
    has_bearer_prefix,
    read_inputs,
)
from onlineornot_action.onlineornot.deadline import SYSTEM_CLOCK, Clock, Deadline
from onlineornot_action.onlineornot.errors import APIError, CancelledError
from onlineornot_action.outputs import Outcome, Outputs, Result
from onlineornot_action.report import summary
from onlineornot_action.report.messages import LOOK_FIRST, explain_cancellation, explain_doubt, explain_failure
from onlineornot_action.runner import Level, Runner
from onlineornot_action.text import locate_defect

if TYPE_CHECKING:
    from onlineornot_action.onlineornot.client import OnlineOrNotClient
    from onlineornot_action.session import RunLimits, Session


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    log: TextIO | None,
    signal_received: Callable[[], int | None] = lambda: None,
    *,
    clock: Clock = SYSTEM_CLOCK,
    limits: "RunLimits | None" = None,
) -> int:
    """Run the action.

    Args:
        arguments: The command line's; there may be none.
        environ: Inputs, and what the runner says about itself.
        log: The step's log.
        signal_received: Tells the number of the signal that asked to end, once one has.
        clock: What tells the time.
        limits: How long each part of the work may take.

    Returns:
        The exit status: 0 when the step did what it was asked, 1 when not, 128 and the signal when that ended it.
    """
    run = _Run(Runner(environ, log), environ, signal_received, clock, limits)
    try:
        return run.report(run.attempt(arguments), forgive=True)
    except Exception as error:  # noqa: BLE001 - outputs and exit status have to tell, whatever it is
        return run.report(run.defect(error), forgive=False)


class _Run:
    """One run, which remembers how far it got."""

    def __init__(
        self,
        runner: Runner,
        environ: Mapping[str, str],
        signal_received: Callable[[], int | None],
        clock: Clock,
        limits: "RunLimits | None",
    ) -> None:
        self._runner = runner
        self._environ = environ
        self._signal_received = signal_received
        self._clock = clock
        self._limits = limits
        self._inputs: Inputs | None = None
        self._client: OnlineOrNotClient | None = None
        self._deadline: Deadline | None = None
        self._context: Session | None = None

    def attempt(self, arguments: Sequence[str]) -> Result:
        """Do what the inputs ask for, or say why not."""
        self._mask_tokens()
        try:
            self._inputs, warnings = read_inputs(self._environ, arguments)
        except InvalidInputsError as error:
            self._warn(error.warnings)
            return Result(Outcome.INVALID, error="\n".join(error.problems))
        self._warn(warnings)
        return self._operate(self._inputs)

    def report(self, result: Result, *, forgive: bool) -> int:
        """Write outputs, annotation and summary; the exit status."""
        forgiven = forgive and result.outcome.tolerable and self._inputs is not None and not self._inputs.fail_on_error
        result = replace(result, error=self._runner.escaped(result.error))
        self._runner.set_outputs(Outputs.of(result).by_name())
        result = self._with_url(result)
        if result.outcome.failed:
            self._runner.annotate(Level.WARNING if forgiven else Level.ERROR, result.error)
        elif self._inputs:
            self._runner.annotate(Level.NOTICE, summary.sentence(result, self._inputs))
        result = self._with_comment(result)
        self._warn(result.warnings)
        requests = (self._client.requests, self._client.writes) if self._client else (0, 0)
        self._runner.add_summary(summary.render(result, self._inputs, *requests))
        if result.outcome is Outcome.CANCELLED:
            return 128 + (self._signal_received() or 0)
        return 1 if result.outcome.failed and not forgiven else 0

    def _with_url(self, result: Result) -> Result:
        """Add the address of the incident, by one short request after the work; never the reason for a failure."""
        if (
            result.outcome.failed
            or result.outcome is Outcome.DRY_RUN
            or not (result.incident_id and self._inputs and self._client and self._deadline and self._context)
        ):
            return result
        from onlineornot_action.operations.incidents import address  # noqa: PLC0415 - it needs what the client has imported

        try:
            patience = self._deadline.within(self._context.limits.follow_up)
            page = self._client.get_status_page(self._inputs.status_page_id, patience)
        except (APIError, CancelledError) as error:
            self._runner.log(f"The address of the incident is not known: {error}")
            return result
        url = address(page, result.incident_id)
        if not url:
            self._runner.log("The address of the incident is not known: the page does not say where it is.")
            return result
        self._runner.set_outputs({"incident-url": url})
        return replace(result, incident_url=url)

    def _with_comment(self, result: Result) -> Result:
        """Keep the comment on the pull request up to date, after all else; never the reason for a failure."""
        if not (self._inputs and self._inputs.comment and self._context and result.outcome.updates_comment):
            return result
        from onlineornot_action.pull_request.comment import with_comment  # noqa: PLC0415 - hardly any run needs it

        return with_comment(self._context, result, self._environ, self._runner)

    def defect(self, error: Exception) -> Result:
        """Say where the action itself is wrong. Values could be secret; the scrubbed traceback is folded away."""
        with self._runner.group("Traceback"):
            self._runner.log("".join(traceback.format_exception(error)))
        written = self._client is not None and self._client.may_have_written
        return Result(
            Outcome.UNKNOWN if written else Outcome.NOT_SENT,
            notified=None if written else False,
            error=f"Internal error: {locate_defect(error)}. "
            "The action has a defect; please report it with the traceback from the log."
            + (f" {LOOK_FIRST}." if written else ""),
        )

    def _is_cancelled(self) -> bool:
        return self._signal_received() is not None

    def _mask_tokens(self) -> None:
        for token in find_secrets(self._environ):
            self._runner.mask(token)
        if has_bearer_prefix(self._environ):
            self._runner.log("The word Bearer before the API token was left out.")

    def _warn(self, warnings: Iterable[str]) -> None:
        """One annotation for all that is to be mended."""
        if text := "\n".join(warnings):
            self._runner.annotate(Level.WARNING, text)

    def _operate(self, inputs: Inputs) -> Result:
        # A run that fails on its inputs does without requests, which these import.
        from onlineornot_action.onlineornot.client import OnlineOrNotClient  # noqa: PLC0415
        from onlineornot_action.operations.run import run  # noqa: PLC0415
        from onlineornot_action.session import RunLimits, Session  # noqa: PLC0415

        limits = self._limits or RunLimits()

        self._deadline = deadline = Deadline.after(inputs.timeout_seconds, self._clock, self._is_cancelled)
        self._client = client = OnlineOrNotClient(
            inputs.api_token,
            deadline=deadline,
            base_url=inputs.api_url,
            ca_bundle=find_ca_bundle(self._environ),
            secrets=find_secrets(self._environ),
            limits=limits,
            tell=self._runner.log,
        )
        self._context = context = Session(inputs, client, deadline, limits)
        try:
            result = run(context)
        except InvalidInputsError as error:
            result = Result(Outcome.INVALID, context.incident_id, error="\n".join(error.problems))
        except APIError as error:
            result = explain_failure(error, inputs, context.incident_id)
        except UnknownOutcomeError as error:
            result = explain_doubt(error, inputs, context.incident_id)
        except CancelledError as error:
            result = explain_cancellation(error, inputs, context.incident_id)
        return replace(result, notes=tuple(context.notes), warnings=tuple(context.warnings))
