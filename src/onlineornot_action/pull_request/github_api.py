"""GitHub's API, as much of it as a comment on a pull request needs; the only module that imports PyGithub.

Every failure leaves this module as a `GitHubError`, or as a `CancelledError` when the run was cancelled.
"""

import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

from github import Auth, BadAttributeException, Github
from github.IssueComment import IssueComment
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest
from github.Repository import Repository
from github.Requester import Requester
from github.WorkflowJob import WorkflowJob

from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Cause, ExchangeError, Network, Request, Response, Transport
from onlineornot_action.onlineornot.client import PER_PAGE, USER_AGENT
from onlineornot_action.onlineornot.responses import well_formed
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import normalize_newlines, quote

MAX_ATTEMPTS = 3
"""Of a request that may be repeated."""
MAX_PULL_REQUESTS = 3
MAX_COMMENTS_LENGTH = 8 * 1024 * 1024
"""Characters of all comments with the marker; GitHub has 65,536 in one at most."""

_WITH_CONTENT = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.MOVED_PERMANENTLY})
"""PyGithub follows a 301, which is GitHub's response where a repository was renamed, on the same host."""

T = TypeVar("T")


class GitHubError(Exception):
    """Raised when a request to GitHub failed, or no time was left for it; `status` is 0 without a readable response."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_rejection(self) -> bool:
        """Whether GitHub responded that it did not do what was asked, so that repeating it is pointless."""
        return 0 < self.status < HTTPStatus.INTERNAL_SERVER_ERROR and self.status != HTTPStatus.REQUEST_TIMEOUT

    @property
    def is_gone(self) -> bool:
        """Whether GitHub responded that the resource does not exist."""
        return self.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


class Comment(NamedTuple):
    """A comment on a pull request; each line of its text ends with LF, and a deleted account leaves no author."""

    id: int
    text: str
    author: str | None


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Raise `GitHubError` for whatever PyGithub makes of a malformed response: AssertionError, TypeError and others."""
    try:
        yield
    except (GitHubError, CancelledError):
        raise
    except Exception as error:
        raise GitHubError(f"GitHub's response could not be understood ({type(error).__name__})") from error


