"""One comment per incident and pull request: found by its first line and its author, created or edited.

Two runs may create it at the same time, and a response may be lost. So a run that has created a comment looks again,
and of several the oldest stays.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue

from onlineornot_action.network.deadline import POLL_SECONDS, CancelledError
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.pull_request.find_pull_requests import find_pull_requests
from onlineornot_action.pull_request.github_api import GitHub, GitHubError
from onlineornot_action.pull_request.github_models import IssueComment

MAX_EDITS = 3
"""Attempts to edit a comment, each after another look at it."""
MAX_LOST_WRITES = 2
"""Comments that may be sent without a response."""

STALE = "The comment may not be up to date on the pull request"
_KEY = "\n<!-- key "
"""Before the random word that ends a comment, by which a run recognizes what it has sent."""

Render = Callable[[Sequence[str], str], str]
"""Writes a comment, given the names of the jobs that failed and the comment as it is; empty when there is none."""


@dataclass(frozen=True)
class CommentLimits:
    """In seconds."""

    failed_jobs: float = 4
    """For the names of the jobs that failed, which the comment can do without."""
    lost_pauses: tuple[float, ...] = (1, 4)
    """Before each look for a comment whose response was lost."""


@dataclass(frozen=True)
class CommentResult:
    """What became of the comments.

    Attributes:
        pull_requests: The numbers of the pull requests that the comment belongs to; None while unknown.
        urls: Where people see the comments that are up to date.
        problems: What somebody should fix, one sentence each.
        failed: Whether an error is among the problems.
    """

    pull_requests: tuple[int, ...] | None = None
    urls: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failed: bool = False


DEFAULT_COMMENT_LIMITS = CommentLimits()


def keep_comments(
    github: GitHub, marker: str, render: Render, limits: CommentLimits = DEFAULT_COMMENT_LIMITS
) -> CommentResult:
    """Create or edit the comment on each pull request; every failure is in the result, and nothing is raised.

    PyGithub knows no deadline. Its thread is left behind at ours; it begins no request after that, and what it has
    done until then is in the result.
    """
    steps: SimpleQueue[CommentResult] = SimpleQueue()

    def keep() -> None:
        for step in _keep_all(github, marker, render, limits):
            steps.put(step)

    deadline, thread = github.deadline, threading.Thread(target=keep, daemon=True)
    thread.start()
    while thread.is_alive() and deadline.left() and not deadline.cancelled():
        thread.join(POLL_SECONDS)
    is_left_behind = thread.is_alive()
    result = _merge([steps.get() for _ in range(steps.qsize())])
    if not is_left_behind:
        return result
    reason = "the job was cancelled" if deadline.cancelled() else "it took too long"
    return replace(result, problems=(*result.problems, f"{STALE}: {reason}."), failed=True)


def _merge(steps: Iterable[CommentResult]) -> CommentResult:
    """Join what each step has found."""
    result = CommentResult()
    for step in steps:
        result = CommentResult(
            pull_requests=result.pull_requests if step.pull_requests is None else step.pull_requests,
            urls=(*result.urls, *step.urls),
            problems=(*result.problems, *step.problems),
            failed=result.failed or step.failed,
        )
    return result


def _keep_all(github: GitHub, marker: str, render: Render, limits: CommentLimits) -> Iterator[CommentResult]:
    """Keep every comment; yields the result of each step as soon as it is done."""
    try:
        numbers = find_pull_requests(github)
    except Exception as error:  # noqa: BLE001 - a comment is no reason for the step to fail
        yield _failure(STALE, error)
        return
    yield CommentResult(pull_requests=numbers)
    if not numbers:
        return
    failed_jobs: tuple[str, ...] = ()
    try:
        failed_jobs = _find_failed_jobs(github.within(limits.failed_jobs))
    except Exception as error:  # noqa: BLE001 - the comment is worth writing without them
        yield _failure("The comment does not name the failed jobs", error)
    for number in numbers:
        comment = _PullRequestComment(github, number, marker, partial(render, failed_jobs), limits)
        try:
            yield from comment.keep()
        except Exception as error:  # noqa: BLE001 - the other pull requests are worth an attempt
            yield _failure(f"{STALE} #{number}", error)


def _find_failed_jobs(github: GitHub) -> tuple[str, ...]:
    """Return the names of the jobs that failed in the workflow run that triggered this one."""
    if not github.run.failed_run:
        return ()
    jobs = github.jobs(github.run.failed_run)
    return tuple(github.scrub(job.name) for job in jobs if job.conclusion in ("failure", "timed_out"))


@dataclass(frozen=True)
class _Written:
    """What is on the pull request once the comment is written.

    Attributes:
        comments: This account's comments on the incident, oldest first; the oldest is up to date.
        step: What else there is to report.
    """

    comments: list[IssueComment]
    step: CommentResult = CommentResult()


@dataclass(frozen=True)
class _PullRequestComment:
    """The comment on one pull request."""

    github: GitHub
    number: int
    marker: str
    render: Callable[[str], str]
    limits: CommentLimits
    key: str = field(default_factory=lambda: f"{_KEY}{secrets.token_hex(8)} -->")

    def keep(self) -> Iterator[CommentResult]:
        """Leave one comment that is up to date."""
        written = self._write()
        yield written.step
        oldest, *duplicates = written.comments
        yield from self._clean_up(duplicates)
        yield CommentResult(urls=(self._url(oldest.id),))

    def _write(self) -> _Written:
        """Make the oldest comment say what it should; create it if there is none."""
        written = _Written([])
        attempts = 0
        while True:
            attempts += 1
            written = self._find_or_create(written)
            try:
                self._edit(written.comments[0])
            except GitHubError as error:
                if attempts == MAX_EDITS or (error.is_refusal and not error.is_gone):
                    raise
                if error.is_gone:
                    written = replace(written, comments=[])
            else:
                return written
            # Another run may edit it in the meantime, so it is read again before the next attempt.
            self.github.deadline.sleep(self.github.deadline.backoff(attempts))

    def _find_or_create(self, known: _Written) -> _Written:
        """Return the comments as they are now, or else those known before, or else a new one."""
        if found := self._find():
            return replace(known, comments=found)
        if known.comments:
            return known
        created = self._create()
        return replace(created, step=_merge([known.step, created.step]))

    def _edit(self, comment: IssueComment) -> None:
        """Make a comment say what it should, unless it does."""
        body = self.render(comment.text)
        if comment.text.partition(_KEY)[0] != body:
            self.github.edit_comment(comment.id, body)

    def _create(self) -> _Written:
        """Create the comment. A lost one is looked for before it is sent again: two copies are worse than none."""
        body = self.render("") + self.key
        attempts = 0
        while True:
            attempts += 1
            try:
                created = self.github.create_comment(self.number, body)
            except GitHubError as error:
                if error.is_refusal:
                    raise
                if found := self._find_lost():
                    return _Written(found)
                if attempts == MAX_LOST_WRITES:
                    raise
            else:
                return self._look_again(IssueComment(id=created.id, body=body))

    def _find_lost(self) -> list[IssueComment]:
        """Look for a comment whose response was lost, and which may still be on its way; empty without one."""
        for pause in self.limits.lost_pauses:
            self.github.deadline.sleep(pause)
            if found := self._find():
                return found
        return []

    def _look_again(self, created: IssueComment) -> _Written:
        """Look whether another run has created the comment as well; the new one exists even if the list lags."""
        try:
            return _Written(self._find(created))
        except (GitHubError, CancelledError) as error:  # the comment itself is written
            problem = f"The comment on pull request #{self.number} may be there twice"
            return _Written([created], _failure(problem, error))

    def _find(self, created: IssueComment | None = None) -> list[IssueComment]:
        """Return this account's comments on the incident, oldest first; one may be known to be among them."""
        ours = {created.id: created} if created else {}
        comments = self.github.comments(self.number)
        marked = [comment for comment in comments if comment.text.startswith(self.marker) and comment.id not in ours]
        # Anybody can copy the marker, so the author counts as well. The login costs a request when it is first used.
        ours |= {comment.id: comment for comment in marked if comment.user and comment.user.login == self.github.login}
        return [ours[comment_id] for comment_id in sorted(ours)]

    def _clean_up(self, duplicates: Sequence[IssueComment]) -> Iterator[CommentResult]:
        """Delete the duplicates that this run has created; if there are others, mention them."""
        own = [comment for comment in duplicates if comment.text.endswith(self.key)]
        for comment in own:
            yield self._delete(comment)
        if duplicates and not own:
            yield self._mention_duplicates()

    def _delete(self, comment: IssueComment) -> CommentResult:
        try:
            self.github.delete_comment(comment.id)
        except (GitHubError, CancelledError) as error:  # the oldest comment is up to date
            return _failure(self._duplicate(comment), error)
        return CommentResult()

    def _mention_duplicates(self) -> CommentResult:
        """Name the duplicates, unless the run that has created them deletes them right now."""
        try:
            self.github.deadline.sleep(max(self.limits.lost_pauses))
            duplicates = self._find()[1:]
        except (GitHubError, CancelledError):  # the oldest comment is up to date, which is what counts
            return CommentResult()
        return CommentResult(problems=tuple(f"{self._duplicate(comment)}." for comment in duplicates))

    def _duplicate(self, comment: IssueComment) -> str:
        return f"The comment on pull request #{self.number} is there twice, delete {self._url(comment.id)}"

    def _url(self, comment_id: int) -> str:
        run = self.github.run
        return f"{run.server_url}/{run.repository}/pull/{self.number}#issuecomment-{comment_id}"


def _failure(problem: str, error: Exception) -> CommentResult:
    return CommentResult(problems=(f"{problem}: {_explain(error)}.",), failed=True)


def _explain(error: Exception) -> str:
    if isinstance(error, GitHubError):
        return str(error)
    if isinstance(error, CancelledError):
        return "the job was cancelled"
    if isinstance(error, APIError):
        return f"the incident's updates could not be read ({error})"
    return f"internal error ({type(error).__name__})"
