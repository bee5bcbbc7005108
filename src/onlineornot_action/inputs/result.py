"""The input `result`: one step that reports a deploy that failed, and closes the incident once a deploy succeeds.

It is nothing but a choice of other inputs, made before anything else sees them.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from onlineornot_action.inputs.variables import Environment
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import quote


class Choice(Enum):
    """What a step does about a result."""

    REPORT = "reports a failure"
    CLOSE = "closes the open incident"
    NOTHING = "does nothing"


_WORDS = {
    Choice.REPORT: ("failure", "failed", "error", "timed_out", "startup_failure"),
    Choice.CLOSE: ("success",),
    Choice.NOTHING: (
        *("cancelled", "canceled", "skipped", "neutral", "stale", "action_required"),
        *("inactive", "in_progress", "queued", "pending", "waiting", "requested"),
    ),
}
"""The results of jobs, the states of deployments, and the conclusions of workflow runs and checks.

https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#needs-context
https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
GitLab's: https://docs.gitlab.com/ci/variables/predefined_variables/ (`CI_JOB_STATUS`)
"""

REPORTING = {"operation": "create", "status": "INVESTIGATING", "if-no-incident": "create", "skip-duplicate": "true"}
"""The defaults with a result. Those of `action.yml` cannot be told from the same words written by the user."""

OPENING_STATUSES = ("INVESTIGATING", "IDENTIFIED", "MONITORING", "UPDATE")

_EXCLUDED = {"incident-id": "which finds the incident by its title", "update-id": "which posts new updates"}


class DeployResult(NamedTuple):
    """How a deploy ended, in the words of the workflow, and what the step does about it."""

    word: str
    choice: Choice


def parse_result(value: str) -> DeployResult:
    """Parse a result, in any case."""
    word = value.casefold()
    for choice, words in _WORDS.items():
        if word in words:
            return DeployResult(word, choice)
    allowed = ", ".join(word for words in _WORDS.values() for word in words)
    raise ValueError(f"is {quote(value)}, but must be one of {allowed}")


def result_conflicts(given: Mapping[str, str], environment: Environment) -> Iterator[str]:
    """Say which inputs `result` lacks, and which conflict with it.

    Args:
        given: The text of each input that was given, by name, except for defaults.
        environment: Knows how the user writes the names of inputs.
    """
    name_of, resolved = environment.name_of, environment.name_of("resolved-description")
    if "result" not in given:
        if "resolved-description" in given:
            advice = (
                "check the name of the job in ${{ needs.….result }}, and that needs: names it"
                if environment.on_github
                else "check the variable that it comes from"
            )
            yield f"{resolved} is given, but {name_of('result')} is empty; {advice}."
        return
    with_result = f"with {name_of('result')}"
    if "incident-title" not in given:
        yield f"{name_of('incident-title')} is required {with_result}."
    if "resolved-description" not in given:
        yield f"{resolved} is required {with_result}: the text that closes the incident."
    if "operation" in given:
        yield f"{name_of('operation')} cannot be used {with_result}; leave it out."
    for name, reason in _EXCLUDED.items():
        if name in given:
            yield f"{name_of(name)} cannot be used {with_result}, {reason}."
    if given.get("components", "").casefold() == "restore":
        restore = environment.assign("components", "restore")
        yield f"{restore} cannot be used {with_result}; name what a failure affects, and a success restores it."
    if (status := given.get("status", "").upper()) in tuple(IncidentStatus) and status not in OPENING_STATUSES:
        yield f"{name_of('status')} {status} cannot be used {with_result}; give the status that reports a failure."
