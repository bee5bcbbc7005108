"""From the result of a run to the comment on the pull request: what it says, and what has to be read for that."""

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from onlineornot_action.exactly_once.listing import Listing, read_reliably
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.models import IncidentUpdate, newest_first
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.pull_request.body import (
    MAX_UPDATES,
    CommentContent,
    CommentState,
    FailedRun,
    format_marker,
    parse_state,
    render,
)
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.report.actions import Level, Reporter
from onlineornot_action.session import Session
from onlineornot_action.text import locate_defect

if TYPE_CHECKING:
    from onlineornot_action.pull_request.keep import CommentResult

ADVICE = (
    "The update itself is not affected. A comment needs github-token: ${{ github.token }} and permissions: "
    "pull-requests: write, issues: write, in a private repository contents: read, and on workflow_run actions: read."
)


INSTALLATION_ADVICE = (
    "The update itself is not affected. Install the package with its extra `comment`; where the action installs "
    "packages by itself, the log says why this one could not be had."
)


def with_comment(session: Session, result: Result, environment: Environment, reporter: Reporter) -> Result:
    """Keep the comments up to date, and add their URLs and what went wrong to the result; the step never fails with it.

    Args:
        session: What the run worked with.
        result: What came of the run.
        environment: The runner's variables.
        reporter: Gets the URLs in its log and a notice when there is no pull request.
    """
    if session.deadline.cancelled():
        reporter.log("The comment on the pull request was left as it is: the job was cancelled.")
        return result
    try:
        run = _choose_pull_request(WorkflowRun.of(environment.github), session.inputs.pull_request)
        if obstacle := _find_obstacle(run, session.inputs):
            warning = f"There is no comment on the pull request: {obstacle}"
            return replace(result, warnings=(*result.warnings, warning))
        comments = comment(session, result, run, reporter.mask)
    except Exception as error:  # noqa: BLE001 - the update was posted, and the step stays as it is
        problem = f"The comment on the pull request was not written. Internal error: {locate_defect(error)}."
        return replace(result, warnings=(*result.warnings, problem))
    for url in comments.urls:
        reporter.log(f"The comment on the pull request is up to date: {url}")
    if comments.pull_requests == ():
        change = f"commit {run.commit}" if run.commit else "this event"
        reporter.annotate(Level.NOTICE, f"There is no comment: no pull request belongs to {change}.")
    advice = (ADVICE,) if comments.failed and not session.deadline.cancelled() else ()
    return replace(result, comments=comments.urls, warnings=(*result.warnings, *comments.problems, *advice))


def comment(session: Session, result: Result, run: WorkflowRun, scrub: Callable[[str], str]) -> "CommentResult":
    """Create or edit the comment on the pull requests that a workflow run is about.

    Args:
        session: What the run worked with.
        result: What came of the run.
        run: The workflow run.
        scrub: Removes secrets from a text.
    """
    # Importing PyGithub takes long, so it waits until a comment is certain.
    from onlineornot_action.pull_request.github_api import GitHub  # noqa: PLC0415
    from onlineornot_action.pull_request.keep import keep_comments  # noqa: PLC0415

    deadline = session.deadline.within(session.limits.comment, detached=True)
    github = GitHub(run, session.inputs.github_token or "", deadline, scrub, session.network)
    marker = format_marker(session.page_id, result.incident_id)
    updates = _Updates(session, result, deadline)

    def write(failed_jobs: Sequence[str], before: str) -> str:
        state = parse_state(before)
        shown = updates.including(state.notified.keys())
        state = _next_state(state, session.inputs, result, shown, _find_failed_run(state, run, failed_jobs))
        return scrub(render(CommentContent(marker, state, shown, run)))

    return keep_comments(github, marker, write)


def _choose_pull_request(run: WorkflowRun, number: int | None) -> WorkflowRun:
    """Let the input `pull-request` take the place of what the event is about."""
    return run if number is None else replace(run, pull_request=number)


