"""Which incidents are open, and which of them a title means."""

import pytest
from support.sample_incidents import ENDED, PLAN, TITLE, incident

from onlineornot_action.onlineornot.models import Incident, IncidentStatus
from onlineornot_action.operations.find_incident import (
    has_title,
    is_nearly,
    may_be_kept_as,
    open_incidents,
    other_open_incidents,
)

ENDING = ("RESOLVED", "COMPLETED")


@pytest.mark.parametrize(
    ("fields", "open_"),
    [
        ({}, True),
        ({"ended": ""}, True),
        ({"ended": ENDED}, False),
        ({"latest_update": {}}, True),
        ({"latest_update": {"status": "SOMETHING_NEW"}}, True),
        *(({"latest_update": {"status": status}}, True) for status in IncidentStatus if status not in ENDING),
        *(({"latest_update": {"status": status}}, False) for status in ENDING),
        ({"ended": ENDED, "latest_update": {"status": "UPDATE"}}, False),
    ],
)
def test_an_incident_is_open_until_it_ends_or_its_status_says_so(fields: dict[str, object], *, open_: bool) -> None:
    assert Incident.model_validate({"id": "incident0001", **fields}).is_open is open_


@pytest.mark.parametrize(
    ("written", "wanted", "same"),
    [
        (TITLE, "checkout IS failing", True),
        ("Checkout\u00a0is \u202ffailing", TITLE, True),
        ("Checkout & login", "Checkout &#38; login", True),
        ("Checkout &amp;amp; login", "Checkout & login", False),
        ("Checkout is failing.", TITLE, False),
        (None, "&nbsp;", False),
        ("Checkout is failing again", TITLE, False),
        (None, TITLE, False),
        ("[Automated] x", "[Automated] x", False),
        (" [AUTOMATED]x", "[automated]x", False),
        ("&#91;Automated&#93; x", "[Automated] x", False),
        ("\u00a0&lsqb;automated] x", "[Automated] x", False),
        ("x [Automated]", "x [Automated]", True),
    ],
)
def test_a_title_is_compared_exactly_except_for_case_white_space_and_html_escapes(
    written: str | None, wanted: str, *, same: bool
) -> None:
    assert has_title(incident(title=written), wanted) is same


@pytest.mark.parametrize("plan", [PLAN, {}])
def test_a_maintenance_is_not_an_incident(plan: object) -> None:
    assert not has_title(incident(scheduled_maintenance=plan), TITLE)


def test_the_newest_of_several_open_incidents_comes_first() -> None:
    others = [incident(4, 9, "Another"), incident(5, 8, ended=ENDED), incident(6, created_at=None)]

    found = open_incidents([incident(1, 1), incident(3, 3), *others, incident(2, 2)], TITLE)

    assert [each.id for each in found] == ["incident0003", "incident0002", "incident0001", "incident0006"]


@pytest.mark.parametrize(
    ("title", "nearly"),
    [
        (f"{TITLE}.", True),
        ("\N{FIRE} Checkout-is failing!", True),
        ("Check out is failing", True),
        ("Chekout is fialing", True),
        ("\N{WARNING SIGN}\ufe0f Checkout is failing", True),
        ("Checkout is", False),
        ("Checkout is failing (web)", False),
        ("Checkout failing", False),
        ("Checkout it failing", False),
        ("Search is slow", False),
        ("failing is Checkout", False),
        ("\N{FIRE}", False),
        ("", False),
    ],
)
def test_titles_nearly_match_if_they_differ_a_little_or_one_begins_with_the_other(title: str, *, nearly: bool) -> None:
    assert (is_nearly(title, TITLE), is_nearly(TITLE, title)) == (nearly, nearly)


LONG = "Deploys of the checkout in Europe and elsewhere are failing"


@pytest.mark.parametrize(
    ("kept", "title", "may"),
    [
        ("Deploys &amp; rollbacks", "Deploys & rollbacks", True),
        ("deploys  FAILING", "Deploys failing", True),
        ("Deploys failing api", "\N{FIRE} Deploys failing: (api)", True),
        ("Deploys failing", "\N{WARNING SIGN}\ufe0f Deploys failing", True),
        ("1 Deploys failing", "1\ufe0f\N{COMBINING ENCLOSING KEYCAP} Deploys failing", True),
        (LONG[:45], LONG, True),
        (f"{LONG[:45]}…", LONG, True),
        (f"{LONG[:45]}...", LONG, True),
        (f"{LONG[:45]}, and more", LONG, False),
        (LONG[:30], LONG, False),
        (LONG, LONG[:45], False),
        ("Deploys failing (web)", "Deploys failing (api)", False),
        ("Deploys failing [api]", "Deploys failing (api)", False),
        ("C# builds fail", "C++ builds fail", False),
        ("Deploys failing, again", "Deploys failing again", False),
        ("\N{FIRE}", "\N{COLLISION SYMBOL}", False),
        ("", "Deploys failing", False),
    ],
)
def test_a_page_may_change_a_title_only_in_certain_ways(kept: str, title: str, *, may: bool) -> None:
    assert may_be_kept_as(kept, title) is may


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": "Another"}, True),
        ({"title": TITLE.upper()}, False),
        ({"title": "Another", "ended": "2026-01-31T15:00:00.000Z"}, False),
        ({"title": "Another", "scheduled_maintenance": PLAN}, False),
        ({"title": "[Automated] Another"}, False),
        ({"title": None}, False),
    ],
)
def test_messages_name_only_open_manual_incidents_with_another_title(fields: dict[str, object], *, named: bool) -> None:
    other = incident(**fields)  # type: ignore[arg-type]  # a table

    assert other_open_incidents([other], TITLE) == [other] * named
