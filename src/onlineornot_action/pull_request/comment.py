"""From what a run came to, to the comment on the pull request: what is told there, and what has to be read for it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial

from onlineornot_action.exactly_once.listing import Listing, read_reliably
from onlineornot_action.inputs.environment import find_ca_bundle
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.models import IncidentUpdate, newest_first
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.pull_request.body import (
    MAX_UPDATES,
    CommentContent,
    CommentState,
    FailedRun,
    marker,
    parse_state,
    render,
)
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.session import Session

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


def comment(context: Session, result: Result, environ: Mapping[str, str], scrub: Callable[[str], str]) -> Commented:
    """Have the pull requests behind this run say what customers were told.

    Args:
        context: The run.
        result: What it came to.
        environ: What the runner says about the workflow run.
        scrub: Takes the secrets out of a text.
    """
    run = WorkflowRun.of(environ)
    if problem := next(_obstacles(run, context.inputs), ""):
        return Commented(warnings=(f"There is no comment on the pull request: {problem}. {ADVICE}",))
    from onlineornot_action.pull_request.keep import keep_comments

    deadline = context.deadline.within(context.limits.comment, detached=True)
    teller = _Writer(context, result, run, deadline)
    comments = keep_comments(
        run,
        context.inputs.github_token or "",
        teller.marker,
        lambda failed_jobs, before: scrub(teller.write(failed_jobs, before)),
        deadline,
        ca_bundle=find_ca_bundle(environ),
        scrub=scrub,
    )
    about = f"commit {run.commit}" if run.commit else "this event"
    return Commented(
        tuple(comments.urls),
        f"There is no comment: no pull request belongs to {about}." if comments.pull_requests == [] else "",
        (*comments.problems, *([ADVICE] if comments.failed and not deadline.cancelled() else [])),
    )


def _obstacles(run: WorkflowRun, inputs: Inputs) -> Iterator[str]:
    """Why GitHub is not even asked."""
    if not inputs.github_token:
        yield "github-token is empty"
    elif not re.fullmatch("[!-~]+", inputs.github_token):
        yield "github-token is no token, it has a space or another character that no token has"
    elif inputs.github_token == inputs.api_token:
        yield "github-token is the API token of OnlineOrNot"
    if not re.fullmatch(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", run.api_url):
        yield "GITHUB_API_URL does not say where GitHub is"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", run.repository):
        yield "GITHUB_REPOSITORY does not say which repository this is"


def _known_updates(context: Session, result: Result) -> Listing[IncidentUpdate] | None:
    """What this run has read, and still holds: the updates beside the one that it was about."""
    if isinstance(context.inputs.components, tuple) and result.update and result.update.components is None:
        return None  # the response has left out what it changed
    if result.outcome is Outcome.OPENED and result.update:
        return Listing(())
    return result.known_updates if result.known_updates and result.known_updates.complete else None


@dataclass
class _Writer:
    """Writes the comment of one run."""

    context: Session
    result: Result
    run: WorkflowRun
    deadline: Deadline

    def __post_init__(self) -> None:
        self._reading = _known_updates(self.context, self.result)
        self._is_fresh = self._reading is None

    @property
    def marker(self) -> str:
        """The comment's first line."""
        return marker(self.context.page_id, self.result.incident_id)

    def write(self, failed_jobs: Sequence[str], before: str) -> str:
        """Write the comment anew, from what this run knows and what the comment has known before."""
        memory = parse_state(before)
        updates = self._updates(memory.told.keys())
        memory = CommentState(
            title=self.context.inputs.incident_title or memory.title,
            told=self._told(updates, memory),
            incident_url=self.result.incident_url or memory.incident_url,
            failed_run=self._failed_run(failed_jobs, memory),
        )
        return render(CommentContent(self.marker, memory, updates, self.run))

    def _updates(self, shown: AbstractSet[str]) -> list[IncidentUpdate]:
        """All updates as they are now; read only where neither this run knows them, nor all that the comment shows."""
        context, result = self.context, self.result
        shows_more = self._reading and not shown <= self._reading.ids | {result.update_id}
        if self._reading is None or (shows_more and not self._is_fresh):
            self._is_fresh = True
            pages = partial(context.client.incident_update_pages, context.page_id, result.incident_id, self.deadline)
            self._reading = read_reliably(pages, self.deadline, context.limits)
        known = {update.id: update for update in self._reading.items}
        listed, answered = known.pop(result.update_id, None), result.update
        if answered and answered.components is None and listed:  # a response may leave them out
            answered = answered.model_copy(update={"components": listed.components})
        return newest_first([*([answered] if answered else []), *known.values()])

    def _failed_run(self, failed_jobs: Sequence[str], memory: CommentState) -> FailedRun | None:
        """The run that started this one, if it did not succeed; or what the comment knows of one."""
        run_id, known = self.run.failed_run, memory.failed_run
        if not run_id or (known and known.id == run_id and not failed_jobs):
            return known
        return FailedRun.of(run_id, failed_jobs)

    def _told(self, updates: Sequence[IncidentUpdate], memory: CommentState) -> dict[str, bool | None]:
        """Whether subscribers were told of what the comment shows."""
        posted = self.result.outcome in (Outcome.CREATED, Outcome.OPENED)
        told = memory.told | ({self.result.update_id: self.result.notified} if posted else {})
        return {update.id: told.get(update.id) for update in updates[:MAX_UPDATES]}
