"""One comment on each pull request behind a commit, against a small GitHub on real sockets: alone, and after a step."""

import io
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faults.test_opening import lost_while
from support.fault_server import (
    BEFORE,
    CASES,
    FAULTS,
    FOREVER,
    HTML,
    HTML_TYPE,
    JSON_TYPE,
    LOST_ANSWERS,
    STRANGE_ANSWERS,
    UNCERTAIN_ANSWERS,
    Fault,
    FaultServer,
    Phase,
    Play,
    Reply,
    Step,
    response,
)
from support.github_app import BOT, HEAD, REPOSITORY, TOKEN, GitHub, create_github_app, pull
from support.runner_model import commands

from onlineornot_action.main import main
from onlineornot_action.onlineornot.deadline import SYSTEM_CLOCK, Clock, Deadline
from onlineornot_action.pull_request.body import marker
from onlineornot_action.pull_request.event import WorkflowRun
from onlineornot_action.pull_request.keep import Comments, keep_comments
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN, READ_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.local_step import ROOT, StepResult, as_variables, parse_outputs
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

MARKER = marker(PAGE_ID, INCIDENT_ID)
BODY = f"{MARKER}\nIt is bad."
OTHER = f"{MARKER}\nIt is worse."
PERMISSIONS = "permissions: pull-requests: write, issues: write"
SERVER_URL = "https://github.example"
WORKFLOW = WorkflowRun(
    "", SERVER_URL, REPOSITORY, f"{SERVER_URL}/{REPOSITORY}/actions/runs/1/attempts/1", 7, HEAD, None
)
FAILED_RUN = 42

LIST, POST = "GET /issues/7/comments", "POST /issues/7/comments"
QUERY = "POST /graphql"
PULLS = f"GET /commits/{HEAD}/pulls"
JOBS = f"GET /actions/runs/{FAILED_RUN}/jobs"

Keep = Callable[..., Comments]


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class HastyClock:
    """A clock that goes as usual, but takes no time to sleep."""

    def __init__(self) -> None:
        self._slept = 0.0

    def monotonic(self) -> float:
        """Tell the time."""
        return time.monotonic() + self._slept

    def time(self) -> float:
        """Tell the time."""
        return time.time() + self._slept

    def sleep(self, seconds: float) -> None:
        """Be later."""
        self._slept += seconds


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def server(github: GitHub, clock: HastyClock) -> Iterator[FaultServer]:
    """Serve GitHub; a test adds to the script."""
    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[FaultServer]:
    """Serve something that the token is not for."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def keep(server: FaultServer, clock: HastyClock) -> Keep:
    """Keep the comments; by default on the pull request 7, which the event is about."""

    def run(
        body: str = BODY,
        *,
        deadline: Deadline | None = None,
        token: str = TOKEN,
        ca_bundle: str | None = None,
        **about: Any,
    ) -> Comments:
        def render(jobs: Sequence[str], _before: str) -> str:
            return f"{body}\nFailed: {', '.join(jobs)}" if jobs else body

        workflow = replace(WORKFLOW, **{"api_url": server.url, **about})
        patience = deadline or Deadline.after(20, clock)
        return keep_comments(workflow, token, MARKER, render, patience, ca_bundle=ca_bundle, scrub=str)

    return run


def requests_of(server: FaultServer) -> list[str]:
    """What GitHub was asked, without the repository and the query."""
    paths = ((request.method, request.path.partition("?")[0]) for request in server.requests)
    return [f"{method} {path.replace(f'/repos/{REPOSITORY}', '')}" for method, path in paths]


def posts(server: FaultServer) -> int:
    return requests_of(server).count(POST)


def texts(github: GitHub) -> list[str]:
    """The comments on the pull request 7, without the key by which a run knows what it has sent."""
    return [re.sub("\n<!-- key [0-9a-f]{16} -->$", "", body) for body in github.bodies(7)]


def url_of(number: int, comment_id: int) -> str:
    return f"{SERVER_URL}/{REPOSITORY}/pull/{number}#issuecomment-{comment_id}"


def message(status: int, text: str, **headers: str) -> Fault:
    """Make the response that says why GitHub did nothing; an underscore stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return response(status, json.dumps(body), JSON_TYPE | named, phases=BEFORE)


PRIMARY = (
    "API rate limit exceeded for installation ID 12345. If you reach out to GitHub Support for help, please include "
    "the request ID 8C3A:2F1B:1A2B3C:4D5E6F:65A1B2C3 and timestamp 2026-11-24 12:00:00 UTC."
)
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID 8C3A:2F1B:1A2B3C:4D5E6F:65A1B2C3."
)
EXHAUSTED = {"x_ratelimit_limit": "1000", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "1795521600"}
LEFT = {"x_ratelimit_limit": "1000", "x_ratelimit_remaining": "812", "x_ratelimit_reset": "1795521600"}
NO_MORE, REFUSED = "takes no more requests", "refused it"
FAILURES = {
    "bad credentials": (message(401, "Bad credentials"), "does not accept github-token"),
    "no permission": (message(403, "Resource not accessible by integration", **LEFT), "accessible by integration"),
    "html": (response(403, HTML, HTML_TYPE, phases=BEFORE), REFUSED),
    "primary limit, 403": (message(403, PRIMARY, **EXHAUSTED), NO_MORE),
    "primary limit, 429": (message(429, PRIMARY, **EXHAUSTED), NO_MORE),
    "secondary limit, 403": (message(403, SECONDARY, **LEFT), NO_MORE),
    "secondary limit, 403 for an hour": (message(403, SECONDARY, retry_after="3600", **LEFT), NO_MORE),
    "secondary limit, 429 for an hour": (message(429, SECONDARY, retry_after="3600", **LEFT), NO_MORE),
    "secondary limit, 429": (message(429, SECONDARY, **LEFT), NO_MORE),
    "not found": (message(404, "Not Found"), REFUSED),
    "gone": (message(410, "Issues are disabled for this repo"), REFUSED),
    "invalid": (message(422, "Validation Failed"), REFUSED),
    "locked": (message(403, "Unable to create comment because issue is locked."), "is locked"),
    "a message that is none": (response(422, '{"message": null}', JSON_TYPE, phases=BEFORE), REFUSED),
    "a list": (response(410, '["x"]', JSON_TYPE, phases=BEFORE), "could not be understood"),
}
"""What GitHub says when it does nothing, and what is made of it."""

RETRIED = (502, 503, 504)
REDIRECTS = (301, 302, 307, 308)
SLOW = {"silence", "headers stop", "headers drip", "body stops", "body drips"}
APART = {
    "written late",  # it has a test of its own
    "gzip bomb",  # PyGithub unpacks it to the end, which takes half a minute
    "103 for ever",  # only after a real pause the connection is seen to be of no use any more
}
LOST = (LOST_ANSWERS.keys() | {name for name in UNCERTAIN_ANSWERS if name[0] == "5"}) - SLOW - APART
NO_LISTS = {
    **STRANGE_ANSWERS,
    **{name: FAULTS[name] for name in ("302 elsewhere", "307 elsewhere", "103, then close")},
    "200 empty object": response(200, "{}", JSON_TYPE),
    "200 null": response(200, "null", JSON_TYPE),
}
"""Answers without a list that do not say that they failed."""


def test_the_pull_request_of_the_event_is_not_looked_up(keep: Keep, server: FaultServer, github: GitHub) -> None:
    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [LIST, POST, LIST]
    assert texts(github) == [BODY]


def test_without_one_those_of_the_commit_are_looked_up(keep: Keep, server: FaultServer, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(7)]

    comments = keep(pull_request=None)

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [PULLS, LIST, POST, LIST]


def test_merged_pull_requests_come_first_and_there_are_at_most_three(keep: Keep, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(1), pull(2, merged=True), pull(3), pull(4, merged=True), pull(5)]

    comments = keep(pull_request=None)

    assert comments.pull_requests == [2, 4, 1]
    assert [comment.issue for comment in github.comments] == [2, 4, 1]
    assert comments.urls == [url_of(2, 1001), url_of(4, 1002), url_of(1, 1003)]


def test_a_merged_pull_request_is_found_on_a_later_page(keep: Keep, github: GitHub) -> None:
    github.max_per_page = 2
    github.pulls[HEAD] = [*map(pull, range(1, 5)), pull(7, merged=True)]

    assert keep(pull_request=None).pull_requests == [7, 1, 2]


