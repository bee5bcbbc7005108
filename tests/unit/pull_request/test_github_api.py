"""GitHub's API as the action uses it: pages, redirects, certificates, repetitions, and the words of failures."""

import json
import re
import ssl
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, FOREVER, JSON_TYPE, FaultServer, Phase, Rule, response
from support.github_app import (
    BODY,
    BOT,
    EDIT,
    FAILED_RUN,
    HEAD,
    JOBS,
    LIST,
    OTHER,
    POST,
    PULLS,
    QUERY,
    REPOSITORY,
    GitHub,
    create_github_app,
    pull,
    requests_of,
    texts,
)
from support.github_faults import FAILURES, NOT_LISTS, UNCONFIRMED, message

from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Network
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.github_api import GitHubError

Connect = Callable[..., github_api.GitHub]
Call = Callable[..., object]

CALLS: dict[str, Callable[[github_api.GitHub], object]] = {
    "pulls": lambda api: api.find_pull_requests(),
    "jobs": lambda api: api.find_failed_jobs(20),
    "comments": lambda api: [comment.text for comment in api.list_comments(7, "")],
    "login": lambda api: api.login,
    "create": lambda api: api.create_comment(7, BODY),
    "edit": lambda api: api.edit_comment(7, 1001, BODY),
    "delete": lambda api: api.delete_comment(7, 1001),
}
LOST = ("reset", "close", "500 html", "502 empty", "503 envelope", "504 empty", "408 empty")
ELSEWHERE = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def github() -> GitHub:
    """Create one of everything."""
    github = GitHub(pulls={HEAD: [pull(7)]}, jobs={FAILED_RUN: [("deploy", "failure")]})
    github.add_comment(7, OTHER)
    return github


@pytest.fixture
def call(connect: Connect) -> Call:
    """Make a call of the client, about a commit and a run that failed, to a GitHub that follows a script."""

    def run(name: str, *script: Rule, **about: Any) -> object:
        return CALLS[name](connect(*script, **{"pull_request": None, "failed_run": FAILED_RUN, **about}))

    return run


def to_read(content: str, **headers: str) -> Rule:
    """Make the rule by which GitHub responds to a read with this content."""
    return Rule(response(200, content, JSON_TYPE | headers), method="GET")


def test_each_call_is_one_request_on_the_same_connection(connect: Connect, server: FaultServer, github: GitHub) -> None:
    api = connect(pull_request=None, failed_run=FAILED_RUN)

    assert [call(api) for call in CALLS.values()] == [(7,), ("deploy",), [OTHER], BOT, 1002, None, None]
    assert texts(github) == [BODY]
    assert requests_of(server) == [PULLS, JOBS, LIST, QUERY, POST, EDIT, "DELETE /issues/comments/1001"]
    assert server.connections == 1


@pytest.mark.parametrize(("count", "pages"), [(2, 1), (3, 2), (5, 3)])
def test_all_pages_are_read(call: Call, server: FaultServer, github: GitHub, count: int, pages: int) -> None:
    github.max_per_page = 2
    github.comments = [github.add_comment(7, f"{number}") for number in range(count)]

    assert call("comments") == [f"{number}" for number in range(count)]
    assert requests_of(server) == [LIST] * pages


def test_all_pages_of_a_renamed_repository_are_read_without_a_word_on_standard_error(
    call: Call, server: FaultServer, github: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    github.max_per_page = 1
    github.add_comment(7, BODY)
    moved = message(301, "Moved Permanently", Location=f"{server.url}/repos/{REPOSITORY}/issues/7/comments")

    assert call("comments", Rule(moved, method="GET")) == [OTHER, BODY]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["http://localhost:{port}", "https://localhost:{port}", "http://pages.127.0.0.1"])
