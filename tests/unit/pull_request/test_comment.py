"""One comment per incident and pull request, against a small GitHub on a real socket."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from support.fault_server import (
    CASES,
    FAULTS,
    FOREVER,
    HEALTHY,
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
    EDIT,
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
    url_of,
)
from support.github_faults import FAILURES, slow

from onlineornot_action.network.deadline import Deadline, Limits
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.comment import CommentLimits, CommentResult, upsert_comments
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID

Upsert = Callable[..., tuple[CommentResult, list[str], list[str]]]

URL = url_of(7, 1001)
UP_TO_DATE = CommentResult((URL,))
DELETE = "DELETE /issues/comments/1002"
QUICK = CommentLimits(lost_pauses=(0.2, 1))
"""For tests in real time."""

HEALTHY_LIST = replace(HEALTHY, method="GET", path="/comments")
NO_LIST = Rule(FAULTS["500 html"], method="GET", times=FOREVER, path="/comments")
LIMIT, NO_PERMISSION = FAILURES["secondary limit"][0], FAILURES["no permission"][0]

SLOW = {"silence", "headers stop", "headers drip", "body stops", "body drips"}
APART = {
    "written late",  # it has a test of its own
    "gzip bomb",  # PyGithub unpacks it to the end, which takes half a minute
    "103 for ever",  # only after a real pause is the connection seen to be dead
}
LOST = (LOST_RESPONSES.keys() | {name for name in UNCERTAIN_RESPONSES if name[0] == "5"}) - SLOW - APART


def on_post(name: str, phase: Phase = Phase.BEFORE, times: float = 1) -> Rule:
    """Make the rule by which a fault meets the creation of a comment."""
    return Rule(FAULTS[name], phase, "POST", times, "/comments")


def test_without_a_pull_request_nothing_more_is_requested(upsert: Upsert) -> None:
    assert upsert(pull_request=None, failed_run=FAILED_RUN) == (CommentResult(), [PULLS], [])


@pytest.mark.parametrize("login", [BOT, "octocat"])
def test_the_comment_is_edited_from_the_second_time_on(upsert: Upsert, github: GitHub, login: str) -> None:
    github.login = login
    upsert()

    assert upsert(body=OTHER) == (UP_TO_DATE, [LIST, QUERY, EDIT], [OTHER])


@pytest.mark.parametrize("there", [BODY, BODY.replace("\n", "\r\n")])
def test_a_comment_that_would_not_change_is_not_edited(upsert: Upsert, github: GitHub, there: str) -> None:
    github.add_comment(7, there)

    assert upsert() == (UP_TO_DATE, [LIST, QUERY], [there])


@pytest.mark.parametrize(
    ("author", "text"),
    [
        ("octocat", BODY),
        (None, BODY),
        (BOT, f"> {BODY}"),
        (BOT, BODY.replace(PAGE_ID, "anotherpage1")),
        (BOT, BODY.replace(INCIDENT_ID, "anotherincident1")),
        (BOT, BODY.replace(INCIDENT_ID, f"{INCIDENT_ID}x")),
        (BOT, BODY.replace(" -->", "")),
    ],
)
def test_a_comment_on_something_else_or_by_somebody_else_is_left_alone(
    upsert: Upsert, github: GitHub, author: str | None, text: str
) -> None:
    github.add_comment(7, text, author)

    comments, _, texts = upsert()

    assert (comments, texts) == (CommentResult((url_of(7, 1002),)), [text, BODY])


def test_the_login_is_requested_only_when_a_comment_has_the_marker_and_only_once(
    upsert: Upsert, github: GitHub
) -> None:
    github.pulls[HEAD] = [pull(7), pull(8), pull(9)]
    github.add_comment(7, "Looks good to me.", "octocat")
    github.add_comment(8, BODY, "octocat")
    github.add_comment(9, BODY)

    _, requests, _ = upsert(pull_request=None)

    assert requests[:6] == [PULLS, LIST, POST, LIST, LIST.replace("7", "8"), QUERY]
    assert requests.count(QUERY) == 1


@pytest.mark.parametrize("script", [[], [on_post("reset", Phase.AFTER)]])
def test_the_older_comment_of_another_run_stays_and_our_duplicate_is_removed(
    upsert: Upsert, github: GitHub, script: list[Rule]
) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    assert upsert(*script) == (UP_TO_DATE, [LIST, POST, LIST, QUERY, EDIT, DELETE], [BODY])


def test_the_newer_comment_of_another_run_is_left_for_that_run_to_remove(upsert: Upsert, github: GitHub) -> None:
    github.meanwhile("POST", lambda: github.meanwhile("GET", lambda: github.add_comment(7, OTHER)))
    github.meanwhile("POST", lambda: github.meanwhile("GET", github.comments.pop), "/graphql")

    assert upsert() == (UP_TO_DATE, [LIST, POST, LIST, QUERY, LIST], [BODY])


def test_the_older_of_two_comments_by_other_runs_is_edited_and_the_newer_mentioned(
    upsert: Upsert, github: GitHub
) -> None:
    github.comments = [github.add_comment(7, OTHER), github.add_comment(7, BODY)]

    problem = f"The comment on pull request #7 is there twice, delete {url_of(7, 1002)}."
    comments = CommentResult((URL,), duplicates=(problem,))
    assert upsert() == (comments, [LIST, QUERY, EDIT, LIST], [BODY, BODY])


def test_our_duplicate_is_mentioned_if_it_cannot_be_removed(upsert: Upsert, github: GitHub) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments, _, texts = upsert(Rule(LIMIT, method="DELETE"))

    (problem,) = comments.duplicates
    assert f"#7 is there twice, delete {url_of(7, 1002)}: GitHub's rate limit" in problem
    assert texts == [BODY, BODY]


def test_a_duplicate_that_appears_while_our_comment_is_lost_is_not_removed(upsert: Upsert, github: GitHub) -> None:
    others = [f"{MARKER}\nIt begins.", OTHER]
    github.meanwhile("GET", lambda: github.meanwhile("GET", lambda: [github.add_comment(7, each) for each in others]))

    comments, _, texts = upsert(on_post("reset"))

    (problem,) = comments.duplicates
    assert (comments.urls, texts) == ((URL,), [BODY, OTHER])
    assert f"delete {url_of(7, 1002)}" in problem


@pytest.mark.parametrize(("method", "last"), [("POST", BODY), ("PATCH", BODY), ("DELETE", OTHER)])
def test_another_run_at_any_moment_leaves_one_comment(upsert: Upsert, github: GitHub, method: str, last: str) -> None:
    other: list[CommentResult] = []
    github.meanwhile(method, lambda: other.append(upsert(body=OTHER)[0]))
    github.meanwhile("POST", lambda: github.add_comment(7, f"{MARKER}\nIt begins."))

    comments, _, texts = upsert()

    assert (comments, other[0].urls, texts) == (UP_TO_DATE, (URL,), [last])


def test_two_runs_that_both_find_nothing_leave_one_comment(upsert: Upsert, github: GitHub) -> None:
    both_have_looked = threading.Barrier(2)
    github.meanwhile("POST", both_have_looked.wait)
    github.meanwhile("POST", both_have_looked.wait)

    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(upsert, body=text, deadline=Deadline.after(20), limits=QUICK) for text in (BODY, OTHER)]

    assert [run.result()[0] for run in runs] == [UP_TO_DATE] * 2
    assert len(github.comments) == 1


def test_a_comment_is_written_though_the_list_cannot_be_read_again(upsert: Upsert) -> None:
    comments, _, texts = upsert(HEALTHY_LIST, Rule(LIMIT, method="GET", path="/comments"))

    (problem,) = comments.duplicates
    assert (comments.urls, comments.failures, texts) == ((URL,), (), [BODY])
    assert "#7 may be there twice" in problem


@pytest.mark.parametrize("name", sorted(LOST))
@pytest.mark.parametrize(
    ("phase", "requests"), [(Phase.AFTER, [LIST, POST, LIST]), (Phase.BEFORE, [LIST, POST, LIST, LIST, POST, LIST])]
)
def test_a_lost_comment_is_found_or_else_written_again(
    upsert: Upsert, phase: Phase, requests: list[str], name: str
) -> None:
    comments, sent, texts = upsert(on_post(name, phase))

    assert (comments, texts) == (UP_TO_DATE, [BODY])
    assert [request for request in sent if request != QUERY] == requests


@pytest.mark.parametrize("seconds", [0.2, 4.5])
def test_a_comment_that_is_written_late_is_found(upsert: Upsert, seconds: float) -> None:
    late = replace(LOST_RESPONSES["written late"], written_after=seconds)

    comments, requests, texts = upsert(Rule(late, method="POST", path="/comments"))

    assert (comments, requests.count(POST), texts) == (UP_TO_DATE, 1, [BODY])


@pytest.mark.parametrize(
    ("name", "phase"), [("silence", Phase.BEFORE), *((name, Phase.AFTER) for name in sorted(SLOW))]
)
def test_a_response_that_takes_too_long_is_abandoned_at_the_deadline(upsert: Upsert, name: str, phase: Phase) -> None:
    began = time.monotonic()

    comments, requests, texts = upsert(on_post(name, phase), deadline=Deadline.after(0.5))

    (problem,) = comments.failures
    assert time.monotonic() - began < 1
    assert "in time" in problem
    assert (requests.count(POST), len(texts)) == (1, int(phase is Phase.AFTER))


@pytest.mark.parametrize("name", ["silence", "103 for ever"])
def test_a_comment_whose_response_never_comes_is_looked_for_before_the_deadline(upsert: Upsert, name: str) -> None:
    deadline = Deadline.after(20, limits=Limits(response=0.7))

    comments, requests, texts = upsert(on_post(name, Phase.AFTER), deadline=deadline, limits=QUICK)

    assert (comments, requests.count(POST), texts) == (UP_TO_DATE, 1, [BODY])


@pytest.mark.parametrize("name", [name for name in CASES if name.partition(",")[0] in STRANGE_RESPONSES])
def test_a_malformed_success_never_leads_to_two_comments(upsert: Upsert, name: str) -> None:
    _, _, texts = upsert(replace(CASES[name], method="POST", path="/comments"))

    assert len(texts) <= 1


@pytest.mark.parametrize(
    ("script", "posts"),
    [
        ([on_post("reset", times=FOREVER)], 2),
        ([on_post("504 envelope", times=FOREVER)], 2),
        ([HEALTHY_LIST, on_post("reset"), NO_LIST], 1),
    ],
)
def test_a_lost_comment_is_sent_twice_at_most_and_once_if_it_cannot_be_looked_for(
    upsert: Upsert, script: list[Rule], posts: int
) -> None:
    comments, requests, texts = upsert(*script)

    assert (len(comments.failures), requests.count(POST), texts) == (1, posts, [])


@pytest.mark.parametrize("name", ["reset", "502 empty"])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/comments"), ("POST", "/graphql"), ("PATCH", "/comments"), ("DELETE", "/comments")]
)
def test_safe_requests_are_repeated_and_an_edit_after_another_look(
    upsert: Upsert, github: GitHub, method: str, path: str, phase: Phase, name: str
) -> None:
    github.meanwhile("POST", lambda: github.add_comment(7, OTHER))

    comments, requests, texts = upsert(Rule(FAULTS[name], phase, method, path=path))

    looks = 1 if (method, phase) == ("PATCH", Phase.BEFORE) else 0
    assert (comments, texts) == (UP_TO_DATE, [BODY])
    assert len(requests) == len([LIST, POST, LIST, QUERY, EDIT, DELETE]) + 1 + looks


def test_a_comment_that_a_later_look_does_not_show_is_edited_all_the_same(upsert: Upsert, github: GitHub) -> None:
    github.add_comment(7, OTHER)
    empty = Rule(response(200, "[]", JSON_TYPE), method="GET", path="/comments")

    comments, requests, texts = upsert(HEALTHY_LIST, empty, Rule(FAULTS["502 empty"], method="PATCH"))

    assert (comments, requests.count(POST), texts) == (UP_TO_DATE, 0, [BODY])


@pytest.mark.parametrize(
    ("path", "method", "before", "requests"),
    [
        ("/pulls", "GET", [], [PULLS]),
        ("/comments", "GET", [], [PULLS, LIST]),
        ("/comments", "POST", [], [PULLS, LIST, POST]),
        ("/graphql", "POST", [OTHER], [PULLS, LIST, QUERY]),
        ("/comments", "PATCH", [OTHER], [PULLS, LIST, QUERY, EDIT]),
    ],
)
def test_a_rejection_is_one_problem_that_says_why_and_ends_it(
    upsert: Upsert, github: GitHub, path: str, method: str, before: list[str], requests: list[str]
) -> None:
    github.pulls[HEAD] = [pull(7)]
    github.comments = [github.add_comment(7, text) for text in before]

    comments, sent, texts = upsert(Rule(NO_PERMISSION, method=method, times=FOREVER, path=path), pull_request=None)

    (problem,) = comments.failures
    assert "accessible by integration" in problem
    assert (sent, texts) == (requests, before)


@pytest.mark.parametrize("name", ["500 html", "reset", "200 html"])
def test_an_edit_is_given_up_after_three_attempts(upsert: Upsert, github: GitHub, name: str) -> None:
    github.add_comment(7, OTHER)

    comments, requests, texts = upsert(Rule(FAULTS[name], method="PATCH", times=FOREVER))

    assert (comments.urls, len(comments.failures), texts) == ((), 1, [OTHER])
    assert requests == [LIST, QUERY, EDIT, LIST, EDIT, LIST, EDIT]


def test_a_silent_github_is_abandoned_at_the_deadline(upsert: Upsert, github: GitHub) -> None:
    github.pulls[HEAD] = [pull(7), pull(8), pull(9)]
    silence = Rule(FAULTS["silence"], method="GET", path="/issues/8/comments", times=FOREVER)
    began = time.monotonic()

    comments, _, _ = upsert(silence, pull_request=None, deadline=Deadline.after(0.8))

    assert 0.7 < time.monotonic() - began < 1.2
    assert comments.urls == (URL,)
    assert [problem.rpartition(" ")[2] for problem in comments.failures] == ["time.", "time."]


@pytest.mark.parametrize(
    ("rule", "sent"),
    [
        (Rule(FAULTS["silence"], method="GET"), [LIST]),
        (Rule(slow(0.05), Phase.AFTER, "GET"), [LIST]),
        (on_post("reset", Phase.AFTER), [LIST, POST]),
    ],
)
def test_a_job_that_is_cancelled_in_the_meantime_ends_at_once_and_says_so(
    upsert: Upsert, server: FaultServer, rule: Rule, sent: list[str]
) -> None:
    deadline = Deadline.after(20, cancelled=lambda: server.cancelled)
    began = time.monotonic()

    comments, requests, _ = upsert(replace(rule, cancels=True), deadline=deadline)

    (problem,) = comments.failures
    assert time.monotonic() - began < 1
    assert problem.endswith("#7: the run was cancelled.")
    assert requests == sent


def test_only_the_jobs_that_failed_are_named(upsert: Upsert, github: GitHub) -> None:
    ends = ["success", "failure", "cancelled", "skipped", "timed_out", "neutral", "action_required", None]
    github.jobs[FAILED_RUN] = [(f"job {end}", end) for end in ends]
    github.max_per_page = 3

    comments, requests, texts = upsert(failed_run=FAILED_RUN)

    assert (comments, requests) == (UP_TO_DATE, [JOBS, JOBS, JOBS, LIST, POST, LIST])
    assert texts == [f"{BODY}\nFailed: job failure, job timed_out"]


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        (NO_PERMISSION, 4, "accessible by integration"),
        (FAULTS["503 html"], 4, "GitHub failed (503)"),
        (slow(1), 0.3, "in time"),
    ],
)
def test_jobs_that_cannot_be_read_are_one_problem_and_the_comment_is_written(
    upsert: Upsert, fault: Fault, seconds: float, words: str
) -> None:
    limits = CommentLimits(failed_jobs=seconds)

    comments, _, texts = upsert(Rule(fault, times=3, path="/jobs"), failed_run=FAILED_RUN, limits=limits)

    (problem,) = comments.failures
    assert (comments.urls, texts) == ((URL,), [BODY])
    assert ("does not name the failed jobs: " in problem, words in problem) == (True, True)


@pytest.mark.parametrize("script", [[], [Rule(FAILURES["gone"][0], method="PATCH")]])
def test_a_comment_that_is_deleted_before_it_can_be_edited_is_created_again(
    upsert: Upsert, github: GitHub, script: list[Rule]
) -> None:
    github.add_comment(7, OTHER)
    github.meanwhile("POST", github.comments.clear, "/graphql")

    comments, _, texts = upsert(*script)

    assert (comments.failures, comments.duplicates, texts) == ((), (), [BODY])


def test_an_unexpected_exception_while_the_comment_is_written_is_one_problem(
    connect: Callable[..., github_api.GitHub],
) -> None:
    def render(_jobs: Sequence[str], _before: str) -> str:
        raise KeyError(TOKEN)

    comments = upsert_comments(connect(), MARKER, render, CommentLimits())

    stale = "The comment may not be up to date on the pull request #7"
    assert comments == CommentResult((), (f"{stale}: internal error (KeyError).",))


def test_duplicates_that_cannot_be_looked_for_leave_the_comment_as_it_is(upsert: Upsert, github: GitHub) -> None:
    github.comments = [github.add_comment(7, OTHER), github.add_comment(7, OTHER)]

    comments, _, texts = upsert(HEALTHY_LIST, NO_LIST)

    assert (comments, texts) == (UP_TO_DATE, [BODY, OTHER])
