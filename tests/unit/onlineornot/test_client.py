"""The operations, what they make of answers, and which requests they send again."""

import contextlib
import json
import random
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from operator import le
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fault_server import (
    DEEP_JSON,
    FAULTS,
    FOREVER,
    HTML,
    JSON_TYPE,
    REFUSALS,
    STRANGE_ANSWERS,
    THROTTLES,
    UNCERTAIN_ANSWERS,
    End,
    FaultServer,
    Phase,
    Play,
    VirtualClock,
    envelope,
    http_date,
    response,
)

from onlineornot_action.onlineornot import __version__
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import DEFAULT_LIMITS, Deadline, Limits
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    CancelledError,
    CertificateError,
    Effect,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    RedirectError,
    Refusal,
)
from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    ComponentStatus,
    IncidentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_sandbox.auth import EDIT_TOKEN, FOREIGN_TOKEN, READ_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate as StoredUpdate
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

UPDATE = IncidentUpdateCreate(
    status=IncidentStatus.MONITORING,
    description="A fix is out: «we are watching it».",
    notify_subscribers=False,
    components_affected=(ComponentAffected(id=API_ID, status=ComponentStatus.DEGRADED_PERFORMANCE),),
    date_happened="2026-11-24T09:30:00.000Z",
)
PATCH = IncidentUpdatePatch(description="It was the database.")
START = VirtualClock.BEGINNING

Operation = Callable[[OnlineOrNotClient], object]
MakeClient = Callable[..., OnlineOrNotClient]