def test_pull_requests_of_another_repository_are_left_out(keep: Keep, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(7, merged=True, repository="upstream/shop"), pull(8, repository="Octo-Org/Shop")]

    assert keep(pull_request=None).pull_requests == [8]
    assert texts(github) == []


@pytest.mark.parametrize("lacking", [{}, {"base": None}, {"base": {"ref": "main"}}, {"base": {"repo": None}}])
def test_a_list_that_leaves_things_out_is_not_asked_for_them(
    keep: Keep, server: FaultServer, github: GitHub, lacking: dict[str, Any]
) -> None:
    github.pulls[HEAD] = [{"number": 7, **lacking}]

    comments = keep(pull_request=None)

    assert (comments.pull_requests, comments.problems) == ([7], [])
    assert requests_of(server) == [PULLS, LIST, POST, LIST]


def test_without_a_pull_request_nothing_more_is_asked(keep: Keep, server: FaultServer) -> None:
    comments = keep(pull_request=None, failed_run=FAILED_RUN)

    assert comments == Comments([], [], [])
    assert requests_of(server) == [PULLS]


def test_without_a_commit_nothing_is_asked(keep: Keep, server: FaultServer) -> None:
    comments = keep(pull_request=None, commit="")

    assert comments == Comments([], [], [])
    assert server.requests == []


def test_the_comment_is_edited_from_the_second_time_on(keep: Keep, server: FaultServer, github: GitHub) -> None:
    keep()
    server.requests.clear()

    comments = keep(OTHER)

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001"]
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("there", [BODY, BODY.replace("\n", "\r\n")])
def test_a_comment_that_says_the_same_is_not_edited(
    keep: Keep, server: FaultServer, github: GitHub, there: str
) -> None:
    github.add_comment(7, there)

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [LIST, QUERY]


def test_the_comment_is_found_on_the_third_page(keep: Keep, server: FaultServer, github: GitHub) -> None:
    github.max_per_page = 2
    github.comments += [github.add_comment(8, "x"), *(github.add_comment(7, f"{each}", "octocat") for each in "abcd")]
    github.comments = [*{comment.id: comment for comment in github.comments}.values()]
    github.add_comment(7, BODY)

    keep(OTHER)

    assert requests_of(server) == [LIST, LIST, LIST, QUERY, "PATCH /issues/comments/1006"]
    assert texts(github) == [*"abcd", OTHER]


@pytest.mark.parametrize(
    ("author", "text"),
    [
        ("octocat", BODY),
        ("GitHub-Actions", BODY),
        (None, BODY),
        (BOT, f"> {BODY}"),
        (BOT, f"Look at this:\n{BODY}"),
        (BOT, f" {BODY}"),
        (BOT, BODY.replace(PAGE_ID, "anotherpage1")),
        (BOT, BODY.replace(INCIDENT_ID, "anotherincident1")),
        (BOT, BODY.replace(INCIDENT_ID, f"{INCIDENT_ID}x")),
        (BOT, BODY.replace(" -->", "")),
        (BOT, ""),
    ],
)
def test_a_comment_that_is_not_this_ones_is_left_alone(
    keep: Keep, github: GitHub, author: str | None, text: str
) -> None:
    github.add_comment(7, text, author)

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1002)], [])
    assert texts(github) == [text, BODY]


def test_who_the_token_belongs_to_is_asked_only_when_a_comment_has_the_marker_and_only_once(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.pulls[HEAD] = [pull(7), pull(8), pull(9)]
    github.add_comment(7, "Looks good to me.", "octocat")
    github.add_comment(8, BODY, "octocat")
    github.add_comment(9, BODY)

    keep(pull_request=None)

    assert requests_of(server)[:6] == [PULLS, LIST, POST, LIST, LIST.replace("7", "8"), QUERY]
    assert requests_of(server).count(QUERY) == 1


def test_the_token_of_a_person_finds_the_persons_comment(keep: Keep, github: GitHub) -> None:
    github.login = "octocat"
    github.add_comment(7, BODY, "octocat")

    keep(OTHER)

    assert texts(github) == [OTHER]


def test_the_older_comment_of_another_run_is_kept_and_the_own_duplicate_removed(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    changes = ["PATCH /issues/comments/1001", "DELETE /issues/comments/1002"]
    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [LIST, POST, LIST, QUERY, *changes]
    assert texts(github) == [BODY]


def test_the_newer_comment_of_another_run_is_left_for_that_one_to_remove(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.meanwhile("POST", lambda: github.meanwhile("GET", lambda: github.add_comment(7, OTHER)))
    github.meanwhile("POST", lambda: github.meanwhile("GET", github.comments.pop), "/graphql")

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert requests_of(server) == [LIST, POST, LIST, QUERY, LIST]
    assert texts(github) == [BODY]


def test_of_two_comments_that_this_run_did_not_make_the_older_is_edited_and_the_other_mentioned(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.comments = [github.add_comment(7, OTHER), github.add_comment(7, BODY)]

    comments = keep()

    problem = f"The comment on pull request #7 is there twice, delete {url_of(7, 1002)}."
    assert comments == Comments([7], [url_of(7, 1001)], [problem])
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001", LIST]
    assert texts(github) == [BODY, BODY]


def test_an_own_duplicate_that_cannot_be_removed_is_mentioned(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Play(FAILURES["secondary limit, 403"][0], method="DELETE"))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments.urls == [url_of(7, 1001)]
    assert [f"delete {url_of(7, 1002)}" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY, BODY]


def test_a_duplicate_that_appears_while_the_own_comment_is_lost_is_not_removed(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    others = [f"{MARKER}\nIt begins.", OTHER]
    server.script.append(Play(FAULTS["reset"], method="POST", path="/comments"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: [github.add_comment(7, each) for each in others]))

    comments = keep()

    assert comments.urls == [url_of(7, 1001)]
    assert [f"delete {url_of(7, 1002)}" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY, OTHER]


@pytest.mark.parametrize(("method", "last"), [("POST", BODY), ("PATCH", BODY), ("DELETE", OTHER)])
def test_another_run_at_any_moment_leaves_one_comment(keep: Keep, github: GitHub, method: str, last: str) -> None:
    other: list[Comments] = []
    github.meanwhile(method, lambda: other.append(keep(OTHER)))
    github.meanwhile("POST", lambda: github.add_comment(7, f"{MARKER}\nIt begins."))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert other[0].urls == [url_of(7, 1001)]
    assert texts(github) == [last]


def test_two_runs_that_both_find_nothing_leave_one_comment(keep: Keep, github: GitHub) -> None:
    both_have_looked = threading.Barrier(2)
    github.meanwhile("POST", both_have_looked.wait)
    github.meanwhile("POST", both_have_looked.wait)

    with ThreadPoolExecutor() as pool:
        comments = [*pool.map(partial(keep, deadline=Deadline.after(20)), [BODY, OTHER])]

    assert comments == [Comments([7], [url_of(7, 1001)], [])] * 2
    assert len(texts(github)) == 1


def test_the_own_duplicate_is_removed_though_its_response_was_lost(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Play(FAULTS["reset"], Phase.AFTER, "POST", path="/comments"))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY]


def test_a_comment_is_written_though_the_list_cannot_be_read_again(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script += [
        Play(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Play(FAILURES["secondary limit, 403"][0], method="GET", path="/comments"),
    ]

    comments = keep()

    assert comments.urls == [url_of(7, 1001)]
    assert ["#7 may be there twice" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY]


@pytest.mark.parametrize("name", sorted(LOST))
def test_a_comment_whose_response_was_lost_is_found(keep: Keep, server: FaultServer, github: GitHub, name: str) -> None:
    server.script.append(Play(FAULTS[name], Phase.AFTER, "POST", path="/comments"))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY]
    assert posts(server) == 1


@pytest.mark.parametrize("name", sorted(LOST))
def test_a_comment_that_was_lost_is_written_again_once_it_was_looked_for(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Play(FAULTS[name], Phase.BEFORE, "POST", path="/comments"))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY]
    assert requests_of(server) == [LIST, POST, LIST, LIST, POST, LIST]


@pytest.mark.parametrize("seconds", [0.2, 4.5])
def test_a_comment_that_is_written_late_is_found(
    keep: Keep, server: FaultServer, github: GitHub, seconds: float
) -> None:
    late = replace(LOST_ANSWERS["written late"], written_after=seconds)
    server.script.append(Play(late, method="POST", path="/comments"))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY]
    assert posts(server) == 1


@pytest.mark.parametrize("name", sorted(SLOW))
@pytest.mark.parametrize("phase", Phase)
def test_a_response_that_takes_too_long_is_given_up_at_the_deadline(
    keep: Keep, server: FaultServer, github: GitHub, name: str, phase: Phase
) -> None:
    server.script.append(Play(FAULTS[name], phase, "POST", path="/comments"))
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(0.5))

    assert time.monotonic() - began < 1
    assert ["it took too long" in problem for problem in comments.problems] == [True]
    assert (posts(server), len(texts(github))) == (1, int(phase is Phase.AFTER))


@pytest.mark.parametrize("name", ["silence", "103 for ever"])
def test_a_comment_whose_response_does_not_come_is_looked_for_in_time(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Play(FAULTS[name], Phase.AFTER, "POST", path="/comments"))

    comments = keep(deadline=Deadline.after(20))

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert (posts(server), texts(github)) == (1, [BODY])


@pytest.mark.parametrize("name", [name for name in CASES if name.partition(",")[0] in STRANGE_ANSWERS])
def test_a_success_that_makes_no_sense_never_makes_two_comments(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(replace(CASES[name], method="POST", path="/comments"))

    keep()

    assert len(texts(github)) <= 1


@pytest.mark.parametrize("name", ["reset", "close", "500 html", "503 empty", "504 envelope"])
def test_a_comment_that_is_lost_every_time_is_given_up_after_the_second(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Play(FAULTS[name], method="POST", times=FOREVER, path="/comments"))

    comments = keep()

    assert (len(comments.problems), posts(server), texts(github)) == (1, 2, [])


def test_a_lost_comment_that_cannot_be_looked_for_is_not_written_again(keep: Keep, server: FaultServer) -> None:
    server.script += [
        Play(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Play(FAULTS["reset"], method="POST", path="/comments"),
        Play(FAULTS["500 html"], method="GET", times=FOREVER, path="/comments"),
    ]

    comments = keep()

    assert (len(comments.problems), posts(server)) == (1, 1)


@pytest.mark.parametrize("name", ["reset", "500 html", *(f"{status} empty" for status in RETRIED)])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/comments"), ("POST", "/graphql"), ("PATCH", "/comments"), ("DELETE", "/comments")]
)
def test_what_does_no_harm_twice_is_sent_again_and_an_edit_after_another_look(
    keep: Keep, server: FaultServer, github: GitHub, method: str, path: str, phase: Phase, name: str
) -> None:
    server.script.append(Play(FAULTS[name], phase, method, path=path))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY]
    looks = 1 if (method, phase) == ("PATCH", Phase.BEFORE) else 0
    assert len(requests_of(server)) == len([LIST, POST, LIST, QUERY, "PATCH", "DELETE"]) + 1 + looks


def test_an_own_duplicate_that_somebody_else_has_removed_is_no_problem(keep: Keep, github: GitHub) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))
    github.meanwhile("DELETE", github.comments.pop)

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize(
    "play",
    [
        Play(FAULTS["204"], method="GET", path="/pulls"),
        Play(FAULTS["204"], method="GET", path="/comments"),
        Play(FAULTS["204"], method="POST", path="/comments"),
    ],
    ids=["pulls", "list", "create"],
)
def test_a_refusal_is_one_problem_that_says_why(
    keep: Keep, server: FaultServer, github: GitHub, play: Play, name: str
) -> None:
    fault, words = FAILURES[name]
    server.script.append(replace(play, fault=fault, times=FOREVER))
    github.pulls[HEAD] = [pull(7)]

    (problem,) = keep(pull_request=None).problems

    assert words in problem
    assert github.comments == []


