"""One comment per incident and pull request, against a small GitHub on a real socket."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import (
    CASES,
    FAULTS,
    FOREVER,
    JSON_TYPE,
    LOST_RESPONSES,
    STRANGE_RESPONSES,
    UNCERTAIN_RESPONSES,
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
    posts,
    pull,
    requests_of,
    texts,
    url_of,
)
from support.github_faults import FAILURES, NOT_LISTS, UNCONFIRMED, slow

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.keep import CommentLimits, CommentResult, keep_comments
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

Keep = Callable[..., CommentResult]

QUICK = CommentLimits(lost_pauses=(0.2, 1))
"""For tests in real time."""

RETRIED = (502, 503, 504)
SLOW = {"silence", "headers stop", "headers drip", "body stops", "body drips"}
APART = {
    "written late",  # it has a test of its own
    "gzip bomb",  # PyGithub unpacks it to the end, which takes half a minute
    "103 for ever",  # only after a real pause the connection is seen to be of no use any more
}
LOST = (LOST_RESPONSES.keys() | {name for name in UNCERTAIN_RESPONSES if name[0] == "5"}) - SLOW - APART


def test_the_pull_request_of_the_event_is_not_looked_up(keep: Keep, server: FaultServer, github: GitHub) -> None:
    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert requests_of(server) == [LIST, POST, LIST]
    assert texts(github) == [BODY]


def test_without_a_pull_request_in_the_event_those_of_the_commit_are_looked_up(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.pulls[HEAD] = [pull(7)]

    comments = keep(pull_request=None)

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert requests_of(server) == [PULLS, LIST, POST, LIST]


def test_at_most_three_pull_requests_get_the_comment(keep: Keep, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(number, merged=True) for number in (2, 4, 1, 3)]

    comments = keep(pull_request=None)

    assert comments.pull_requests == (2, 4, 1)
    assert [comment.issue for comment in github.comments] == [2, 4, 1]
    assert comments.urls == (url_of(2, 1001), url_of(4, 1002), url_of(1, 1003))


def test_a_merged_pull_request_is_found_on_a_later_page(keep: Keep, github: GitHub) -> None:
    github.max_per_page = 2
    github.pulls[HEAD] = [*map(pull, range(1, 5)), pull(7, merged=True)]

    assert keep(pull_request=None).pull_requests == (7,)


def test_pull_requests_of_another_repository_are_left_out(keep: Keep, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(7, merged=True, repository="upstream/shop"), pull(8, repository="Octo-Org/Shop")]

    assert keep(pull_request=None).pull_requests == (8,)
    assert texts(github) == []


@pytest.mark.parametrize("lacking", [{}, {"base": None}, {"base": {"ref": "main"}}, {"base": {"repo": None}}])
def test_a_pull_request_without_a_base_is_accepted_without_another_request(
    keep: Keep, server: FaultServer, github: GitHub, lacking: dict[str, Any]
) -> None:
    github.pulls[HEAD] = [{"number": 7, **lacking}]

    comments = keep(pull_request=None)

    assert (comments.pull_requests, comments.problems) == ((7,), ())
    assert requests_of(server) == [PULLS, LIST, POST, LIST]


def test_without_a_pull_request_nothing_more_is_requested(keep: Keep, server: FaultServer) -> None:
    comments = keep(pull_request=None, failed_run=FAILED_RUN)

    assert comments == CommentResult(())
    assert requests_of(server) == [PULLS]


def test_without_a_commit_nothing_is_requested(keep: Keep, server: FaultServer) -> None:
    comments = keep(pull_request=None, commit="")

    assert comments == CommentResult(())
    assert server.requests == []


def test_the_comment_is_edited_from_the_second_time_on(keep: Keep, server: FaultServer, github: GitHub) -> None:
    keep()
    server.requests.clear()

    comments = keep(OTHER)

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001"]
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("there", [BODY, BODY.replace("\n", "\r\n")])
def test_a_comment_that_says_the_same_is_not_edited(
    keep: Keep, server: FaultServer, github: GitHub, there: str
) -> None:
    github.add_comment(7, there)

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
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
def test_a_comment_on_something_else_or_by_somebody_else_is_left_alone(
    keep: Keep, github: GitHub, author: str | None, text: str
) -> None:
    github.add_comment(7, text, author)

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1002),))
    assert texts(github) == [text, BODY]


def test_the_login_is_requested_only_when_a_comment_has_the_marker_and_only_once(
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
    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert requests_of(server) == [LIST, POST, LIST, QUERY, *changes]
    assert texts(github) == [BODY]


def test_the_newer_comment_of_another_run_is_left_for_that_one_to_remove(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.meanwhile("POST", lambda: github.meanwhile("GET", lambda: github.add_comment(7, OTHER)))
    github.meanwhile("POST", lambda: github.meanwhile("GET", github.comments.pop), "/graphql")

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert requests_of(server) == [LIST, POST, LIST, QUERY, LIST]
    assert texts(github) == [BODY]


def test_of_two_comments_by_other_runs_the_older_is_edited_and_the_other_mentioned(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.comments = [github.add_comment(7, OTHER), github.add_comment(7, BODY)]

    comments = keep()

    problem = f"The comment on pull request #7 is there twice, delete {url_of(7, 1002)}."
    assert comments == CommentResult((7,), (url_of(7, 1001),), (problem,))
    assert requests_of(server) == [LIST, QUERY, "PATCH /issues/comments/1001", LIST]
    assert texts(github) == [BODY, BODY]


def test_an_own_duplicate_that_cannot_be_removed_is_mentioned(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(FAILURES["secondary limit, 403"][0], method="DELETE"))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments.urls == (url_of(7, 1001),)
    assert [f"delete {url_of(7, 1002)}" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY, BODY]


def test_a_duplicate_that_appears_while_the_own_comment_is_lost_is_not_removed(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    others = [f"{MARKER}\nIt begins.", OTHER]
    server.script.append(Rule(FAULTS["reset"], method="POST", path="/comments"))
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: [github.add_comment(7, each) for each in others]))

    comments = keep()

    assert comments.urls == (url_of(7, 1001),)
    assert [f"delete {url_of(7, 1002)}" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY, OTHER]


@pytest.mark.parametrize(("method", "last"), [("POST", BODY), ("PATCH", BODY), ("DELETE", OTHER)])
def test_another_run_at_any_moment_leaves_one_comment(keep: Keep, github: GitHub, method: str, last: str) -> None:
    other: list[CommentResult] = []
    github.meanwhile(method, lambda: other.append(keep(OTHER)))
    github.meanwhile("POST", lambda: github.add_comment(7, f"{MARKER}\nIt begins."))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert other[0].urls == (url_of(7, 1001),)
    assert texts(github) == [last]


def test_two_runs_that_both_find_nothing_leave_one_comment(keep: Keep, github: GitHub) -> None:
    both_have_looked = threading.Barrier(2)
    github.meanwhile("POST", both_have_looked.wait)
    github.meanwhile("POST", both_have_looked.wait)

    with ThreadPoolExecutor() as pool:
        comments = [*pool.map(partial(keep, deadline=Deadline.after(20), limits=QUICK), [BODY, OTHER])]

    assert comments == [CommentResult((7,), (url_of(7, 1001),))] * 2
    assert len(texts(github)) == 1


def test_the_own_duplicate_is_removed_though_its_response_was_lost(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Rule(FAULTS["reset"], Phase.AFTER, "POST", path="/comments"))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY]


def test_a_comment_is_written_though_the_list_cannot_be_read_again(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(FAILURES["secondary limit, 403"][0], method="GET", path="/comments"),
    ]

    comments = keep()

    assert comments.urls == (url_of(7, 1001),)
    assert ["#7 may be there twice" in problem for problem in comments.problems] == [True]
    assert texts(github) == [BODY]


@pytest.mark.parametrize("name", sorted(LOST))
def test_a_comment_whose_response_was_lost_is_found(keep: Keep, server: FaultServer, github: GitHub, name: str) -> None:
    server.script.append(Rule(FAULTS[name], Phase.AFTER, "POST", path="/comments"))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY]
    assert posts(server) == 1


@pytest.mark.parametrize("name", sorted(LOST))
def test_a_comment_that_was_lost_is_written_again_once_it_was_looked_for(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], Phase.BEFORE, "POST", path="/comments"))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY]
    assert requests_of(server) == [LIST, POST, LIST, LIST, POST, LIST]


@pytest.mark.parametrize("seconds", [0.2, 4.5])
def test_a_comment_that_is_written_late_is_found(
    keep: Keep, server: FaultServer, github: GitHub, seconds: float
) -> None:
    late = replace(LOST_RESPONSES["written late"], written_after=seconds)
    server.script.append(Rule(late, method="POST", path="/comments"))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY]
    assert posts(server) == 1


@pytest.mark.parametrize("name", sorted(SLOW))
@pytest.mark.parametrize("phase", Phase)
def test_a_response_that_takes_too_long_is_abandoned_at_the_deadline(
    keep: Keep, server: FaultServer, github: GitHub, name: str, phase: Phase
) -> None:
    server.script.append(Rule(FAULTS[name], phase, "POST", path="/comments"))
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(0.5))

    assert time.monotonic() - began < 1
    assert ["it took too long" in problem for problem in comments.problems] == [True]
    assert (posts(server), len(texts(github))) == (1, int(phase is Phase.AFTER))


@pytest.mark.parametrize("name", ["silence", "103 for ever"])
def test_a_comment_whose_response_never_comes_is_looked_for_before_the_deadline(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], Phase.AFTER, "POST", path="/comments"))

    comments = keep(deadline=Deadline.after(20), limits=QUICK, response_seconds=1)

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert (posts(server), texts(github)) == (1, [BODY])


@pytest.mark.parametrize("name", [name for name in CASES if name.partition(",")[0] in STRANGE_RESPONSES])
def test_a_malformed_success_never_leads_to_two_comments(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(replace(CASES[name], method="POST", path="/comments"))

    keep()

    assert len(texts(github)) <= 1


@pytest.mark.parametrize("name", ["reset", "close", "500 html", "503 empty", "504 envelope"])
def test_a_comment_that_is_lost_every_time_is_sent_twice_at_most(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], method="POST", times=FOREVER, path="/comments"))

    comments = keep()

    assert (len(comments.problems), posts(server), texts(github)) == (1, 2, [])


def test_a_lost_comment_that_cannot_be_looked_for_is_not_written_again(keep: Keep, server: FaultServer) -> None:
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(FAULTS["reset"], method="POST", path="/comments"),
        Rule(FAULTS["500 html"], method="GET", times=FOREVER, path="/comments"),
    ]

    comments = keep()

    assert (len(comments.problems), posts(server)) == (1, 1)


@pytest.mark.parametrize("name", ["reset", "500 html", *(f"{status} empty" for status in RETRIED)])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/comments"), ("POST", "/graphql"), ("PATCH", "/comments"), ("DELETE", "/comments")]
)
def test_safe_requests_are_repeated_and_an_edit_after_another_look(
    keep: Keep, server: FaultServer, github: GitHub, method: str, path: str, phase: Phase, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], phase, method, path=path))
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY]
    looks = 1 if (method, phase) == ("PATCH", Phase.BEFORE) else 0
    assert len(requests_of(server)) == len([LIST, POST, LIST, QUERY, "PATCH", "DELETE"]) + 1 + looks


def test_a_comment_that_a_later_look_does_not_show_is_edited_all_the_same(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.add_comment(7, OTHER)
    server.script += [
        Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"),
        Rule(response(200, "[]", JSON_TYPE), method="GET", path="/comments"),
        Rule(FAULTS["502 empty"], method="PATCH"),
    ]

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert (posts(server), texts(github)) == (0, [BODY])


def test_an_own_duplicate_that_somebody_else_has_removed_is_no_problem(keep: Keep, github: GitHub) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))
    github.meanwhile("DELETE", github.comments.pop)

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize(
    "rule",
    [
        Rule(FAULTS["204"], method="GET", path="/pulls"),
        Rule(FAULTS["204"], method="GET", path="/comments"),
        Rule(FAULTS["204"], method="POST", path="/comments"),
    ],
    ids=["pulls", "list", "create"],
)
def test_a_refusal_is_one_problem_that_says_why(
    keep: Keep, server: FaultServer, github: GitHub, rule: Rule, name: str
) -> None:
    fault, words = FAILURES[name]
    server.script.append(replace(rule, fault=fault, times=FOREVER))
    github.pulls[HEAD] = [pull(7)]

    (problem,) = keep(pull_request=None).problems

    assert words in problem
    assert github.comments == []


@pytest.mark.parametrize("name", UNCONFIRMED)
def test_an_unconfirmed_edit_is_one_problem(keep: Keep, server: FaultServer, github: GitHub, name: str) -> None:
    server.script.append(Rule(UNCONFIRMED[name], method="PATCH", times=FOREVER))
    github.add_comment(7, OTHER)

    comments = keep()

    assert (comments.urls, len(comments.problems)) == ((), 1)
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("name", ["500 html", "502 empty", "503 envelope", "520 html", "reset", "not HTTP", "200 html"])
def test_a_github_in_trouble_is_one_problem(keep: Keep, server: FaultServer, github: GitHub, name: str) -> None:
    server.script.append(Rule(FAULTS[name], times=FOREVER))

    comments = keep()

    assert (len(comments.problems), github.comments) == (1, [])


@pytest.mark.parametrize("name", NOT_LISTS)
def test_a_response_without_a_list_is_not_an_empty_list(
    keep: Keep, server: FaultServer, github: GitHub, clock: SkippingClock, name: str
) -> None:
    server.script.append(Rule(NOT_LISTS[name], method="GET", times=FOREVER, path="/comments"))
    github.add_comment(7, OTHER)

    comments = keep(deadline=Deadline.after(1, clock))

    assert (len(comments.problems), texts(github)) == (1, [OTHER])


@pytest.mark.parametrize("name", [name for name in FAILURES if name != "a list"])
def test_a_refused_comment_is_not_sent_again(keep: Keep, server: FaultServer, name: str) -> None:
    server.script.append(Rule(FAILURES[name][0], method="POST", times=FOREVER, path="/comments"))

    keep()

    assert requests_of(server) == [LIST, POST]


@pytest.mark.parametrize("name", ["no permission", "primary limit, 403", "not found", "invalid"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/graphql"), ("PATCH", "/comments/1001")])
def test_a_comment_that_may_not_be_edited_is_left_as_it_is(
    keep: Keep, server: FaultServer, github: GitHub, method: str, path: str, name: str
) -> None:
    fault, words = FAILURES[name]
    server.script.append(Rule(fault, method=method, times=FOREVER, path=path))
    github.add_comment(7, OTHER)

    (problem,) = keep().problems

    assert words in problem
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("name", NOT_LISTS)
def test_pull_requests_that_cannot_be_read_stay_unknown(
    keep: Keep, server: FaultServer, clock: SkippingClock, name: str
) -> None:
    server.script.append(Rule(NOT_LISTS[name], method="GET", times=FOREVER, path="/pulls"))

    comments = keep(pull_request=None, deadline=Deadline.after(1, clock))

    assert comments.pull_requests is None
    assert len(comments.problems) == 1


def test_a_silent_github_is_abandoned_at_the_deadline(keep: Keep, server: FaultServer) -> None:
    server.script.append(Rule(FAULTS["silence"], times=FOREVER))
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(0.5))

    assert 0.4 < time.monotonic() - began < 1
    assert len(comments.problems) == 1
    assert "it took too long" in comments.problems[0]


def test_no_write_begins_after_the_deadline(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(slow(0.5), Phase.AFTER, "GET"))

    comments = keep(deadline=Deadline.after(0.2))
    time.sleep(0.6)

    assert len(comments.problems) == 1
    assert (requests_of(server), github.comments) == ([LIST], [])


def test_nothing_is_written_once_the_deadline_is_over(keep: Keep, github: GitHub) -> None:
    comments = keep(deadline=Deadline.after(0))

    assert len(comments.problems) == 1
    assert github.comments == []


def test_nothing_is_written_once_the_job_was_cancelled(keep: Keep, github: GitHub) -> None:
    comments = keep(deadline=Deadline.after(20, cancelled=lambda: True))

    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]
    assert github.comments == []


@pytest.mark.parametrize("rule", [Rule(FAULTS["silence"], method="GET"), Rule(slow(0.05), Phase.AFTER, "GET")])
def test_a_job_that_is_cancelled_in_the_meantime_ends_at_once_and_says_so(
    keep: Keep, server: FaultServer, github: GitHub, rule: Rule
) -> None:
    server.script.append(rule)
    began = time.monotonic()

    comments = keep(deadline=Deadline.after(20, cancelled=lambda: bool(server.requests)))

    assert time.monotonic() - began < 1
    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]
    assert (requests_of(server), github.comments) == ([LIST], [])


@pytest.mark.parametrize("moment", ["the first look", "the lost comment"])
def test_a_cancellation_that_the_thread_notices_first_is_reported_as_well(
    keep: Keep, server: FaultServer, github: GitHub, moment: str
) -> None:
    cancelled: list[str] = []
    happens = {"the first look": "GET", "the lost comment": "POST"}
    server.script.append(Rule(FAULTS["reset"], Phase.AFTER, "POST"))
    github.meanwhile(happens[moment], lambda: cancelled.append(moment))

    comments = keep(deadline=Deadline.after(20, cancelled=lambda: bool(cancelled)))

    assert len(comments.problems) == 1
    assert "the job was cancelled" in comments.problems[0]


def test_a_locked_pull_request_does_not_keep_the_comment_from_the_others(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    server.script.append(Rule(FAILURES["locked"][0], method="POST", path="/issues/7/comments"))
    github.pulls[HEAD] = [pull(7), pull(8)]

    comments = keep(pull_request=None)

    assert comments.urls == (url_of(8, 1001),)
    assert ["#7" in problem and "is locked" in problem for problem in comments.problems] == [True]


def test_only_the_jobs_that_failed_are_named(keep: Keep, server: FaultServer, github: GitHub) -> None:
    ends = ["success", "failure", "cancelled", "skipped", "timed_out", "neutral", "action_required", None]
    github.jobs[FAILED_RUN] = [(f"job {end}", end) for end in ends]

    comments = keep(failed_run=FAILED_RUN)

    assert comments.problems == ()
    assert texts(github) == [f"{BODY}\nFailed: job failure, job timed_out"]
    assert requests_of(server) == [JOBS, LIST, POST, LIST]


def test_the_jobs_that_failed_are_found_over_all_pages(keep: Keep, github: GitHub) -> None:
    github.max_per_page = 2
    github.jobs[FAILED_RUN] = [("a", "failure"), ("b", "success"), ("c", "success"), ("d", None), ("e", "failure")]

    keep(failed_run=FAILED_RUN)

    assert texts(github) == [f"{BODY}\nFailed: a, e"]


def test_without_the_permission_to_read_jobs_the_comment_is_written_without_their_names(
    keep: Keep, github: GitHub
) -> None:
    github.jobs[FAILED_RUN] = [("deploy", "failure")]
    github.permissions = {"pull-requests": "write"}

    comments = keep(failed_run=FAILED_RUN)

    assert (comments.urls, texts(github)) == ((url_of(7, 1001),), [BODY])
    assert len(comments.problems) == 1
    assert "does not name the failed jobs: GitHub refused the request (403" in comments.problems[0]


@pytest.mark.parametrize("name", [*FAILURES, "503 html"])
def test_jobs_that_cannot_be_read_are_one_problem_and_the_comment_is_written(
    keep: Keep, server: FaultServer, github: GitHub, name: str
) -> None:
    fault = {**{each: fault for each, (fault, _) in FAILURES.items()}, **FAULTS}[name]
    server.script.append(Rule(fault, times=3, path="/jobs"))

    comments = keep(failed_run=FAILED_RUN)

    assert (len(comments.problems), texts(github)) == (1, [BODY])


def test_a_comment_that_is_deleted_before_it_can_be_edited_is_created_again(keep: Keep, github: GitHub) -> None:
    github.add_comment(7, OTHER)
    github.meanwhile("PATCH", github.comments.clear)

    comments = keep()

    assert comments.problems == ()
    assert texts(github) == [BODY]


def test_a_silent_list_of_jobs_does_not_prevent_the_comment(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(FAULTS["silence"], method="GET", path="/jobs", times=FOREVER))

    comments = keep(failed_run=FAILED_RUN, deadline=Deadline.after(20), limits=CommentLimits(failed_jobs=0.2))

    assert texts(github) == [BODY]
    assert ["failed jobs" in problem for problem in comments.problems] == [True]


def test_an_unexpected_exception_while_the_comment_is_written_is_one_problem(
    connect: Callable[..., github_api.GitHub], server: FaultServer
) -> None:
    def render(_jobs: Sequence[str], _before: str) -> str:
        raise KeyError(TOKEN)

    comments = keep_comments(connect(), MARKER, render)

    stale = "The comment may not be up to date on the pull request #7"
    assert comments == CommentResult((7,), (), (f"{stale}: internal error (KeyError).",), failed=True)
    assert requests_of(server) == [LIST]


def test_what_was_done_before_the_deadline_is_in_the_result(keep: Keep, server: FaultServer, github: GitHub) -> None:
    server.script.append(Rule(FAULTS["silence"], method="GET", path="/issues/8/comments"))
    github.pulls[HEAD] = [pull(7), pull(8)]

    comments = keep(pull_request=None, deadline=Deadline.after(1))

    problem = "The comment may not be up to date on the pull request: it took too long."
    assert comments == CommentResult((7, 8), (url_of(7, 1001),), (problem,), failed=True)


def test_duplicates_that_cannot_be_looked_for_leave_the_comment_as_it_is(
    keep: Keep, server: FaultServer, github: GitHub
) -> None:
    github.add_comment(7, OTHER)
    github.add_comment(7, OTHER)
    server.script.append(Rule(FAULTS["chunked"], Phase.AFTER, "GET", path="/comments"))
    server.script.append(Rule(FAULTS["500 html"], method="GET", path="/comments", times=FOREVER))

    comments = keep()

    assert comments == CommentResult((7,), (url_of(7, 1001),))
    assert texts(github) == [BODY, OTHER]