OPERATIONS: dict[str, Operation] = {
    "list": lambda client: list(client.list_incident_updates(PAGE_ID, INCIDENT_ID)),
    "get": lambda client: client.get_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID),
    "update": lambda client: client.update_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID, PATCH),
    "delete": lambda client: client.delete_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID),
    "create": lambda client: client.create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE),
}
METHODS = {"list": "GET", "get": "GET", "update": "PATCH", "delete": "DELETE", "create": "POST"}
WRITES = ("update", "delete", "create")
READS = ("list", "get")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def make_client(clock: VirtualClock) -> Iterator[MakeClient]:
    """Make clients on the virtual clock that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(url: str, token: str = EDIT_TOKEN, *, seconds: float = 60, **options: Any) -> OnlineOrNotClient:
            client = OnlineOrNotClient(token, deadline=Deadline.after(seconds, clock), base_url=url, **options)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(sandbox: Sandbox, make_client: MakeClient) -> OnlineOrNotClient:
    return make_client(sandbox.url)


def pauses(server: FaultServer) -> list[float]:
    """Tell how many seconds lay between one request and the next."""
    return [later.at - earlier.at for earlier, later in pairwise(server.requests)]


def failure(operation: str, client: OnlineOrNotClient) -> APIError:
    """Run an operation, and catch what goes wrong."""
    with pytest.raises(APIError) as caught:
        OPERATIONS[operation](client)
    return caught.value


# The five operations


def test_create_posts_everything_that_it_is_given(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    created = client.create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    stored = sandbox.store.timeline()[-1]
    assert (created.id, created.created_at) == (stored.id, stored.created_at)
    assert (stored.status, stored.description) == ("MONITORING", "A fix is out: «we are watching it».")
    assert stored.date_happened == "2026-11-24T09:30:00.000Z"
    assert [(each.id, each.new_status) for each in stored.components] == [(API_ID, "DEGRADED_PERFORMANCE")]
    assert [(each.id, each.old_status) for each in created.components or ()] == [(API_ID, "OPERATIONAL")]
    assert sandbox.store.mails == []


def test_create_mails_subscribers_when_it_is_told_to(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    update = IncidentUpdateCreate(status=IncidentStatus.RESOLVED, description="Over.", notify_subscribers=True)

    created = client.create_incident_update(PAGE_ID, INCIDENT_ID, update)

    assert {mail.update_id for mail in sandbox.store.mails} == {created.id}


def test_list_finds_every_update(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    created = client.create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    listed = list(client.list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert {update.id for update in listed} == {UPDATE_ID, created.id}
    assert created in listed
    assert len(sandbox.store.requests) == 2


def test_get_retrieves_one_update(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    update = client.get_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID)

    stored = sandbox.store.incident_update(INCIDENT_ID, UPDATE_ID)
    assert (update.id, update.status, update.description) == (stored.id, stored.status, stored.description)


def test_update_changes_only_what_it_is_given(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    update = client.update_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID, PATCH)

    stored = sandbox.store.incident_update(INCIDENT_ID, UPDATE_ID)
    assert update.description == stored.description == "It was the database."
    assert stored.status == "INVESTIGATING"


def test_delete_removes_the_update(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    client.delete_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID)

    assert sandbox.store.timeline() == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_takes_one_request(operation: str, client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    OPERATIONS[operation](client)

    assert [received.method for received in sandbox.store.requests] == [METHODS[operation]]
    assert client.requests == 1


def test_client_names_itself_and_its_version(make_client: MakeClient) -> None:
    with FaultServer() as server:
        OPERATIONS["get"](make_client(server.url))

    assert server.requests[0].headers["User-Agent"] == f"onlineornot-incident-update/{__version__}"


@pytest.mark.parametrize(("suffix", "prefix"), [("/", ""), ("/proxied", "/proxied"), ("/proxied/", "/proxied")])
def test_path_of_the_base_url_stands_before_that_of_the_operation(
    suffix: str, prefix: str, make_client: MakeClient
) -> None:
    with FaultServer() as server:
        failure_or_result(make_client(server.url + suffix), "get")

    path = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates/{UPDATE_ID}"
    assert server.requests[0].path == prefix + path


def failure_or_result(client: OnlineOrNotClient, operation: str) -> object:
    """Run an operation; what comes of it is the outcome either way."""
    try:
        return OPERATIONS[operation](client)
    except APIError as error:
        return error


# Ids

BAD_IDS = (
    "",
    "seven77",
    "../../up",
    "page?a=b",
    "page%2Fx",
    "in cident",
    "incidént1",
    "incident1\n",
    "x" * 65,
    "........",
)


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_id_that_cannot_be_one_is_refused_before_anything_is_sent(
    place: int, bad: str, client: OnlineOrNotClient, sandbox: Sandbox
) -> None:
    ids = [PAGE_ID, INCIDENT_ID, UPDATE_ID]
    ids[place] = bad

    with pytest.raises(ValueError, match="an id is"):
        client.delete_incident_update(*ids)

    assert sandbox.store.requests == []


def test_list_refuses_a_bad_id_at_once_though_it_reads_lazily(client: OnlineOrNotClient) -> None:
    with pytest.raises(ValueError, match="an id is"):
        client.list_incident_updates(PAGE_ID, "short")


@pytest.mark.parametrize("good", ["-leading", "UPPER_lower-01", "x" * 64])
def test_id_of_the_right_form_is_asked_for(good: str, client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError):
        client.get_incident_update(PAGE_ID, INCIDENT_ID, good)

    assert sandbox.store.requests[0].path.endswith(f"/updates/{good}")


# Pages


def store_of(updates: int) -> Store:
    """Make a store whose incident has so many updates."""
    store = Store()
    for _ in range(updates - 1):
        store.create_incident_update(INCIDENT_ID, StoredUpdate(status="UPDATE", description="Still at it."))
    return store


def pages(*ids: str, total: int | None) -> list[Play]:
    """Make the script of a list whose pages have these updates, a letter each."""
    info = {"total_count": total}
    bodies = (envelope([{"id": f"update-{letter}"} for letter in page], result_info=info) for page in ids)
    return [Play(response(200, body, JSON_TYPE)) for body in bodies]


def test_pages_are_read_until_all_are_there(make_client: MakeClient) -> None:
    with Sandbox(store=store_of(250)) as sandbox:
        listed = list(make_client(sandbox.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    queries = [received.path.partition("?")[2] for received in sandbox.store.requests]
    assert {update.id for update in listed} == {update.id for update in sandbox.store.timeline()}
    assert len(listed) == 250
    assert queries == ["page=1&per_page=100", "page=2&per_page=100", "page=3&per_page=100"]


def test_page_that_nobody_needs_is_not_read(make_client: MakeClient) -> None:
    with Sandbox(store=store_of(250)) as sandbox:
        updates = make_client(sandbox.url).list_incident_updates(PAGE_ID, INCIDENT_ID)
        before = len(sandbox.store.requests)
        next(updates)

    assert (before, len(sandbox.store.requests)) == (0, 1)


@pytest.mark.parametrize(
    ("script", "letters", "requests"),
    [
        pytest.param(pages("abc", "", total=3), "abc", 1, id="as many as the total"),
        pytest.param(pages("", total=0), "", 1, id="none at all"),
        pytest.param(pages("abc", "d", "", total=9), "abcd", 3, id="an empty page before the total"),
        pytest.param(pages("abc", "d", "", total=None), "abcd", 3, id="no total"),
        pytest.param(pages("ab", "ab", "ab", "c", total=9), "ab", 3, id="two pages in a row without news"),
        pytest.param(pages("ab", "ab", "c", "ab", "d", "", total=9), "abcd", 6, id="single pages without news"),
        pytest.param(pages("ab", "bc", "cd", total=4), "abcd", 3, id="pages that overlap"),
        pytest.param(pages("aab", "", total=3), "ab", 2, id="the same twice on a page"),
    ],
)
def test_reading_ends(script: Iterable[Play], letters: str, requests: int, make_client: MakeClient) -> None:
    with FaultServer(script) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == [f"update-{letter}" for letter in letters]
    assert len(server.requests) == requests


def test_reading_to_the_end_does_not_rely_on_the_total(make_client: MakeClient) -> None:
    with FaultServer(pages("ab", "c", "", total=2)) as server:
        read = list(make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID, to_the_end=True))

    assert [len(page.items) for page in read] == [2, 1, 0]
    assert [page.total_count for page in read] == [2, 2, 2]


@pytest.mark.parametrize("offset", [0.0, 3600.0, -3600.0])
def test_page_tells_when_it_was_asked_for_and_what_the_clock_of_the_server_said(
    offset: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    clock.sleep(3)

    with FaultServer(now=clock.time, date_offset=offset) as server:
        (page,) = make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID)

    assert (page.began, page.server_time) == (START + 3, START + 3 + offset)


def test_page_without_a_date_tells_no_time_of_the_server(make_client: MakeClient) -> None:
    with FaultServer(date_offset=None) as server:
        (page,) = make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID)

    assert page.server_time is None


def test_reading_may_have_a_deadline_of_its_own(make_client: MakeClient, clock: VirtualClock) -> None:
    part = Deadline.after(60, clock).within(15)

    with FaultServer([Play(FAULTS["500 empty"], times=FOREVER)]) as server, pytest.raises(InternalServerError):
        list(make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID, part))

    assert clock.slept == pytest.approx(14.5)


def test_patience_that_the_api_asks_for_goes_beyond_that_deadline(make_client: MakeClient, clock: VirtualClock) -> None:
    part = Deadline.after(60, clock).within(15)

    with FaultServer([Play(response(429, headers={"Retry-After": "40"}))]) as server:
        list(make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID, part))

    assert clock.slept == pytest.approx(40)


def test_page_that_fails_is_read_again(make_client: MakeClient) -> None:
    script = [*pages("ab", total=3), Play(FAULTS["502 html"]), *pages("c", total=3)]

    with FaultServer(script) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == ["update-a", "update-b", "update-c"]
    assert [request.path[-19:] for request in server.requests[1:]] == ["page=2&per_page=100"] * 2


# Which request is sent again


@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_not_sent_is_sent_again(
    operation: str, make_client: MakeClient, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[End.RESET]) as server:
        client = make_client(server.url, ca_bundle=ca_bundle)
        OPERATIONS[operation](client)

    assert (client.requests, len(server.requests)) == (2, 1)


@pytest.mark.parametrize("name", THROTTLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_throttled_is_sent_again(operation: str, name: str, make_client: MakeClient) -> None:
    with FaultServer([Play(THROTTLES[name])]) as server:
        OPERATIONS[operation](make_client(server.url))

    assert [request.method for request in server.requests] == [METHODS[operation]] * 2


QUICK_LOSSES = ("reset", "close", "headers cut between lines", "body cut", "last chunk missing", "not HTTP")


@pytest.mark.parametrize("name", [*QUICK_LOSSES, "503 html", "408 empty", "200 not JSON", "200 deep JSON", "204"])
@pytest.mark.parametrize("operation", READS)
def test_read_with_an_ambiguous_response_is_sent_again(operation: str, name: str, make_client: MakeClient) -> None:
    with FaultServer([Play(FAULTS[name])]) as server:
        OPERATIONS[operation](make_client(server.url))

    assert len(server.requests) == 2


@pytest.mark.parametrize("name", [*QUICK_LOSSES, *UNCERTAIN_ANSWERS, *STRANGE_ANSWERS])
@pytest.mark.parametrize("operation", WRITES)
def test_write_with_an_ambiguous_response_is_never_sent_again(
    operation: str, name: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    with FaultServer([Play(FAULTS[name])]) as server:
        client = make_client(server.url)
        error = failure(operation, client)

    assert error.effect is Effect.AMBIGUOUS
    assert (len(server.requests), clock.slept) == (1, 0)
    assert client.may_have_written


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_rejected_is_not_sent_again(
    operation: str, name: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    with FaultServer([Play(REFUSALS[name])]) as server:
        error = failure(operation, make_client(server.url))

    assert (error.effect, error.final) == (Effect.REJECTED, True)
    assert (len(server.requests), clock.slept) == (1, 0)


def test_bad_certificate_is_raised_at_once(make_client: MakeClient, tls: ssl.SSLContext, clock: VirtualClock) -> None:
    with FaultServer(ssl_context=tls) as server:
        error = failure("get", make_client(server.url))

    assert isinstance(error, CertificateError)
    assert (server.connections, clock.slept) == (1, 0)


def test_password_that_a_proxy_wants_is_raised_at_once(
    make_client: MakeClient, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer([Play(response(407))]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        client = make_client("http://api.invalid")
        error = failure("create", client)

    assert isinstance(error, ProxyError)
    assert (error.effect, clock.slept, client.may_have_written) == (Effect.NOT_SENT, 0, False)


def test_password_that_the_api_itself_wants_is_a_refusal(make_client: MakeClient) -> None:
    with FaultServer([Play(response(407))]) as server:
        error = failure("create", make_client(server.url))

    assert (error.effect, error.status) == (Effect.REJECTED, 407)


@pytest.mark.parametrize(
    "body",
    [
        '{"success": true, "result": {"id": "update000009", "components": [' + "{}," * 2_000_000 + "{}]}}",
        '{"success": true, "result": {"id": "update000009", "components": [' + "{}," * 400_000 + "{}]}}",
        '{"success": false, "result": null, "errors": [' + "{}," * 2_000_000 + "{}]}",
        '{"success": true, "result": {"id": "update000009"}, "x": [' + "1," * 4_000_000 + "1]}",
        '{"success": true, "result": {"id": "update000009"}, "x": ["\\ud83d"' + ", {}" * 600_000 + "]}",
    ],
    ids=["changes", "fewer changes", "errors", "numbers", "half characters"],
)
def test_response_that_is_all_structure_costs_neither_time_nor_memory(body: str, make_client: MakeClient) -> None:
    tracemalloc.start()
    with FaultServer([Play(response(201, body, {"Content-Type": "application/json"}), Phase.AFTER)]) as server:
        begin = time.monotonic()
        client = make_client(server.url)
        client_result = failure_or_result(client, "create")
        seconds = time.monotonic() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert client_result is not None
    assert seconds < 5
    assert peak < 150_000_000


def test_wait_that_the_api_asks_for_does_not_prolong_an_earlier_deadline(
    make_client: MakeClient, clock: VirtualClock
) -> None:
    throttled = response(429, "", {"Retry-After": "8"})
    with FaultServer([Play(throttled), Play(FAULTS["500 empty"], times=FOREVER)]) as server:
        client = make_client(server.url, seconds=100)
        pages = client.incident_update_pages(PAGE_ID, INCIDENT_ID, Deadline.after(100, clock).within(5))

        with pytest.raises(InternalServerError):
            next(pages)

    assert clock.slept == 8


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_sent_once_all_is_to_end(operation: str) -> None:
    deadline = Deadline.after(60, cancelled=lambda: True)

    with FaultServer() as server:
        client = OnlineOrNotClient(EDIT_TOKEN, deadline=deadline, base_url=server.url)
        with pytest.raises(CancelledError):
            OPERATIONS[operation](client)

    assert (server.connections, client.requests, client.may_have_written) == (0, 0, False)


def test_whoever_cares_is_told_why_it_takes_longer(make_client: MakeClient) -> None:
    told: list[str] = []

    with FaultServer([Play(FAULTS["429 for a second"])]) as server:
        OPERATIONS["get"](make_client(server.url, tell=told.append))

    assert told == ["GET: HTTP 429 Too Many Requests; trying again in 1.0 s"]


# How long it waits


def test_pauses_are_random_and_grow(make_client: MakeClient, clock: VirtualClock) -> None:
    random.seed(7)

    with FaultServer([Play(FAULTS["500 empty"], times=20)], now=clock.time) as server:
        OPERATIONS["get"](make_client(server.url, seconds=600))

    ceilings = [0.5, 1, 2, 4, *[8] * 16]
    assert len(set(pauses(server))) == 20
    assert all(map(le, pauses(server), ceilings))
    assert max(pauses(server)) > 4


@pytest.mark.parametrize(
    ("operation", "seconds"), [("get", 19.5), ("list", 19.5), ("update", 15), ("delete", 15), ("create", 15)]
)
def test_last_try_begins_with_some_time_left(
    operation: str, seconds: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    limits = Limits(min_backoff=100, max_backoff=100)

    with FaultServer([Play(FAULTS["429 without Retry-After"], times=FOREVER)], now=clock.time) as server:
        error = failure(operation, make_client(server.url, seconds=20, limits=limits))

    assert isinstance(error, RateLimitError)
    assert clock.slept == pytest.approx(seconds)
    assert server.requests[-1].at - START == pytest.approx(seconds)


def test_first_try_of_a_write_is_made_however_little_time_is_left(make_client: MakeClient) -> None:
    with FaultServer() as server:
        OPERATIONS["create"](make_client(server.url, seconds=DEFAULT_LIMITS.write_reserve / 2))

    assert len(server.store.timeline()) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        pytest.param("2", 2, 2, id="seconds"),
        pytest.param(" 3 ", 3, 3, id="seconds with spaces"),
        pytest.param(http_date(START + 5), 5, 5, id="date"),
        pytest.param(http_date(START - 5), 0, 0.5, id="date in the past"),
        pytest.param("Mon, 30 Feb 2026 00:00:00 GMT", 0, 0.5, id="no date"),
        pytest.param("0", 0, 0.5, id="zero"),
        pytest.param("-5", 0, 0.5, id="below zero"),
        pytest.param("1.5", 0, 0.5, id="fraction"),
        pytest.param("5²", 0, 0.5, id="digit that is none"),
        pytest.param("soon", 0, 0.5, id="word"),
        pytest.param("", 0, 0.5, id="empty"),
    ],
)
def test_retry_after_is_kept_where_it_is_one(
    retry_after: str, least: float, most: float, operation: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Play(response(429, headers={"Retry-After": retry_after}))]

    with FaultServer(script, now=clock.time) as server:
        OPERATIONS[operation](make_client(server.url))

    assert len(server.requests) == 2
    assert least <= round(clock.slept, 3) <= most


@pytest.mark.parametrize(("offset", "moment"), [(3600, START + 3605), (-3600, START - 3595), (None, START + 5)])
def test_date_to_retry_after_is_by_the_clock_of_the_server_that_named_it(
    offset: float | None, moment: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Play(response(429, headers={"Retry-After": http_date(moment)}))]

    with FaultServer(script, now=clock.time, date_offset=offset) as server:
        OPERATIONS["get"](make_client(server.url))

    assert clock.slept == pytest.approx(5)


@pytest.mark.parametrize("retry_after", ["86400", http_date(START + 86400)])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_retry_after_beyond_the_deadline_is_raised_at_once(
    operation: str, retry_after: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Play(response(429, headers={"Retry-After": retry_after}))]

    with FaultServer(script, now=clock.time) as server:
        error = failure(operation, make_client(server.url))

    assert (type(error), error.effect, error.retry_after) == (RateLimitError, Effect.THROTTLED, 86400)
    assert clock.slept == 0


@pytest.mark.parametrize(("seconds", "requests"), [("59", 2), ("60", 1), ("9" * 400, 1)])
def test_retry_after_may_just_leave_time_for_the_request(seconds: str, requests: int, make_client: MakeClient) -> None:
    with FaultServer([Play(response(429, headers={"Retry-After": seconds}))]) as server:
        failure_or_result(make_client(server.url, seconds=60), "get")

    assert len(server.requests) == requests


def test_retry_after_of_a_failed_read_is_kept(make_client: MakeClient, clock: VirtualClock) -> None:
    with FaultServer([Play(response(503, headers={"Retry-After": "7"}))]) as server:
        OPERATIONS["get"](make_client(server.url))

    assert clock.slept == pytest.approx(7)


# What a response becomes


@pytest.mark.parametrize(
    ("status", "kind", "effect"),
    [
        (300, RedirectError, Effect.REJECTED),
        (301, RedirectError, Effect.REJECTED),
        (308, RedirectError, Effect.REJECTED),
        (400, BadRequestError, Effect.REJECTED),
        (401, AuthenticationError, Effect.REJECTED),
        (402, APIStatusError, Effect.REJECTED),
        (403, PermissionDeniedError, Effect.REJECTED),
        (404, NotFoundError, Effect.REJECTED),
        (408, APIStatusError, Effect.AMBIGUOUS),
        (409, BadRequestError, Effect.REJECTED),
        (418, APIStatusError, Effect.REJECTED),
        (422, BadRequestError, Effect.REJECTED),
        (425, RateLimitError, Effect.THROTTLED),
        (429, RateLimitError, Effect.THROTTLED),
        (499, APIStatusError, Effect.REJECTED),
        (500, InternalServerError, Effect.AMBIGUOUS),
        (501, InternalServerError, Effect.REJECTED),
        (502, InternalServerError, Effect.AMBIGUOUS),
        (503, InternalServerError, Effect.AMBIGUOUS),
        (504, InternalServerError, Effect.AMBIGUOUS),
        (505, InternalServerError, Effect.REJECTED),
        (520, InternalServerError, Effect.AMBIGUOUS),
        (599, InternalServerError, Effect.AMBIGUOUS),
        (600, APIStatusError, Effect.AMBIGUOUS),
        (202, APIResponseValidationError, Effect.AMBIGUOUS),
        (204, APIResponseValidationError, Effect.AMBIGUOUS),
        (206, APIResponseValidationError, Effect.AMBIGUOUS),
    ],
)
@pytest.mark.parametrize("body", [envelope({"id": UPDATE_ID}), envelope(success=False), HTML, "", DEEP_JSON])
def test_status_decides_what_is_raised(
    status: int, kind: type[APIError], effect: Effect, body: str, make_client: MakeClient
) -> None:
    with FaultServer([Play(response(status, body), times=FOREVER)]) as server:
        error = failure("create", make_client(server.url, seconds=5))

    assert (type(error), error.effect, error.status) == (kind, effect, status)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("token", "kind"),
    [("wrong-token", AuthenticationError), (READ_TOKEN, PermissionDeniedError), (FOREIGN_TOKEN, PermissionDeniedError)],
)
def test_token_that_may_not_write_is_told_so(
    token: str, kind: type[APIError], sandbox: Sandbox, make_client: MakeClient
) -> None:
    error = failure("create", make_client(sandbox.url, token))

    assert type(error) is kind
    assert len(sandbox.store.timeline()) == 1


def test_redirect_tells_where_it_points(make_client: MakeClient) -> None:
    with FaultServer([Play(FAULTS["307 elsewhere"])]) as server:
        error = failure("get", make_client(server.url))

    assert isinstance(error, RedirectError)
    assert error.location == "https://elsewhere.invalid/v1"


@pytest.mark.parametrize(
    ("errors", "refusals"),
    [
        ([{"code": 10003, "message": "No."}], ["10003: No."]),
        ([{"code": 1, "message": "A", "type": None}, {"code": 2, "message": "B"}], ["1: A", "2: B"]),
        ([{"code": "E1", "message": None}], ["E1: "]),
        ([{"message": "No."}], ["No."]),
        ([{"code": {}, "message": "No."}, None, 7, {}], ["No."]),
        ([], []),
        (None, []),
        ("No.", []),
        ({"code": 1}, []),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_refusal_is_quoted_as_far_as_it_is_one(
    status: int, errors: object, refusals: list[str], make_client: MakeClient
) -> None:
    body = json.dumps({"success": False, "result": None, "errors": errors})

    with FaultServer([Play(response(status, body))]) as server:
        error = failure("create", make_client(server.url))

    assert isinstance(error, APIStatusError)
    assert [str(refusal) for refusal in error.refusals] == refusals


@pytest.mark.parametrize("body", [HTML, "", "null", "[]", '"No."', DEEP_JSON, '{"errors": [{"message": "N'])
def test_refusal_in_another_form_quotes_nothing(body: str, make_client: MakeClient) -> None:
    with FaultServer([Play(response(400, body))]) as server:
        error = failure("create", make_client(server.url))

    assert isinstance(error, BadRequestError)
    assert error.refusals == ()


def test_refusal_that_repeats_the_token_is_scrubbed(make_client: MakeClient) -> None:
    body = json.dumps({"errors": [{"code": EDIT_TOKEN, "message": f"Bearer {EDIT_TOKEN} is wrong"}]})

    with FaultServer([Play(response(401, body))]) as server:
        error = failure("get", make_client(server.url))

    assert isinstance(error, AuthenticationError)
    assert error.refusals == (Refusal("***", "Bearer *** is wrong"),)


@pytest.mark.parametrize("name", FAULTS)
def test_no_error_tells_the_token(name: str, make_client: MakeClient) -> None:
    limits = Limits(response=0.1)

    with FaultServer([Play(FAULTS[name], times=FOREVER)]) as server:
        outcome = failure_or_result(make_client(server.url, seconds=5, limits=limits), "create")

    assert EDIT_TOKEN not in f"{outcome!s} {outcome!r}"


@pytest.mark.parametrize("result", [None, [], {}, "nothing", 0, {"id": None}, {"id": ""}, {"status": "UPDATE"}])
@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_success_that_is_false_is_a_refusal(
    operation: str, status: int, result: object, make_client: MakeClient
) -> None:
    with FaultServer([Play(response(status, envelope(result, success=False)))]) as server:
        error = failure(operation, make_client(server.url))

    assert isinstance(error, APIStatusError)
    assert (error.status, error.effect) == (status, Effect.REJECTED)
    assert error.refusals == (Refusal("10001", "Scripted failure"),)


@pytest.mark.parametrize(
    "body",
    [
        envelope({"id": UPDATE_ID}, success=False),
        envelope({"id": "../../up"}, success=False),
        envelope({"id": 12345678}, success=False),
        envelope({"id": "../../up"}),
        envelope({"id": "seven77"}),
        envelope({"id": 12345678}),
        envelope({"id": None}),
        envelope({"status": "UPDATE"}),
        envelope([{"id": UPDATE_ID}]),
        envelope("update000001"),
        envelope(None),
        json.dumps({"success": "true", "result": {"id": UPDATE_ID}}),
        json.dumps({"success": 1, "result": {"id": UPDATE_ID}}),
        json.dumps({"success": None, "result": {"id": UPDATE_ID}}),
        json.dumps({"result": {"id": UPDATE_ID}}),
        json.dumps({"id": UPDATE_ID}),
        f"{envelope({'id': UPDATE_ID})}x",
        envelope({"id": UPDATE_ID})[:-1],
        "true",
        "[]",
        HTML,
        "",
        "\0",
        DEEP_JSON,
        f'{{"success": true, "result": {DEEP_JSON}}}',
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_success_in_other_words_is_ambiguous(status: int, body: str, make_client: MakeClient) -> None:
    with FaultServer([Play(response(status, body))]) as server:
        error = failure("create", make_client(server.url))

    assert isinstance(error, APIResponseValidationError)
    assert (error.status, error.effect, error.final) == (status, Effect.AMBIGUOUS, False)


OPTIONAL_FIELDS = (
    "incident_id",
    "status",
    "description",
    "date_happened",
    "created_at",
    "updated_at",
    "components",
)


@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, [7], {"a": {}}])
@pytest.mark.parametrize("name", OPTIONAL_FIELDS)
def test_optional_field_of_a_response_may_be_anything(name: str, value: object, make_client: MakeClient) -> None:
    with FaultServer([Play(response(201, envelope({"id": UPDATE_ID, name: value, "another": value})))]) as server:
        created = make_client(server.url).create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    assert created.id == UPDATE_ID
    assert not getattr(created, name)


def test_optional_fields_of_a_response_may_be_absent(make_client: MakeClient) -> None:
    with FaultServer([Play(response(201, '{"success": true, "result": {"id": "update000001"}}'))]) as server:
        created = make_client(server.url).create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    assert created == IncidentUpdate(id=UPDATE_ID)


@pytest.mark.parametrize("info", [None, 7, [], {}, {"total_count": None}, {"total_count": "many"}, {"count": 1}])
def test_list_whose_total_is_none_is_read_to_an_empty_page(info: object, make_client: MakeClient) -> None:
    script = [Play(response(200, envelope([{"id": UPDATE_ID}], result_info=info)))]

    with FaultServer([*script, *pages("", total=None)]) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == [UPDATE_ID]
    assert len(server.requests) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "status", "code"]), inner),
    max_leaves=6,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "success": st.booleans() | JSON,
        "result": st.fixed_dictionaries({"id": st.just(UPDATE_ID) | JSON}) | JSON,
        "result_info": st.fixed_dictionaries({"total_count": JSON}) | JSON,
        "errors": st.lists(st.fixed_dictionaries({"code": JSON, "message": JSON}), max_size=2) | JSON,
    },
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(BODIES, st.sampled_from([200, 201, 400, 500]), st.sampled_from(["create", "list"]))
def test_any_json_is_a_result_or_an_error_of_ours(body: object, status: int, operation: str) -> None:
    script = [Play(response(status, json.dumps(body)), times=FOREVER)]

    with FaultServer(script) as server:
        deadline = Deadline.after(20, VirtualClock())
        client = OnlineOrNotClient(EDIT_TOKEN, deadline=deadline, base_url=server.url)
        outcome = failure_or_result(client, operation)
        client.close()

    assert isinstance(outcome, IncidentUpdate | list | APIError)


# Whether something may have been written


def test_delete_of_what_is_not_there_is_an_error(client: OnlineOrNotClient) -> None:
    with pytest.raises(NotFoundError):
        client.delete_incident_update(PAGE_ID, INCIDENT_ID, "update999999")

    assert not client.may_have_written


@pytest.mark.parametrize(("operation", "expected"), [(name, name in WRITES) for name in OPERATIONS])
def test_only_a_write_may_have_written(operation: str, expected: object, client: OnlineOrNotClient) -> None:
    before = client.may_have_written

    OPERATIONS[operation](client)

    assert (before, client.may_have_written) == (False, expected)
    assert client.writes == int(client.may_have_written)


@pytest.mark.parametrize(
    "name", ["429 without Retry-After", "404 envelope", "501 html", "200 refusal", "307 elsewhere"]
)
@pytest.mark.parametrize("operation", WRITES)
def test_write_that_was_refused_has_not_written(operation: str, name: str, make_client: MakeClient) -> None:
    with FaultServer([Play(FAULTS[name], times=FOREVER)]) as server:
        client = make_client(server.url, seconds=10)
        failure(operation, client)

    assert not client.may_have_written


def test_write_that_was_not_sent_has_not_written(make_client: MakeClient, tls: ssl.SSLContext) -> None:
    with FaultServer(ssl_context=tls) as server:
        client = make_client(server.url)
        failure("create", client)

    assert not client.may_have_written


@pytest.mark.parametrize("phase", Phase)
def test_write_whose_response_was_lost_may_have_written_whatever_comes_later(
    phase: Phase, make_client: MakeClient
) -> None:
    with FaultServer([Play(FAULTS["reset"], phase), Play(FAULTS["400 envelope"])]) as server:
        client = make_client(server.url)
        lost, refused = failure("update", client), failure("update", client)

    assert (lost.effect, refused.effect) == (Effect.AMBIGUOUS, Effect.REJECTED)
    assert client.may_have_written


def test_read_whose_response_was_lost_has_not_written(make_client: MakeClient) -> None:
    with FaultServer([Play(FAULTS["reset"], times=FOREVER)]) as server:
        client = make_client(server.url, seconds=1)
        error = failure("list", client)

    assert isinstance(error, APIConnectionError)
    assert not client.may_have_written


def test_half_a_character_in_a_response_does_not_make_it_unreadable(make_client: MakeClient) -> None:
    body = r'{"success": true, "result": {"id": "update000001", "description": "cut \ud83d"}}'
    with FaultServer([Play(response(200, body, {"Content-Type": "application/json"}))]) as server:
        update = make_client(server.url).get_incident_update(PAGE_ID, INCIDENT_ID, "update000001")

    assert update.description == "cut ?"
