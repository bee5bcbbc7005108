"""GitHub's side: one comment for each incident on the pull requests behind a commit, with PyGithub.

A comment is known by the first line of its text and by its author. Two runs may write it at the same time, and an
response may be lost; so whoever has created one looks again, and of several the oldest stays.
"""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from http import HTTPStatus
from itertools import count
from typing import TypeVar

import requests
from github import Auth, Github, GithubException, RateLimitExceededException
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from onlineornot_action.onlineornot.client import PER_PAGE, USER_AGENT
from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, POLL_SECONDS, Deadline, backoff
from onlineornot_action.onlineornot.errors import APIError, CancelledError
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.text import normalize_newlines, quote

MAX_PULL_REQUESTS = 3
MAX_PAGES = 100
MAX_ATTEMPTS = 3
"""Of a request that may be repeated."""
MAX_LOST_WRITES = 2
"""Comments that may be sent without a response."""
ANSWER_SECONDS = 8
"""For one response of GitHub's."""
JOBS_SECONDS = 4
"""For the names of the jobs that failed, without which the comment can do."""
LOST_PAUSES = (1.0, 4.0)
"""Seconds before each look for a comment whose response was lost."""

STALE = "The comment may not be up to date on the pull request"
_KEY = "\n<!-- key "
"""Before the random word that ends a comment: by that a run knows what it has sent."""

T = TypeVar("T")
Render = Callable[[Sequence[str], str], str]
"""Writes a comment, given the names of the jobs that failed and the comment as it is; empty when there is none."""


@dataclass
class Comments:
    """What has become of the comments so far.

    Attributes:
        pull_requests: The numbers of those that the comment belongs to; None as long as they are not known.
        urls: Where people see the comments that are up to date.
        problems: What somebody should mend, a sentence for each.
        failed: Whether something went wrong.
    """

    pull_requests: list[int] | None = None
    urls: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failed: bool = False


def keep_comments(
    workflow_run: WorkflowRun,
    token: str,
    marker: str,
    render: Render,
    deadline: Deadline,
    *,
    ca_bundle: str | None,
    scrub: Callable[[str], str],
) -> Comments:
    """Create or edit the comment on each pull request; whatever goes wrong is told, and nothing is raised.

    Args:
        workflow_run: The run, which knows the pull requests or the commit, and where GitHub is.
        token: For GitHub's API, and sent nowhere else.
        marker: The first line of the comment.
        render: Writes it.
        deadline: When to give up.
        ca_bundle: A file or folder of certificates to trust instead of certifi's.
        scrub: Takes the secrets out of what GitHub says.
    """
    comments = Comments()
    keeper = _Keeper(workflow_run, token, ca_bundle, marker, render, deadline, comments, scrub)
    # PyGithub knows no deadline. Its thread is left behind at ours, and begins nothing new after it.
    thread = threading.Thread(target=keeper.run, daemon=True)
    thread.start()
    while thread.is_alive() and deadline.left() and not deadline.cancelled():
        thread.join(POLL_SECONDS)
    if thread.is_alive():
        why = "the job was cancelled" if deadline.cancelled() else "it took too long"
        return replace(comments, problems=[*comments.problems, f"{STALE}: {why}."], failed=True)
    return comments


class _Account(BaseModel):
    login: str = Field(min_length=1)


class _Comment(BaseModel):
    id: int = Field(gt=0)
    body: str | None = None
    user: _Account | None = None

    @property
    def text(self) -> str:
        return normalize_newlines(self.body or "")


class _Repository(BaseModel):
    full_name: str


class _Branch(BaseModel):
    repo: _Repository | None = None


class _PullRequest(BaseModel):
    number: int = Field(gt=0)
    merged_at: str | None = None
    base: _Branch | None = None

    def is_of(self, repository: str) -> bool:
        """Whether it is to be merged there, as far as it says where."""
        repo = self.base.repo if self.base else None
        return repo is None or repo.full_name.casefold() == repository.casefold()


class _Job(BaseModel):
    name: str
    conclusion: str | None = None