@dataclass(frozen=True)
class GitHub:
    """GitHub's API for one repository and one token.

    Reads and deletions are repeated at most `MAX_ATTEMPTS` times. A comment is created or edited once per call: the
    caller can check whether that worked, and decides whether to try again. No request begins after the deadline, whose
    limits apply to each, and the token is sent to the API's URL and nowhere else.

    https://docs.github.com/en/rest/issues/comments
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run
    """

    run: WorkflowRun
    token: str = field(repr=False)
    deadline: Deadline
    mask: Callable[[str], str]
    network: Network

    @cached_property
    @_explained()
    def login(self) -> str:
        """The account that the token belongs to.

        `/user` refuses the token of a job, GraphQL's `viewer` does not:
        https://docs.github.com/en/rest/users/users#get-the-authenticated-user
        https://docs.github.com/en/graphql/reference/queries
        """
        _, response = self._repository().requester.graphql_query("query { viewer { login } }", {})
        return str(response["data"]["viewer"]["login"])

    @_explained()
    def find_pull_requests(self) -> tuple[int, ...]:
        """Return the numbers of the pull requests that the event names, or else of those behind its commit."""
        run = self.run
        if run.pull_request:
            return (run.pull_request,)
        pulls = _list(self._repository(), PullRequest, f"commits/{run.commit}/pulls") if run.commit else ()
        numbers = tuple(pull.number for pull in _choose(pulls, run.repository.casefold(), run.commit.lower()))
        return (numbers or run.pull_requests)[:MAX_PULL_REQUESTS]

    @_explained()
    def find_failed_jobs(self, seconds: float) -> tuple[str, ...]:
        """Return the names of the jobs that failed in the workflow run that triggered this one."""
        if not self.run.failed_run:
            return ()
        repository = self._repository(self.deadline.within(seconds))
        jobs = _list(repository, WorkflowJob, f"actions/runs/{self.run.failed_run}/jobs", "jobs")
        return tuple(self.mask(job.name) for job in jobs if job.conclusion in ("failure", "timed_out"))

    @_explained()
    def list_comments(self, number: int, marker: str) -> list[Comment]:
        """List the comments on a pull request that begin with a marker, except those that are malformed."""
        comments: list[Comment] = []
        listed = _list(self._repository(), partial(_as_comment, marker), f"issues/{number}/comments")
        for comment in filter(None, listed):
            comments.append(comment)
            if sum(len(each.text) + len(each.author or "") for each in comments) > MAX_COMMENTS_LENGTH:
                raise GitHubError("the comments on the pull request are too long to be read")
        return comments

    @_explained()
    def create_comment(self, number: int, body: str) -> int:
        """Create a comment on a pull request, in one attempt, and return its id."""
        return int(self._repository().get_issue(number).create_comment(body).id)

    @_explained()
    def edit_comment(self, number: int, comment_id: int, body: str) -> None:
        """Replace the body of a comment, in one attempt."""
        comment = self._repository().get_issue(number).get_comment(comment_id)
        comment.edit(body)
        if normalize_newlines(comment.body or "") != body:
            raise GitHubError("GitHub did not confirm the edit")

    @_explained()
    def delete_comment(self, number: int, comment_id: int) -> None:
        """Delete a comment. One that does not exist is deleted: the response to an earlier attempt may be lost."""
        try:
            self._repository().get_issue(number).get_comment(comment_id).delete()
        except GitHubError as error:
            if not error.is_gone:
                raise

    def _repository(self, deadline: Deadline | None = None) -> Repository:
        """Make PyGithub's repository, from which requests are sent until a deadline; making it sends none.

        https://github.com/PyGithub/PyGithub/blob/main/github/Requester.py
        """
        # PyGithub has a handler that logs to standard error, untrusted text included:
        # https://github.com/PyGithub/PyGithub/blob/main/github/__init__.py
        logging.getLogger("github").handlers = [logging.NullHandler()]
        host_url = "/".join(self.run.api_url.split("/", 3)[:3])
        # It becomes a class attribute, where later versions of Python would bind a bare partial to the instance.
        connection = staticmethod(partial(_Connection, host_url, partial(self._send, deadline or self.deadline)))
        Requester.injectConnectionClasses(connection, connection)  # type: ignore[arg-type]  # a factory will do
        github = Github(
            auth=Auth.Token(self.token),
            base_url=self.run.api_url,
            user_agent=USER_AGENT,
            per_page=PER_PAGE,
            retry=0,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
        return github.get_repo(self.run.repository)

    @cached_property
    def _transport(self) -> Transport:
        """What sends all requests; PyGithub makes a connection for each."""
        return Transport(self.token, user_agent=USER_AGENT, network=self.network)

    def _send(self, deadline: Deadline, request: Request) -> Response:
        """Send a request until it succeeds, is refused, or has failed too often."""
        may_repeat = request.method in ("GET", "DELETE") or request.url.endswith("/graphql")
        max_attempts = MAX_ATTEMPTS if may_repeat else 1
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._exchange(deadline, request)
            except GitHubError as error:
                if error.is_rejection or attempts == max_attempts:
                    raise
            deadline.sleep(deadline.backoff(attempts))

    def _exchange(self, deadline: Deadline, request: Request) -> Response:
        """Make one exchange, unless the run was cancelled or the deadline has passed."""
        deadline.check()
        if not deadline.left():
            raise GitHubError("GitHub did not respond in time")
        # A comment is not worth a wait once the run was cancelled.
        deadline = deadline._replace(limits=deadline.limits._replace(grace=0))
        try:
            response = self._transport.exchange(request, deadline)
        except ExchangeError as error:
            deadline.check()  # a cancellation is what counts, not what it did to a write
            is_unknown = error.cause is Cause.UNKNOWN_AUTHORITY
            advice = "; name the file of its authority in REQUESTS_CA_BUNDLE" if is_unknown else ""
            raise GitHubError(f"{error}{advice}") from error
        response = response._replace(body=well_formed(response.body))
        _check(request, response, self.mask)
        return response


class _Connection:
    """What PyGithub takes for a connection to any host; the token goes only to the host of GitHub's API."""

    def __init__(self, host_url: str, send: Callable[[Request], Response], *_: object, **_options: object) -> None:
        self._host_url, self._send = host_url, send

    def request(self, verb: str, path: str, body: str | None, headers: Mapping[str, str], *_stream: bool) -> None:
        """Remember what to send."""
        self._request = Request(verb, self._host_url + path, body=(body or "").encode(), headers=headers)

    def getresponse(self) -> SimpleNamespace:
        """Send it, and return what PyGithub reads of a response. Links in it lead to the same host."""
        response = self._send(self._request)
        headers = {name.lower(): value for name, value in response.headers.items()}
        if link := headers.get("link"):
            headers["link"] = re.sub("<https?://[^/>]+", f"<{self._host_url}", link)
        text = response.body.decode(errors="replace")
        return SimpleNamespace(status=response.status, getheaders=headers.items, read=lambda: text)

    def close(self) -> None:
        """Leave the connection open for the next request."""


def _as_comment(marker: str, *attributes: Any, **options: Any) -> Comment | None:  # noqa: ANN401
    """Return only the needed parts of a comment; None if it is malformed or does not begin with the marker."""
    comment = IssueComment(*attributes, **options)
    with contextlib.suppress(BadAttributeException):
        text, author = normalize_newlines(comment.body or ""), comment.user.login if comment.user else None
        return Comment(comment.id, text, author) if text.startswith(marker) else None
    return None


def _list(repository: Repository, kind: Callable[..., T], path: str, within: str = "items") -> Iterable[T]:
    """List the objects of all pages, as `completed` ones, so that a missing field causes no further request."""
    complete: Any = partial(kind, completed=True)
    return PaginatedList(complete, repository.requester, f"{repository.url}/{path}", list_item=within)


def _choose(pulls: Iterable[PullRequest], repository: str, commit: str) -> list[PullRequest]:
    """Return the pull requests that brought a commit, which may be abbreviated; a field that is missing excludes none.

    GitHub lists every pull request that contains the commit, even those into which the default branch was merged since,
    and those of a fork, or of the repository that this one was forked from:
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    bases = ((pull, pull.base and pull.base.repo) for pull in pulls)
    ours = [pull for pull, base in bases if not base or base.full_name.casefold() == repository]
    if merged := [pull for pull in ours if pull.merged_at]:
        return [pull for pull in merged if (pull.merge_commit_sha or "").startswith(commit)] or merged
    heads = ((pull, pull.head and pull.head.sha) for pull in ours if pull.state != "closed")
    return [pull for pull, head in heads if not head or head.startswith(commit)]


def _check(request: Request, response: Response, mask: Callable[[str], str]) -> None:
    """Raise `GitHubError` unless a response is a success with content: PyGithub would treat none as an empty list."""
    content: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        content = json.loads(response.body.decode(errors="replace"))
    fields = content if isinstance(content, dict) else {}
    has_failed = response.status >= HTTPStatus.BAD_REQUEST
    is_graphql_error = request.url.endswith("/graphql") and not has_failed and "errors" in fields
    status = HTTPStatus.BAD_REQUEST if is_graphql_error else response.status
    if status >= HTTPStatus.BAD_REQUEST:
        raise GitHubError(_explain_status(status, response.headers, str(fields.get("message") or ""), mask), status)
    is_page = all(len(each) <= PER_PAGE for each in (content, *fields.values()) if isinstance(each, list))
    has_content = status in _WITH_CONTENT and isinstance(content, dict | list) and is_page
    if not has_content and request.method != "DELETE":
        raise GitHubError("GitHub's response could not be understood")


def _explain_status(status: int, headers: Mapping[str, str], message: str, mask: Callable[[str], str]) -> str:
    """Say why GitHub did not do what was asked.

    A 403 or 429 may be a rate limit, whether or not headers or a message say so:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return "GitHub does not accept github-token"
    is_exhausted = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if is_exhausted or status == HTTPStatus.TOO_MANY_REQUESTS or Requester.isRateLimitError(message):
        return "GitHub's rate limit is exhausted"
    verb = "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused the request"
    words = f": {quote(mask(message))}" if message else ""
    return f"GitHub {verb} ({status}{words})"
