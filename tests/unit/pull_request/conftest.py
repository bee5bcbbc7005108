"""A small GitHub on a real socket, and the comment that is kept there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FaultServer
from support.github_app import BODY, MARKER, TOKEN, WORKFLOW
from support.github_fixtures import *  # noqa: F403

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.network.exchange import Network
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.keep import DEFAULT_COMMENT_LIMITS, CommentLimits, CommentResult, keep_comments


@pytest.fixture
def elsewhere() -> Iterator[FaultServer]:
    """Serve a host that must not see the token."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def unused_url() -> str:
    """Return the address of a port at which nobody listens any more."""
    with FaultServer() as server:
        return server.url


@pytest.fixture
def connect(server: FaultServer, clock: SkippingClock) -> Callable[..., github_api.GitHub]:
    """Make the client of GitHub's API; further arguments replace what the workflow run knows."""

    def make(
        *,
        deadline: Deadline | None = None,
        token: str = TOKEN,
        network: Network | None = None,
        response_seconds: int = 8,
        scrub: Callable[[str], str] = str,
        **about: Any,
    ) -> github_api.GitHub:
        run = replace(WORKFLOW, **{"api_url": server.url, **about})
        return github_api.GitHub(
            run, token, deadline or Deadline.after(20, clock), scrub, network or Network(), response_seconds
        )

    return make


@pytest.fixture
def keep(connect: Callable[..., github_api.GitHub]) -> Callable[..., CommentResult]:
    """Keep the comments; by default on the pull request 7, which the event is about."""

    def run(body: str = BODY, *, limits: CommentLimits = DEFAULT_COMMENT_LIMITS, **about: Any) -> CommentResult:
        def render(jobs: Sequence[str], _before: str) -> str:
            return f"{body}\nFailed: {', '.join(jobs)}" if jobs else body

        return keep_comments(connect(**about), MARKER, render, limits)

    return run