_Item = TypeVar("_Item", _PullRequest, _Comment, _Job)
_ITEMS = TypeAdapter(list[object])


class _GitHub:
    """What a comment takes of GitHub's API; what may be repeated is, until the deadline."""

    def __init__(
        self,
        workflow_run: WorkflowRun,
        token: str,
        ca_bundle: str | None,
        deadline: Deadline,
        response_seconds: int = ANSWER_SECONDS,
    ) -> None:
        # PyGithub writes to standard error what it likes, untrusted text as well.
        logging.getLogger("github").handlers = [logging.NullHandler()]
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=workflow_run.api_url,
            user_agent=USER_AGENT,
            timeout=response_seconds,
            verify=ca_bundle or True,
            retry=0,  # it would send a comment twice
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester
        self._repository = f"/repos/{workflow_run.repository}"
        self._deadline = deadline

    @cached_property
    def login(self) -> str:
        """The account that the token belongs to. A job's own token may not read `/user`, but GraphQL tells."""
        _, response = self._repeat(lambda: self._requester.graphql_query("query { viewer { login } }", {}))
        return _Account.model_validate(response["data"]["viewer"]).login

    def pull_requests(self, commit: str) -> Iterator[_PullRequest]:
        """Those that GitHub associates with a commit."""
        return self._list(f"commits/{commit}/pulls", _PullRequest)

    def jobs(self, run: int) -> Iterator[_Job]:
        """The jobs of a workflow run."""
        return self._list(f"actions/runs/{run}/jobs", _Job, within="jobs")

    def comments(self, number: int) -> Iterator[_Comment]:
        """All comments on a pull request."""
        return self._list(f"issues/{number}/comments", _Comment)

    def create(self, number: int, body: str) -> _Comment:
        """Write a comment, once."""
        self._check_time()
        return _Comment.model_validate(self._ask("POST", f"issues/{number}/comments", body))

    def edit(self, comment_id: int, body: str) -> None:
        """Change a comment, once."""
        self._check_time()
        if _Comment.model_validate(self._ask("PATCH", f"issues/comments/{comment_id}", body)).text != body:
            raise ValueError("it says something else")

    def delete(self, comment_id: int) -> None:
        """Remove a comment; one that is not there is no failure, as an earlier try may have worked."""
        try:
            self._repeat(lambda: self._ask("DELETE", f"issues/comments/{comment_id}"))
        except GithubException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _list(self, path: str, kind: type[_Item], within: str = "") -> Iterator[_Item]:
        """All items of a list, but for those that make no sense.

        PyGithub's own lists take an empty response for an empty list, and follow any link.
        """
        before: list[object] = []
        for number in range(1, MAX_PAGES + 1):
            items, is_last = self._repeat(partial(self._page, path, number, within))
            for item in items:
                with contextlib.suppress(ValidationError):
                    yield kind.model_validate(item)
            if is_last or items == before:  # a repository that was renamed has only one page
                return
            before = items

    def _page(self, path: str, number: int, within: str) -> tuple[list[object], bool]:
        query = {"per_page": PER_PAGE, "page": number}
        headers, response = self._requester.requestJsonAndCheck("GET", f"{self._repository}/{path}", query)
        return _ITEMS.validate_python(response[within] if within else response), 'rel="next"' not in headers.get(
            "link", ""
        )

    def _ask(self, verb: str, path: str, body: str | None = None) -> object:
        what = None if body is None else {"body": body}
        return self._requester.requestJsonAndCheck(verb, f"{self._repository}/{path}", input=what)[1]

    def _repeat(self, ask: Callable[[], T]) -> T:
        """Ask again until it is answered, a few times; a refusal is a response."""
        for attempts in range(1, MAX_ATTEMPTS):
            self._check_time()
            try:
                return ask()
            except Exception as error:
                if _is_refusal(error):
                    raise
            self._deadline.sleep(backoff(attempts, DEFAULT_LIMITS))
        self._check_time()
        return ask()

    def _check_time(self) -> None:
        """Send nothing when nobody waits for it any more."""
        self._deadline.check()
        if not self._deadline.left():
            raise TimeoutError


