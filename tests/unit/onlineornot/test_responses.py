"""Responses: which results they carry, and which errors they stand for."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.client_calls import OPERATIONS, START, UPDATE, MakeClient, failure, outcome_of, pages
from support.fault_server import (
    DEEP_JSON,
    ERROR_ENVELOPE,
    FAULTS,
    FOREVER,
    HTML,
    FaultServer,
    Rule,
    VirtualClock,
    envelope,
    http_date,
    response,
)

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.network.exchange import Effect
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.errors import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InterceptedError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
)
from onlineornot_action.onlineornot.models import ErrorDetail, IncidentUpdate
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID, UPDATE_ID

STATUSES = {
    (RedirectError, Effect.REJECTED): (300, 301, 308),
    (BadRequestError, Effect.REJECTED): (400, 409, 422),
    (AuthenticationError, Effect.REJECTED): (401,),
    (PermissionDeniedError, Effect.REJECTED): (403,),
    (NotFoundError, Effect.REJECTED): (404,),
    (APIStatusError, Effect.REJECTED): (402, 407, 418, 499),
    (RateLimitError, Effect.THROTTLED): (425, 429),
    (InternalServerError, Effect.REJECTED): (501, 505),
    (InternalServerError, Effect.AMBIGUOUS): (500, 502, 503, 504, 520, 599),
    (APIStatusError, Effect.AMBIGUOUS): (408, 600),
    (APIResponseValidationError, Effect.AMBIGUOUS): (202, 204, 206),
}


@pytest.mark.parametrize(
    ("status", "kind", "effect"), [(status, *error) for error, statuses in STATUSES.items() for status in statuses]
)
@pytest.mark.parametrize("body", [envelope({"id": UPDATE_ID}), envelope(success=False), HTML, "", DEEP_JSON])
def test_status_decides_the_error(
    status: int, kind: type[APIError], effect: Effect, body: str, make_client: MakeClient
) -> None:
    with FaultServer([Rule(response(status, body), times=FOREVER)]) as server:
        error = failure("create", make_client(server.url, seconds=5))

    is_intercepted = status >= 400 and effect is not Effect.AMBIGUOUS and body != ERROR_ENVELOPE
    is_foreign = is_intercepted or kind is RedirectError
    assert (type(error), error.status) == (InterceptedError if is_intercepted else kind, status)
    assert error.effect is (Effect.AMBIGUOUS if is_foreign else effect)
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [400, 403, 501])
@pytest.mark.parametrize(
    ("body", "is_own"),
    [
        (ERROR_ENVELOPE, True),
        ('{"success": false, "errors": []}', True),
        ('{"success": false, "errors": [{"message": "No."}, null], "result": {}}', True),
        ('{"success": false}', False),
        ('{"success": false, "errors": null}', False),
        ('{"success": false, "errors": {"code": 1}}', False),
        ('{"success": "false", "errors": []}', False),
        ('{"success": true, "errors": []}', False),
        ('{"errors": [{"code": 10003, "message": "No."}]}', False),
        ('{"message": "Forbidden"}', False),
        ('["success", "errors"]', False),
        ("Forbidden", False),
        ("null", False),
        ("\N{BYTE ORDER MARK}" + HTML, False),
    ],
)
@pytest.mark.parametrize("operation", ["create", "get"])
def test_refusal_that_is_no_envelope_is_not_the_apis_own(
    make_client: MakeClient, status: int, body: str, operation: str, *, is_own: bool
) -> None:
    with FaultServer([Rule(response(status, body))]) as server:
        error = failure(operation, make_client(server.url))

    assert isinstance(error, InterceptedError) is not is_own
    assert error.effect is (Effect.REJECTED if is_own or operation == "get" else Effect.AMBIGUOUS)
    assert error.is_refusal


def test_redirect_has_its_target(make_client: MakeClient) -> None:
    with FaultServer([Rule(FAULTS["307 elsewhere"])]) as server:
        error = failure("get", make_client(server.url))

    assert isinstance(error, RedirectError)
    assert error.location == "https://elsewhere.invalid/v1"


@pytest.mark.parametrize(
    ("errors", "details"),
    [
        ([{"code": 10003, "message": "No."}], ["10003: No."]),
        ([{"code": 1, "message": "A", "type": None}, {"code": 2, "message": "B"}], ["1: A", "2: B"]),
        ([{"code": "E1", "message": None}], ["E1"]),
        ([{"message": "No."}], ["No."]),
        ([{"code": {}, "message": "No."}, None, 7, {}], ["No."]),
        ([], []),
        (None, []),
        ("No.", []),
        ({"code": 1}, []),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_error_details_are_read_as_far_as_they_are_valid(
    status: int, errors: object, details: list[str], make_client: MakeClient
) -> None:
    body = json.dumps({"success": False, "result": None, "errors": errors})

    with FaultServer([Rule(response(status, body))]) as server:
        error = failure("create", make_client(server.url))

    assert isinstance(error, APIStatusError)
    assert [str(detail) for detail in error.details] == details


def test_token_in_an_error_detail_is_masked(make_client: MakeClient) -> None:
    body = json.dumps({"success": False, "errors": [{"code": EDIT_TOKEN, "message": f"Bearer {EDIT_TOKEN} is wrong"}]})

    with FaultServer([Rule(response(401, body))]) as server:
        error = failure("get", make_client(server.url))

    assert isinstance(error, AuthenticationError)
    assert error.details == (ErrorDetail(code="***", message="Bearer *** is wrong"),)


@pytest.mark.parametrize("result", [None, [], {}, "nothing", 0, {"id": None}, {"id": ""}, {"status": "UPDATE"}])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_envelope_without_success_is_a_refusal(operation: str, result: object, make_client: MakeClient) -> None:
    with FaultServer([Rule(response(200, envelope(result, success=False)))]) as server:
        error = failure(operation, make_client(server.url))

    assert isinstance(error, APIStatusError)
    assert (error.status, error.effect) == (200, Effect.REJECTED)
    assert error.details == (ErrorDetail(code="10001", message="Scripted failure"),)


@pytest.mark.parametrize(
    "body",
    [
        *(envelope({"id": each}, success=False) for each in (UPDATE_ID, "../../up", 12345678)),
        *(envelope({"id": each}) for each in ("../../up", "seven77", 12345678, None)),
        *(envelope(each) for each in ({"status": "UPDATE"}, [{"id": UPDATE_ID}], UPDATE_ID, None)),
        *(json.dumps({"success": each, "result": {"id": UPDATE_ID}}) for each in ("true", 1, None)),
        json.dumps({"result": {"id": UPDATE_ID}}),
        json.dumps({"id": UPDATE_ID}),
        f"{envelope({'id': UPDATE_ID})}x",
        envelope({"id": UPDATE_ID})[:-1],
        *("true", "[]", HTML, "", "\0", DEEP_JSON, f'{{"success": true, "result": {DEEP_JSON}}}'),
    ],
)
def test_success_that_is_not_documented_is_ambiguous(body: str, make_client: MakeClient) -> None:
    with FaultServer([Rule(response(201, body))]) as server:
        error = failure("create", make_client(server.url))

    assert isinstance(error, APIResponseValidationError)
    assert (error.status, error.effect, error.final) == (201, Effect.AMBIGUOUS, False)


@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, [7], {"a": {}}])
@pytest.mark.parametrize("name", sorted(IncidentUpdate.model_fields.keys() - {"id"}))
def test_optional_field_of_a_response_may_be_anything(name: str, value: object, make_client: MakeClient) -> None:
    with FaultServer([Rule(response(201, envelope({"id": UPDATE_ID, name: value, "another": value})))]) as server:
        created = make_client(server.url).create_incident_update(PAGE_ID, INCIDENT_ID, UPDATE)

    assert created.id == UPDATE_ID
    assert not getattr(created, name)
    assert created.model_fields_set == {"id", name}


@pytest.mark.parametrize("info", [None, 7, [], {}, {"total_count": None}, {"total_count": "many"}, {"count": 1}])
def test_list_without_a_total_is_read_to_an_empty_page(info: object, make_client: MakeClient) -> None:
    script = [Rule(response(200, envelope([{"id": UPDATE_ID}], result_info=info)))]

    with FaultServer([*script, *pages("", total=None)]) as server:
        listed = list(make_client(server.url).list_incident_updates(PAGE_ID, INCIDENT_ID))

    assert [update.id for update in listed] == [UPDATE_ID]
    assert len(server.requests) == 2


def test_lone_surrogate_in_a_response_becomes_a_question_mark(make_client: MakeClient) -> None:
    body = r'{"success": true, "result": {"id": "update000001", "description": "cut \ud83d"}}'
    with FaultServer([Rule(response(200, body, {"Content-Type": "application/json"}))]) as server:
        update = make_client(server.url).get_incident_update(PAGE_ID, INCIDENT_ID, "update000001")

    assert update.description == "cut ?"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"success": true, "result": {"components": [' + "{}," * 2_000_000 + "{}]}}", id="changes"),
        pytest.param('{"success": true, "x": ["\\ud83d"' + ", {}" * 600_000 + "]}", id="lone surrogate"),
        pytest.param('["' + ',\\"' * 2_000_000, id="open string"),
    ],
)
def test_response_that_is_all_structure_exhausts_neither_time_nor_memory(body: str, make_client: MakeClient) -> None:
    with FaultServer([Rule(response(201, body))]) as server:
        tracemalloc.start()
        begin = time.monotonic()
        error = failure("create", make_client(server.url))
        seconds = time.monotonic() - begin
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert isinstance(error, APIResponseValidationError)
    assert seconds < 20
    assert peak < 150_000_000


def items(prefix: str, count: int, text: str = "") -> Rule:
    """Make a page of a long list."""
    updates = [{"id": f"{prefix}{number:08}", "description": text} for number in range(count)]
    return Rule(response(200, envelope(updates, result_info={"total_count": 10**8})))


def test_page_with_too_many_items_is_ambiguous(make_client: MakeClient) -> None:
    with FaultServer([items("a", 1_001)]) as server:
        listed = OPERATIONS["list"](make_client(server.url))

    assert isinstance(listed, list)
    assert len(server.requests) == 2


def test_list_that_is_too_large_is_not_read_to_the_end(make_client: MakeClient) -> None:
    with FaultServer(items(prefix, 800, "x" * 10_000) for prefix in "abcd") as server:
        error = failure("list", make_client(server.url))

    assert isinstance(error, APIResponseValidationError)
    assert len(server.requests) == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aé🎉\0\u2028", max_size=3),
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
def test_any_json_is_a_result_or_an_api_error(body: object, status: int, operation: str) -> None:
    script = [Rule(response(status, json.dumps(body)), times=FOREVER)]

    with FaultServer(script) as server:
        deadline = Deadline.after(20, VirtualClock())
        client = OnlineOrNotClient(EDIT_TOKEN, deadline=deadline, base_url=server.url)
        outcome = outcome_of(operation, client)
        client.close()

    assert isinstance(outcome, IncidentUpdate | list | APIError)


@pytest.mark.parametrize("operation", ["get", "create"])
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
        pytest.param("5²", 0, 0.5, id="superscript digit"),
        pytest.param("soon", 0, 0.5, id="word"),
        pytest.param("", 0, 0.5, id="empty"),
    ],
)
def test_retry_after_replaces_the_pause_if_it_is_valid(
    retry_after: str, least: float, most: float, operation: str, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Rule(response(429, ERROR_ENVELOPE, {"Retry-After": retry_after}))]

    with FaultServer(script, now=clock.time) as server:
        OPERATIONS[operation](make_client(server.url))

    assert len(server.requests) == 2
    assert least <= round(clock.slept, 3) <= most


@pytest.mark.parametrize(("offset", "moment"), [(3600, START + 3605), (-3600, START - 3595), (None, START + 5)])
def test_date_in_retry_after_of_a_failed_read_is_compared_with_the_clock_of_the_server(
    offset: float | None, moment: float, make_client: MakeClient, clock: VirtualClock
) -> None:
    script = [Rule(response(503, headers={"Retry-After": http_date(moment)}))]

    with FaultServer(script, now=clock.time, date_offset=offset) as server:
        OPERATIONS["get"](make_client(server.url))

    assert clock.slept == pytest.approx(5)


@pytest.mark.parametrize(
    ("offset", "server_time"), [(0, START + 3), (3600, START + 3603), (-3600, START - 3597), (None, None)]
)
def test_page_has_the_time_of_its_request_and_of_the_server(
    offset: float | None, server_time: float | None, make_client: MakeClient, clock: VirtualClock
) -> None:
    clock.sleep(3)

    with FaultServer(now=clock.time, date_offset=offset) as server:
        (page,) = make_client(server.url).incident_update_pages(PAGE_ID, INCIDENT_ID)

    assert (page.began, page.server_time) == (START + 3, server_time)
