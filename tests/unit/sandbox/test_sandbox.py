"""The sandbox behaves as the API is documented, and shows its state. `contract/` has the vendor's document."""

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
import requests

from onlineornot_sandbox.auth import CHECKS_TOKEN, EDIT_TOKEN, OTHER_ORGANISATION_TOKEN, PERMISSIONS, READ_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.local_step import ROOT
from onlineornot_sandbox.resources import Json
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, SEARCH_ID, SUBSCRIBERS, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

TIMEOUT = 10  # seconds

PAGE = f"/v1/status_pages/{PAGE_ID}"
INCIDENTS = f"{PAGE}/incidents"
INCIDENT = f"{INCIDENTS}/{INCIDENT_ID}"
UPDATES = f"{INCIDENT}/updates"
UPDATE = f"{UPDATES}/{UPDATE_ID}"
WRITES = (("POST", INCIDENTS), ("POST", UPDATES), ("PATCH", UPDATE), ("DELETE", UPDATE))

NOON = datetime(2026, 1, 2, 12, 0, 0, 678_900, tzinfo=UTC)
NEW_INCIDENT = {"title": "Search is slow", "description": "We are on it.", "status": "INVESTIGATING"}
NEW_UPDATE = {"status": "MONITORING", "description": "A fix is out.", "notify_subscribers": False}
API_DOWN = {"components_affected": [{"id": API_ID, "status": "MAJOR_OUTAGE"}]}

Call = Callable[..., requests.Response]


def bearer(token: str) -> str:
    return f"Bearer {token}"


@pytest.fixture
def store() -> Store:
    return Store(clock=lambda: NOON)


@pytest.fixture
def call(sandbox: Sandbox) -> Iterator[Call]:
    with requests.Session() as session:

        def call(
            method: str, path: str, body: object = None, authorization: str | None = bearer(EDIT_TOKEN)
        ) -> requests.Response:
            headers = {"Authorization": authorization}
            return session.request(
                method, sandbox.url + path, json=body, headers=headers, allow_redirects=False, timeout=TIMEOUT
            )

        yield call


def assert_refused(response: requests.Response, status: int, code: int = 10001, message: str = "") -> None:
    (error,) = response.json()["errors"]
    assert (response.status_code, error["code"]) == (status, code)
    assert error["message"].startswith(message)
    assert response.json() == {"success": False, "result": None, "errors": [error], "messages": []}


def test_an_invalid_field_a_wrong_content_type_and_a_defect_are_errors_in_the_envelope(
    call: Call, sandbox: Sandbox
) -> None:
    field = call("POST", UPDATES, NEW_UPDATE | {"components_affected": [{"id": API_ID, "status": "BROKEN"}]})
    plain = requests.post(sandbox.url + UPDATES, "{}", headers={"Authorization": bearer(EDIT_TOKEN)}, timeout=TIMEOUT)
    del sandbox.store.page

    assert_refused(field, 400, message="components_affected.0.status: ")
    assert_refused(plain, 400, message="body: the Content-Type")
    assert_refused(call("GET", "/"), 500)


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, 10002),
        ("Bearer unknown", 401, 10002),
        (f"Token {EDIT_TOKEN}", 401, 10002),
        (bearer(OTHER_ORGANISATION_TOKEN), 403, 10003),
        (bearer(CHECKS_TOKEN), 403, 10003),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", PAGE), ("POST", UPDATES), ("GET", "/v1/unknown")])
def test_every_request_without_a_token_for_the_status_page_is_refused(
    call: Call, method: str, path: str, authorization: str | None, status: int, code: int
) -> None:
    assert_refused(call(method, path, NEW_UPDATE, authorization), status, code)


def test_every_known_token_may_read_its_permissions(call: Call) -> None:
    path = "/v1/tokens/permissions"

    permissions = {
        token: call("GET", path, None, bearer(token)).json()["result"]["permissions"] for token in PERMISSIONS
    }

    assert permissions == {token: list(names) for token, names in PERMISSIONS.items()}
    assert_refused(call("GET", path, None, "Bearer unknown"), 401, 10002)


