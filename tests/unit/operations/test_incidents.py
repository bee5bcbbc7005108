"""Which incidents are open, and which of them a title means."""

import pytest
from support.sample_incidents import ENDED, PLAN, TITLE, incident

from onlineornot_action.onlineornot.models import Incident, IncidentStatus
from onlineornot_action.operations.incidents import has_title, is_open, open_incidents

ENDING = ("RESOLVED", "COMPLETED")


@pytest.mark.parametrize(
    ("fields", "open_"),
    [
        ({}, True),
        ({"ended": None}, True),
        ({"ended": ""}, True),
        ({"ended": ENDED}, False),
        ({"latest_update": None}, True),
        ({"latest_update": {}}, True),
        ({"latest_update": {"status": "SOMETHING_NEW"}}, True),
        *(({"latest_update": {"status": status}}, True) for status in IncidentStatus if status not in ENDING),
        *(({"latest_update": {"status": status}}, False) for status in ENDING),
        ({"ended": ENDED, "latest_update": {"status": "UPDATE"}}, False),
    ],
)
def test_an_incident_is_open_until_it_ends_or_its_status_says_so(fields: dict[str, object], *, open_: bool) -> None:
    assert is_open(Incident.model_validate({"id": "incident0001", **fields})) is open_


@pytest.mark.parametrize(
    ("written", "wanted", "same"),
    [
        (TITLE, "checkout IS failing", True),
        (f"  {TITLE}\t\n", TITLE, True),
        ("Straße", "STRASSE", True),
        ("Cafe\u0301 is down", "Caf\u00e9 is down", True),
        ("Checkout  is failing", TITLE, False),
        ("Checkout is failing again", TITLE, False),
        (None, TITLE, False),
        ("[Automated] x", "[Automated] x", False),
        (" [AUTOMATED]x", "[automated]x", False),
        ("x [Automated]", "x [Automated]", True),
    ],
)
def test_a_title_is_compared_exactly_but_for_case_and_white_space_around_it(
    written: str | None, wanted: str, *, same: bool
) -> None:
    assert has_title(incident(title=written), wanted) is same


@pytest.mark.parametrize(("plan", "same"), [(PLAN, False), ({}, False), (None, True)])
def test_a_maintenance_is_not_an_incident(plan: object, *, same: bool) -> None:
    assert has_title(incident(scheduled_maintenance=plan), TITLE) is same


def test_of_several_open_incidents_the_newest_comes_first() -> None:
    others = [incident(4, 9, "Another"), incident(5, 8, ended=ENDED), incident(6, created_at=None)]

    found = open_incidents([incident(1, 1), incident(3, 3), *others, incident(2, 2)], TITLE)

    assert [each.id for each in found] == ["incident0003", "incident0002", "incident0001", "incident0006"]