@pytest.mark.parametrize("name", [name for name in FAILURES if name != "a list"])
def test_a_refused_comment_is_not_sent_again(keep: Keep, server: FaultServer, name: str) -> None:
    server.script.append(Play(FAILURES[name][0], method="POST", times=FOREVER, path="/comments"))

    keep()

    assert requests_of(server) == [LIST, POST]


@pytest.mark.parametrize("name", ["no permission", "primary limit, 403", "not found", "invalid"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/graphql"), ("PATCH", "/comments/1001")])
def test_a_comment_that_may_not_be_edited_is_left_as_it_is(
    keep: Keep, server: FaultServer, github: GitHub, method: str, path: str, name: str
) -> None:
    fault, words = FAILURES[name]
    server.script.append(Play(fault, method=method, times=FOREVER, path=path))
    github.add_comment(7, OTHER)

    (problem,) = keep().problems

    assert words in problem
    assert texts(github) == [OTHER]


UNCONFIRMED = {
    **STRANGE_ANSWERS,
    "as it was": response(200, json.dumps({"id": 1001, "body": OTHER}), JSON_TYPE),
    "without a text": response(200, json.dumps({"id": 1001, "body": None}), JSON_TYPE),
}


@pytest.mark.parametrize("name", UNCONFIRMED)
def test_an_edit_that_is_not_confirmed_is_one_problem(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Play(UNCONFIRMED[name], method="PATCH", times=FOREVER))
    github.add_comment(7, OTHER)

    comments = keep()

    assert (comments.urls, len(comments.problems)) == ([], 1)
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("permissions", [{}, {"pull-requests": "read", "issues": "read"}, {"contents": "write"}])
def test_a_job_without_the_permissions_is_told_so(keep: Keep, github: GitHub, permissions: dict[str, str]) -> None:
    github.permissions = permissions

    (problem,) = keep().problems

    assert "GitHub refused it (403: 'Resource not accessible by integration')" in problem


def test_a_token_that_github_does_not_know_is_one_problem(keep: Keep, server: FaultServer) -> None:
    (problem,) = keep(token="ghs_expired0000000000").problems

    assert "GitHub does not accept github-token" in problem
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["500 html", "502 empty", "503 envelope", "520 html", "reset", "not HTTP", "200 html"])
def test_a_github_in_trouble_is_one_problem(keep: Keep, server: FaultServer, github: GitHub, name: str) -> None:
    server.script.append(Play(FAULTS[name], times=FOREVER))

    comments = keep()

    assert (len(comments.problems), github.comments) == (1, [])


@pytest.mark.parametrize("name", NO_LISTS)
def test_a_list_that_is_none_is_no_empty_one(
    keep: Keep, server: FaultServer, github: GitHub, clock: HastyClock, name: str
) -> None:
    server.script.append(Play(NO_LISTS[name], method="GET", times=FOREVER, path="/comments"))
    github.add_comment(7, OTHER)

    comments = keep(deadline=Deadline.after(1, clock))

    assert (len(comments.problems), texts(github)) == (1, [OTHER])


@pytest.mark.parametrize("name", NO_LISTS)
def test_pull_requests_that_cannot_be_read_are_not_none(
    keep: Keep, server: FaultServer, clock: HastyClock, name: str
) -> None:
    server.script.append(Play(NO_LISTS[name], method="GET", times=FOREVER, path="/pulls"))

    comments = keep(pull_request=None, deadline=Deadline.after(1, clock))

    assert comments.pull_requests is None
    assert len(comments.problems) == 1


def test_a_github_that_is_not_there_is_one_problem(keep: Keep, unused_url: str) -> None:
    comments = keep(api_url=unused_url)

    assert len(comments.problems) == 1
    assert "could not be reached" in comments.problems[0]


@pytest.fixture
def unused_url() -> str:
    """The address of a port at which nobody listens any more."""
    with FaultServer() as server:
        return server.url


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/pulls"), ("GET", "/comments"), ("POST", "/comments"), ("POST", "/graphql")]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_is_one_problem_and_not_followed_elsewhere(
    keep: Keep,
    server: FaultServer,
    elsewhere: FaultServer,
    github: GitHub,
    status: int,
    method: str,
    path: str,
    host: str,
) -> None:
    location = f"http://{host}:{elsewhere.address[1]}/elsewhere{path}"
    moved = message(status, "Moved", Location=location)
    server.script.append(Play(moved, method=method, times=FOREVER, path=path))
    github.pulls[HEAD] = [pull(7)]
    github.add_comment(7, OTHER, "octocat")

    comments = keep(pull_request=None)

    assert elsewhere.connections == 0
    assert len(comments.problems) == 1
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("path", ["/pulls", "/comments"])
def test_a_link_to_a_next_page_elsewhere_is_not_followed(
    keep: Keep, server: FaultServer, elsewhere: FaultServer, github: GitHub, path: str, host: str
) -> None:
    link = f'<http://{host}:{elsewhere.address[1]}/repos/{REPOSITORY}/x?page=2>; rel="next"'
    page = response(200, '[{"id": 1, "number": 7, "body": "x"}]', JSON_TYPE | {"Link": link})
    server.script.append(Play(page, method="GET", path=path))
    github.pulls[HEAD] = [pull(7)]

    comments = keep(pull_request=None)

    assert elsewhere.connections == 0
    assert comments == Comments([7], [url_of(7, 1001)], [])


