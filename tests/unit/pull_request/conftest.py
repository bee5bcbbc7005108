"""A small GitHub on a real socket, and the comment that is created or edited there."""

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
from onlineornot_action.pull_request.comment import CommentLimits, CommentResult, upsert_comments
from onlineornot_action.pull_request.github_api import GitHub


@pytest.fixture
def elsewhere() -> Iterator[FaultServer]:
    """Serve a host that must not see the token."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def connect(server: FaultServer, clock: SkippingClock) -> Callable[..., GitHub]:
    """Make the client of GitHub's API; further arguments replace what the workflow run knows."""

    def make(
        *,
        deadline: Deadline | None = None,
        token: str = TOKEN,
        network: Network | None = None,
        mask: Callable[[str], str] = str,
        **about: Any,
    ) -> GitHub:
        run = replace(WORKFLOW, **{"api_url": server.url, **about})
        return GitHub(run, token, deadline or Deadline.after(20, clock), mask, network or Network())

    return make


@pytest.fixture
def upsert(connect: Callable[..., GitHub]) -> Callable[..., CommentResult]:
    """Create or edit the comments; by default on pull request 7, which the event is about."""

    def run(body: str = BODY, *, limits: CommentLimits | None = None, **about: Any) -> CommentResult:
        def render(jobs: Sequence[str], _before: str) -> str:
            return f"{body}\nFailed: {', '.join(jobs)}" if jobs else body

        return upsert_comments(connect(**about), MARKER, render, limits)

    return run
