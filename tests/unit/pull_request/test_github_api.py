"""GitHub's API as the action uses it: pages, redirects, certificates, repetitions, and the words of failures."""

import json
import re
import ssl
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from support.clock import SkippingClock
from support.fault_server import FAULTS, FOREVER, JSON_TYPE, FaultServer, Phase, Rule, response
from support.github_app import (
    BODY,
    BOT,
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
from support.github_faults import FAILURES, NOT_LISTS, UNCONFIRMED, message, slow

from onlineornot_action.network.deadline import CancelledError, Deadline, Limits
from onlineornot_action.network.exchange import Network
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.github_api import GitHubError

Connect = Callable[..., github_api.GitHub]
Call = Callable[[github_api.GitHub], object]


LISTS: dict[str, Call] = {
    "pulls": lambda api: api.find_pull_requests(),
    "jobs": lambda api: api.find_failed_jobs(20),
    "comments": lambda api: [comment.text for comment in api.list_comments(7, "")],
}
SAFE: dict[str, Call] = {**LISTS, "login": lambda api: api.login, "delete": lambda api: api.delete_comment(7, 1001)}
WRITES: dict[str, Call] = {
    "create": lambda api: api.create_comment(7, BODY),
    "edit": lambda api: api.edit_comment(7, 1001, BODY),
}
CALLS = {**SAFE, **WRITES}
READ, LOGIN, CREATE, EDIT = (CALLS[name] for name in ("comments", "login", "create", "edit"))
LOST = ("reset", "close", "500 html", "502 empty", "503 envelope", "504 empty", "408 empty")
ABOUT_A_COMMIT = {"pull_request": None, "failed_run": FAILED_RUN}
ELSEWHERE = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def github() -> GitHub:
    """Create one of everything."""
    github = GitHub(pulls={HEAD: [pull(7)]}, jobs={FAILED_RUN: [("deploy", "failure")]})
    github.add_comment(7, OTHER)
    return github


@pytest.fixture
def api(connect: Connect) -> github_api.GitHub:
    """Connect for a commit and a run that failed."""
    return connect(**ABOUT_A_COMMIT)


def test_each_call_is_one_request_on_the_same_connection(
    api: github_api.GitHub, server: FaultServer, github: GitHub
) -> None:
    results = [CALLS[name](api) for name in ("pulls", "jobs", "comments", "login", "create", "edit", "delete")]

    assert results == [(7,), ("deploy",), [OTHER], BOT, 1002, None, None]
    assert texts(github) == [BODY]
    changes = [POST, "PATCH /issues/comments/1001", "DELETE /issues/comments/1001"]
    assert requests_of(server) == [PULLS, JOBS, LIST, QUERY, *changes]
    assert server.connections == 1


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_all_pages_are_read(
    api: github_api.GitHub, server: FaultServer, github: GitHub, count: int, pages: int
) -> None:
    github.max_per_page = 2
    github.comments = [github.add_comment(7, f"{number}") for number in range(count)]

    assert READ(api) == [f"{number}" for number in range(count)]
    assert requests_of(server) == [LIST] * pages


def test_all_pages_of_a_renamed_repository_are_read_without_a_word_on_standard_error(
    api: github_api.GitHub, server: FaultServer, github: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    github.max_per_page = 1
    github.add_comment(7, BODY)
    moved = message(301, "Moved Permanently", Location=f"{server.url}/repos/{REPOSITORY}/issues/7/comments")
    server.script.append(Rule(moved, method="GET"))

    assert READ(api) == [OTHER, BODY]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["http://localhost:{port}", "https://localhost:{port}", "http://pages.127.0.0.1"])
def test_a_link_to_a_next_page_elsewhere_leads_to_the_same_host(
    api: github_api.GitHub, server: FaultServer, elsewhere: FaultServer, github: GitHub, host: str
) -> None:
    github.add_comment(7, BODY)
    link = f"<{host.format(port=elsewhere.address[1])}/repos/{REPOSITORY}/issues/7/comments?per_page=1&page=2>"
    page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": f'{link}; rel="next"'})
    server.script.append(Rule(page, method="GET"))

    assert READ(api) == ["x", BODY]
    assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", [READ, CREATE])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_is_an_error_and_not_followed_elsewhere(
    api: github_api.GitHub, server: FaultServer, elsewhere: FaultServer, status: int, call: Call, host: str
) -> None:
    location = f"http://{host}:{elsewhere.address[1]}/elsewhere"
    server.script.append(Rule(message(status, "Moved", Location=location), times=FOREVER))

    with pytest.raises(GitHubError):
        call(api)

    assert elsewhere.connections == 0