def through_proxy(monkeypatch: pytest.MonkeyPatch, proxy: FaultServer) -> None:
    """Have plain http requests to any other host go through a server that writes them down."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_link_to_another_host_of_the_same_domain_is_not_followed(
    keep: Keep, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    through_proxy(monkeypatch, server)
    link = f'<http://pages.github.example/repos/{REPOSITORY}/x?page=2>; rel="next"'
    page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": link})
    server.script.append(Play(page, method="GET", path="/comments"))

    comments = keep(api_url="http://github.example")

    assert comments.problems == []
    assert [request.path for request in server.requests if "//pages.github.example" in request.path] == []


def test_a_link_from_https_to_http_is_not_followed(
    keep: Keep,
    github: GitHub,
    elsewhere: FaultServer,
    tls: ssl.SSLContext,
    ca_bundle: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    through_proxy(monkeypatch, elsewhere)
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        link = f'<{server.url.replace("https", "http")}/repos/{REPOSITORY}/x?page=2>; rel="next"'
        page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": link})
        server.script.append(Play(page, method="GET", path="/comments"))
        comments = keep(api_url=server.url, ca_bundle=ca_bundle)

    assert comments.problems == []
    assert elsewhere.requests == []


def test_a_silent_github_is_given_up_at_the_deadline(keep: Keep, server: FaultServer) -> None:
    server.script.append(Play(FAULTS["silence"], times=FOREVER))
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(0.5))

    assert 0.4 < time.monotonic() - began < 1
    assert len(comments.problems) == 1
    assert "it took too long" in comments.problems[0]


def slow(seconds: float) -> Fault:
    """Make the fault that is a good response after a while."""

    def stream(reply: Reply) -> Iterable[Step]:
        return [seconds, reply.wire()]

    return Fault(stream)


def test_no_write_begins_after_the_deadline(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Play(slow(0.5), Phase.AFTER, "GET"))

    comments = keep(deadline=Deadline.after(0.2))
    time.sleep(0.6)

    assert len(comments.problems) == 1
    assert (requests_of(server), github.comments) == ([LIST], [])


def test_a_deadline_that_is_over_begins_no_write(keep: Keep, github: GitHub) -> None:
    comments = keep(deadline=Deadline.after(0))

    assert len(comments.problems) == 1
    assert github.comments == []


def test_a_job_that_was_cancelled_before_begins_no_write(keep: Keep, github: GitHub) -> None:
    comments = keep(deadline=Deadline.after(20, cancelled=lambda: True))

    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]
    assert github.comments == []


@pytest.mark.parametrize("play", [Play(FAULTS["silence"], method="GET"), Play(slow(0.05), Phase.AFTER, "GET")])
def test_a_job_that_is_cancelled_meanwhile_ends_at_once_and_says_so(
    keep: Keep, server: FaultServer, github: GitHub, play: Play
) -> None:
    server.script.append(play)
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(20, cancelled=lambda: bool(server.requests)))

    assert time.monotonic() - began < 1
    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]
    assert (requests_of(server), github.comments) == ([LIST], [])


@pytest.mark.parametrize("moment", ["the first look", "the lost comment"])
def test_the_thread_that_sees_first_that_the_job_was_cancelled_says_so_too(
    keep: Keep, server: FaultServer, github: GitHub, moment: str
) -> None:
    cancelled: list[str] = []
    happens = {"the first look": "GET", "the lost comment": "POST"}
    server.script.append(Play(FAULTS["reset"], Phase.AFTER, "POST"))
    github.meanwhile(happens[moment], lambda: cancelled.append(moment))

    comments = keep(deadline=Deadline.after(20, cancelled=lambda: bool(cancelled)))

    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]


@pytest.mark.parametrize(
    "api_url", ["https://api.github.com:99999", "https://api.github.com:port", "https://[::1", "https://:443"]
)
def test_an_address_that_is_none_is_one_problem(keep: Keep, api_url: str) -> None:
    comments = keep(api_url=api_url)

    assert (comments.urls, len(comments.problems)) == ([], 1)


def test_a_pull_request_that_takes_no_comment_does_not_keep_it_from_the_others(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Play(FAILURES["locked"][0], method="POST", path="/issues/7/comments"))
    github.pulls[HEAD] = [pull(7), pull(8)]

    comments = keep(pull_request=None)

    assert comments.urls == [url_of(8, 1001)]
    assert ["#7" in problem and "is locked" in problem for problem in comments.problems] == [True]


def test_only_the_jobs_that_failed_are_named(keep: Keep, server: FaultServer, github: GitHub) -> None:
    ends = ["success", "failure", "cancelled", "skipped", "timed_out", "neutral", "action_required", None]
    github.jobs[FAILED_RUN] = [(f"job {end}", end) for end in ends]

    comments = keep(failed_run=FAILED_RUN)

    assert comments.problems == []
    assert texts(github) == [f"{BODY}\nFailed: job failure, job timed_out"]
    assert requests_of(server) == [JOBS, LIST, POST, LIST]


def test_the_jobs_that_failed_are_found_over_all_pages(keep: Keep, github: GitHub) -> None:
    github.max_per_page = 2
    github.jobs[FAILED_RUN] = [("a", "failure"), ("b", "success"), ("c", "success"), ("d", None), ("e", "failure")]

    keep(failed_run=FAILED_RUN)

    assert texts(github) == [f"{BODY}\nFailed: a, e"]


def test_without_the_permission_to_read_jobs_the_comment_does_without_their_names(keep: Keep, github: GitHub) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    github.permissions = {"pull-requests": "write"}

    comments = keep(failed_run=FAILED_RUN)

    assert (comments.urls, texts(github)) == ([url_of(7, 1001)], [BODY])
    assert len(comments.problems) == 1
    assert "does not name the failed jobs: GitHub refused it (403" in comments.problems[0]


@pytest.mark.parametrize("name", [*FAILURES, "503 html"])
def test_jobs_that_cannot_be_read_are_one_problem_and_the_comment_is_written(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    fault = {**{each: fault for each, (fault, _) in FAILURES.items()}, **FAULTS}[name]
    server.script.append(Play(fault, times=3, path="/jobs"))

    comments = keep(failed_run=FAILED_RUN)

    assert (len(comments.problems), texts(github)) == (1, [BODY])


def test_github_enterprise_server_has_another_prefix(clock: HastyClock, keep: Keep) -> None:
    github = GitHub(prefix="/api/v3", max_per_page=1)
    github.pulls[HEAD] = [pull(6, merged=True, repository="upstream/shop"), pull(7)]
    github.comments = [github.add_comment(7, "x", "octocat"), github.add_comment(7, OTHER)]

    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        comments = keep(pull_request=None, api_url=f"{server.url}/api/v3")

    assert comments == Comments([7], [url_of(7, 1002)], [])
    assert texts(github) == ["x", BODY]
    assert {request.path.partition("/repos")[0] for request in server.requests} == {"/api/v3", "/api/graphql"}


def test_a_private_authority_is_trusted_when_it_is_named(
    keep: Keep, github: GitHub, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        comments = keep(api_url=server.url, ca_bundle=ca_bundle)

    assert comments == Comments([7], [url_of(7, 1001)], [])


def test_a_private_authority_is_not_trusted_otherwise(keep: Keep, github: GitHub, tls: ssl.SSLContext) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        comments = keep(api_url=server.url)

    assert len(comments.problems) == 1
    assert "name that of its authority in REQUESTS_CA_BUNDLE" in comments.problems[0]
    assert server.requests == []


PAGE = f"/v1/status_pages/{PAGE_ID}"
INCIDENTS = f"{PAGE}/incidents"
UPDATES = f"{INCIDENTS}/{INCIDENT_ID}/updates"
UPDATE = f"{UPDATES}/{UPDATE_ID}"
COMPONENTS = f"{PAGE}/components"
TEXT = "The cause is found."
FIRST_TEXT = "Some payments do not go through. We are looking into it."
NEW, FIRST = ("IDENTIFIED", TEXT), ("INVESTIGATING", FIRST_TEXT)
CREATE = {"status": "identified", "description": TEXT}
OPEN = {"incident_id": "", "incident_title": "Deploys are failing", "if_no_incident": "create", **CREATE}
PATCH = {"operation": "update", "update_id": UPDATE_ID, "status": "monitoring"}
DELETE = {"operation": "delete", "update_id": UPDATE_ID}
SAME = {"status": "investigating", "description": FIRST_TEXT, "skip_duplicate": "true"}
OTHER_SHA = "0123456789abcdef0123456789abcdef01234567"
RUNNER = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": SERVER_URL,
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_SHA": HEAD,
}
RUN_URL = f"{SERVER_URL}/{REPOSITORY}/actions/runs/1658821493/attempts/1"
IMPATIENT = RunLimits(write_reserve=120, baseline_share=0.001)

RunStep = Callable[..., StepResult]


@pytest.fixture
def environ(server: FaultServer, tmp_path: Path) -> Callable[[str, object, str], dict[str, str]]:
    """Make the runner's environment for an event."""

    def make(event: str, payload: object, sha: str) -> dict[str, str]:
        path = tmp_path / "event.json"
        path.write_text(json.dumps(payload), encoding="utf-8")
        about = {"GITHUB_API_URL": server.url, "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)}
        files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
        return {**RUNNER, **about, **files, "GITHUB_SHA": sha}

    return make


@pytest.fixture
def step(
    sandbox: Sandbox,
    github: GitHub,
    tmp_path: Path,
    environ: Callable[[str, object, str], dict[str, str]],
) -> RunStep:
    """Run the action with these inputs after a push; hyphens are written as underscores.

    The commit belongs to the pull request 7.
    """
    github.pulls[HEAD] = [pull(7, merged=True)]

    def run(
        *,
        event: str = "push",
        payload: object = None,
        sha: str = HEAD,
        runner: Mapping[str, str] | None = None,
        received: Callable[[], int | None] = lambda: None,
        limits: RunLimits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        **inputs: str,
    ) -> StepResult:
        usual = {"api_token": EDIT_TOKEN, "api_url": sandbox.url, "status_page_id": PAGE_ID, "incident_id": INCIDENT_ID}
        usual |= {"comment": "true", "github_token": TOKEN}
        given = {name.replace("_", "-"): value for name, value in (usual | inputs).items()}
        output, summary, log = tmp_path / "output", tmp_path / "summary", io.StringIO()
        output.write_bytes(b"")
        summary.write_bytes(b"")
        variables = {**environ(event, payload, sha), **as_variables(given), **(runner or {})}
        exit_status = main([], variables, log, received, clock=clock, limits=limits)
        outputs = parse_outputs(output.read_text(encoding="utf-8"))
        return StepResult(exit_status, log.getvalue(), outputs, summary.read_text(encoding="utf-8"))

    return run


def asked(sandbox: Sandbox) -> list[str]:
    """What OnlineOrNot was asked, without the query."""
    return [f"{request.method} {request.path.partition('?')[0]}" for request in sandbox.store.requests]


def timeline(body: str) -> list[tuple[str, str]]:
    """Status and text in each row of a comment."""
    return re.findall(r"^\| \d{4}-[^|]+ \| `(.*?)`(?:<br>[a-z ]+)? \| `(.*?)` \|", body, re.MULTILINE)


def said(log: str, *names: str) -> list[str]:
    """What the commands of these names say."""
    return [command.data for command in commands(log) if command.name in names]


@pytest.mark.parametrize(
    ("inputs", "outcome", "rows"),
    [
        (CREATE, "created", [NEW, FIRST]),
        (OPEN, "opened", [NEW]),
        (PATCH, "updated", [("MONITORING", FIRST_TEXT)]),
        (PATCH | {"update_id": "latest", "description": TEXT}, "updated", [("MONITORING", TEXT)]),
        (DELETE, "deleted", []),
        (DELETE | {"update_id": "latest"}, "deleted", []),
        (SAME, "unchanged", [FIRST]),
    ],
)
def test_the_comment_shows_the_updates_as_they_are_then(
    step: RunStep, github: GitHub, inputs: dict[str, str], outcome: str, rows: list[tuple[str, str]]
) -> None:
    result = step(**inputs)

    (body,) = texts(github)
    incident_id = result.outputs["incident-id"]
    assert (result.end, said(result.log, "warning", "error")) == ((0, outcome), [])
    assert body.startswith(f"{marker(PAGE_ID, incident_id)}\n")
    assert timeline(body) == rows
    assert f"[Workflow run]({RUN_URL})" in body
    assert f"]({result.outputs['incident-url']})" in body
    assert f"[The comment on the pull request]({url_of(7, 1001)})" in result.summary
    assert f"The comment on the pull request is up to date: {url_of(7, 1001)}\n" in result.log


def test_the_comment_grows_with_the_incident_and_is_calm_at_its_end(step: RunStep, github: GitHub) -> None:
    step(**CREATE, components=f"{API_ID}: major_outage")
    step(operation="update", update_id=UPDATE_ID, description="It began with payments.")
    step(status="resolved", description="It is over.", components="restore", notify="false")

    (body,) = texts(github)
    assert timeline(body) == [("RESOLVED", "It is over."), NEW, ("INVESTIGATING", "It began with payments.")]
    assert re.search("^### ✅ .*: `RESOLVED`$", body, re.MULTILINE)
    assert "`API: MAJOR_OUTAGE → OPERATIONAL`" in body
    assert "| `RESOLVED`<br>subscribers not told |" in body
    assert "| `IDENTIFIED`<br>subscribers told |" in body


@pytest.mark.parametrize(("notify", "words"), [("true", "subscribers told"), ("false", "subscribers not told")])
@pytest.mark.parametrize("inputs", [CREATE, OPEN])
def test_the_comment_says_whether_subscribers_were_told_where_the_run_knows(
    step: RunStep, github: GitHub, inputs: dict[str, str], notify: str, words: str
) -> None:
    step(**inputs, notify=notify)

    assert f"| `IDENTIFIED`<br>{words} |" in texts(github)[0]


@pytest.mark.parametrize("inputs", [PATCH, DELETE, SAME])
def test_the_comment_does_not_say_it_where_the_run_does_not_know(
    step: RunStep, github: GitHub, inputs: dict[str, str]
) -> None:
    step(**inputs)

    assert "subscribers" not in texts(github)[0]


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [
        (CREATE, [f"GET {UPDATES}", f"POST {UPDATES}"]),
        (
            CREATE | {"components": "restore"},
            [f"GET {UPDATES}", f"GET {INCIDENTS}/{INCIDENT_ID}", f"POST {UPDATES}"],
        ),
        (OPEN, [f"GET {INCIDENTS}", f"POST {INCIDENTS}", f"GET {INCIDENTS}"]),
        (SAME, [f"GET {UPDATES}", f"GET {INCIDENTS}/{INCIDENT_ID}"]),
        (PATCH | {"update_id": "latest"}, [f"GET {UPDATES}", f"PATCH {UPDATE}"]),
        (DELETE | {"update_id": "latest"}, [f"GET {UPDATES}", f"DELETE {UPDATE}"]),
    ],
)
def test_what_the_run_has_read_is_not_read_again(
    step: RunStep, sandbox: Sandbox, inputs: dict[str, str], requests: list[str]
) -> None:
    step(**inputs)

    assert asked(sandbox) == [*requests, f"GET {PAGE}"]


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [(PATCH, [f"PATCH {UPDATE}", f"GET {PAGE}"]), (DELETE, [f"DELETE {UPDATE}", f"GET {PAGE}", f"GET {UPDATES}"])],
)
def test_what_the_run_has_not_read_is_read_once_and_an_empty_list_twice(
    step: RunStep, sandbox: Sandbox, inputs: dict[str, str], requests: list[str]
) -> None:
    step(**inputs)

    assert asked(sandbox) == [*requests, f"GET {UPDATES}"]