@dataclass
class _Keeper:
    """The work of one run, in a thread of its own; the fields are the arguments of `keep_comments`."""

    workflow_run: WorkflowRun
    token: str
    ca_bundle: str | None
    marker: str
    render: Render
    deadline: Deadline
    comments: Comments
    scrub: Callable[[str], str]
    key: str = field(default_factory=lambda: f"{_KEY}{secrets.token_hex(8)} -->")

    def run(self) -> None:
        """Keep all comments; the body of the thread."""
        try:
            self.comments.pull_requests = self._pull_requests()
            failed_jobs = self._failed_jobs() if self.comments.pull_requests else []
        except Exception as error:  # noqa: BLE001 - a comment is no reason to fail, whatever it is
            self._say(STALE, error)
            return
        for number in self.comments.pull_requests:
            try:
                comment_id = self._keep(number, partial(self.render, failed_jobs))
                self.comments.urls.append(self._url(number, comment_id))
            except Exception as error:  # noqa: BLE001 - the others are worth a try
                self._say(f"{STALE} #{number}", error)

    @cached_property
    def _github(self) -> _GitHub:
        return _GitHub(self.workflow_run, self.token, self.ca_bundle, self.deadline)

    def _pull_requests(self) -> list[int]:
        """The event's own one, or those of the commit, merged ones first."""
        if self.workflow_run.pull_request:
            return [self.workflow_run.pull_request]
        if not self.workflow_run.commit:
            return []
        pulls = self._github.pull_requests(self.workflow_run.commit)
        # In a fork, the commit may belong to pull requests of the repository that it was forked from.
        ours = (pull for pull in pulls if pull.is_of(self.workflow_run.repository))
        return [pull.number for pull in sorted(ours, key=lambda pull: pull.merged_at is None)][:MAX_PULL_REQUESTS]

    def _failed_jobs(self) -> list[str]:
        """The names of the jobs that failed in the run that started this one."""
        if not self.workflow_run.failed_run:
            return []
        try:
            patience = self.deadline.within(JOBS_SECONDS)
            github = _GitHub(self.workflow_run, self.token, self.ca_bundle, patience, JOBS_SECONDS)
            jobs = github.jobs(self.workflow_run.failed_run)
            return [self.scrub(job.name) for job in jobs if job.conclusion in ("failure", "timed_out")]
        except Exception as error:  # noqa: BLE001 - the comment is worth writing without them
            self._say("The comment does not name the failed jobs", error)
            return []

    def _keep(self, number: int, render: Callable[[str], str]) -> int:
        """See to it that there is one comment, and that it says what it should; its id."""
        oldest, *others = self._write(number, render)
        own = [comment.id for comment in others if comment.text.endswith(self.key)]
        for comment_id in own:
            self._remove(number, comment_id)
        if others and not own:
            with contextlib.suppress(Exception):  # the comment itself is up to date
                self._mention_duplicates(number)
        return oldest.id

    def _write(self, number: int, render: Callable[[str], str]) -> list[_Comment]:
        """Have the oldest comment say what it should; all that there are, oldest first."""
        ours: list[_Comment] = []
        for attempts in count(1):
            ours = self._find(number) or ours or self._create(number, render(""))
            body = render(ours[0].text)
            if ours[0].text.partition(_KEY)[0] == body:
                return ours
            try:
                self._github.edit(ours[0].id, body)
            except Exception as error:
                gone = _status(error) in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
                if attempts == MAX_ATTEMPTS or (_is_refusal(error) and not gone):
                    raise
                ours = [] if gone else ours
            else:
                return ours
            # Another run may have written meanwhile, so what is there is looked at before it is tried again.
            self.deadline.sleep(backoff(attempts, DEFAULT_LIMITS))
        raise AssertionError  # the count never ends

    def _create(self, number: int, body: str) -> list[_Comment]:
        """Write the comment; what there is then, oldest first."""
        body += self.key
        lost: Exception = TimeoutError()
        for _ in range(MAX_LOST_WRITES):
            try:
                made = self._github.create(number, body)
            except Exception as error:
                if _is_refusal(error):
                    raise
                lost = error
            else:
                return self._look_again(number, _Comment(id=made.id, body=body))
            for pause in LOST_PAUSES:
                self.deadline.sleep(pause)
                if ours := self._find(number):
                    return ours
        raise lost

    def _look_again(self, number: int, made: _Comment) -> list[_Comment]:
        """All that is there now; of that which was made, the response is proof enough."""
        try:
            return self._find(number, made)
        except Exception as error:  # noqa: BLE001 - the comment is written
            self._say(f"The comment on pull request #{number} may be there twice", error)
            return [made]

    def _find(self, number: int, made: _Comment | None = None) -> list[_Comment]:
        """This account's comments on the incident, oldest first; one is known to be among them."""
        known = {made.id: made} if made else {}
        comments = self._github.comments(number)
        marked = [comment for comment in comments if comment.text.startswith(self.marker) and comment.id not in known]
        known |= {
            comment.id: comment for comment in marked if comment.user and comment.user.login == self._github.login
        }
        return [known[comment_id] for comment_id in sorted(known)]

    def _remove(self, number: int, comment_id: int) -> None:
        """Remove what this run has created beside an older comment, which is up to date."""
        try:
            self._github.delete(comment_id)
        except Exception as error:  # noqa: BLE001 - the older one is well
            self._say(self._duplicate(number, comment_id), error)

    def _mention_duplicates(self, number: int) -> None:
        """Say what is there too often, unless the run that has created it removes it just now."""
        self.deadline.sleep(max(LOST_PAUSES))
        for double in self._find(number)[1:]:
            self._say(self._duplicate(number, double.id))

    def _duplicate(self, number: int, comment_id: int) -> str:
        return f"The comment on pull request #{number} is there twice, delete {self._url(number, comment_id)}"

    def _url(self, number: int, comment_id: int) -> str:
        return f"{self.workflow_run.server_url}/{self.workflow_run.repository}/pull/{number}#issuecomment-{comment_id}"

    def _say(self, problem: str, error: Exception | None = None) -> None:
        self.comments.problems.append(f"{problem}: {_why(error, self.scrub)}." if error else f"{problem}.")
        self.comments.failed |= error is not None


