"""GitHub's API, as much of it as a comment on a pull request needs; the only module that imports PyGithub.

Every failure leaves this module as a `GitHubError`, or as a `CancelledError` when the job was cancelled.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from http import HTTPStatus
from math import ceil
from typing import TypeVar

from github import Auth, Github, GithubException, RateLimitExceededException
from github.Requester import Requester
from pydantic import TypeAdapter, ValidationError

from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import ExchangeError, Network, run_within
from onlineornot_action.onlineornot.client import PER_PAGE, USER_AGENT
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.pull_request.github_models import Account, IssueComment, Job, PullRequest
from onlineornot_action.pull_request.github_network import connect_through, explain_connection_failure
from onlineornot_action.text import quote

MAX_PAGES = 100
MAX_ATTEMPTS = 3
"""Of a request that may be repeated."""
RESPONSE_SECONDS = 8
"""For one response from GitHub."""

_UNREACHABLE = "GitHub could not be reached, or did not respond in time"

T = TypeVar("T")


class GitHubError(Exception):
    """A request to GitHub failed, or there was no time left for it; the text says why.

    Attributes:
        status: The HTTP status; 0 without a response that PyGithub understands.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """Whether GitHub responded that it did not do what was asked, so that repeating it is pointless."""
        return 0 < self.status < HTTPStatus.INTERNAL_SERVER_ERROR and self.status != HTTPStatus.REQUEST_TIMEOUT

    @property
    def is_gone(self) -> bool:
        """Whether GitHub responded that the resource does not exist."""
        return self.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


_Item = TypeVar("_Item", PullRequest, IssueComment, Job)
_ITEMS = TypeAdapter(list[object])