def test_an_update_that_was_found_again_is_shown_as_all_are_then(step: RunStep, github: GitHub) -> None:
    with FaultServer([Play(FAULTS["reset"], Phase.AFTER, "POST")]) as status_page:
        result = step(**CREATE, api_url=status_page.url)

    assert result.end == (0, "created")
    assert timeline(texts(github)[0]) == [NEW, FIRST]


def test_what_others_posted_meanwhile_is_shown_when_an_update_was_found_again(step: RunStep, github: GitHub) -> None:
    store = Store()
    other = IncidentUpdateCreate(status="MONITORING", description="We are watching it.")
    lost = lost_while(lambda: store.create_incident_update(INCIDENT_ID, other))

    with FaultServer([Play(lost, Phase.AFTER, "POST")], store=store) as status_page:
        result = step(**CREATE, api_url=status_page.url)

    assert result.end == (0, "created")
    assert timeline(texts(github)[0]) == [("MONITORING", "We are watching it."), NEW, FIRST]


def test_updates_that_cannot_be_read_leave_the_comment_as_it_is(step: RunStep, github: GitHub) -> None:
    github.add_comment(7, OTHER)

    with FaultServer([Play(FAULTS["404 envelope"], method="GET", path="/updates")]) as status_page:
        result = step(**PATCH, api_url=status_page.url)

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "updated")
    assert "the incident's updates could not be read" in warning
    assert texts(github) == [OTHER]


