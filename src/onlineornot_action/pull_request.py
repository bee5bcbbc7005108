"""GitHub's side: one comment for each incident on the pull requests behind a commit, kept up to date with PyGithub.

A comment is known by the first line of its text and by its author. Two runs may write it at the same time, and an
answer may be lost; so whoever has created one looks again, and of several the oldest stays.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import quote

import requests
from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest
from github.WorkflowJob import WorkflowJob
from urllib3 import Retry

from onlineornot_action.description import normalize_newlines
from onlineornot_action.input_values import quoted
from onlineornot_action.onlineornot.client import PER_PAGE, USER_AGENT
from onlineornot_action.onlineornot.deadline import POLL_SECONDS, Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.workflow import Workflow

MOST_PULL_REQUESTS = 3
MOST_LOST = 2
"""Comments that may be sent without an answer."""
ANSWER_SECONDS = 8
"""For one answer of GitHub's; its own limit is 10."""
LOST_PAUSE = 1.0
"""Seconds before a comment whose answer was lost is looked for."""

_RETRY = Retry(
    total=2,
    other=0,  # a failure of TLS may come after a comment was sent
    allowed_methods={"GET", "PATCH", "DELETE"},  # what may be repeated
    status_forcelist={500, 502, 503, 504},
    backoff_factor=0.5,
    respect_retry_after_header=False,  # it may ask for hours
    raise_on_status=False,
)
_PERMISSIONS = (
    "The update is not affected. For the comment the job needs permissions: pull-requests: write and issues: write "
    "(in a private repository contents: read as well), and github-token: ${{ github.token }}."
)


@dataclass
class Comments:
    """What has become of the comments so far.

    Attributes:
        pull_requests: The numbers of those that the comment belongs to; None as long as they are not known.
        urls: Where people see the comments that are up to date.
        problems: What somebody should mend.
    """

    pull_requests: list[int] | None = None
    urls: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def keep_comments(
    workflow: Workflow,
    token: str,
    marker: str,
    render: Callable[[Sequence[str]], str],
    deadline: Deadline,
    *,
    ca_bundle: str | None = None,
) -> Comments:
    """Create or edit the comment on each pull request; whatever goes wrong is told, and nothing is raised.

    Args:
        workflow: The run, which knows the pull requests or the commit, and where GitHub is.
        token: For GitHub's API, and sent nowhere else.
        marker: The first line of the comment.
        render: Writes the comment; it is given the names of the jobs that failed, if a failed run started this one.
        deadline: When to give up.
        ca_bundle: A file or folder of certificates to trust instead of certifi's.
    """
    comments = Comments()
    if problem := _unusable(workflow, token):
        comments.problems.append(f"{problem}. {_PERMISSIONS}")
        return comments
    keeper = _Keeper(workflow, token, marker, deadline, comments, ca_bundle)
    # PyGithub knows no deadline. Its thread is left behind at ours, and begins no write after it.
    thread = threading.Thread(target=keeper.run, args=(render,), daemon=True)
    thread.start()
    while thread.is_alive() and deadline.left() and not deadline.cancelled():
        thread.join(POLL_SECONDS)
    if thread.is_alive():
        why = "The comment on the pull request may not be up to date: the job was cancelled."
        problem = why if deadline.cancelled() else _not_written("GitHub did not answer in time")
        return Comments(comments.pull_requests, [*comments.urls], [*comments.problems, problem])
    return comments


