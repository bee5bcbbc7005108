"""The input `result`: one step that reports a deploy that failed, and closes the incident once a deploy succeeds.

It is nothing but a choice of other inputs, made before anything else sees them.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from onlineornot_action.inputs.parsers import AUTO
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import quote


class Choice(Enum):
    """What a step does about a result."""

    REPORT = "reported"
    CLOSE = "closed"
    NOTHING = "nothing to do"


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

OPENING_STATUSES = ("INVESTIGATING", "IDENTIFIED", "MONITORING", "UPDATE")

_EXCLUDED = {
    "incident-id": "it finds the incident by incident-title",
    "update-id": "it posts new updates",
}


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


def with_defaults(given: Mapping[str, str], operation: str) -> dict[str, str]:
    """Return the inputs of a step that reports a failure, with what is not said about it.

    The defaults of `action.yml` cannot be told from words that somebody wrote, so they count as not given.
    """
    if "result" not in given:
        return dict(given)
    if_no_incident = "skip" if given.get("if-no-incident", "").casefold() == "skip" else "create"
    skip_duplicate = "true" if given.get("skip-duplicate", AUTO).casefold() == AUTO else given["skip-duplicate"]
    chosen = {"if-no-incident": if_no_incident, "skip-duplicate": skip_duplicate}
    if operation.casefold() == AUTO:
        chosen["operation"] = "create"
    return {"status": IncidentStatus.INVESTIGATING.value, **given, **chosen}


def result_conflicts(given: Mapping[str, str], operation: str) -> Iterator[str]:
    """Say which inputs `result` lacks, and which do not go together with it.

    Args:
        given: The text of each input that was given, by name.
        operation: The word of that input.
    """
    if "result" not in given:
        if "resolved-description" in given:
            yield (
                "resolved-description is given, but result is empty; check the name of the job in "
                "${{ needs.….result }}, and that needs: names it."
            )
        return
    if "incident-title" not in given:
        yield "incident-title is required with result."
    if "resolved-description" not in given:
        yield "resolved-description is required with result: the text that closes the incident."
    if operation.casefold() != AUTO:
        yield f"operation cannot be used with result; leave it out, or set it to {AUTO}."
    for name, reason in _EXCLUDED.items():
        if name in given:
            yield f"{name} cannot be used with result; {reason}."
    if given.get("components", "").casefold() == "restore":
        yield "components: restore cannot be used with result; name what a failure affects, a success restores it."
    if (status := given.get("status", "").upper()) in tuple(IncidentStatus) and status not in OPENING_STATUSES:
        yield f"status {status} cannot be used with result; it is the status that reports a failure."