DEPLOYMENT = {"id": 1, "sha": HEAD, "ref": "main", "environment": "production"}
FAILED = {"id": FAILED_RUN, "head_sha": HEAD, "conclusion": "failure", "pull_requests": []}


@pytest.mark.parametrize(
    ("event", "payload", "sha"),
    [
        ("push", {"after": HEAD, "head_commit": {"id": HEAD}}, OTHER_SHA),
        ("push", {"after": HEAD, "head_commit": None}, OTHER_SHA),
        ("pull_request", {"number": 7, "pull_request": {"number": 7, "head": {"sha": OTHER_SHA}}}, OTHER_SHA),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": {"id": 1}}, OTHER_SHA),
        ("deployment", {"deployment": DEPLOYMENT}, OTHER_SHA),
        ("deployment_status", {"deployment": DEPLOYMENT, "deployment_status": {"state": "failure"}}, OTHER_SHA),
        ("workflow_run", {"workflow_run": FAILED}, OTHER_SHA),
        ("workflow_run", {"workflow_run": FAILED | {"conclusion": "success"}}, OTHER_SHA),
        ("workflow_dispatch", {"ref": "refs/heads/main", "inputs": {"number": "8"}}, HEAD),
        ("schedule", {"schedule": "0 * * * *"}, HEAD),
        ("repository_dispatch", {"action": "rollback", "client_payload": {}}, HEAD),
    ],
)
def test_each_event_finds_its_pull_request(
    step: RunStep, github: GitHub, event: str, payload: dict[str, Any], sha: str
) -> None:
    github.jobs[FAILED_RUN] = []
    github.pulls[OTHER_SHA] = [pull(8)]

    result = step(**CREATE, event=event, payload=payload, sha=sha)

    assert (result.end, said(result.log, "warning")) == ((0, "created"), [])
    assert [comment.issue for comment in github.comments] == [7]


def test_a_rollback_names_the_jobs_that_failed(step: RunStep, github: GitHub) -> None:
    github.jobs[FAILED_RUN] = [("build", "success"), ("deploy | prod", "failure"), ("@octocat", "timed_out")]

    step(**CREATE, event="workflow_run", payload={"workflow_run": FAILED}, sha=OTHER_SHA)

    run = f"[the workflow run that led to this]({SERVER_URL}/{REPOSITORY}/actions/runs/{FAILED_RUN})"
    assert f"Failed in {run}: `deploy ¦ prod`, `@octocat`" in texts(github)[0]


def test_a_run_that_succeeded_has_no_failed_jobs(step: RunStep, server: FaultServer) -> None:
    payload = {"workflow_run": FAILED | {"conclusion": "success"}}

    step(**CREATE, event="workflow_run", payload=payload, sha=OTHER_SHA)

    assert JOBS not in requests_of(server)


@pytest.mark.parametrize("payload", [None, [], "x", {"head_commit": "x"}, {"head_commit": {"id": "../../x"}}])
def test_an_event_that_makes_no_sense_is_about_the_commit_of_the_run(
    step: RunStep, github: GitHub, payload: object
) -> None:
    result = step(**CREATE, payload=payload)

    assert result.end == (0, "created")
    assert len(texts(github)) == 1


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        (CREATE | {"dry_run": "true"}, "dry-run"),
        (OPEN | {"dry_run": "true"}, "dry-run"),
        (PATCH | {"dry_run": "true"}, "dry-run"),
        (DELETE | {"dry_run": "true"}, "dry-run"),
        (OPEN | {"if_no_incident": "skip"}, "skipped"),
        (OPEN | {"if_no_incident": "fail"}, "invalid"),
        (CREATE | {"status": "broken"}, "invalid"),
        (CREATE | {"api_token": READ_TOKEN}, "rejected"),
        (CREATE | {"api_url": "http://127.0.0.1:9"}, "not-sent"),
        (CREATE | {"api_url": "http://127.0.0.1:9", "fail_on_error": "false"}, "not-sent"),
        ({"operation": "get", "update_id": UPDATE_ID}, "fetched"),
        ({"operation": "list"}, "listed"),
        (CREATE | {"comment": "false"}, "created"),
        (CREATE | {"comment": ""}, "created"),
    ],
)
def test_where_there_is_no_news_github_is_not_asked(
    step: RunStep, server: FaultServer, inputs: dict[str, str], outcome: str
) -> None:
    result = step(**inputs, limits=IMPATIENT if "api_url" in inputs else RunLimits())

    assert result.end[1] == outcome
    assert server.connections == 0


def test_an_update_of_which_nobody_knows_makes_no_comment(
    step: RunStep, server: FaultServer, clock: HastyClock
) -> None:
    script = [Play(FAULTS["200 empty"], method="POST"), Play(FAULTS["500 empty"], method="GET", times=FOREVER)]

    with FaultServer(script) as status_page:
        result = step(**CREATE, api_url=status_page.url, clock=clock)

    assert (result.end, server.connections) == ((1, "unknown"), 0)


@pytest.mark.parametrize("inputs", [{"operation": "get", "update_id": UPDATE_ID}, {"operation": "list"}])
def test_get_and_list_warn_that_a_comment_has_no_effect(step: RunStep, inputs: dict[str, str]) -> None:
    result = step(**inputs)

    (warning,) = said(result.log, "warning")
    assert "these have no effect: comment." in warning


def test_without_a_pull_request_there_is_a_notice(step: RunStep, github: GitHub) -> None:
    github.pulls.clear()

    result = step(**CREATE)

    assert (result.end, github.comments) == ((0, "created"), [])
    assert said(result.log, "warning", "error") == []
    assert said(result.log, "notice")[1:] == [f"There is no comment: no pull request belongs to commit {HEAD}."]


def plays(fault: Fault, *, phase: Phase = Phase.BEFORE, method: str | None = None) -> list[Play]:
    return [Play(fault, phase, method, FOREVER, "/comments")]