@dataclass(frozen=True)
class GitHub:
    """GitHub's API for one repository and one token.

    Reads and deletions are repeated until the deadline, at most `MAX_ATTEMPTS` times. A comment is created or edited
    once per call: whether to do it again is for the caller to decide, who can look whether it worked.

    https://docs.github.com/en/rest/issues/comments
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run

    Attributes:
        run: This workflow run, which knows the API's URL and the repository.
        token: Sent to that URL and nowhere else.
        deadline: No request begins after it.
        scrub: Removes secrets from what GitHub says.
        network: How GitHub is reached.
        response_seconds: For one response; PyGithub takes whole seconds only.
    """

    run: WorkflowRun
    token: str = field(repr=False)
    deadline: Deadline
    scrub: Callable[[str], str]
    network: Network = field(default_factory=Network)
    response_seconds: int = RESPONSE_SECONDS

    def within(self, seconds: float) -> "GitHub":
        """Return the same API with an earlier deadline."""
        response_seconds = min(self.response_seconds, ceil(seconds))
        return replace(self, deadline=self.deadline.within(seconds), response_seconds=response_seconds)

    @cached_property
    def login(self) -> str:
        """The account that the token belongs to.

        `/user` refuses the token of a job, GraphQL's `viewer` does not:
        https://docs.github.com/en/rest/users/users#get-the-authenticated-user
        https://docs.github.com/en/graphql/reference/queries
        """
        return self._repeat(self._query_login)

    def pull_requests(self, commit: str) -> Iterator[PullRequest]:
        """List the pull requests that GitHub associates with a commit."""
        return self._list(f"commits/{commit}/pulls", PullRequest)

    def jobs(self, run_id: int) -> Iterator[Job]:
        """List the jobs of a workflow run."""
        return self._list(f"actions/runs/{run_id}/jobs", Job, within="jobs")

    def comments(self, number: int) -> Iterator[IssueComment]:
        """List all comments on a pull request."""
        return self._list(f"issues/{number}/comments", IssueComment)

    def create_comment(self, number: int, body: str) -> IssueComment:
        """Create a comment on a pull request, in one attempt."""
        return self._attempt(partial(self._send_body, "POST", f"issues/{number}/comments", body))

    def edit_comment(self, comment_id: int, body: str) -> None:
        """Replace the body of a comment, in one attempt."""
        edited = self._attempt(partial(self._send_body, "PATCH", f"issues/comments/{comment_id}", body))
        if edited.text != body:
            raise GitHubError("GitHub did not confirm the edit")

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment. One that does not exist is deleted: the response to an earlier attempt may be lost."""
        try:
            self._repeat(partial(self._send, "DELETE", f"issues/comments/{comment_id}"))
        except GitHubError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    @cached_property
    def _requester(self) -> Requester:
        """PyGithub's HTTP layer, without its own repetitions and pauses.

        https://github.com/PyGithub/PyGithub/blob/main/github/Requester.py
        """
        # PyGithub has a handler that logs to standard error, untrusted text included:
        # https://github.com/PyGithub/PyGithub/blob/main/github/__init__.py
        logging.getLogger("github").handlers = [logging.NullHandler()]
        requester = Github(
            auth=Auth.Token(self.token),
            base_url=self.run.api_url,
            user_agent=USER_AGENT,
            timeout=self.response_seconds,
            retry=0,  # it would repeat a POST after a lost response
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester
        connect_through(requester, self.network)
        return requester

    def _list(self, path: str, kind: type[_Item], within: str = "") -> Iterator[_Item]:
        """List the items of all pages, except those that do not fit the model.

        Pages are counted here. PyGithub's PaginatedList takes an empty response for an empty list, and sends the token
        to any address on GitHub's domain that a `Link` header names:
        https://github.com/PyGithub/PyGithub/blob/main/github/PaginatedList.py
        """
        previous: list[object] = []
        for number in range(1, MAX_PAGES + 1):
            items, is_last = self._repeat(partial(self._page, path, number, within))
            # PyGithub drops the query when it follows the 301 of a renamed repository, so every page is the first.
            if items == previous:
                return
            for item in items:
                with contextlib.suppress(ValidationError):
                    yield kind.model_validate(item)
            if is_last:
                return
            previous = items

    def _page(self, path: str, number: int, within: str) -> tuple[list[object], bool]:
        """Get one page: its items, and whether it is the last.

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        query = {"per_page": PER_PAGE, "page": number}
        headers, response = self._requester.requestJsonAndCheck("GET", self._url(path), query)
        items = _ITEMS.validate_python(response[within] if within else response)
        return items, 'rel="next"' not in headers.get("link", "")

    def _query_login(self) -> str:
        _, response = self._requester.graphql_query("query { viewer { login } }", {})
        return Account.model_validate(response["data"]["viewer"]).login

    def _send_body(self, verb: str, path: str, body: str) -> IssueComment:
        return IssueComment.model_validate(self._send(verb, path, {"body": body}))

    def _send(self, verb: str, path: str, content: dict[str, str] | None = None) -> object:
        return self._requester.requestJsonAndCheck(verb, self._url(path), input=content)[1]

    def _url(self, path: str) -> str:
        return f"/repos/{self.run.repository}/{path}"

    def _repeat(self, exchange: Callable[[], T]) -> T:
        """Attempt an exchange until it succeeds, is refused, or has failed too often."""
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._attempt(exchange)
            except GitHubError as error:
                if error.is_refusal or attempts == MAX_ATTEMPTS:
                    raise
            self.deadline.sleep(self.deadline.backoff(attempts))

    def _attempt(self, exchange: Callable[[], T]) -> T:
        """Make one exchange, unless the job was cancelled or the deadline is over."""
        self.deadline.check()
        if not self.deadline.left():
            raise GitHubError(_UNREACHABLE)
        try:
            limits = replace(self.deadline.limits, response=self.response_seconds)
            deadline = replace(self.deadline, limits=limits)
            return run_within(deadline, exchange, self.run.api_url, self.network, writes=True)
        except CancelledError:
            raise
        except Exception as error:
            # PyGithub raises its own errors, those of requests, json and urllib.parse, and AssertionError.
            raise self._as_github_error(error) from error

    def _as_github_error(self, error: Exception) -> GitHubError:
        if isinstance(error, GithubException):
            return GitHubError(_explain_status(error, self.scrub), error.status)
        if isinstance(error, ExchangeError):
            return GitHubError(explain_connection_failure(error) or _UNREACHABLE)
        return GitHubError(f"GitHub's response could not be understood ({type(error).__name__})")


def _explain_status(error: GithubException, scrub: Callable[[str], str]) -> str:
    if error.status == HTTPStatus.UNAUTHORIZED:
        return "GitHub does not accept github-token"
    if _is_rate_limit(error):
        return "GitHub's rate limit is exhausted"
    verb = "failed" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused the request"
    message = _find_message(error.data)
    return f"GitHub {verb} ({error.status}{f': {quote(scrub(message))}' if message else ''})"


def _is_rate_limit(error: GithubException) -> bool:
    """Whether a primary or secondary rate limit is exhausted: 403 or 429, whether or not headers or a message say so.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    headers = error.headers or {}
    if error.status == HTTPStatus.TOO_MANY_REQUESTS or isinstance(error, RateLimitExceededException):
        return True
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _find_message(response: object) -> str:
    """Return GitHub's message, or that of the first error in a GraphQL response; empty without one."""
    errors = response.get("errors") if isinstance(response, dict) else None
    parts = [response, *(errors if isinstance(errors, list) else ())]
    messages = (part.get("message") for part in parts if isinstance(part, dict))
    return next((message for message in messages if isinstance(message, str)), "")
