"""The operations of the client, which requests it repeats, and how long it waits."""

import contextlib
import random
import re
import ssl
from collections.abc import Iterable
from itertools import pairwise
from operator import le

import pytest
from support.client_calls import (
    METHODS,
    OPERATIONS,
    PATCH,
    READS,
    START,
    UPDATE,
    WRITES,
    MakeClient,
    failure,
    outcome_of,
    pages,
)
from support.fault_server import (
    ERROR_ENVELOPE,
    FAULTS,
    FOREVER,
    REJECTIONS,
    STRANGE_RESPONSES,
    THROTTLES,
    UNCERTAIN_RESPONSES,
    End,
    FaultServer,
    Rule,
    VirtualClock,
    http_date,
    response,
)

from onlineornot_action.network.deadline import CancelledError, Deadline, Limits
from onlineornot_action.network.exchange import Cause, Effect, ExchangeError, Network
from onlineornot_action.onlineornot import __version__
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import (
    APIConnectionError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    RedirectError,
)
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate as StoredUpdate
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store


def pauses(server: FaultServer) -> list[float]:
    """Return the seconds between each request and the next."""
    return [later.at - earlier.at for earlier, later in pairwise(server.requests)]


def test_create_posts_everything_that_it_is_given(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    created = client.create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    stored = sandbox.store.timeline()[-1]
    assert (created.id, created.created_at) == (stored.id, stored.created_at)
    assert (stored.status, stored.description) == ("MONITORING", "A fix is out: «we are watching it».")
    assert stored.date_happened == "2026-11-24T09:30:00.000Z"
    assert [(each.id, each.new_status) for each in stored.components] == [(API_ID, "DEGRADED_PERFORMANCE")]
    assert [(each.id, each.old_status) for each in created.components or ()] == [(API_ID, "OPERATIONAL")]
    assert sandbox.store.mails == []


def test_update_changes_only_what_it_is_given(client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    update = client.update_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID, PATCH)

    assert (update.id, update.status, update.description) == (UPDATE_ID, "INVESTIGATING", "It was the database.")
    assert client.get_incident_update(PAGE_ID, INCIDENT_ID, UPDATE_ID) == update
    assert sandbox.store.incident_update(INCIDENT_ID, UPDATE_ID).description == update.description


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_takes_one_request_and_only_a_write_may_have_written(
    operation: str, client: OnlineOrNotClient, sandbox: Sandbox
) -> None:
    before = client.may_have_written

    OPERATIONS[operation](client)

    is_write = operation in WRITES
    assert [received.method for received in sandbox.store.requests] == [METHODS[operation]]
    assert (client.requests, client.writes) == (1, int(is_write))
    assert (before, client.may_have_written) == (False, is_write)


@pytest.mark.parametrize(("suffix", "prefix"), [("/", ""), ("/proxied", "/proxied"), ("/proxied/", "/proxied")])
def test_request_has_the_path_of_the_base_url_and_names_the_client(
    suffix: str, prefix: str, make_client: MakeClient
) -> None:
    with FaultServer() as server:
        outcome_of("get", make_client(server.url + suffix))

    path = f"/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates/{UPDATE_ID}"
    assert server.requests[0].path == prefix + path
    assert server.requests[0].headers["User-Agent"] == f"onlineornot-incident-update/{__version__}"


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
    "." * 8,
)


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_malformed_id_is_refused_before_anything_is_sent(
    place: int, bad: str, client: OnlineOrNotClient, sandbox: Sandbox
) -> None:
    ids = [PAGE_ID, INCIDENT_ID, UPDATE_ID]
    ids[place] = bad

    with pytest.raises(ValueError, match="an id is"):
        client.delete_incident_update(*ids)

    assert sandbox.store.requests == []


@pytest.mark.parametrize("good", ["-leading", "UPPER_lower-01", "x" * 64])
def test_well_formed_id_is_requested(good: str, client: OnlineOrNotClient, sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError):
        client.delete_incident_update(PAGE_ID, INCIDENT_ID, good)

    assert sandbox.store.requests[0].path.endswith(f"/updates/{good}")
    assert not client.may_have_written


def test_pages_are_read_when_they_are_needed_until_all_are_there(make_client: MakeClient) -> None:
    store = Store()
    for _ in range(249):
        store.create_incident_update(INCIDENT_ID, StoredUpdate(status="UPDATE", description="Still at it."))

    with Sandbox(store=store) as sandbox:
        read = make_client(sandbox.url).incident_update_pages(PAGE_ID, INCIDENT_ID)
        before = len(store.requests)
        first = next(read)
        after_one = len(store.requests)
        updates = [update for page in (first, *read) for update in page.items]

    queries = [received.path.partition("?")[2] for received in store.requests]
    assert (before, after_one) == (0, 1)
    assert sorted(update.id for update in updates) == sorted(update.id for update in store.timeline())
    assert queries == ["page=1&per_page=100", "page=2&per_page=100", "page=3&per_page=100"]