def test_comments_that_are_malformed_are_skipped(api: github_api.GitHub, server: FaultServer) -> None:
    malformed = [
        {"id": "x"},
        None,
        {"id": 4, "body": 5, "user": {"login": ""}},
        {"id": 5, "user": {"login": 3}},
        {"id": 6},
    ]
    server.script.append(Rule(response(200, json.dumps(malformed), JSON_TYPE), method="GET"))

    assert READ(api) == [""]
    assert requests_of(server) == [LIST]


@pytest.mark.parametrize("name", NOT_LISTS)
@pytest.mark.parametrize("call", LISTS.values(), ids=LISTS)
def test_a_response_without_a_list_is_not_an_empty_list(
    connect: Connect, server: FaultServer, clock: SkippingClock, call: Call, name: str
) -> None:
    server.script.append(Rule(NOT_LISTS[name], method="GET", times=FOREVER))

    with pytest.raises(GitHubError):
        call(connect(deadline=Deadline.after(1, clock), **ABOUT_A_COMMIT))


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
    connect: Connect, server: FaultServer, github: GitHub, pulls: list[dict[str, Any]], commit: str, numbers: object
) -> None:
    github.pulls[commit] = pulls

    assert LISTS["pulls"](connect(pull_request=None, commit=commit)) == numbers
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("call", [READ, LOGIN, CREATE, EDIT])
def test_a_rejection_says_why_and_is_not_repeated(
    api: github_api.GitHub, server: FaultServer, github: GitHub, call: Call, name: str
) -> None:
    fault, words = FAILURES[name]
    server.script.append(Rule(fault, times=FOREVER))

    with pytest.raises(GitHubError, match=re.escape(words)) as caught:
        call(api)

    assert (caught.value.is_rejection, len(server.requests), texts(github)) == (True, 1, [OTHER])


def test_an_error_of_graphql_is_a_rejection(api: github_api.GitHub, server: FaultServer) -> None:
    server.script.append(Rule(response(200, '{"data": null, "errors": [{}]}', JSON_TYPE), times=FOREVER))

    with pytest.raises(GitHubError, match=re.escape("GitHub refused the request (400)")):
        LOGIN(api)

    assert len(server.requests) == 1


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("call", SAFE.values(), ids=SAFE)
def test_reads_and_deletions_are_repeated(
    api: github_api.GitHub, server: FaultServer, call: Call, phase: Phase, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], phase, times=2))

    call(api)

    assert len(server.requests) == 3


@pytest.mark.parametrize("name", [*LOST, "200 html"])
@pytest.mark.parametrize(("call", "attempts"), [(READ, 3), (LOGIN, 3), (CREATE, 1), (EDIT, 1)])
def test_reads_are_given_up_after_three_attempts_and_a_write_is_never_repeated(
    api: github_api.GitHub, server: FaultServer, call: Call, attempts: int, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], times=FOREVER))

    with pytest.raises(GitHubError) as caught:
        call(api)

    assert (caught.value.is_rejection, len(server.requests)) == (False, attempts)


@pytest.mark.parametrize("name", UNCONFIRMED)
def test_an_edit_that_is_not_confirmed_is_an_error(
    api: github_api.GitHub, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(UNCONFIRMED[name], method="PATCH"))

    with pytest.raises(GitHubError) as caught:
        EDIT(api)

    assert not caught.value.is_rejection
    assert texts(github) == [OTHER]


