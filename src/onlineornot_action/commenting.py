"""From what a run came to, to the comment on the pull request: what is told there, and what has to be read for it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from onlineornot_action.comment import MOST_UPDATES, Failure, Memory, Story, marker, recall, render
from onlineornot_action.context import Context
from onlineornot_action.inputs import Inputs, find_ca_bundle
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import IncidentUpdate
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.readings import Reading
from onlineornot_action.updates import newest_first
from onlineornot_action.workflow import Workflow

ADVICE = (
    "The update itself is not affected. A comment needs github-token: ${{ github.token }} and permissions: "
    "pull-requests: write, issues: write, in a private repository contents: read, and on workflow_run actions: read."
)


@dataclass(frozen=True)
class Commented:
    """What became of the comment.

    Attributes:
        urls: Where people see it.
        notice: Why there is none, where that is in order.
        warnings: What somebody should mend.
    """

    urls: tuple[str, ...] = ()
    notice: str = ""
    warnings: tuple[str, ...] = ()


def comment(context: Context, result: Result, environ: Mapping[str, str], scrub: Callable[[str], str]) -> Commented:
    """Have the pull requests behind this run say what customers were told.

    Args:
        context: The run.
        result: What it came to.
        environ: What the runner says about the workflow run.
        scrub: Takes the secrets out of a text.
    """
    workflow = Workflow.of(environ)
    if problem := next(_obstacles(workflow, context.inputs), ""):
        return Commented(warnings=(f"There is no comment on the pull request: {problem}. {ADVICE}",))
    from onlineornot_action.pull_request import keep_comments  # noqa: PLC0415 - PyGithub takes long to import

    deadline = context.deadline.within(context.limits.comment)
    teller = _Teller(context, result, workflow, deadline)
    comments = keep_comments(
        workflow,
        context.inputs.github_token or "",
        teller.marker,
        lambda failed_jobs, before: scrub(teller.write(failed_jobs, before)),
        deadline,
        ca_bundle=find_ca_bundle(environ),
        scrub=scrub,
    )
    about = f"commit {workflow.commit}" if workflow.commit else "this event"
    return Commented(
        tuple(comments.urls),
        f"There is no comment: no pull request belongs to {about}." if comments.pull_requests == [] else "",
        (*comments.problems, ADVICE) if comments.problems and not deadline.cancelled() else tuple(comments.problems),
    )


def _obstacles(workflow: Workflow, inputs: Inputs) -> Iterator[str]:
    """Why GitHub is not even asked."""
    if not inputs.github_token:
        yield "github-token is empty"
    elif not re.fullmatch("[!-~]+", inputs.github_token):
        yield "github-token is no token, it has a space or another character that no token has"
    elif inputs.github_token == inputs.api_token:
        yield "github-token is the API token of OnlineOrNot"
    if not re.fullmatch(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", workflow.api_url):
        yield "GITHUB_API_URL does not say where GitHub is"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", workflow.repository):
        yield "GITHUB_REPOSITORY does not say which repository this is"


def _known_updates(context: Context, result: Result) -> Reading[IncidentUpdate] | None:
    """What this run has read, and still holds: the updates beside the one that it was about."""
    if result.outcome is Outcome.OPENED and result.update:
        return Reading(())
    return context.updates if context.updates and context.updates.complete else None


class _Teller:
    """Writes the comment of one run."""

    def __init__(self, context: Context, result: Result, workflow: Workflow, deadline: Deadline) -> None:
        self._context = context
        self._result = result
        self._workflow = workflow
        self._deadline = deadline
        self._reading = _known_updates(context, result)
        self.marker = marker(context.page_id, result.incident_id)

    def write(self, failed_jobs: Sequence[str], before: str) -> str:
        """Write the comment anew, from what this run knows and what the comment has known before."""
        memory = recall(before)
        updates = self._updates(memory.told.keys())
        run = self._workflow.failed_run
        known_already = memory.failure and not failed_jobs
        memory = Memory(
            title=self._context.inputs.incident_title or memory.title,
            told=self._told(updates, memory),
            failure=Failure.of(run, failed_jobs) if run and not known_already else memory.failure,
        )
        return render(
            Story(
                self.marker,
                memory,
                updates,
                run_url=self._workflow.url,
                incident_url=self._result.incident_url,
                commit=self._workflow.commit,
                failed_run_url=self._workflow.url_of(memory.failure.run) if memory.failure else "",
            )
        )

    def _updates(self, shown: AbstractSet[str]) -> list[IncidentUpdate]:
        """All updates as they are now; read only where neither this run knows them, nor all that the comment shows."""
        result = self._result
        if self._reading is None or not shown <= self._reading.ids | {result.update_id}:
            pages = self._context.client.incident_update_pages(
                self._context.page_id, result.incident_id, self._deadline
            )
            self._reading = Reading(pages, most_pages=None)
        known = {update.id: update for update in self._reading.items}
        listed, answered = known.pop(result.update_id, None), result.update
        if answered and answered.components is None and listed:  # an answer may leave them out
            answered = answered.model_copy(update={"components": listed.components})
        return newest_first([*([answered] if answered else []), *known.values()])

    def _told(self, updates: Sequence[IncidentUpdate], memory: Memory) -> dict[str, bool | None]:
        """Whether subscribers were told of what the comment shows."""
        posted = self._result.outcome in (Outcome.CREATED, Outcome.OPENED)
        told = memory.told | ({self._result.update_id: self._result.notified} if posted else {})
        return {update.id: told.get(update.id) for update in updates[:MOST_UPDATES]}
