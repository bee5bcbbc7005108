"""A store can be made to differ from the default in what the API does not document."""

import html
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from onlineornot_sandbox.app import create_app
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.bodies import IncidentUpdateCreate
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.resources import Component
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, SEARCH_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

PAGE = f"/v1/status_pages/{PAGE_ID}"
INCIDENTS = f"{PAGE}/incidents"
UPDATES = f"{INCIDENTS}/{INCIDENT_ID}/updates"
AUTHORIZATION = {"Authorization": f"Bearer {EDIT_TOKEN}"}

NOON = datetime(2026, 1, 2, 12, 0, 0, 678_900, tzinfo=UTC)
TEXT = "\N{FIRE} Logins & payments fail"
NEW_UPDATE = {"status": "MONITORING", "description": TEXT}
NEW_INCIDENT = {"title": TEXT, "description": TEXT, "status": "INVESTIGATING"}
API_DOWN, SEARCH_OPERATIONAL = ({"id": API_ID, "status": "MAJOR_OUTAGE"}, {"id": SEARCH_ID, "status": "OPERATIONAL"})


def call(store: Store, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    return create_app(store).test_client().open(path, method=method, json=body, headers=AUTHORIZATION).json


def test_texts_and_titles_may_be_kept_in_another_form() -> None:
    store = Store(keep_title=html.escape, keep_text=html.escape)

    incident = call(store, "POST", INCIDENTS, NEW_INCIDENT)["result"]
    update = call(store, "POST", UPDATES, NEW_UPDATE)["result"]
    patched = call(store, "PATCH", f"{UPDATES}/{update['id']}", {"description": TEXT})["result"]

    texts = (incident["title"], incident["updates"][0]["description"], update["description"], patched["description"])
    assert texts == ("\N{FIRE} Logins &amp; payments fail",) * 4
    assert call(store, "GET", UPDATES)["result"][0] == patched


def test_created_at_may_come_from_another_clock() -> None:
    store = Store(lambda: NOON, created_at=lambda moment: moment.replace("T12", "T11"))

    update = call(store, "POST", UPDATES, NEW_UPDATE)["result"]
    incident = call(store, "POST", INCIDENTS, NEW_INCIDENT)["result"]

    assert (update["created_at"], update["updated_at"]) == ("2026-01-02T11:00:00.678Z", "2026-01-02T12:00:00.678Z")
    assert (incident["created_at"][:13], incident["started"][:13]) == ("2026-01-02T11", "2026-01-02T12")


@pytest.mark.parametrize(
    ("named_components", "names"), [("all", ["API", "Search"]), ("changed", ["API"]), ("empty", []), ("none", None)]
)
def test_an_update_may_name_only_the_components_that_it_changed_or_none(named_components: Any, names: Any) -> None:
    store = Store(named_components=named_components)

    body = {**NEW_UPDATE, "components_affected": [API_DOWN, SEARCH_OPERATIONAL]}

    update = call(store, "POST", UPDATES, body)["result"]

    incident = call(store, "GET", f"{INCIDENTS}/{INCIDENT_ID}")["result"]
    assert ([change["name"] for change in update["components"]] if "components" in update else None) == names
    assert call(store, "GET", UPDATES)["result"][0] == incident["updates"][0] == update
    assert [component["name"] for component in incident["components"]] == ["API", "Search"]
    assert store.components[API_ID].status == "MAJOR_OUTAGE"
    assert "API:" in render_page(store)


@pytest.mark.parametrize("name", ["components", "groups", "incidents", "updates"])
def test_a_list_may_count_items_that_it_does_not_show(name: str) -> None:
    store, path = Store(), UPDATES if name == "updates" else f"{PAGE}/{name}"
    before = call(store, "GET", path)

    store.hidden[name] = 2

    after = call(store, "GET", path)
    assert after["result"] == before["result"]
    assert after["result_info"]["total_count"] == before["result_info"]["total_count"] + 2


def test_an_incident_update_or_component_may_have_an_id_of_another_form() -> None:
    new_id = "ext:inc.01HZ"
    store = Store(make_id=lambda: new_id)
    store.components[new_id] = Component(id=new_id, name="Partner", group_id=None, created_at="", updated_at="")
    setting = {"id": new_id, "status": "MAJOR_OUTAGE"}

    incident = call(store, "POST", INCIDENTS, NEW_INCIDENT | {"components": [setting]})["result"]

    assert (incident["id"], incident["updates"][0]["id"]) == (new_id, new_id)
    assert incident["components"] == [{"id": new_id, "name": "Partner"}]
    assert call(store, "GET", f"{INCIDENTS}/{new_id}/updates/{new_id}")["result"] == incident["updates"][0]


def test_an_incident_can_be_ended_and_reopened_without_an_update() -> None:
    store = Store()
    before = call(store, "GET", f"{INCIDENTS}/{INCIDENT_ID}")["result"]

    store.set_ended(INCIDENT_ID, "2026-01-02T12:00:00.000Z")
    ended = call(store, "GET", f"{INCIDENTS}/{INCIDENT_ID}")["result"]
    store.set_ended(INCIDENT_ID, None)

    assert ended == before | {"ended": "2026-01-02T12:00:00.000Z"}
    assert call(store, "GET", f"{INCIDENTS}/{INCIDENT_ID}")["result"] == before


def test_a_maintenance_has_a_schedule_and_a_first_update() -> None:
    store = Store(lambda: NOON)
    first = IncidentUpdateCreate(status="SCHEDULED", description="We move.", notify_subscribers=False)

    made = store.create_maintenance("Database move", NOON + timedelta(hours=1), 30, first)

    listed = next(each for each in call(store, "GET", INCIDENTS)["result"] if each["id"] == made.id)
    schedule = listed["scheduled_maintenance"]
    assert (listed["title"], listed["latest_update"]["status"]) == ("Database move", "SCHEDULED")
    assert (schedule["start_date"], schedule["duration_minutes"]) == ("2026-01-02T13:00:00.678Z", 30)
    assert listed["started"] == schedule["start_date"]
    assert store.mails == []


def test_the_response_to_the_next_write_can_be_lost() -> None:
    with Sandbox() as sandbox, requests.Session() as session:
        session.headers.update(AUTHORIZATION)
        session.post(f"{sandbox.url}/sandbox/lose-response", timeout=10)
        session.get(sandbox.url + UPDATES, timeout=10)
        with pytest.raises(requests.ConnectionError):
            session.post(sandbox.url + UPDATES, json=NEW_UPDATE, timeout=10)
        again = session.post(sandbox.url + UPDATES, json=NEW_UPDATE, timeout=10)

    assert again.status_code == 201
    assert [update.description for update in sandbox.store.timeline()[1:]] == [TEXT, TEXT]
