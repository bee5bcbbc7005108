"""One comment per incident and pull request, against a small GitHub on a real socket."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from support.fault_server import (
    CASES,
    FAULTS,
    FOREVER,
    JSON_TYPE,
    LOST_RESPONSES,
    STRANGE_RESPONSES,
    UNCERTAIN_RESPONSES,
    Fault,
    FaultServer,
    Phase,
    Rule,
    response,
)
from support.github_app import (
    BODY,
    BOT,
    FAILED_RUN,
    HEAD,
    JOBS,
    LIST,
    MARKER,
    OTHER,
    POST,
    PULLS,
    QUERY,
    TOKEN,
    GitHub,
    pull,
    requests_of,
    texts,
    url_of,
)
from support.github_faults import FAILURES, slow

from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.comment import CommentLimits, CommentResult, upsert_comments
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

Upsert = Callable[..., CommentResult]

UP_TO_DATE = CommentResult((7,), (url_of(7, 1001),))

QUICK = CommentLimits(lost_pauses=(0.2, 1))
"""For tests in real time."""

RETRIED = (502, 503, 504)
SLOW = {"silence", "headers stop", "headers drip", "body stops", "body drips"}
APART = {
    "written late",  # it has a test of its own
    "gzip bomb",  # PyGithub unpacks it to the end, which takes half a minute
    "103 for ever",  # only after a real pause is the connection seen to be dead
}
LOST = (LOST_RESPONSES.keys() | {name for name in UNCERTAIN_RESPONSES if name[0] == "5"}) - SLOW - APART


@pytest.mark.parametrize(("pull_request", "requests"), [(7, [LIST, POST, LIST]), (None, [PULLS, LIST, POST, LIST])])
def test_pull_requests_of_the_commit_are_looked_up_only_if_the_event_names_none(
    upsert: Upsert, server: FaultServer, github: GitHub, pull_request: int | None, requests: list[str]
) -> None:
    github.pulls[HEAD] = [pull(7)]

    assert upsert(pull_request=pull_request) == UP_TO_DATE
    assert (requests_of(server), texts(github)) == (requests, [BODY])


def test_without_a_pull_request_nothing_more_is_requested(upsert: Upsert, server: FaultServer) -> None:
    comments = upsert(pull_request=None, failed_run=FAILED_RUN)

    assert comments == CommentResult(())
    assert requests_of(server) == [PULLS]


def test_the_comment_is_edited_from_the_second_time_on(upsert: Upsert, server: FaultServer, github: GitHub) -> None:
    upsert()
    server.requests.clear()

    assert upsert(OTHER) == UP_TO_DATE
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001"]
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("there", [BODY, BODY.replace("\n", "\r\n")])
def test_a_comment_that_would_not_change_is_not_edited(
    upsert: Upsert, server: FaultServer, github: GitHub, there: str
) -> None:
    github.add_comment(7, there)

    assert upsert() == UP_TO_DATE
    assert requests_of(server) == [LIST, QUERY]


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
def test_a_comment_on_something_else_or_by_somebody_else_is_left_alone(
    upsert: Upsert, github: GitHub, author: str | None, text: str
) -> None:
    github.add_comment(7, text, author)

    comments = upsert()

    assert comments == CommentResult((7,), (url_of(7, 1002),))
    assert texts(github) == [text, BODY]


def test_the_login_is_requested_only_when_a_comment_has_the_marker_and_only_once(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    github.pulls[HEAD] = [pull(7), pull(8), pull(9)]
    github.add_comment(7, "Looks good to me.", "octocat")
    github.add_comment(8, BODY, "octocat")
    github.add_comment(9, BODY)

    upsert(pull_request=None)

    assert requests_of(server)[:6] == [PULLS, LIST, POST, LIST, LIST.replace("7", "8"), QUERY]
    assert requests_of(server).count(QUERY) == 1


def test_the_token_of_a_person_finds_the_persons_comment(upsert: Upsert, github: GitHub) -> None:
    github.login = "octocat"
    github.add_comment(7, BODY, "octocat")

    upsert(OTHER)

    assert texts(github) == [OTHER]


@pytest.mark.parametrize("script", [[], [Rule(FAULTS["reset"], Phase.AFTER, "POST", path="/comments")]])
def test_the_older_comment_of_another_run_stays_and_our_duplicate_is_removed(
    upsert: Upsert, server: FaultServer, github: GitHub, script: list[Rule]
) -> None:
    server.script += script
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    assert upsert() == UP_TO_DATE
    changes = ["PATCH /issues/comments/1001", "DELETE /issues/comments/1002"]
    assert (requests_of(server), texts(github)) == ([LIST, POST, LIST, QUERY, *changes], [BODY])


def test_the_newer_comment_of_another_run_is_left_for_that_run_to_remove(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    github.meanwhile("POST", lambda: github.meanwhile("GET", lambda: github.add_comment(7, OTHER)))
    github.meanwhile("POST", lambda: github.meanwhile("GET", github.comments.pop), "/graphql")

    assert upsert() == UP_TO_DATE
    assert requests_of(server) == [LIST, POST, LIST, QUERY, LIST]
    assert texts(github) == [BODY]


def test_the_older_of_two_comments_by_other_runs_is_edited_and_the_newer_mentioned(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    github.comments = [github.add_comment(7, OTHER), github.add_comment(7, BODY)]

    comments = upsert()

    problem = f"The comment on pull request #7 is there twice, delete {url_of(7, 1002)}."
    assert comments == CommentResult((7,), (url_of(7, 1001),), (problem,))
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001", LIST]
    assert texts(github) == [BODY, BODY]


def test_our_duplicate_is_mentioned_if_it_cannot_be_removed(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Rule(FAILURES["secondary limit, 403"][0], method="DELETE"))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    (problem,) = upsert().problems

    assert f"#7 is there twice, delete {url_of(7, 1002)}: GitHub's rate limit" in problem
    assert texts(github) == [BODY, BODY]


def test_a_duplicate_that_appears_while_our_comment_is_lost_is_not_removed(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    others = [f"{MARKER}\nIt begins.", OTHER]
    server.script.append(Rule(FAULTS["reset"], method="POST", path="/comments"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: [github.add_comment(7, each) for each in others]))

    comments = upsert()

    assert comments.urls == (url_of(7, 1001),)
    assert [f"delete {url_of(7, 1002)}" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY, OTHER]


@pytest.mark.parametrize(("method", "last"), [("POST", BODY), ("PATCH", BODY), ("DELETE", OTHER)])
def test_another_run_at_any_moment_leaves_one_comment(upsert: Upsert, github: GitHub, method: str, last: str) -> None:
    other: list[CommentResult] = []
    github.meanwhile(method, lambda: other.append(upsert(OTHER)))
    github.meanwhile("POST", lambda: github.add_comment(7, f"{MARKER}\nIt begins."))

    assert upsert() == UP_TO_DATE
    assert other[0].urls == (url_of(7, 1001),)
    assert texts(github) == [last]


def test_two_runs_that_both_find_nothing_leave_one_comment(upsert: Upsert, github: GitHub) -> None:
    both_have_looked = threading.Barrier(2)
    github.meanwhile("POST", both_have_looked.wait)
    github.meanwhile("POST", both_have_looked.wait)

    with ThreadPoolExecutor() as pool:
        comments = [*pool.map(partial(upsert, deadline=Deadline.after(20), limits=QUICK), [BODY, OTHER])]

    assert comments == [UP_TO_DATE] * 2
    assert len(texts(github)) == 1


def test_a_comment_is_written_though_the_list_cannot_be_read_again(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(FAILURES["secondary limit, 403"][0], method="GET", path="/comments"),
    ]

    comments = upsert()

    assert comments.urls == (url_of(7, 1001),)
    assert ["#7 may be there twice" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY]


@pytest.mark.parametrize("name", sorted(LOST))
@pytest.mark.parametrize(
    ("phase", "requests"), [(Phase.AFTER, [LIST, POST, LIST]), (Phase.BEFORE, [LIST, POST, LIST, LIST, POST, LIST])]
)
def test_a_lost_comment_is_found_or_else_written_again(
    upsert: Upsert, server: FaultServer, github: GitHub, phase: Phase, requests: list[str], name: str
) -> None:
    server.script.append(Rule(FAULTS[name], phase, "POST", path="/comments"))

    assert upsert() == UP_TO_DATE
    assert texts(github) == [BODY]
    assert [request for request in requests_of(server) if request != QUERY] == requests


@pytest.mark.parametrize("seconds", [0.2, 4.5])
def test_a_comment_that_is_written_late_is_found(
    upsert: Upsert, server: FaultServer, github: GitHub, seconds: float
) -> None:
    late = replace(LOST_RESPONSES["written late"], written_after=seconds)
    server.script.append(Rule(late, method="POST", path="/comments"))

    assert upsert() == UP_TO_DATE
    assert texts(github) == [BODY]
    assert requests_of(server).count(POST) == 1


@pytest.mark.parametrize("name", sorted(SLOW))
@pytest.mark.parametrize("phase", Phase)
def test_a_response_that_takes_too_long_is_abandoned_at_the_deadline(
    upsert: Upsert, server: FaultServer, github: GitHub, name: str, phase: Phase
) -> None:
    server.script.append(Rule(FAULTS[name], phase, "POST", path="/comments"))
    began = time.monotonic()

    comments = upsert(deadline=Deadline.after(0.5))

    assert time.monotonic() - began < 1
    assert ["in time" in problem for problem in comments.problems] == [True]
    assert (requests_of(server).count(POST), len(texts(github))) == (1, int(phase is Phase.AFTER))


@pytest.mark.parametrize("name", ["silence", "103 for ever"])
def test_a_comment_whose_response_never_comes_is_looked_for_before_the_deadline(
    upsert: Upsert, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], Phase.AFTER, "POST", path="/comments"))

    assert upsert(deadline=Deadline.after(20, limits=Limits(response=1)), limits=QUICK) == UP_TO_DATE
    assert (requests_of(server).count(POST), texts(github)) == (1, [BODY])


@pytest.mark.parametrize("name", [name for name in CASES if name.partition(",")[0] in STRANGE_RESPONSES])
def test_a_malformed_success_never_leads_to_two_comments(
    upsert: Upsert, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(replace(CASES[name], method="POST", path="/comments"))

    upsert()

    assert len(texts(github)) <= 1


@pytest.mark.parametrize("name", ["reset", "close", "500 html", "503 empty", "504 envelope"])
def test_a_comment_that_is_lost_every_time_is_sent_twice_at_most(
    upsert: Upsert, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], method="POST", times=FOREVER, path="/comments"))

    comments = upsert()

    assert (len(comments.problems), requests_of(server).count(POST), texts(github)) == (1, 2, [])


def test_a_lost_comment_that_cannot_be_looked_for_is_not_written_again(upsert: Upsert, server: FaultServer) -> None:
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(FAULTS["reset"], method="POST", path="/comments"),
        Rule(FAULTS["500 html"], method="GET", times=FOREVER, path="/comments"),
    ]

    comments = upsert()

    assert (len(comments.problems), requests_of(server).count(POST)) == (1, 1)


@pytest.mark.parametrize("name", ["reset", "500 html", *(f"{status} empty" for status in RETRIED)])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/comments"), ("POST", "/graphql"), ("PATCH", "/comments"), ("DELETE", "/comments")]
)
def test_safe_requests_are_repeated_and_an_edit_after_another_look(
    upsert: Upsert, server: FaultServer, github: GitHub, method: str, path: str, phase: Phase, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], phase, method, path=path))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    assert upsert() == UP_TO_DATE
    assert texts(github) == [BODY]
    looks = 1 if (method, phase) == ("PATCH", Phase.BEFORE) else 0
    assert len(requests_of(server)) == len([LIST, POST, LIST, QUERY, "PATCH", "DELETE"]) + 1 + looks


def test_a_comment_that_a_later_look_does_not_show_is_edited_all_the_same(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    github.add_comment(7, OTHER)
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(response(200, "[]", JSON_TYPE), method="GET", path="/comments"),
        Rule(FAULTS["502 empty"], method="PATCH"),
    ]

    assert upsert() == UP_TO_DATE
    assert (requests_of(server).count(POST), texts(github)) == (0, [BODY])


def test_our_duplicate_may_have_been_removed_by_somebody_else(upsert: Upsert, github: GitHub) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))
    github.meanwhile("DELETE", github.comments.pop)

    assert upsert() == UP_TO_DATE


@pytest.mark.parametrize(
    ("path", "method", "before", "requests"),
    [
        ("/pulls", "GET", [], [PULLS]),
        ("/comments", "GET", [], [PULLS, LIST]),
        ("/comments", "POST", [], [PULLS, LIST, POST]),
        ("/graphql", "POST", [OTHER], [PULLS, LIST, QUERY]),
        ("/comments", "PATCH", [OTHER], [PULLS, LIST, QUERY, "PATCH /issues/comments/1001"]),
    ],
)
def test_a_rejection_is_one_problem_that_says_why_and_ends_it(
    upsert: Upsert, server: FaultServer, github: GitHub, path: str, method: str, before: list[str], requests: list[str]
) -> None:
    fault, words = FAILURES["no permission"]
    server.script.append(Rule(fault, method=method, times=FOREVER, path=path))
    github.pulls[HEAD] = [pull(7)]
    github.comments = [github.add_comment(7, text) for text in before]

    (problem,) = upsert(pull_request=None).problems

    assert words in problem
    assert (texts(github), requests_of(server)) == (before, requests)


@pytest.mark.parametrize("name", ["500 html", "502 empty", "503 envelope", "520 html", "reset", "not HTTP", "200 html"])
@pytest.mark.parametrize("method", [None, "PATCH"])
def test_a_github_in_trouble_is_one_problem(
    upsert: Upsert, server: FaultServer, github: GitHub, method: str | None, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], method=method, times=FOREVER))
    github.add_comment(7, OTHER)

    comments = upsert()

    assert (comments.urls, len(comments.problems), texts(github)) == ((), 1, [OTHER])


def test_a_silent_github_is_abandoned_at_the_deadline(upsert: Upsert, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(FAULTS["silence"], method="GET", path="/issues/8/comments", times=FOREVER))
    github.pulls[HEAD] = [pull(7), pull(8), pull(9)]
    began = time.monotonic()

    comments = upsert(pull_request=None, deadline=Deadline.after(0.8))

    assert 0.7 < time.monotonic() - began < 1.2
    assert (comments.pull_requests, comments.urls, comments.failed) == ((7, 8, 9), (url_of(7, 1001),), True)
    assert [re.sub(".* ", "", problem) for problem in comments.problems] == ["time.", "time."]


def test_no_write_begins_after_the_deadline(upsert: Upsert, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(slow(0.5), Phase.AFTER, "GET"))

    comments = upsert(deadline=Deadline.after(0.2))
    time.sleep(0.6)

    assert len(comments.problems) == 1
    assert (requests_of(server), github.comments) == ([LIST], [])


@pytest.mark.parametrize("rule", [Rule(FAULTS["silence"], method="GET"), Rule(slow(0.05), Phase.AFTER, "GET")])
def test_a_job_that_is_cancelled_in_the_meantime_ends_at_once_and_says_so(
    upsert: Upsert, server: FaultServer, github: GitHub, rule: Rule
) -> None:
    server.script.append(rule)
    began = time.monotonic()

    (problem,) = upsert(deadline=Deadline.after(20, cancelled=lambda: bool(server.requests))).problems

    assert time.monotonic() - began < 1
    assert problem.endswith("#7: the run was cancelled.")
    assert (requests_of(server), github.comments) == ([LIST], [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_cancellation_while_github_responds_is_one_problem(
    upsert: Upsert, server: FaultServer, github: GitHub, method: str
) -> None:
    cancelled: list[str] = []
    server.script.append(Rule(FAULTS["reset"], Phase.AFTER, "POST"))
    github.meanwhile(method, lambda: cancelled.append(method))

    (problem,) = upsert(deadline=Deadline.after(20, cancelled=lambda: bool(cancelled))).problems

    assert problem.endswith("#7: the run was cancelled.")


def test_a_locked_pull_request_does_not_keep_the_comment_from_the_others(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Rule(FAILURES["locked"][0], method="POST", path="/issues/7/comments"))
    github.pulls[HEAD] = [pull(7), pull(8)]

    comments = upsert(pull_request=None)

    assert comments.urls == (url_of(8, 1001),)
    assert ["#7" in problem and "is locked" in problem for problem in comments.problems] == [True]


def test_only_the_jobs_that_failed_are_named(upsert: Upsert, server: FaultServer, github: GitHub) -> None:
    ends = ["success", "failure", "cancelled", "skipped", "timed_out", "neutral", "action_required", None]
    github.jobs[FAILED_RUN] = [(f"job {end}", end) for end in ends]
    github.max_per_page = 3

    comments = upsert(failed_run=FAILED_RUN)

    assert comments.problems == ()
    assert texts(github) == [f"{BODY}\nFailed: job failure, job timed_out"]
    assert requests_of(server) == [JOBS, JOBS, JOBS, LIST, POST, LIST]


@pytest.mark.parametrize(
    ("fault", "words"), [FAILURES["no permission"], (FAULTS["503 html"], "GitHub failed (503)"), (slow(3), "in time")]
)
def test_jobs_that_cannot_be_read_are_one_problem_and_the_comment_is_written(
    upsert: Upsert, server: FaultServer, github: GitHub, fault: Fault, words: str
) -> None:
    server.script.append(Rule(fault, times=3, path="/jobs"))

    comments = upsert(failed_run=FAILED_RUN, limits=CommentLimits(failed_jobs=2))

    (problem,) = comments.problems
    assert (comments.urls, texts(github)) == ((url_of(7, 1001),), [BODY])
    assert "does not name the failed jobs: " in problem
    assert words in problem


@pytest.mark.parametrize("script", [[], [Rule(FAILURES["gone"][0], method="PATCH")]])
def test_a_comment_that_is_deleted_before_it_can_be_edited_is_created_again(
    upsert: Upsert, server: FaultServer, github: GitHub, script: list[Rule]
) -> None:
    server.script += script
    github.add_comment(7, OTHER)
    github.meanwhile("POST", github.comments.clear, "/graphql")

    assert upsert().problems == ()
    assert texts(github) == [BODY]


def test_an_unexpected_exception_while_the_comment_is_written_is_one_problem(
    connect: Callable[..., github_api.GitHub], server: FaultServer
) -> None:
    def render(_jobs: Sequence[str], _before: str) -> str:
        raise KeyError(TOKEN)

    comments = upsert_comments(connect(), MARKER, render)

    stale = "The comment may not be up to date on the pull request #7"
    assert comments == CommentResult((7,), (), (f"{stale}: internal error (KeyError).",), failed=True)
    assert requests_of(server) == [LIST]


def test_duplicates_that_cannot_be_looked_for_leave_the_comment_as_it_is(
    upsert: Upsert, server: FaultServer, github: GitHub
) -> None:
    github.add_comment(7, OTHER)
    github.add_comment(7, OTHER)
    server.script.append(Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"))
    server.script.append(Rule(FAULTS["500 html"], method="GET", path="/comments", times=FOREVER))

    assert upsert() == UP_TO_DATE
    assert texts(github) == [BODY, OTHER]