def test_a_link_to_a_next_page_elsewhere_leads_to_the_same_host(
    call: Call, elsewhere: FaultServer, github: GitHub, host: str
) -> None:
    github.add_comment(7, BODY)
    url = f"{host.format(port=elsewhere.address[1])}/repos/{REPOSITORY}/issues/7/comments?per_page=1&page=2"

    assert call("comments", to_read('[{"id": 1, "body": "x"}]', Link=f'<{url}>; rel="next"')) == ["x", BODY]
    assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("name", ["comments", "create"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_is_an_error_and_not_followed_elsewhere(
    call: Call, elsewhere: FaultServer, status: int, name: str, host: str
) -> None:
    location = f"http://{host}:{elsewhere.address[1]}/elsewhere"

    with pytest.raises(GitHubError):
        call(name, Rule(message(status, "Moved", Location=location), times=FOREVER))

    assert elsewhere.connections == 0


def test_comments_that_are_malformed_are_skipped(call: Call, server: FaultServer) -> None:
    no_comments = [{"id": "x"}, None, {"id": 4, "body": 5, "user": {"login": ""}}, {"id": 5, "user": {"login": 3}}]

    assert call("comments", to_read(json.dumps([*no_comments, {"id": 6}]))) == [""]
    assert requests_of(server) == [LIST]


@pytest.mark.parametrize("fault", NOT_LISTS)
@pytest.mark.parametrize("name", ["pulls", "jobs", "comments"])
def test_a_response_without_a_list_is_not_an_empty_list(
    call: Call, clock: SkippingClock, name: str, fault: str
) -> None:
    with pytest.raises(GitHubError):
        call(name, Rule(NOT_LISTS[fault], method="GET", times=FOREVER), deadline=Deadline.after(1, clock))


@pytest.mark.parametrize(
    ("pulls", "commit", "numbers"),
    [
        ([pull(12), pull(11, merge_commit=HEAD), pull(13, head=ELSEWHERE)], HEAD, (11,)),
        ([pull(11, merge_commit=HEAD), pull(9, merge_commit=ELSEWHERE)], HEAD, (11,)),
        ([pull(11, merge_commit=HEAD)], HEAD[:8].upper(), (11,)),
        ([pull(9, merge_commit=ELSEWHERE), pull(12), pull(8, merged=True)], HEAD, (9, 8)),
        ([pull(12), pull(13, head=ELSEWHERE), pull(14)], HEAD, (12, 14)),
        ([pull(12)], HEAD[:8], (12,)),
        ([pull(13, head=ELSEWHERE)], HEAD, ()),
        ([pull(12) | {"state": "closed"}], HEAD, ()),
        ([pull(number, merged=True) for number in (2, 4, 1, 3)], HEAD, (2, 4, 1)),
        ([pull(7, merged=True, repository="upstream/shop"), pull(8, repository="Octo-Org/Shop")], HEAD, (8,)),
        ([{"number": 12}], HEAD, (12,)),
        ([{"number": 12, "base": {"repo": None}, "head": None}], HEAD, (12,)),
    ],
)
def test_the_pull_requests_that_introduced_the_commit_are_chosen(
    call: Call, server: FaultServer, github: GitHub, pulls: list[dict[str, Any]], commit: str, numbers: object
) -> None:
    github.pulls[commit] = pulls

    assert call("pulls", commit=commit) == numbers
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", FAILURES)
@pytest.mark.parametrize("name", ["comments", "login", "create", "edit"])
def test_a_rejection_says_why_and_is_not_repeated(call: Call, server: FaultServer, name: str, fault: str) -> None:
    rejection, words = FAILURES[fault]

    with pytest.raises(GitHubError, match=re.escape(words)) as caught:
        call(name, Rule(rejection, times=FOREVER))

    assert (caught.value.is_rejection, len(server.requests)) == (True, 1)


def test_an_error_of_graphql_is_a_rejection(call: Call, server: FaultServer) -> None:
    with pytest.raises(GitHubError, match=re.escape("GitHub refused the request (400)")):
        call("login", Rule(response(200, '{"data": null, "errors": [{}]}', JSON_TYPE), times=FOREVER))

    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("name", ["comments", "login", "delete"])
def test_reads_and_deletions_are_repeated(call: Call, server: FaultServer, name: str, phase: Phase, fault: str) -> None:
    call(name, Rule(FAULTS[fault], phase, times=2))

    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", [*LOST, "200 html"])
@pytest.mark.parametrize(("name", "attempts"), [("comments", 3), ("login", 3), ("create", 1), ("edit", 1)])
def test_reads_are_given_up_after_three_attempts_and_a_write_is_never_repeated(
    call: Call, server: FaultServer, name: str, attempts: int, fault: str
) -> None:
    with pytest.raises(GitHubError) as caught:
        call(name, Rule(FAULTS[fault], times=FOREVER))

    assert (caught.value.is_rejection, len(server.requests)) == (False, attempts)


@pytest.mark.parametrize("fault", UNCONFIRMED)
def test_an_edit_that_is_not_confirmed_is_an_error(call: Call, fault: str) -> None:
    with pytest.raises(GitHubError) as caught:
        call("edit", Rule(UNCONFIRMED[fault], method="PATCH"))

    assert not caught.value.is_rejection


def test_an_edit_may_be_confirmed_with_other_line_ends(call: Call) -> None:
    confirmed = response(200, json.dumps({"id": 1001, "body": BODY.replace("\n", "\r\n")}), JSON_TYPE)

    call("edit", Rule(confirmed, method="PATCH"))


def test_secrets_are_masked_before_a_message_is_shortened(call: Call) -> None:
    with pytest.raises(GitHubError, match=re.escape(f"'{'x' * 55}***'")):
        call("create", Rule(message(422, f"{'x' * 55}{HEAD}")), mask=lambda text: text.replace(HEAD, "***"))


@pytest.mark.parametrize(
    "api_url", ["http://127.0.0.1:9", "https://api.github.com:99999", "https://api.github.com:port", "https://[::1"]
)
@pytest.mark.parametrize("name", ["comments", "create"])
def test_an_address_that_cannot_be_reached_is_an_error(call: Call, api_url: str, name: str) -> None:
    with pytest.raises(GitHubError):
        call(name, api_url=api_url)


def test_github_enterprise_server_has_another_prefix(clock: SkippingClock, call: Call) -> None:
    github = GitHub(prefix="/api/v3", max_per_page=1, pulls={HEAD: [pull(6), pull(7)]})

    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        results = [call(name, api_url=f"{server.url}/api/v3") for name in ("pulls", "login")]

    assert results == [(6, 7), BOT]
    assert {request.path.partition("/repos")[0] for request in server.requests} == {"/api/v3", "/api/graphql"}


def test_a_private_authority_is_trusted_only_when_it_is_named(
    call: Call, github: GitHub, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        with pytest.raises(GitHubError, match="name the file of its authority in REQUESTS_CA_BUNDLE"):
            call("create", api_url=server.url)

        assert call("comments", api_url=server.url, network=Network((ca_bundle,))) == [OTHER]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("deadline", "error"),
    [(Deadline.after(0), GitHubError), (Deadline.after(60, cancelled=lambda: True), CancelledError)],
)
def test_no_request_begins_after_the_deadline_or_once_the_job_was_cancelled(
    call: Call, server: FaultServer, name: str, deadline: Deadline, error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(name, deadline=deadline)

    assert server.connections == 0


ANOTHER_PAGE = JSON_TYPE | {"Link": '<http://x/repos?page=2>; rel="next"'}
HUGE = {
    "one that is too large": FAULTS["huge body"],
    "a gzip bomb": FAULTS["gzip bomb"],
    "long comments": response(200, json.dumps([{"id": 1, "body": BODY + "x" * 2**21}] * 3), ANOTHER_PAGE),
    "long comments of others": response(200, json.dumps([{"id": 1, "body": "x" * 2**21}] * 3), ANOTHER_PAGE),
    "all structure": response(200, f"[{'{},' * 2_000_000}{{}}]", ANOTHER_PAGE),
    "more than a page": response(200, f"[{'{},' * 90_000}{{}}]", ANOTHER_PAGE),
}


@pytest.mark.parametrize("fault", HUGE)
def test_huge_lists_take_little_memory(connect: Connect, fault: str) -> None:
    api = connect(Rule(HUGE[fault], times=FOREVER), deadline=Deadline.after(2))
    tracemalloc.start()

    with pytest.raises(GitHubError):
        api.list_comments(7, BODY)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150 * 1024 * 1024
