"""From what a run came to, to the comment on the pull request: what is told there, and what has to be read for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onlineornot_action.comment import Story, marker, render
from onlineornot_action.context import Context
from onlineornot_action.inputs import find_ca_bundle
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import IncidentUpdate
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.pull_request import keep_comments
from onlineornot_action.readings import Reading
from onlineornot_action.workflow import Workflow


@dataclass(frozen=True)
class Commented:
    """What became of the comment.

    Attributes:
        urls: Where people see it.
        notice: Why there is none, where that is in order.
        warnings: What somebody should mend.
    """

    urls: tuple[str, ...]
    notice: str
    warnings: tuple[str, ...]


def comment(context: Context, result: Result, environ: Mapping[str, str], scrub: Callable[[str], str]) -> Commented:
    """Have the pull requests behind this run say what customers were told.

    Args:
        context: The run.
        result: What it came to.
        environ: What the runner says about the workflow run.
        scrub: Takes the secrets out of a text.
    """
    workflow, inputs = Workflow.of(environ), context.inputs
    deadline = context.deadline.within(context.limits.comment)

    def write(failed_jobs: Sequence[str]) -> str:
        posted = result.outcome in (Outcome.CREATED, Outcome.OPENED)
        story = Story(
            context.page_id,
            result.incident_id,
            _updates(context, result, deadline),
            run_url=workflow.url,
            title=inputs.incident_title or "",
            incident_url=result.incident_url,
            posted=result.update_id if posted else "",
            notified=result.notified,
            failed_run_url=workflow.failed_run_url,
            failed_jobs=failed_jobs,
        )
        return scrub(render(story))

    comments = keep_comments(
        workflow,
        inputs.github_token or "",
        marker(context.page_id, result.incident_id),
        write,
        deadline,
        ca_bundle=find_ca_bundle(environ),
    )
    notice = ""
    if comments.pull_requests == []:
        notice = f"There is no comment: no pull request belongs to commit {workflow.commit or 'of this event'}."
    return Commented(tuple(comments.urls), notice, tuple(comments.problems))


def _updates(context: Context, result: Result, deadline: Deadline) -> list[IncidentUpdate]:
    """All updates of the incident as they are now, read only where this run does not know them."""
    if result.outcome is Outcome.OPENED and result.update:
        return [result.update]
    reading = context.updates
    if reading is None or not reading.complete:
        pages = context.client.incident_update_pages(context.page_id, result.incident_id, deadline)
        reading = Reading(pages, most_pages=None)
    known = {update.id: update for update in reading.items}
    listed, answered = known.pop(result.update_id, None), result.update
    if answered and answered.components is None and listed:  # an answer may leave them out
        answered = answered.model_copy(update={"components": listed.components})
    return [*([answered] if answered else []), *known.values()]