def _find_obstacle(run: WorkflowRun, inputs: Inputs) -> str:
    """Say why no request can be sent to GitHub, and what to do; empty if one can."""
    if find_spec("github") is None:
        return f"PyGithub is not installed. {INSTALLATION_ADVICE}"
    problem = next(_obstacles(run, inputs), "")
    return f"{problem}. {ADVICE}" if problem else ""


def _obstacles(run: WorkflowRun, inputs: Inputs) -> Iterator[str]:
    """Yield what is wrong with the token, and with what the runner says about GitHub."""
    if not inputs.github_token:
        yield "github-token is empty"
    elif not re.fullmatch("[!-~]+", inputs.github_token):
        yield "github-token contains a space or another character that no token has"
    elif inputs.github_token == inputs.api_token:
        yield "github-token is the API token of OnlineOrNot"
    if not re.fullmatch(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", run.api_url):
        yield "GITHUB_API_URL is not the URL of an API"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", run.repository):
        yield "GITHUB_REPOSITORY is not the name of a repository"


def _known_updates(session: Session, result: Result) -> Listing[IncidentUpdate] | None:
    """Return the updates as this run has read them, its own update aside; None when they may be out of date."""
    if isinstance(session.inputs.components, tuple) and result.update and result.update.components is None:
        return None  # the response has left out which components changed
    if result.outcome is Outcome.OPENED and result.update:
        return Listing(())
    known = result.known_updates
    return known if known and known.complete else None


class _Updates:
    """The incident's updates: as this run knows them, read again at most once."""

    def __init__(self, session: Session, result: Result, deadline: Deadline) -> None:
        self._session = session
        self._result = result
        self._deadline = deadline
        self._listing = _known_updates(session, result)
        self._is_fresh = False

    def including(self, ids: AbstractSet[str]) -> list[IncidentUpdate]:
        """Return all updates, newest first; they include these ids, except those of deleted updates."""
        if self._listing is None or self._misses(self._listing, ids):
            self._listing = self._read()
            self._is_fresh = True
        return _with_own(self._listing, self._result)

    def _misses(self, listing: Listing[IncidentUpdate], ids: AbstractSet[str]) -> bool:
        """Whether another run has posted an update that a comment shows and the listing does not."""
        return not self._is_fresh and not ids <= listing.ids | {self._result.update_id}

    def _read(self) -> Listing[IncidentUpdate]:
        client, page_id, incident_id = self._session.client, self._session.page_id, self._result.incident_id
        pages = partial(client.incident_update_pages, page_id, incident_id, self._deadline)
        return read_reliably(pages, self._deadline, self._session.limits.post)


def _with_own(listing: Listing[IncidentUpdate], result: Result) -> list[IncidentUpdate]:
    """Return the updates of a listing, newest first, with this run's update as it is now, or without a deleted one."""
    others = {update.id: update for update in listing.items}
    listed, own = others.pop(result.update_id, None), result.update
    if own is None:
        return newest_first(list(others.values()))
    if own.components is None and listed:  # a response may leave them out
        own = own.model_copy(update={"components": listed.components})
    return newest_first([own, *others.values()])


def _next_state(
    state: CommentState,
    inputs: Inputs,
    result: Result,
    updates: Sequence[IncidentUpdate],
    failed_run: FailedRun | None,
) -> CommentState:
    """Add what this run knows to what the comment knows."""
    posted = result.outcome in (Outcome.CREATED, Outcome.OPENED)
    notified = state.notified | ({result.update_id: result.notified} if posted else {})
    return CommentState(
        title=inputs.incident_title or state.title,
        notified={update.id: notified.get(update.id) for update in updates[:MAX_UPDATES]},
        incident_url=result.incident_url or state.incident_url,
        failed_run=failed_run,
    )


def _find_failed_run(state: CommentState, run: WorkflowRun, failed_jobs: Sequence[str]) -> FailedRun | None:
    """Return the failed run that triggered this one; or else the one that the comment knows.

    The comment also wins when it knows the same run and its jobs could not be read this time.
    """
    known = state.failed_run
    if run.failed_run is None:
        return known
    if known and known.id == run.failed_run and not failed_jobs:
        return known
    return FailedRun.of(run.failed_run, failed_jobs)