def _unusable(workflow: Workflow, token: str) -> str:
    """Why GitHub is not even asked."""
    if not token:
        return "comment: true needs github-token, which is empty"
    if not re.fullmatch("[!-~]+", token):
        return "github-token is no token: it has a space or another character that no token has"
    if not re.fullmatch(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", workflow.api_url):
        return "There is no comment, as GITHUB_API_URL does not say where GitHub is"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", workflow.repository):
        return "There is no comment, as GITHUB_REPOSITORY does not say which repository this is"
    return ""


class _Keeper:
    """The work of one run, in a thread of its own."""

    def __init__(
        self,
        workflow: Workflow,
        token: str,
        marker: str,
        deadline: Deadline,
        comments: Comments,
        ca_bundle: str | None,
    ) -> None:
        self._workflow = workflow
        self._marker = marker
        self._deadline = deadline
        self._comments = comments
        self._github = Github(
            auth=Auth.Token(token),
            base_url=workflow.api_url.rstrip("/"),
            user_agent=USER_AGENT,
            per_page=PER_PAGE,
            timeout=ANSWER_SECONDS,
            verify=ca_bundle or True,
            retry=_RETRY,
            lazy=True,  # an object is made from its address, without a request
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self._repository = self._github.get_repo(workflow.repository)

    def run(self, render: Callable[[Sequence[str]], str]) -> None:
        """Keep all comments; the body of the thread."""
        try:
            self._comments.pull_requests = self._pull_requests()
            body = render(self._failed_jobs()) if self._comments.pull_requests else ""
            for number in self._comments.pull_requests:
                comment_id = self._keep(self._repository.get_issue(number), body)
                page = f"{self._workflow.server_url}/{self._workflow.repository}/pull/{number}"
                self._comments.urls.append(f"{page}#issuecomment-{comment_id}")
        except Exception as error:  # noqa: BLE001 - a comment is no reason to fail, whatever it is
            self._comments.problems.append(_not_written(_why(error)))

    def _pull_requests(self) -> list[int]:
        """The event's own one, or those of the commit, merged ones first."""
        if self._workflow.pull_request:
            return [self._workflow.pull_request]
        if not self._workflow.commit:
            return []
        pulls = PaginatedList(
            PullRequest,
            self._github.requester,
            f"{self._repository.url}/commits/{quote(self._workflow.commit)}/pulls",
            # Without these, PyGithub would ask for what a list leaves out.
            attributesTransformer=lambda attributes: {"base": None, "merged_at": None, **attributes},
        )
        # In a fork, the commit may belong to pull requests of the repository that it was forked from.
        ours = (pull for pull in pulls if self._is_ours(pull))
        return [pull.number for pull in sorted(ours, key=lambda pull: pull.merged_at is None)][:MOST_PULL_REQUESTS]

    def _is_ours(self, pull: PullRequest) -> bool:
        name = pull.base.repo.full_name if pull.base and pull.base.repo else self._workflow.repository
        return name.casefold() == self._workflow.repository.casefold()

    def _failed_jobs(self) -> list[str]:
        """The names of the jobs that failed in the run that started this one."""
        if not self._workflow.failed_run:
            return []
        address = f"{self._repository.url}/actions/runs/{self._workflow.failed_run}/jobs"
        try:
            jobs = PaginatedList(WorkflowJob, self._github.requester, address, list_item="jobs")
            return [job.name for job in jobs if job.conclusion in ("failure", "timed_out")]
        except Exception as error:  # noqa: BLE001 - the comment is worth writing without them
            self._comments.problems.append(
                f"The comment on the pull request does not name the failed jobs: {_why(error)}. "
                "For them the job needs permissions: actions: read."
            )
            return []

    def _keep(self, issue: Issue, body: str) -> int:
        """See to it that there is one comment, and that it says this; its id."""
        ours, made = self._find(issue), None
        if not ours:
            ours, made = self._create(issue, body)
        oldest = ours[0]
        if normalize_newlines(oldest.body or "") != body:
            self._check_time()
            issue.get_comment(oldest.id).edit(body)
        if made and made.id != oldest.id:
            self._check_time()
            with contextlib.suppress(UnknownObjectException):  # a first try may have worked
                issue.get_comment(made.id).delete()
        return oldest.id

    def _create(self, issue: Issue, body: str) -> tuple[list[IssueComment], IssueComment | None]:
        """Write the comment; what there is then, oldest first, and which of it this run has made."""
        for _ in range(MOST_LOST):
            if made := self._post(issue, body):
                return self._look_again(issue, made), made
            self._deadline.sleep(LOST_PAUSE)
            if ours := self._find(issue):
                return ours, next((comment for comment in reversed(ours) if comment.body == body), None)
        raise TimeoutError

    def _post(self, issue: Issue, body: str) -> IssueComment | None:
        """Send the comment; None when the answer was lost, and it may be there."""
        self._check_time()
        try:
            made = issue.create_comment(body)
        except GithubException as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return None
        except Exception:  # noqa: BLE001 - whatever came in place of an answer
            return None
        return made if made.id else None

    def _look_again(self, issue: Issue, made: IssueComment) -> list[IssueComment]:
        """All that is there now; of that which was made, the answer is proof enough."""
        try:
            return self._find(issue, made)
        except Exception:  # noqa: BLE001 - the comment is written
            return [made]

    def _find(self, issue: Issue, made: IssueComment | None = None) -> list[IssueComment]:
        """This account's comments on the incident, oldest first; one is known to be among them."""
        known = {made.id: made} if made else {}
        marked = (comment for comment in issue.get_comments() if (comment.body or "").startswith(self._marker))
        others = [comment for comment in marked if comment.id not in known]
        known |= {comment.id: comment for comment in others if comment.user and comment.user.login == self._login}
        return [known[comment_id] for comment_id in sorted(known)]

    @cached_property
    def _login(self) -> str:
        """The account that the token belongs to. A job's own token may not read `/user`, but GraphQL tells."""
        _, answer = self._github.requester.graphql_query("query { viewer { login } }", {})
        return str(answer["data"]["viewer"]["login"])

    def _check_time(self) -> None:
        """Begin no write when nobody waits for it any more."""
        self._deadline.check()
        if not self._deadline.left():
            raise TimeoutError


def _not_written(why: str) -> str:
    return f"The comment on the pull request was not written: {why}. {_PERMISSIONS}"


def _why(error: Exception) -> str:
    if isinstance(error, APIError):
        return f"the incident's updates could not be read ({error})"
    if isinstance(error, GithubException):
        return _refusal(error)
    if isinstance(error, requests.RequestException | TimeoutError):
        return "GitHub could not be reached, or did not answer in time"
    return f"GitHub's answer could not be understood ({type(error).__name__})"


def _refusal(error: GithubException) -> str:
    headers = error.headers or {}
    exhausted = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return "GitHub does not accept github-token"
    if isinstance(error, RateLimitExceededException) or error.status == HTTPStatus.TOO_MANY_REQUESTS or exhausted:
        return "GitHub takes no more requests for now"
    message = error.data.get("message") if isinstance(error.data, dict) else None
    quote_of_it = f": {quoted(message)}" if isinstance(message, str) else ""
    what = "failed" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused it"
    return f"GitHub {what} ({error.status}{quote_of_it})"