@pytest.mark.parametrize(
    ("script", "letters", "requests"),
    [
        pytest.param(pages("abc", "", total=3), "abc", 1, id="as many as the total"),
        pytest.param(pages("", total=0), "", 1, id="empty"),
        pytest.param(pages("abc", "d", "", total=9), "abcd", 3, id="an empty page before the total"),
        pytest.param(pages("abc", "d", "", total=None), "abcd", 3, id="no total"),
        pytest.param(pages("ab", "ab", "ab", "c", total=9), "ab", 3, id="two pages in a row without new items"),
        pytest.param(pages("ab", "ab", "c", "ab", "d", "", total=9), "abcd", 6, id="single pages without new items"),
        pytest.param(pages("ab", "bc", "cd", total=4), "abcd", 3, id="pages that overlap"),
        pytest.param(pages("aab", "", total=3), "ab", 2, id="the same twice on a page"),
    ],
)
def test_list_is_read_to_its_end(script: Iterable[Rule], letters: str, requests: int, make_client: MakeClient) -> None:
    with FaultServer(script) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == [f"update-{letter}" for letter in letters]
    assert len(server.requests) == requests


def test_reading_to_the_end_does_not_rely_on_the_total(make_client: MakeClient) -> None:
    with FaultServer(pages("ab", "c", "", total=2)) as server:
        read = list(make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID, to_the_end=True))

    assert [len(page.items) for page in read] == [2, 1, 0]
    assert [page.total_count for page in read] == [2, 2, 2]


WAIT, FAILURES = Rule(response(429, headers={"Retry-After": "40"})), Rule(FAULTS["500 empty"], times=FOREVER)


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        pytest.param([FAILURES], 14.5, id="no wait"),
        pytest.param([WAIT], 40, id="a wait, then success"),
        pytest.param([WAIT, FAILURES], 40, id="a wait, then failures"),
    ],
)
def test_list_may_have_an_earlier_deadline_which_only_a_wait_that_the_api_asks_for_exceeds(
    script: list[Rule], seconds: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    part = Deadline.after(60, clock).within(15)

    with FaultServer(script) as server, contextlib.suppress(InternalServerError):
        list(make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID, part))

    assert clock.slept == pytest.approx(seconds)


def test_page_that_fails_is_read_again(make_client: MakeClient) -> None:
    script = [*pages("ab", total=3), Rule(FAULTS["502 html"]), *pages("c", total=3)]

    with FaultServer(script) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == ["update-a", "update-b", "update-c"]
    assert [request.path[-19:] for request in server.requests[1:]] == ["page=2&per_page=100"] * 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_not_sent_is_sent_again(
    operation: str, make_client: MakeClient, tls: ssl.SSLContext, ca_bundle: str
) -> None:
    with FaultServer(ssl_context=tls, handshakes=[End.RESET]) as server:
        client = make_client(server.url, network=Network((ca_bundle,)))
        OPERATIONS[operation](client)

    assert (client.requests, len(server.requests)) == (2, 1)


