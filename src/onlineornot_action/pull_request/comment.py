"""One comment per incident and pull request: found by its first line and its author, created or edited.

Two runs may create it at the same time, and a response may be lost. So a run that has created a comment looks again,
and of several the oldest stays.
"""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Listing, read_reliably
from onlineornot_action.inputs.model import Inputs
from onlineornot_action.inputs.variables import Environment
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import IncidentUpdate, newest_first
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.pull_request import body
from onlineornot_action.pull_request.body import CommentState, FailedRun
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.pull_request.github_api import Comment, GitHub, GitHubError
from onlineornot_action.report.actions import Level, Reporter
from onlineornot_action.session import Session

MAX_EDITS = 3
"""Attempts to edit a comment, each after another look at it."""
MAX_CREATIONS = 2
"""Attempts to create a comment, each after a search for the one whose response was lost."""
RESPONSE_SECONDS = 8
"""To connect to GitHub, and then for one response."""

ADVICE = (
    "The update itself is not affected. A comment needs github-token: ${{ github.token }} and permissions: "
    "pull-requests: write, issues: write, in a private repository contents: read, and on workflow_run actions: read."
)
STALE = "The comment may not be up to date on the pull request"
_KEY = "\n<!-- key "
"""Precedes the random word at the end of a comment, by which a run recognizes what it has sent."""

Render = Callable[[Sequence[str], str], str]
"""Writes a comment, given the names of the jobs that failed and the comment as it is; empty when there is none."""


class CommentLimits(NamedTuple):
    """Limits of updating a comment, in seconds."""

    failed_jobs: float = 4  # for the names of the jobs that failed, which the comment can do without
    lost_pauses: tuple[float, ...] = (1, 4)  # before each search for a comment whose response was lost


class CommentResult(NamedTuple):
    """What became of the comments; all empty if no pull request has one."""

    urls: tuple[str, ...] = ()  # of the comments that are up to date
    failures: tuple[str, ...] = ()  # why a comment, or the names in it, could not be written, a sentence each
    duplicates: tuple[str, ...] = ()  # which comments somebody should delete, a sentence each


def with_comment(session: Session, result: Result, environment: Environment, reporter: Reporter) -> Result:
    """Bring the comments up to date, and add their URLs and what went wrong to the result."""
    if session.deadline.cancelled():
        reporter.log("The comment on the pull request was left as it is: the run was cancelled.")
        return result
    run = WorkflowRun.of(environment.github)
    run = run._replace(pull_request=session.inputs.pull_request or run.pull_request)
    if obstacle := _find_obstacle(run, session.inputs):
        warning = f"There is no comment on the pull request: {obstacle}. {ADVICE}"
        return result._replace(warnings=(*result.warnings, warning))
    comments = _comment(session, result, run, reporter.mask)
    for url in comments.urls:
        reporter.log(f"The comment on the pull request is up to date: {url}")
    if comments == CommentResult():
        change = f"commit {run.commit}" if run.commit else "this event"
        reporter.annotate(Level.NOTICE, f"There is no comment: no pull request belongs to {change}.")
    advice = (ADVICE,) if comments.failures and not session.deadline.cancelled() else ()
    warnings = (*result.warnings, *comments.failures, *comments.duplicates, *advice)
    return result._replace(comments=comments.urls, warnings=warnings)