def _is_refusal(error: Exception) -> bool:
    """Whether GitHub has answered, and did not do it."""
    status = _status(error)
    return 0 < status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT


def _status(error: Exception) -> int:
    """What GitHub has answered; 0 for anything else."""
    return error.status if isinstance(error, GithubException) else 0


def _why(error: Exception, scrub: Callable[[str], str]) -> str:
    if isinstance(error, CancelledError):
        return "the job was cancelled"
    if isinstance(error, APIError):
        return f"the incident's updates could not be read ({error})"
    if isinstance(error, GithubException):
        return _refusal(error, scrub)
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of GitHub was refused; name that of its authority in REQUESTS_CA_BUNDLE"
    if isinstance(error, requests.RequestException | TimeoutError):
        return "GitHub could not be reached, or did not response in time"
    return f"GitHub's response could not be understood ({type(error).__name__})"


def _refusal(error: GithubException, scrub: Callable[[str], str]) -> str:
    headers = error.headers or {}
    exhausted = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return "GitHub does not accept github-token"
    if isinstance(error, RateLimitExceededException) or error.status == HTTPStatus.TOO_MANY_REQUESTS or exhausted:
        return "GitHub takes no more requests for now"
    what = "failed" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused it"
    message = _message(error.data)
    return f"GitHub {what} ({error.status}{f': {quote(scrub(message))}' if message else ''})"


def _message(response: object) -> str:
    """What GitHub says itself: of a request, or of the first part of a query that has failed."""
    errors = response.get("errors") if isinstance(response, dict) else None
    parts = [response, *(errors if isinstance(errors, list) else ())]
    messages = (part.get("message") for part in parts if isinstance(part, dict))
    return next((message for message in messages if isinstance(message, str)), "")