@pytest.mark.parametrize("name", THROTTLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_throttled_is_sent_again(operation: str, name: str, make_client: MakeClient) -> None:
    with FaultServer([Rule(THROTTLES[name])]) as server:
        OPERATIONS[operation](make_client(server.url))

    assert [request.method for request in server.requests] == [METHODS[operation]] * 2


QUICK_LOSSES = ("reset", "close", "headers cut between lines", "body cut", "last chunk missing", "not HTTP")


@pytest.mark.parametrize("name", [*QUICK_LOSSES, "503 html", "408 empty", "200 not JSON", "200 deep JSON", "204"])
@pytest.mark.parametrize("operation", READS)
def test_read_with_an_ambiguous_response_is_sent_again(operation: str, name: str, make_client: MakeClient) -> None:
    with FaultServer([Rule(FAULTS[name])]) as server:
        client = make_client(server.url)
        OPERATIONS[operation](client)

    assert (len(server.requests), client.may_have_written) == (2, False)


@pytest.mark.parametrize("name", [*QUICK_LOSSES, *UNCERTAIN_RESPONSES, *STRANGE_RESPONSES])
@pytest.mark.parametrize("operation", WRITES)
def test_write_with_an_ambiguous_response_is_never_sent_again(
    operation: str, name: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    with FaultServer([Rule(FAULTS[name])]) as server:
        client = make_client(server.url)
        error = failure(operation, client)

    assert error.effect is Effect.AMBIGUOUS
    assert (len(server.requests), clock.slept) == (1, 0)
    assert client.may_have_written


@pytest.mark.parametrize("name", REJECTIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_request_that_was_rejected_is_not_sent_again(
    operation: str, name: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    with FaultServer([Rule(REJECTIONS[name])]) as server:
        client = make_client(server.url)
        error = failure(operation, client)

    may_have_written = isinstance(error, RedirectError) and operation in WRITES
    assert (error.effect is Effect.AMBIGUOUS, error.is_refusal) == (may_have_written, True)
    assert (len(server.requests), clock.slept, client.may_have_written) == (1, 0, may_have_written)


def test_bad_certificate_is_raised_at_once(make_client: MakeClient, tls: ssl.SSLContext, clock: VirtualClock) -> None:
    with FaultServer(ssl_context=tls) as server:
        client = make_client(server.url)
        error = failure("create", client)

    assert isinstance(error, APIConnectionError)
    assert error.cause is Cause.UNKNOWN_AUTHORITY
    assert (server.connections, clock.slept, client.may_have_written) == (1, 0, False)


@pytest.mark.parametrize("cause", Cause)
def test_failure_is_final_where_a_repetition_would_change_nothing(cause: Cause) -> None:
    error = APIConnectionError(ExchangeError("No.", cause, Effect.NOT_SENT))

    assert error.final is (cause not in (Cause.CONNECTION, Cause.TIMEOUT))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_sent_once_the_run_was_cancelled(operation: str) -> None:
    deadline = Deadline.after(60, cancelled=lambda: True)

    with FaultServer() as server:
        client = OnlineOrNotClient(EDIT_TOKEN, deadline=deadline, base_url=server.url)
        with pytest.raises(CancelledError):
            OPERATIONS[operation](client)

    assert (server.connections, client.requests, client.may_have_written) == (0, 0, False)


def test_repetition_is_logged_with_its_reason(make_client: MakeClient) -> None:
    lines: list[str] = []

    with FaultServer([Rule(FAULTS["429 for a second"])]) as server:
        OPERATIONS["get"](make_client(server.url, log=lines.append))

    (line,) = lines
    assert re.fullmatch(r"GET: HTTP 429 Too Many Requests; trying again in 1\.0 s, \d+ s left", line)


def test_pauses_are_random_and_grow(make_client: MakeClient, clock: VirtualClock) -> None:
    random.seed(7)

    with FaultServer([Rule(FAULTS["500 empty"], times=20)], now=clock.time) as server:
        OPERATIONS["get"](make_client(server.url, seconds=600))

    ceilings = [0.5, 1, 2, 4, *[8] * 16]
    assert len(set(pauses(server))) == 20
    assert all(map(le, pauses(server), ceilings))
    assert max(pauses(server)) > 4


@pytest.mark.parametrize(
    ("operation", "seconds"), [("get", 19.5), ("list", 19.5), ("update", 15), ("delete", 15), ("create", 15)]
)
def test_last_attempt_begins_with_some_time_left(
    operation: str, seconds: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    limits = Limits(min_backoff=100, max_backoff=100)

    with FaultServer([Rule(FAULTS["429 without Retry-After"], times=FOREVER)], now=clock.time) as server:
        error = failure(operation, make_client(server.url, seconds=20, limits=limits))

    assert isinstance(error, RateLimitError)
    assert clock.slept == pytest.approx(seconds)
    assert server.requests[-1].at - START == pytest.approx(seconds)


def test_first_attempt_of_a_write_is_made_however_little_time_is_left(make_client: MakeClient) -> None:
    with FaultServer() as server:
        OPERATIONS["create"](make_client(server.url, seconds=Limits().write_reserve / 2))

    assert len(server.store.timeline()) == 2


@pytest.mark.parametrize("retry_after", ["86400", http_date(START + 86400)])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_retry_after_beyond_the_deadline_is_raised_at_once(
    operation: str, retry_after: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Rule(response(429, ERROR_ENVELOPE, {"Retry-After": retry_after}))]

    with FaultServer(script, now=clock.time) as server:
        client = make_client(server.url)
        error = failure(operation, client)

    assert (type(error), error.effect, error.retry_after) == (RateLimitError, Effect.THROTTLED, 86400)
    assert (clock.slept, client.may_have_written) == (0, False)


@pytest.mark.parametrize(("seconds", "requests"), [("59", 2), ("60", 1), ("9" * 400, 1)])
def test_retry_after_may_just_leave_time_for_the_request(seconds: str, requests: int, make_client: MakeClient) -> None:
    with FaultServer([Rule(response(429, headers={"Retry-After": seconds}))]) as server:
        outcome_of("get", make_client(server.url, seconds=60))

    assert len(server.requests) == requests


def test_write_whose_response_was_lost_may_have_written_whatever_comes_later(make_client: MakeClient) -> None:
    with FaultServer([Rule(FAULTS["reset"]), Rule(FAULTS["400 envelope"])]) as server:
        client = make_client(server.url)
        lost, refused = failure("update", client), failure("update", client)

    assert (lost.effect, refused.effect) == (Effect.AMBIGUOUS, Effect.REJECTED)
    assert client.may_have_written