def test_an_edit_may_be_confirmed_with_other_line_ends(api: github_api.GitHub, server: FaultServer) -> None:
    confirmed = response(200, json.dumps({"id": 1001, "body": BODY.replace("\n", "\r\n")}), JSON_TYPE)
    server.script.append(Rule(confirmed, method="PATCH"))

    EDIT(api)


def test_secrets_are_masked_before_a_message_is_shortened(connect: Connect, server: FaultServer) -> None:
    server.script.append(Rule(message(422, f"{'x' * 55}{HEAD}")))

    with pytest.raises(GitHubError, match=re.escape(f"'{'x' * 55}***'")):
        CREATE(connect(mask=lambda text: text.replace(HEAD, "***")))


@pytest.mark.parametrize(
    "api_url",
    [
        "http://127.0.0.1:9",
        "https://api.github.com:99999",
        "https://api.github.com:port",
        "https://[::1",
        "https://:443",
    ],
)
@pytest.mark.parametrize("call", [READ, CREATE])
def test_an_address_that_cannot_be_reached_is_an_error(connect: Connect, api_url: str, call: Call) -> None:
    with pytest.raises(GitHubError):
        call(connect(api_url=api_url))


def test_github_enterprise_server_has_another_prefix(clock: SkippingClock, connect: Connect) -> None:
    github = GitHub(prefix="/api/v3", max_per_page=1, pulls={HEAD: [pull(6), pull(7)]})

    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        api = connect(api_url=f"{server.url}/api/v3", **ABOUT_A_COMMIT)
        results = LISTS["pulls"](api), LOGIN(api)

    assert results == ((6, 7), BOT)
    assert {request.path.partition("/repos")[0] for request in server.requests} == {"/api/v3", "/api/graphql"}


def test_a_private_authority_is_trusted_only_when_it_is_named(
    connect: Connect, github: GitHub, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        with pytest.raises(GitHubError, match="name the file of its authority in REQUESTS_CA_BUNDLE"):
            CREATE(connect(api_url=server.url))

        assert READ(connect(api_url=server.url, network=Network((ca_bundle,)))) == [OTHER]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("deadline", "error"),
    [(Deadline.after(0), GitHubError), (Deadline.after(60, cancelled=lambda: True), CancelledError)],
)
def test_no_request_begins_after_the_deadline_or_once_the_job_was_cancelled(
    connect: Connect, server: FaultServer, call: Call, deadline: Deadline, error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(connect(deadline=deadline, **ABOUT_A_COMMIT))

    assert server.connections == 0


def test_a_response_that_takes_too_long_is_lost(connect: Connect, server: FaultServer) -> None:
    server.script.append(Rule(slow(5), Phase.AFTER, "POST"))
    began = time.monotonic()

    with pytest.raises(GitHubError, match="did not respond in time"):
        CREATE(connect(deadline=Deadline.after(20, limits=Limits(response=0.5))))

    assert time.monotonic() - began < 3


def pages_for_ever(body: str) -> Rule:
    """Make the rule by which every page of a list is this one."""
    return Rule(response(200, body, JSON_TYPE | {"Link": '<http://x/repos?page=2>; rel="next"'}), times=FOREVER)


HUGE = {
    "one that is too large": Rule(FAULTS["huge body"], times=FOREVER),
    "a gzip bomb": Rule(FAULTS["gzip bomb"], times=FOREVER),
    "long comments": pages_for_ever(json.dumps([{"id": 1, "body": BODY + "x" * 2**21}] * 3)),
    "long comments of others": pages_for_ever(json.dumps([{"id": 1, "body": "x" * 2**21}] * 3)),
    "all structure": pages_for_ever(f"[{'{},' * 2_000_000}{{}}]"),
    "more than a page": pages_for_ever(f"[{'{},' * 90_000}{{}}]"),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_lists_take_little_memory(connect: Connect, server: FaultServer, name: str) -> None:
    server.script.append(HUGE[name])
    tracemalloc.start()

    with pytest.raises(GitHubError):
        connect(deadline=Deadline.after(4)).list_comments(7, BODY)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150 * 1024 * 1024