def test_a_read_token_can_read_but_not_write(call: Call, store: Store) -> None:
    before = dict(store.incidents)

    writes = [call(method, path, NEW_INCIDENT, bearer(READ_TOKEN)) for method, path in WRITES]

    assert call("GET", UPDATE, None, bearer(READ_TOKEN)).status_code == 200
    assert [response.status_code for response in writes] == [403] * len(WRITES)
    assert store.incidents == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/status_pages/unknown-page", 404),
        ("POST", f"/v1/status_pages/unknown-page/incidents/{INCIDENT_ID}/updates", 404),
        ("GET", f"{INCIDENTS}/unknown-incident", 404),
        *((method, f"{INCIDENTS}/unknown-incident/updates", 404) for method in ("GET", "POST")),
        *((method, f"{UPDATES}/unknown-update", 404) for method in ("GET", "PATCH", "DELETE")),
        *(("GET", path, 404) for path in (INCIDENT.upper(), f"{INCIDENTS}//updates", f"{UPDATES}/", "/v1/x", "/x")),
        *((method, PAGE, 405) for method in ("POST", "OPTIONS", "BREW")),
        *(("GET", f"{UPDATES}?page={number}", 400) for number in ("", "0", "1.5", "1%D9%A1")),
        *(("GET", f"{UPDATES}?per_page={number}", 400) for number in ("0", "9" * 19)),
    ],
)
def test_an_unknown_id_path_or_method_and_a_bad_number_are_refused(
    call: Call, method: str, path: str, status: int
) -> None:
    assert_refused(call(method, path), status)


def test_an_update_is_found_only_in_its_own_incident_and_until_it_is_deleted(call: Call) -> None:
    other = call("POST", INCIDENTS, NEW_INCIDENT).json()["result"]["id"]
    elsewhere = call("GET", f"{INCIDENTS}/{other}/updates/{UPDATE_ID}")

    deleted = call("DELETE", UPDATE)

    assert_refused(elsewhere, 404)
    assert deleted.json()["result"] == {"id": UPDATE_ID}
    assert "latest_update" not in call("GET", INCIDENT).json()["result"]
    assert_refused(call("GET", UPDATE), 404)


@pytest.mark.parametrize(
    ("query", "numbers", "per_page", "total"),
    [
        ("", range(101, 81, -1), 20, 101),
        ("page=6", [1], 20, 101),
        ("page=7", [], 20, 101),
        ("per_page=40&page=3", range(21, 0, -1), 40, 101),
        ("per_page=1000", range(101, 1, -1), 100, 101),
        ("search=number 10&per_page=2&page=2", [10], 2, 3),
        ("search=nothing", [], 20, 0),
    ],
)
def test_a_list_has_pages_is_newest_first_and_can_be_searched(
    call: Call, store: Store, query: str, numbers: Sequence[int], per_page: int, total: int
) -> None:
    store.delete_incident_update(INCIDENT_ID, UPDATE_ID)
    bodies = [IncidentUpdateCreate(status="UPDATE", description=f"Number {number}") for number in range(1, 102)]
    _ = [store.create_incident_update(INCIDENT_ID, body) for body in bodies]

    envelope = call("GET", f"{UPDATES}?{query}").json()

    info = envelope["result_info"]
    assert [update["description"] for update in envelope["result"]] == [f"Number {number}" for number in numbers]
    assert (info["per_page"], info["count"], info["total_count"]) == (per_page, len(numbers), total)


@pytest.mark.parametrize(
    ("given", "happened"), [({}, "2026-01-02T12:00:00.678Z"), ({"date_happened": "2021-01-01"}, "2021-01-01")]
)
def test_an_update_is_read_back_as_it_was_created(call: Call, given: Json, happened: str) -> None:
    created = call("POST", UPDATES, NEW_UPDATE | given).json()["result"]

    assert created == {
        "id": created["id"],
        "incident_id": INCIDENT_ID,
        "status": "MONITORING",
        "description": "A fix is out.",
        "date_happened": happened,
        "created_at": "2026-01-02T12:00:00.678Z",
        "updated_at": "2026-01-02T12:00:00.678Z",
    }
    assert call("GET", f"{UPDATES}/{created['id']}").json()["result"] == created
    assert call("GET", INCIDENT).json()["result"]["updates"][0] == created
    assert call("GET", INCIDENTS).json()["result"][0]["latest_update"]["id"] == created["id"]


def test_an_update_names_what_it_changed_and_components_keep_their_status_when_it_is_deleted(call: Call) -> None:
    settings = [{"id": "unknown", "status": "MAINTENANCE"}, {"id": SEARCH_ID, "status": "DEGRADED_PERFORMANCE"}]
    call("POST", UPDATES, NEW_UPDATE | API_DOWN)

    update = call("POST", UPDATES, NEW_UPDATE | {"components_affected": settings}).json()["result"]
    call("DELETE", f"{UPDATES}/{update['id']}")

    assert update["components"] == [
        {"id": SEARCH_ID, "name": "Search", "old_status": "OPERATIONAL", "new_status": "DEGRADED_PERFORMANCE"}
    ]
    assert call("GET", f"{PAGE}/components?search=sea").json()["result"][0]["status"] == "DEGRADED_PERFORMANCE"
    assert call("GET", PAGE).json()["result"]["status"] == "MAJOR_SYSTEM_OUTAGE"


