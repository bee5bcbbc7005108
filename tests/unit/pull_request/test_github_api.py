"""GitHub's API as the action uses it: pages, redirects, certificates, repetitions, and the words of failures."""

import contextlib
import json
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.clock import SkippingClock
from support.fault_server import (
    BEFORE,
    FAULTS,
    FOREVER,
    JSON_TYPE,
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

from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.network.exchange import Network
from onlineornot_action.pull_request import github_api
from onlineornot_action.pull_request.github_api import GitHubError

Connect = Callable[..., github_api.GitHub]
Call = Callable[[github_api.GitHub], object]


def list_pulls(api: github_api.GitHub) -> object:
    return [pull.number for pull in api.pull_requests(HEAD)]


def list_jobs(api: github_api.GitHub) -> object:
    return [job.name for job in api.jobs(FAILED_RUN)]


def list_comments(api: github_api.GitHub) -> object:
    return [comment.text for comment in api.comments(7)]


def create(api: github_api.GitHub) -> object:
    return api.create_comment(7, BODY)


def edit(api: github_api.GitHub) -> None:
    api.edit_comment(1001, BODY)


def delete(api: github_api.GitHub) -> None:
    api.delete_comment(1001)


def login(api: github_api.GitHub) -> object:
    return api.login


READS = {"pulls": list_pulls, "jobs": list_jobs, "comments": list_comments, "login": login}
WRITES = {"create": create, "edit": edit}
CALLS = {**READS, **WRITES, "delete": delete}
SAFE = {**READS, "delete": delete}
LOST = ("reset", "close", "500 html", "502 empty", "503 envelope", "504 empty", "408 empty")


@pytest.fixture
def github() -> GitHub:
    """Have one of everything."""
    github = GitHub(pulls={HEAD: [pull(7)]}, jobs={FAILED_RUN: [("deploy", "failure")]})
    github.add_comment(7, OTHER)
    return github


def test_each_call_is_one_request(connect: Connect, server: FaultServer, github: GitHub) -> None:
    api = connect()

    results = [list_pulls(api), list_jobs(api), list_comments(api), login(api)]
    create(api)
    edit(api)

    assert results == [[7], ["deploy"], [OTHER], BOT]
    assert texts(github) == [BODY, BODY]
    changes = [POST, "PATCH /issues/comments/1001"]
    assert requests_of(server) == [PULLS, f"GET /actions/runs/{FAILED_RUN}/jobs", LIST, QUERY, *changes]


def test_the_login_is_requested_once(connect: Connect, server: FaultServer) -> None:
    api = connect()

    assert (api.login, api.login) == (BOT, BOT)
    assert requests_of(server) == [QUERY]


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_all_pages_are_read(connect: Connect, server: FaultServer, github: GitHub, count: int, pages: int) -> None:
    github.max_per_page = 2
    github.pulls[HEAD] = [*map(pull, range(1, count + 1))]

    assert list_pulls(connect()) == [*range(1, count + 1)]
    assert requests_of(server) == [PULLS] * pages


def test_at_most_a_hundred_pages_are_read(connect: Connect, github: GitHub) -> None:
    github.max_per_page = 1
    github.pulls[HEAD] = [*map(pull, range(1, 103))]

    assert list_pulls(connect()) == [*range(1, 101)]


def test_a_list_that_never_ends_is_left_when_it_repeats_itself(connect: Connect, server: FaultServer) -> None:
    page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": '<x>; rel="next"'})
    server.script.append(Rule(page, method="GET", path="/comments", times=FOREVER))

    assert list_comments(connect()) == ["x"]
    assert requests_of(server) == [LIST, LIST]


def test_comments_that_are_malformed_are_skipped(connect: Connect, server: FaultServer) -> None:
    strange = [{"id": 1, "user": {}}, {"id": "x"}, 3, None, {"id": 4, "body": 5, "user": {"login": ""}}, {"body": BODY}]
    server.script.append(Rule(response(200, json.dumps(strange), JSON_TYPE), method="GET", path="/comments"))

    assert list_comments(connect()) == []


@pytest.mark.parametrize("name", sorted(NOT_LISTS.keys() - {"202"}))  # PyGithub repeats a read forever after a 202
@pytest.mark.parametrize("call", [list_pulls, list_jobs, list_comments])
def test_a_response_without_a_list_is_not_an_empty_list(
    connect: Connect, server: FaultServer, clock: SkippingClock, call: Call, name: str
) -> None:
    server.script.append(Rule(NOT_LISTS[name], method="GET", times=FOREVER))

    with pytest.raises(GitHubError):
        call(connect(deadline=Deadline.after(1, clock)))


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_failure_says_why(connect: Connect, server: FaultServer, github: GitHub, call: Call, name: str) -> None:
    fault, words = FAILURES[name]
    server.script.append(Rule(fault, times=FOREVER))

    if (call, name) == (delete, "not found"):
        call(connect())
    else:
        with pytest.raises(GitHubError, match=re.escape(words)):
            call(connect())

    assert texts(github) == [OTHER]


@pytest.mark.parametrize("name", [name for name in FAILURES if name != "a list"])
@pytest.mark.parametrize("call", SAFE.values(), ids=SAFE)
def test_a_refusal_is_not_repeated(connect: Connect, server: FaultServer, call: Call, name: str) -> None:
    server.script.append(Rule(FAILURES[name][0], times=FOREVER))

    with contextlib.suppress(GitHubError):
        call(connect())

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", ['{"errors": 1}', '{"message": 1}', "true", "[]", '"no"', '{"errors": [{"errors": []}]}']
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_refusal_without_a_message_is_reported_as_well(
    connect: Connect, server: FaultServer, call: Call, body: str
) -> None:
    server.script.append(Rule(response(422, body, JSON_TYPE, phases=BEFORE), times=FOREVER))

    with pytest.raises(GitHubError):
        call(connect())


@pytest.mark.parametrize(
    ("status", "is_refusal", "is_gone"),
    [
        (0, False, False),
        (301, True, False),
        (400, True, False),
        (401, True, False),
        (403, True, False),
        (404, True, True),
        (408, False, False),
        (410, True, True),
        (429, True, False),
        (499, True, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_a_status_decides_whether_repeating_is_pointless(status: int, *, is_refusal: bool, is_gone: bool) -> None:
    error = GitHubError("It failed", status)

    assert (error.is_refusal, error.is_gone) == (is_refusal, is_gone)


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("call", SAFE.values(), ids=SAFE)
def test_reads_and_deletions_are_repeated(
    connect: Connect, server: FaultServer, call: Call, phase: Phase, name: str
) -> None:
    server.script.append(Rule(FAULTS[name], phase, times=2))

    call(connect())

    assert len(server.requests) == 3


@pytest.mark.parametrize("name", [*LOST, "200 html"])
@pytest.mark.parametrize("call", READS.values(), ids=READS)
def test_reads_are_given_up_after_three_attempts(connect: Connect, server: FaultServer, call: Call, name: str) -> None:
    server.script.append(Rule(FAULTS[name], times=FOREVER))

    with pytest.raises(GitHubError):
        call(connect())

    assert len(server.requests) == 3


@pytest.mark.parametrize("name", [*LOST, "200 html"])
@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_a_write_is_never_repeated(connect: Connect, server: FaultServer, call: Call, name: str) -> None:
    server.script.append(Rule(FAULTS[name], times=FOREVER))

    with pytest.raises(GitHubError) as caught:
        call(connect())

    assert (caught.value.is_refusal, len(server.requests)) == (False, 1)


@pytest.mark.parametrize("name", UNCONFIRMED)
def test_an_edit_that_is_not_confirmed_is_an_error(
    connect: Connect, server: FaultServer, github: GitHub, name: str
) -> None:
    server.script.append(Rule(UNCONFIRMED[name], method="PATCH"))

    with pytest.raises(GitHubError) as caught:
        edit(connect())

    assert not caught.value.is_refusal
    assert texts(github) == [OTHER]


def test_an_edit_may_be_confirmed_with_other_line_ends(connect: Connect, server: FaultServer) -> None:
    confirmed = response(200, json.dumps({"id": 1001, "body": BODY.replace("\n", "\r\n")}), JSON_TYPE)
    server.script.append(Rule(confirmed, method="PATCH"))

    edit(connect())


def test_a_comment_that_does_not_exist_is_deleted(connect: Connect, github: GitHub) -> None:
    github.comments.clear()

    delete(connect())


@pytest.mark.parametrize("permissions", [{}, {"pull-requests": "read", "issues": "read"}, {"contents": "write"}])
@pytest.mark.parametrize("call", [*WRITES.values(), delete])
def test_a_missing_permission_is_reported_in_the_words_of_github(
    connect: Connect, github: GitHub, call: Call, permissions: dict[str, str]
) -> None:
    github.permissions = permissions

    with pytest.raises(GitHubError) as caught:
        call(connect())

    assert str(caught.value) == "GitHub refused the request (403: 'Resource not accessible by integration')"


def test_secrets_are_removed_before_a_message_is_shortened(connect: Connect, server: FaultServer) -> None:
    server.script.append(Rule(message(422, f"{'x' * 55}{HEAD}")))

    with pytest.raises(GitHubError) as caught:
        create(connect(scrub=lambda text: text.replace(HEAD, "***")))

    assert f"'{'x' * 55}***'" in str(caught.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_token_that_github_does_not_know_is_refused(connect: Connect, server: FaultServer, call: Call) -> None:
    with pytest.raises(GitHubError, match="GitHub does not accept github-token"):
        call(connect(token="ghs_expired0000000000"))

    assert len(server.requests) == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_github_that_is_not_there_could_not_be_reached(connect: Connect, unused_url: str, call: Call) -> None:
    with pytest.raises(GitHubError, match="could not be reached"):
        call(connect(api_url=unused_url))


@pytest.mark.parametrize(
    "api_url", ["https://api.github.com:99999", "https://api.github.com:port", "https://[::1", "https://:443"]
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_invalid_address_is_an_error(connect: Connect, api_url: str, call: Call) -> None:
    with pytest.raises(GitHubError):
        call(connect(api_url=api_url))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_is_an_error_and_not_followed_elsewhere(
    connect: Connect,
    server: FaultServer,
    elsewhere: FaultServer,
    github: GitHub,
    status: int,
    call: Call,
    host: str,
) -> None:
    location = f"http://{host}:{elsewhere.address[1]}/elsewhere"
    server.script.append(Rule(message(status, "Moved", Location=location), times=FOREVER))

    with pytest.raises(GitHubError):
        call(connect())

    assert elsewhere.connections == 0
    assert texts(github) == [OTHER]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("call", [list_pulls, list_comments])
def test_a_link_to_a_next_page_elsewhere_is_not_followed(
    connect: Connect, server: FaultServer, elsewhere: FaultServer, call: Call, host: str
) -> None:
    link = f'<http://{host}:{elsewhere.address[1]}/repos/{REPOSITORY}/x?page=2>; rel="next"'
    page = response(200, '[{"id": 1, "number": 7, "body": "x"}]', JSON_TYPE | {"Link": link})
    server.script.append(Rule(page, method="GET"))

    call(connect())

    assert elsewhere.connections == 0
    assert len(server.requests) == 2


def send_through(monkeypatch: pytest.MonkeyPatch, proxy: FaultServer) -> None:
    """Make plain http requests to any other host go through a server that records them."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_link_to_another_host_of_the_same_domain_is_not_followed(
    connect: Connect, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_through(monkeypatch, server)
    link = f'<http://pages.github.example/repos/{REPOSITORY}/x?page=2>; rel="next"'
    page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": link})
    server.script.append(Rule(page, method="GET", path="/comments"))

    assert list_comments(connect(api_url="http://github.example")) == ["x"]
    assert [request.path for request in server.requests if "//pages.github.example" in request.path] == []


def test_a_link_from_https_to_http_is_not_followed(
    connect: Connect,
    github: GitHub,
    elsewhere: FaultServer,
    tls: ssl.SSLContext,
    ca_bundle: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send_through(monkeypatch, elsewhere)
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        link = f'<{server.url.replace("https", "http")}/repos/{REPOSITORY}/x?page=2>; rel="next"'
        page = response(200, '[{"id": 1, "body": "x"}]', JSON_TYPE | {"Link": link})
        server.script.append(Rule(page, method="GET", path="/comments"))
        comments = list_comments(connect(api_url=server.url, network=Network((ca_bundle,))))

    assert comments == ["x"]
    assert elsewhere.requests == []


def test_github_enterprise_server_has_another_prefix(clock: SkippingClock, connect: Connect) -> None:
    github = GitHub(prefix="/api/v3", max_per_page=1, pulls={HEAD: [pull(6), pull(7)]})

    with FaultServer(app=create_github_app(github), now=clock.time) as server:
        api = connect(api_url=f"{server.url}/api/v3")
        results = list_pulls(api), login(api)

    assert results == ([6, 7], BOT)
    assert {request.path.partition("/repos")[0] for request in server.requests} == {"/api/v3", "/api/graphql"}


def test_a_private_authority_is_trusted_when_it_is_named(
    connect: Connect, github: GitHub, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        api = connect(api_url=server.url, network=Network((ca_bundle,)))

        assert list_comments(api) == [OTHER]


def test_a_private_authority_is_not_trusted_otherwise(connect: Connect, github: GitHub, tls: ssl.SSLContext) -> None:
    with FaultServer(app=create_github_app(github), ssl_context=tls) as server:
        with pytest.raises(GitHubError, match="name the file of its authority in REQUESTS_CA_BUNDLE"):
            create(connect(api_url=server.url))

        assert server.requests == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_request_begins_after_the_deadline(connect: Connect, server: FaultServer, call: Call) -> None:
    with pytest.raises(GitHubError, match="did not respond in time"):
        call(connect(deadline=Deadline.after(0)))

    assert server.connections == 0


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_request_begins_once_the_job_was_cancelled(connect: Connect, server: FaultServer, call: Call) -> None:
    with pytest.raises(CancelledError):
        call(connect(deadline=Deadline.after(20, cancelled=lambda: True)))

    assert server.connections == 0


def test_a_response_that_takes_too_long_is_lost(connect: Connect, server: FaultServer) -> None:
    server.script.append(Rule(slow(5), Phase.AFTER, "POST"))
    began = time.monotonic()

    with pytest.raises(GitHubError, match="did not respond in time"):
        create(connect(response_seconds=1))

    assert time.monotonic() - began < 3


def test_an_earlier_deadline_shortens_the_time_for_a_response_as_well(connect: Connect) -> None:
    api = connect(deadline=Deadline.after(20), response_seconds=8)

    earliest, earlier, later = api.within(0.5), api.within(4), api.within(10)

    assert [each.response_seconds for each in (earliest, earlier, later)] == [1, 4, 8]
    assert earlier.deadline.left() <= 4
    assert replace(earlier, deadline=api.deadline, response_seconds=8) == api


def test_pygithub_writes_nothing_to_standard_error(
    connect: Connect, server: FaultServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.script.append(Rule(FAULTS["301 elsewhere"], times=FOREVER))

    with pytest.raises(GitHubError):
        list_comments(connect())

    assert capfd.readouterr() == ("", "")
