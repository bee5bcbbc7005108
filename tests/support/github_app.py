"""A small GitHub: the operations of its API that a comment on a pull request needs, as a Flask application."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue
from support.fault_server import FaultServer

from onlineornot_action.pull_request.body import format_marker
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

BOT = "github-actions[bot]"
TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
REPOSITORY = "octo-org/shop"
HEAD = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
SERVER_URL = "https://github.example"
FAILED_RUN = 42
RUN_URL = f"{SERVER_URL}/{REPOSITORY}/actions/runs/1658821493/attempts/1"
WORKFLOW = WorkflowRun("", SERVER_URL, REPOSITORY, RUN_URL, 7, HEAD, None)
"""A workflow run about the pull request 7; the URL of the API is that of a server that a test starts."""
MARKER = format_marker(PAGE_ID, INCIDENT_ID)
BODY = f"{MARKER}\nIt is bad."
OTHER = f"{MARKER}\nIt is worse."
LIST, POST = "GET /issues/7/comments", "POST /issues/7/comments"
QUERY, EDIT = "POST /graphql", "PATCH /issues/comments/1001"
PULLS = f"GET /commits/{HEAD}/pulls"
JOBS = f"GET /actions/runs/{FAILED_RUN}/jobs"


@dataclass
class Comment:
    """A comment on a pull request."""

    id: int
    issue: int
    body: str
    author: str | None


@dataclass
class GitHub:
    """The state of this GitHub.

    Attributes:
        prefix: The path of the API; `/api/v3` on GitHub Enterprise Server.
        pulls: Pull requests by commit, as GitHub lists them.
        comments: All comments, in the order in which they were created.
        jobs: Jobs by the id of the workflow run: name and conclusion.
        max_per_page: How many items a page has at most.
    """

    prefix: str = ""
    login: str = BOT
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    jobs: dict[int, list[tuple[str, str | None]]] = field(default_factory=dict)
    max_per_page: int = 100
    ids: Iterator[int] = field(default_factory=lambda: count(1001))
    events: list[tuple[str, str, Callable[[], object]]] = field(default_factory=list)

    def add_comment(self, issue: int, body: str, author: str | None = BOT) -> Comment:
        """Add a comment."""
        comment = Comment(next(self.ids), issue, body, author)
        self.comments.append(comment)
        return comment

    def meanwhile(self, method: str, happens: Callable[[], object], path: str = "/comments") -> None:
        """Make something else happen, once, right before a request of this method and path is processed."""
        self.events.append((method, path, happens))

    def bodies(self, issue: int) -> list[str]:
        """Return the bodies of the comments on a pull request."""
        return [comment.body for comment in self.comments if comment.issue == issue]


def pull(
    number: int, *, merged: bool = False, merge_commit: str = "", head: str = HEAD, repository: str = REPOSITORY
) -> dict[str, Any]:
    """Return a pull request as a list shows it, with the fields that matter; one with a merge commit is merged."""
    is_merged = merged or bool(merge_commit)
    return {
        "number": number,
        "state": "closed" if is_merged else "open",
        "merged_at": "2026-11-24T12:00:00Z" if is_merged else None,
        "merge_commit_sha": merge_commit or None,
        "head": {"sha": head},
        "base": {"repo": {"full_name": repository}},
    }


def url_of(number: int, comment_id: int) -> str:
    """Return where people see a comment on a pull request."""
    return f"{SERVER_URL}/{REPOSITORY}/pull/{number}#issuecomment-{comment_id}"


def requests_of(server: FaultServer) -> list[str]:
    """Return the requests to GitHub, without the repository and the query."""
    paths = ((request.method, request.path.partition("?")[0]) for request in server.requests)
    return [f"{method} {path.replace(f'/repos/{REPOSITORY}', '')}" for method, path in paths]


def texts(github: GitHub) -> list[str]:
    """Return the comments on pull request 7, without the key by which a run recognizes its own comment."""
    return [re.sub("\n<!-- key [0-9a-f]{16} -->$", "", body) for body in github.bodies(7)]


def create_github_app(github: GitHub) -> Flask:
    """Make the application that serves a GitHub."""
    app = Flask(__name__)
    api = _Api(github)
    app.before_request(api.let_things_happen)
    app.before_request(api.check_token)
    app.register_error_handler(HTTPStatus.NOT_FOUND, lambda _: _failure(HTTPStatus.NOT_FOUND, "Not Found"))
    for method, rule, view in api.routes():
        app.add_url_rule(rule, view_func=view, methods=[method])
    return app


class _Api:
    """The operations, one method each."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def routes(self) -> Iterator[tuple[str, str, Callable[..., ResponseReturnValue]]]:
        repository = f"{self._github.prefix}/repos/{REPOSITORY}"
        comments = f"{repository}/issues/<int:number>/comments"
        comment = f"{repository}/issues/comments/<int:comment_id>"
        yield "POST", f"{self._github.prefix.removesuffix('/v3')}/graphql", self.query
        yield "GET", f"{repository}/commits/<sha>/pulls", self.list_pulls
        yield "GET", f"{repository}/actions/runs/<int:run_id>/jobs", self.list_jobs
        yield "GET", comments, self.list_comments
        yield "POST", comments, self.create_comment
        yield "PATCH", comment, self.edit_comment
        yield "DELETE", comment, self.delete_comment

    def let_things_happen(self) -> None:
        events = self._github.events
        for event in [each for each in events if each[0] == request.method and each[1] in request.path][:1]:
            events.remove(event)
            event[2]()

    def check_token(self) -> ResponseReturnValue | None:
        if request.headers.get("Authorization") == f"token {TOKEN}":
            return None
        return _failure(HTTPStatus.UNAUTHORIZED, "Bad credentials")

    def query(self) -> ResponseReturnValue:
        return jsonify(data={"viewer": {"login": self._github.login}})

    def list_pulls(self, sha: str) -> ResponseReturnValue:
        return self._page(self._github.pulls.get(sha, []))

    def list_jobs(self, run_id: int) -> ResponseReturnValue:
        jobs = [{"name": name, "conclusion": conclusion} for name, conclusion in self._github.jobs[run_id]]
        return self._page(jobs, within="jobs")

    def list_comments(self, number: int) -> ResponseReturnValue:
        return self._page([_shown(comment) for comment in self._github.comments if comment.issue == number])

    def create_comment(self, number: int) -> ResponseReturnValue:
        comment = self._github.add_comment(number, request.get_json()["body"], self._github.login)
        return jsonify(_shown(comment)), HTTPStatus.CREATED

    def edit_comment(self, comment_id: int) -> ResponseReturnValue:
        comment = self._find(comment_id)
        comment.body = request.get_json()["body"]
        return jsonify(_shown(comment))

    def delete_comment(self, comment_id: int) -> ResponseReturnValue:
        self._github.comments.remove(self._find(comment_id))
        return "", HTTPStatus.NO_CONTENT

    def _find(self, comment_id: int) -> Comment:
        return next((each for each in self._github.comments if each.id == comment_id), None) or abort(404)

    def _page(self, items: Sequence[Mapping[str, Any]], within: str = "") -> ResponseReturnValue:
        """Return the requested page, with a link to the next one."""
        size = min(request.args.get("per_page", 30, int), self._github.max_per_page)
        number = request.args.get("page", 1, int)
        shown = items[(number - 1) * size : number * size]
        next_page = f'<{request.base_url}?per_page={size}&page={number + 1}>; rel="next"'
        headers = {"Link": next_page} if number * size < len(items) else {}
        return jsonify({"total_count": len(items), within: shown} if within else shown), HTTPStatus.OK, headers


def _failure(status: HTTPStatus, message: str) -> ResponseReturnValue:
    return jsonify(message=message, documentation_url="https://docs.github.com/rest", status=str(int(status))), status


def _shown(comment: Comment) -> dict[str, Any]:
    """Return a comment as GitHub shows it; the author is null once the account is deleted."""
    return {"id": comment.id, "body": comment.body, "user": comment.author and {"login": comment.author}}