@pytest.mark.parametrize("status", ["RESOLVED", "COMPLETED"])
def test_an_ending_status_ends_the_incident_and_a_later_update_does_not_reopen_it(call: Call, status: str) -> None:
    call("POST", UPDATES, NEW_UPDATE)
    before = call("GET", INCIDENT).json()["result"]
    update = call("POST", UPDATES, NEW_UPDATE | {"status": status}).json()["result"]
    call("POST", UPDATES, NEW_UPDATE)

    assert "ended" not in before
    assert call("GET", INCIDENT).json()["result"]["ended"] == update["created_at"]


@pytest.mark.parametrize("patch", [{"status": "IDENTIFIED"}, {"description": "Found it."}, {"date_happened": "now"}])
def test_a_patch_keeps_the_other_fields_and_sends_no_mail(call: Call, store: Store, patch: dict[str, str]) -> None:
    before = call("POST", UPDATES, NEW_UPDATE | API_DOWN).json()["result"]

    unchanged = call("PATCH", f"{UPDATES}/{before['id']}", {}).json()["result"]
    after = call("PATCH", f"{UPDATES}/{before['id']}", patch).json()["result"]

    assert unchanged == before
    assert after["updated_at"] > before["updated_at"]
    assert after == before | patch | {"updated_at": after["updated_at"]}
    assert call("GET", f"{UPDATES}/{before['id']}").json()["result"] == after
    assert store.mails == []


def test_a_new_incident_has_one_update_and_the_impact_of_its_worst_component(call: Call) -> None:
    components = [{"id": API_ID, "status": "DEGRADED_PERFORMANCE"}, {"id": SEARCH_ID, "status": "PARTIAL_OUTAGE"}]

    incident = call("POST", INCIDENTS, NEW_INCIDENT | {"components": components}).json()["result"]

    assert [update["description"] for update in incident["updates"]] == ["We are on it."]
    assert incident["components"] == [{"id": API_ID, "name": "API"}, {"id": SEARCH_ID, "name": "Search"}]
    assert incident["impact"] == "PARTIAL_OUTAGE"


@pytest.mark.parametrize(("choice", "recipients"), [({}, SUBSCRIBERS), ({"notify_subscribers": False}, ())])
@pytest.mark.parametrize(
    ("path", "body", "subject"),
    [
        (UPDATES, {"status": "RESOLVED", "description": "It works."}, "[RESOLVED] Checkout is failing"),
        (INCIDENTS, NEW_INCIDENT, "[INVESTIGATING] Search is slow"),
    ],
)
def test_every_subscriber_is_mailed_unless_the_request_says_otherwise(
    call: Call, path: str, body: Json, subject: str, choice: Json, recipients: Sequence[str]
) -> None:
    call("POST", path, body | choice)

    mails = call("GET", "/sandbox/mails", None, None).json()

    sent = [(mail["to"], mail["subject"], mail["text"]) for mail in mails]
    assert sent == [(recipient, subject, body["description"]) for recipient in recipients]


def test_the_page_and_every_request_even_a_refused_one_are_shown_to_anybody(call: Call) -> None:
    call("GET", f"{UPDATES}?search=a%2Fb")
    call("DELETE", PAGE, None, None)

    page = call("GET", "/", None, None)
    recorded = call("GET", "/sandbox/requests", None, None).json()

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Checkout is failing" in page.text
    assert recorded == [{"method": "GET", "path": f"{UPDATES}?search=a%2Fb"}, {"method": "DELETE", "path": PAGE}]


@pytest.mark.parametrize(("method", "path"), [("POST", UPDATES), ("POST", "/unknown"), ("HEAD", PAGE)])
def test_a_connection_stays_open_after_a_request_whose_body_was_not_used(
    sandbox: Sandbox, method: str, path: str
) -> None:
    address = sandbox.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=TIMEOUT)) as connection:
        connection.connect()
        first_socket = connection.sock
        connection.request(method, path, json.dumps(NEW_UPDATE))
        connection.getresponse().read()

        connection.request("GET", PAGE, headers={"Authorization": bearer(EDIT_TOKEN)})

        assert connection.getresponse().status == 200
        assert connection.sock is first_socket


def test_leaving_the_context_manager_closes_the_port_and_open_connections() -> None:
    with requests.Session() as session:
        with Sandbox() as sandbox:
            session.get(sandbox.url, timeout=TIMEOUT)

        with pytest.raises(requests.ConnectionError):
            session.get(sandbox.url, timeout=TIMEOUT)


def test_the_command_prints_its_address_and_exits_on_a_signal() -> None:
    command = [sys.executable, "-m", "onlineornot_sandbox", "--port", "0"]
    environ = {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        page = requests.get(process.stdout.readline().split()[4], timeout=TIMEOUT).text

        process.terminate()

        assert process.wait(TIMEOUT) == 0
        assert INCIDENT_ID in process.stdout.read()
        assert "Example Shop" in page