def _find_obstacle(run: WorkflowRun, inputs: Inputs) -> str:
    """Say what is wrong with the token, or with what the runner says about GitHub; empty if a request can be sent."""
    token = inputs.github_token or ""
    obstacles = {
        "github-token is empty": not token,
        "github-token contains a space or another character that no token has": not re.fullmatch("[!-~]*", token),
        "github-token is the API token of OnlineOrNot": token == inputs.api_token,
        "GITHUB_API_URL is not the URL of an API": not re.fullmatch(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", run.api_url),
        "GITHUB_REPOSITORY is not the name of a repository": not re.fullmatch(r"[\w.-]+/[\w.-]+", run.repository),
    }
    return next((problem for problem, is_there in obstacles.items() if is_there), "")


def _comment(session: Session, result: Result, run: WorkflowRun, mask: Callable[[str], str]) -> CommentResult:
    """Create or edit the comment on the pull requests that a workflow run is about."""
    deadline = session.deadline.within(session.limits.comment, detached=True)
    limits = deadline.limits._replace(connect=RESPONSE_SECONDS, response=RESPONSE_SECONDS)
    github = GitHub(run, session.inputs.github_token or "", deadline._replace(limits=limits), mask, session.network)
    marker = body.format_marker(session.page_id, result.incident_id)
    incident = _Incident(session, result, deadline)

    def write(failed_jobs: Sequence[str], before: str) -> str:
        known = body.parse_state(before)
        shown = incident.updates_including(known.notified.keys())
        state = _next_state(known, result, shown, run.failed_run, failed_jobs)
        return mask(body.render(marker, state, shown, run, *incident.title_and_url))

    return upsert_comments(github, marker, write, CommentLimits())


def upsert_comments(github: GitHub, marker: str, render: Render, limits: CommentLimits) -> CommentResult:
    """Create or edit the comment on each pull request; every failure is in the result, and nothing is raised."""
    numbers, failed_jobs = tuple[int, ...](), tuple[str, ...]()
    failures, duplicates, urls = list[str](), list[str](), list[str]()
    with _collected(failures, STALE):
        numbers = github.find_pull_requests()
    if numbers:
        with _collected(failures, "The comment does not name the failed jobs"):
            failed_jobs = github.find_failed_jobs(limits.failed_jobs)
    for number in numbers:
        comment = _PullRequestComment(github, number, marker, partial(render, failed_jobs), limits, duplicates)
        with _collected(failures, f"{STALE} #{number}"):
            urls.append(comment.upsert())
    return CommentResult(tuple(urls), tuple(failures), tuple(duplicates))


@contextlib.contextmanager
def _collected(problems: list[str], problem: str) -> Iterator[None]:
    """Add an exception to the problems, so that the step does not fail and other comments are still written."""
    try:
        yield
    except (GitHubError, CancelledError) as error:
        problems.append(f"{problem}: {error}.")
    except APIError as error:
        problems.append(f"{problem}: the incident's updates could not be read ({error}).")
    except Exception as error:  # noqa: BLE001 - see above
        problems.append(f"{problem}: internal error ({type(error).__name__}).")


@dataclass(frozen=True)
class _PullRequestComment:
    """The comment on one pull request; a sentence for each of its duplicates is added to `duplicates`."""

    github: GitHub
    number: int
    marker: str
    render: Callable[[str], str]
    limits: CommentLimits
    duplicates: list[str]
    key: str = field(default_factory=lambda: f"{_KEY}{secrets.token_hex(8)} -->")

    def upsert(self) -> str:
        """Leave one comment that is up to date, and return its URL."""
        oldest, *duplicates = self._write()
        own = [comment for comment in duplicates if comment.text.endswith(self.key)]
        for comment in own:
            with _collected(self.duplicates, self._duplicate(comment)):
                self.github.delete_comment(self.number, comment.id)
        if duplicates and not own:
            with contextlib.suppress(GitHubError, CancelledError):  # the oldest is up to date, which is what counts
                self.github.deadline.sleep(max(self.limits.lost_pauses))  # their runs may delete them
                self.duplicates.extend(f"{self._duplicate(comment)}." for comment in self._find()[1:])
        return self._url(oldest.id)

    def _write(self) -> list[Comment]:
        """Update the oldest comment, or create one; return all comments on the incident, oldest first."""
        comments: list[Comment] = []
        attempts = 0
        while True:
            attempts += 1
            comments = self._find() or comments or self._create()
            oldest = comments[0]
            text = self.render(oldest.text)
            if oldest.text.partition(_KEY)[0] == text:
                return comments
            try:
                self.github.edit_comment(self.number, oldest.id, text)
            except GitHubError as error:
                if attempts == MAX_EDITS or (error.is_rejection and not error.is_gone):
                    raise
                comments = [] if error.is_gone else comments
            else:
                return comments
            # Another run may edit the comment in the meantime, so it is read again before the next attempt.
            self.github.deadline.sleep(self.github.deadline.backoff(attempts))

    def _create(self) -> list[Comment]:
        """Create the comment. If the response is lost, search before sending again: two copies are worse than none."""
        text = self.render("") + self.key
        attempts = 0
        while True:
            attempts += 1
            try:
                created = Comment(self.github.create_comment(self.number, text), text, None)
            except GitHubError as error:
                if error.is_rejection:
                    raise
                if found := self._find_lost():
                    return found
                if attempts == MAX_CREATIONS:
                    raise
            else:
                with _collected(self.duplicates, f"The comment on pull request #{self.number} may be there twice"):
                    return self._find(created)
                return [created]

    def _find_lost(self) -> list[Comment]:
        """Search for a comment whose response was lost, and which may still be on its way; empty without one."""
        for pause in self.limits.lost_pauses:
            self.github.deadline.sleep(pause)
            if found := self._find():
                return found
        return []

    def _find(self, created: Comment | None = None) -> list[Comment]:
        """Return this account's comments on the incident, oldest first, with the new one even if the list lags."""
        ours = {created.id: created} if created else {}
        marked = [each for each in self.github.list_comments(self.number, self.marker) if each.id not in ours]
        # Anybody can copy the marker, so the author counts as well. The login costs a request when it is first used.
        ours |= {comment.id: comment for comment in marked if comment.author == self.github.login}
        return [ours[comment_id] for comment_id in sorted(ours)]

    def _duplicate(self, comment: Comment) -> str:
        return f"The comment on pull request #{self.number} is there twice, delete {self._url(comment.id)}"

    def _url(self, comment_id: int) -> str:
        run = self.github.run
        return f"{run.server_url}/{run.repository}/pull/{self.number}#issuecomment-{comment_id}"


class _Incident:
    """The incident as this run knows it; anything else about it is read at most once."""

    def __init__(self, session: Session, result: Result, deadline: Deadline) -> None:
        pages = partial(session.client.incident_update_pages, session.page_id, result.incident_id, deadline)
        self._read = partial(read_reliably, pages, deadline, session.limits.post)
        self._soon = partial(deadline.within, session.limits.follow_up, detached=True)
        self._session, self._result = session, result
        self._listing = _known_updates(session, result)
        self._is_fresh = False

    @cached_property
    def title_and_url(self) -> tuple[str, str]:
        """The title and the public address; empty when this run does not know them and cannot read them either."""
        session, result = self._session, self._result
        title, url = result.incident_title, result.incident_url
        with contextlib.suppress(APIError):
            title = title or session.client.get_incident(session.page_id, result.incident_id, self._soon()).title or ""
        with contextlib.suppress(APIError):
            url = url or session.read_url(result.incident_id, self._soon())
        return title, url

    def updates_including(self, ids: AbstractSet[str]) -> list[IncidentUpdate]:
        """Return all updates, newest first; they include these ids, except those of deleted updates."""
        # Another run may have posted an update that a comment shows and the listing lacks.
        if self._listing is None or (not self._is_fresh and ids - self._listing.ids - {self._result.update_id}):
            self._listing, self._is_fresh = self._read(), True
        return _with_own(self._listing, self._result)


def _known_updates(session: Session, result: Result) -> Listing[IncidentUpdate] | None:
    """Return the updates as this run has read them, its own update aside; None when they may be out of date."""
    if isinstance(session.inputs.components, tuple) and result.update and result.update.components is None:
        return None  # the response has left out which components changed
    if result.outcome is Outcome.OPENED and result.update:
        return Listing(())
    known = result.known_updates
    return known if known and known.complete else None


def _with_own(listing: Listing[IncidentUpdate], result: Result) -> list[IncidentUpdate]:
    """Return the updates of a listing, newest first, with this run's update as it is now, or without a deleted one."""
    others = {update.id: update for update in listing.items}
    listed, own = others.pop(result.update_id, None), result.update
    if own and own.components is None and listed:  # a response may leave them out
        own = own.model_copy(update={"components": listed.components})
    return newest_first([own, *others.values()] if own else others.values())


def _next_state(
    known: CommentState, result: Result, shown: Sequence[IncidentUpdate], run_id: int | None, jobs: Sequence[str]
) -> CommentState:
    """Add what this run knows, the failed run that triggered it and its jobs included, to what the comment knows."""
    posted = result.outcome in (Outcome.CREATED, Outcome.OPENED)
    notified = known.notified | ({result.update_id: result.notified} if posted else {})
    notified = {update.id: notified.get(update.id) for update in shown[: body.MAX_UPDATES]}
    failed_run = known.failed_run
    is_known = failed_run is not None and failed_run.id == run_id
    if run_id and (jobs or not is_known):
        failed_run = FailedRun.of(run_id, jobs)
    return CommentState(notified=notified, failed_run=failed_run)
