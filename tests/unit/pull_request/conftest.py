"""A small GitHub on a real socket, and the comment that is created or edited there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FaultServer, Rule
from support.github_app import BODY, MARKER, TOKEN, WORKFLOW, requests_of, texts
from support.github_app import GitHub as State
from support.github_fixtures import *  # noqa: F403

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.network.exchange import Network
from onlineornot_action.pull_request.comment import CommentLimits, CommentResult, upsert_comments
from onlineornot_action.pull_request.github_api import GitHub

Upserted = tuple[CommentResult, list[str], list[str]]


@pytest.fixture
def elsewhere() -> Iterator[FaultServer]:
    """Serve a host that must not see the token."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def connect(server: FaultServer, clock: SkippingClock) -> Callable[..., GitHub]:
    """Make the client of a GitHub that follows a script; further arguments replace what the workflow run knows."""

    def make(
        *script: Rule,
        deadline: Deadline | None = None,
        network: Network | None = None,
        mask: Callable[[str], str] = str,
        **about: Any,
    ) -> GitHub:
        server.script += script
        run = WORKFLOW._replace(**{"api_url": server.url, **about})
        return GitHub(run, TOKEN, deadline or Deadline.after(20, clock), mask, network or Network())

    return make


@pytest.fixture
def upsert(connect: Callable[..., GitHub], server: FaultServer, github: State) -> Callable[..., Upserted]:
    """Create or edit the comments; by default on pull request 7, which the event is about.

    Return what became of them, the requests that were sent, and the texts of all comments on pull request 7.
    """

    def run(*script: Rule, body: str = BODY, limits: CommentLimits | None = None, **about: Any) -> Upserted:
        def render(jobs: Sequence[str], _before: str) -> str:
            return f"{body}\nFailed: {', '.join(jobs)}" if jobs else body

        before = len(server.requests)
        comments = upsert_comments(connect(*script, **about), MARKER, render, limits or CommentLimits())
        return comments, requests_of(server)[before:], texts(github)

    return run