TROUBLES = {
    **{name: plays(fault) for name, (fault, _) in FAILURES.items()},
    **{f"{name}, at the end": plays(fault, method="POST") for name, (fault, _) in FAILURES.items()},
    "500": plays(FAULTS["500 html"], method="GET"),
    "redirect": plays(FAULTS["301 elsewhere"]),
    "not HTTP": plays(FAULTS["not HTTP"]),
    "deep JSON": plays(FAULTS["200 deep JSON"]),
    "silence": plays(FAULTS["silence"]),
    "headers drip": plays(FAULTS["headers drip"]),
    "an order to the runner": plays(message(403, "No\n::error::x\r::add-mask::y ##[error]z %0A::error::w\x1b[2K")),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_whatever_github_does_the_step_stays_as_it_is_with_one_warning(
    step: RunStep, sandbox: Sandbox, server: FaultServer, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    server.script += TROUBLES[name]

    result = step(**CREATE, limits=RunLimits(comment=1.5))

    posted = sandbox.store.timeline()[-1]
    assert result.end == (0, "created")
    assert (result.outputs["update-id"], result.outputs["notified"], result.outputs["error"]) == (posted.id, "true", "")
    assert result.outputs["incident-url"]
    assert [command.name for command in commands(result.log)] == ["add-mask", "add-mask", "notice", "warning"]
    assert PERMISSIONS in said(result.log, "warning")[0]
    assert "### ✅ OnlineOrNot: update posted" in result.summary
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("inputs", [PATCH, DELETE, SAME, OPEN])
def test_no_operation_fails_with_github(step: RunStep, server: FaultServer, inputs: dict[str, str]) -> None:
    server.script.append(Play(FAILURES["no permission"][0], times=FOREVER))

    result = step(**inputs)

    assert result.exit_status == 0
    assert result.outputs["error"] == ""
    assert len(said(result.log, "warning")) == 1


@pytest.mark.parametrize(
    "about",
    [
        {"github_token": ""},
        {"github_token": "two words"},
        {"github_token": "ghs_\u00e4"},
        {"github_token": "ghs_1\nghs_2"},
        {"github_token": "${{ github.token }}"},
        {"github_token": EDIT_TOKEN},
        {"runner": {"GITHUB_API_URL": ""}},
        {"runner": {"GITHUB_API_URL": "api.github.com"}},
        {"runner": {"GITHUB_API_URL": "ftp://api.github.com"}},
        {"runner": {"GITHUB_API_URL": "https://user:password@api.github.com"}},
        {"runner": {"GITHUB_API_URL": "https://api.github.com?x=y"}},
        {"runner": {"GITHUB_API_URL": "https://api.github.com:port"}},
        {"runner": {"GITHUB_API_URL": "https://[::1"}},
        {"runner": {"GITHUB_REPOSITORY": ""}},
        {"runner": {"GITHUB_REPOSITORY": "shop"}},
        {"runner": {"GITHUB_REPOSITORY": "octo-org/shop/pulls"}},
        {"runner": {"GITHUB_REPOSITORY": "octo-org/shop?x"}},
    ],
)
def test_what_cannot_be_used_is_one_warning(step: RunStep, server: FaultServer, about: dict[str, Any]) -> None:
    result = step(**CREATE, **about)

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "created")
    assert PERMISSIONS in warning
    assert "ghs_" not in warning
    assert server.connections == 0


def test_a_slash_at_the_end_of_an_address_does_no_harm(step: RunStep, server: FaultServer, github: GitHub) -> None:
    result = step(**CREATE, runner={"GITHUB_API_URL": f"{server.url}/", "GITHUB_SERVER_URL": f"{SERVER_URL}/"})

    assert said(result.log, "warning") == []
    assert f"[Workflow run]({RUN_URL})" in texts(github)[0]


def test_jobs_that_cannot_be_read_and_a_comment_that_cannot_be_written_are_one_annotation(
    step: RunStep, github: GitHub
) -> None:
    github.permissions = {"pull-requests": "read"}

    result = step(**CREATE, event="workflow_run", payload={"workflow_run": FAILED}, sha=OTHER_SHA)

    (warning,) = said(result.log, "warning")
    assert result.end == (0, "created")
    assert "actions: read" in warning
    assert PERMISSIONS in warning


def test_the_outputs_are_complete_before_github_is_asked(step: RunStep, github: GitHub, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    github.meanwhile(
        "GET", lambda: seen.append(parse_outputs((tmp_path / "output").read_text(encoding="utf-8"))), "/pulls"
    )

    result = step(**CREATE)

    assert seen == [result.outputs]


def test_a_job_that_was_cancelled_does_not_begin_the_comment(
    step: RunStep, sandbox: Sandbox, server: FaultServer
) -> None:
    result = step(**CREATE, received=lambda: signal.SIGTERM if f"GET {PAGE}" in asked(sandbox) else None)

    assert result.end == (0, "created")
    assert server.connections == 0
    assert said(result.log, "warning", "error") == []
    assert "was left as it is: the job was cancelled" in result.log


@pytest.mark.parametrize("name", ["silence", "headers drip"])
def test_a_job_that_is_cancelled_meanwhile_ends_at_once_as_it_would_have(
    step: RunStep, server: FaultServer, name: str
) -> None:
    server.script.append(Play(FAULTS[name], times=FOREVER))
    began = time.monotonic()

    result = step(**CREATE, received=lambda: signal.SIGTERM if server.requests else None)

    assert time.monotonic() - began < 1.5
    assert result.end == (0, "created")
    assert ["the job was cancelled" in warning for warning in said(result.log, "warning")] == [True]


def test_a_request_that_never_ends_does_not_hold_up_the_end_of_the_process(
    environ: Callable[[str, object, str], dict[str, str]], sandbox: Sandbox, server: FaultServer
) -> None:
    server.script.append(Play(FAULTS["silence"], times=FOREVER))
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    variables = as_variables({**given, **CREATE, "comment": "true", "github-token": TOKEN})

    with subprocess.Popen(
        [sys.executable, "-I", str(ROOT / "entrypoint.py")],
        env=environ("push", None, HEAD) | variables,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        server.wait_for("GET")
        process.send_signal(signal.SIGTERM)
        log, errors = process.communicate(timeout=2)

    assert (process.returncode, errors) == (0, "")
    assert ["the job was cancelled" in warning for warning in said(log, "warning")] == [True]


def test_the_token_of_github_is_masked_and_nowhere_else(step: RunStep, github: GitHub) -> None:
    with FaultServer() as status_page:
        result = step(**CREATE, api_url=status_page.url)

    everything = (*result.outputs.values(), result.summary, *texts(github))
    told = b"".join(
        b"%s %s %s" % (request.path.encode(), request.headers.as_bytes(), request.body)
        for request in status_page.requests
    )
    assert f"::add-mask::{TOKEN}\n" in result.log
    assert result.log.count(TOKEN) == 1
    assert [text for text in everything if TOKEN in text] == []
    assert TOKEN.encode() not in told


@pytest.mark.parametrize("status", [200, 401, 403, 422])
@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize("before", ["No ", "x" * 50])
def test_a_github_that_repeats_a_secret_does_not_make_it_known(
    step: RunStep, server: FaultServer, status: int, secret: str, before: str
) -> None:
    server.script.append(Play(message(status, f"{before}{secret}"), times=FOREVER))

    result = step(**CREATE)

    assert result.log.count(secret[:8]) == 1
    assert secret[:8] not in result.summary + str(result.outputs)


@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize("before", ["It is ", "x" * 190])
def test_a_secret_on_the_status_page_does_not_reach_the_comment(
    step: RunStep, sandbox: Sandbox, server: FaultServer, github: GitHub, secret: str, before: str
) -> None:
    written = IncidentUpdateCreate(status="UPDATE", description=f"{before}{secret}{secret}")
    sandbox.store.create_incident_update(INCIDENT_ID, written)

    step(**CREATE)

    sent = b"".join(request.body for request in server.requests).decode()
    assert secret[:8] not in texts(github)[0] + sent


@pytest.mark.parametrize("secret", [EDIT_TOKEN, TOKEN])
@pytest.mark.parametrize("before", ["deploy ", "x" * 40])
def test_a_secret_in_the_name_of_a_job_does_not_reach_the_comment(
    step: RunStep, github: GitHub, secret: str, before: str
) -> None:
    github.jobs[FAILED_RUN] = [(f"{before}{secret}", "failure")]

    step(**CREATE, event="workflow_run", payload={"workflow_run": FAILED}, sha=OTHER_SHA)

    assert f"`{before}***`" in texts(github)[0]
    assert secret[:8] not in texts(github)[0]


def test_the_api_token_is_in_no_request_to_github(step: RunStep, server: FaultServer) -> None:
    step(**CREATE)

    sent = b"".join(
        b"%s %s %s" % (request.path.encode(), request.headers.as_bytes(), request.body) for request in server.requests
    )
    assert EDIT_TOKEN.encode() not in sent
    assert {request.headers["Authorization"] for request in server.requests} == {f"token {TOKEN}"}


@pytest.mark.parametrize(("comment", "loaded"), [("false", "set()"), ("", "set()"), ("true", "{'github'}")])
def test_a_run_without_a_comment_never_loads_github(
    environ: Callable[[str, object, str], dict[str, str]], sandbox: Sandbox, comment: str, loaded: str
) -> None:
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    variables = as_variables({**given, **CREATE, "comment": comment, "github-token": TOKEN})
    code = (
        f"import io, os, sys; sys.path.insert(0, {str(ROOT)!r}); from entrypoint import main; "
        "main([], os.environ, io.StringIO()); print({'github'} & set(sys.modules))"
    )

    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env=environ("push", None, HEAD) | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{loaded}\n", "")
    assert len(sandbox.store.timeline()) == 2


def test_the_incident_that_has_the_title_gets_the_comment(step: RunStep, github: GitHub) -> None:
    result = step(**CREATE, incident_id="", incident_title=INCIDENT_TITLE)

    assert result.end == (0, "created")
    assert f"`{INCIDENT_TITLE}`" in texts(github)[0]
    assert timeline(texts(github)[0]) == [NEW, FIRST]


def test_what_no_later_run_could_find_out_is_remembered(step: RunStep, github: GitHub) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    step(
        **CREATE,
        incident_id="",
        incident_title=INCIDENT_TITLE,
        notify="false",
        event="workflow_run",
        payload={"workflow_run": FAILED},
    )

    step(status="resolved", description="It is over.")

    (body,) = texts(github)
    assert timeline(body) == [("RESOLVED", "It is over."), NEW, FIRST]
    assert f"`{INCIDENT_TITLE}`" in body
    assert "| `IDENTIFIED`<br>subscribers not told |" in body
    assert f"the workflow run that led to this]({SERVER_URL}/{REPOSITORY}/actions/runs/{FAILED_RUN}): `deploy`" in body


@pytest.mark.parametrize(("moment", "before"), [("GET", [CREATE]), ("GET", []), ("POST", [])])
def test_an_older_state_does_not_overwrite_a_newer_one(
    step: RunStep, github: GitHub, moment: str, before: list[dict[str, str]]
) -> None:
    known = [step(**inputs).outputs["update-id"] for inputs in before]
    github.meanwhile(moment, lambda: step(status="resolved", description="It is over."))

    step(status="monitoring", description="We are watching it.")

    (body,) = texts(github)
    newest = [("RESOLVED", "It is over."), ("MONITORING", "We are watching it.")]
    assert timeline(body) == [*newest, *[NEW for _ in known], FIRST]


def test_the_names_of_failed_jobs_are_kept_when_they_cannot_be_read_any_more(step: RunStep, github: GitHub) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    again = {"event": "workflow_run", "payload": {"workflow_run": FAILED}}
    step(**CREATE, **again)
    github.permissions = {"pull-requests": "write", "issues": "write"}

    step(status="resolved", description="It is over.", **again)

    assert (
        f"the workflow run that led to this]({SERVER_URL}/{REPOSITORY}/actions/runs/{FAILED_RUN}): `deploy`"
        in texts(github)[0]
    )


def test_the_api_token_is_not_sent_to_github_where_it_is_given_for_the_other(
    step: RunStep, server: FaultServer
) -> None:
    result = step(**CREATE, github_token=EDIT_TOKEN)

    assert (result.end, server.requests) == ((0, "created"), [])
    assert "github-token is the API token of OnlineOrNot" in said(result.log, "warning")[0]


@pytest.mark.parametrize(
    "body", ['{"errors": 1}', '{"message": 1}', "true", "[]", '"no"', '{"errors": [{"errors": []}]}']
)
def test_a_refusal_in_strange_words_is_one_problem(keep: Keep, server: FaultServer, body: str) -> None:
    server.script.append(Play(response(422, body, JSON_TYPE, phases=BEFORE), method="POST", times=FOREVER))

    assert len(keep().problems) == 1


def test_an_update_whose_response_leaves_out_its_components_is_read_again(step: RunStep, github: GitHub) -> None:
    def without_components(reply: Reply) -> Iterable[Step]:
        envelope = json.loads(reply.body)
        del envelope["result"]["components"]
        yield replace(reply, body=json.dumps(envelope).encode()).wire()

    with FaultServer([Play(Fault(without_components), Phase.AFTER, "POST")]) as status_page:
        step(**CREATE, components=f"{API_ID}: major_outage", api_url=status_page.url)

    assert "`API: OPERATIONAL → MAJOR_OUTAGE`" in texts(github)[0]


def test_an_edit_whose_response_was_lost_does_not_overwrite_what_came_meanwhile(
    step: RunStep, server: FaultServer, github: GitHub
) -> None:
    step(**CREATE)
    server.script.append(Play(FAULTS["502 empty"], method="PATCH"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: step(status="resolved", description="It is over.")))

    step(status="monitoring", description="We are watching it.")

    assert timeline(texts(github)[0])[0] == ("RESOLVED", "It is over.")


def test_a_comment_that_is_removed_before_it_can_be_edited_is_made_anew(keep: Keep, github: GitHub) -> None:
    github.add_comment(7, OTHER)
    github.meanwhile("PATCH", github.comments.clear)

    comments = keep()

    assert comments.problems == []
    assert texts(github) == [BODY]


def test_comments_that_make_no_sense_are_passed_over(keep: Keep, server: FaultServer) -> None:
    strange = [{"id": 1, "user": {}}, {"id": "2"}, 3, None, {"id": 4, "body": 5, "user": {"login": ""}}, {"body": BODY}]
    server.script.append(Play(response(200, json.dumps(strange), JSON_TYPE), method="GET", path="/comments"))

    assert keep().problems == []


def test_a_list_that_never_ends_is_left_when_it_repeats_itself(keep: Keep, server: FaultServer) -> None:
    page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": '<x>; rel="next"'})
    server.script.append(Play(page, method="GET", path="/comments", times=FOREVER))

    assert keep().problems == []
    assert requests_of(server) == [LIST, LIST, POST, LIST, LIST]


def test_jobs_that_are_never_told_do_not_keep_the_comment_from_being_written(
    server: FaultServer, github: GitHub
) -> None:
    server.script.append(Play(FAULTS["silence"], method="GET", path="/jobs", times=FOREVER))
    run = replace(WORKFLOW, api_url=server.url, failed_run=FAILED_RUN)

    comments = keep_comments(
        run, TOKEN, MARKER, lambda _jobs, _before: BODY, Deadline.after(20), ca_bundle=None, scrub=str
    )

    assert texts(github) == [BODY]
    assert ["failed jobs" in problem for problem in comments.problems] == [True]


class BrokenEnvironment(dict[str, str]):
    """An environment in which one variable cannot be read."""

    def get(self, name: str, default: Any = None) -> Any:
        """Read another one."""
        if name == "GITHUB_EVENT_NAME":
            raise RuntimeError("unforeseen")
        return super().get(name, default)


def test_a_defect_of_the_comment_is_a_warning_that_tells_its_place(
    sandbox: Sandbox, environ: Callable[[str, object, str], dict[str, str]], tmp_path: Path
) -> None:
    inputs = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    about = as_variables({**inputs, **CREATE, "comment": "true", "github-token": TOKEN})
    log = io.StringIO()

    exit_status = main([], BrokenEnvironment(environ("push", {}, HEAD) | about), log)

    outputs = parse_outputs((tmp_path / "output").read_text(encoding="utf-8"))
    assert (exit_status, outputs["outcome"]) == (0, "created")
    assert "Internal error: RuntimeError in test_keep.py, line" in said(log.getvalue(), "warning")[0]


def test_duplicates_that_cannot_be_looked_for_leave_the_comment_as_it_is(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.add_comment(7, OTHER)
    github.add_comment(7, OTHER)
    server.script.append(Play(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"))
    server.script.append(Play(FAULTS["500 html"], method="GET", path="/comments", times=FOREVER))

    comments = keep()

    assert comments == Comments([7], [url_of(7, 1001)], [])
    assert texts(github) == [BODY, OTHER]
