"""Which incident a title means, who else opened it, and where readers see it."""

import pytest

from onlineornot_action.onlineornot.models import Incident, IncidentStatus, StatusPage
from onlineornot_action.operations.incidents import has_title, is_nearly, is_open, open_incidents, other_open_incidents
from onlineornot_action.operations.open_incident import older_rivals
from onlineornot_action.report.incident_url import incident_url

ENDING = ("RESOLVED", "COMPLETED")
TITLE = "Checkout is failing"
PLAN = {"id": "maintenance1", "start_date": "2026-01-31T14:00:00Z"}


def incident(number: int = 1, minute: int = 0, title: object = TITLE, **fields: object) -> Incident:
    """Make an incident as the API shows it."""
    created = {"created_at": f"2026-01-31T14:{minute:02}:00.000Z"}
    return Incident.model_validate({"id": f"incident{number:04}", "title": title, **created, **fields})


@pytest.mark.parametrize(
    ("fields", "open_"),
    [
        ({}, True),
        ({"ended": None}, True),
        ({"ended": ""}, True),
        ({"ended": "2026-01-31T15:00:00.000Z"}, False),
        ({"latest_update": None}, True),
        ({"latest_update": {}}, True),
        ({"latest_update": {"status": "SOMETHING_NEW"}}, True),
        *(({"latest_update": {"status": status}}, True) for status in IncidentStatus if status not in ENDING),
        *(({"latest_update": {"status": status}}, False) for status in ENDING),
        ({"ended": "2026-01-31T15:00:00.000Z", "latest_update": {"status": "UPDATE"}}, False),
    ],
)
def test_an_incident_is_open_until_it_has_ended_or_is_declared_over(fields: dict[str, object], *, open_: bool) -> None:
    assert is_open(Incident.model_validate({"id": "incident0001", **fields})) is open_


@pytest.mark.parametrize(
    ("written", "wanted", "same"),
    [
        (TITLE, "checkout IS failing", True),
        (f"  {TITLE}\t\n", TITLE, True),
        ("Straße", "STRASSE", True),
        ("Cafe\u0301 is down", "Caf\u00e9 is down", True),
        ("Checkout  is failing", TITLE, True),
        ("Checkout\u00a0is \u202ffailing", TITLE, True),
        ("Checkout &amp; login", "Checkout & login", True),
        ("Checkout & login", "Checkout &#38; login", True),
        ("Checkout &amp login", "Checkout & login", False),
        ("Checkout &amp;amp; login", "Checkout & login", False),
        ("Caf&eacute;", "CAFE\u0301", True),
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
def test_a_title_is_compared_exactly_but_for_case_white_space_and_html_escapes(
    written: str | None, wanted: str, *, same: bool
) -> None:
    assert has_title(incident(title=written), wanted) is same


@pytest.mark.parametrize(("plan", "same"), [(PLAN, False), ({}, False), (None, True)])
def test_a_maintenance_is_no_incident(plan: object, *, same: bool) -> None:
    assert has_title(incident(scheduled_maintenance=plan), TITLE) is same


def test_of_several_open_incidents_the_newest_comes_first() -> None:
    others = [incident(4, 9, "Another"), incident(5, 8, ended="2026-01-31T15:00:00.000Z"), incident(6, created_at=None)]

    found = open_incidents([incident(1, 1), incident(3, 3), *others, incident(2, 2)], TITLE)

    assert [each.id for each in found] == ["incident0003", "incident0002", "incident0001", "incident0006"]


@pytest.mark.parametrize(
    ("title", "nearly"),
    [
        (f"{TITLE}.", True),
        ("\N{FIRE} Checkout-is failing!", True),
        ("Checkout is", True),
        ("Checkout is failing in Europe, and we do not know why", True),
        ("Checkout failing", True),
        ("Chekout is failing", True),
        ("Search is slow", False),
        ("failing is Checkout", False),
        ("\N{FIRE}", False),
        ("", False),
    ],
)
def test_a_title_is_nearly_another_if_little_is_different_or_one_begins_with_the_other(
    title: str, *, nearly: bool
) -> None:
    assert (is_nearly(title, TITLE), is_nearly(TITLE, title)) == (nearly, nearly)


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
def test_what_a_message_names_is_open_and_was_opened_by_people_under_another_title(
    fields: dict[str, object], *, named: bool
) -> None:
    other = incident(**fields)  # type: ignore[arg-type]  # a table

    assert other_open_incidents([other], TITLE) == [other] * named


@pytest.mark.parametrize(
    ("other", "is_rival"),
    [
        (incident(1, 1), True),
        (incident(9, 2), False),
        (incident(1, 2), True),
        (incident(9, 3), False),
        (incident(1, 1, "Another"), False),
        (incident(1, 1, ended="2026-01-31T15:00:00.000Z"), False),
        (incident(1, 1, scheduled_maintenance=PLAN), False),
    ],
    ids=["older", "same moment, higher id", "same moment", "newer", "other title", "ended", "maintenance"],
)
def test_a_rival_is_open_under_the_same_title_and_older(other: Incident, *, is_rival: bool) -> None:
    opened = incident(5, 2)

    rivals = older_rivals([opened, other], opened, TITLE)

    assert rivals == [other] * is_rival


@pytest.mark.parametrize(
    ("domain", "subdomain", "host"),
    [
        ("status.example.com", "example", "status.example.com"),
        ("https://status.example.com/", "example", "status.example.com"),
        ("http://status.example.com", None, "status.example.com"),
        (None, "example", "example.onlineornot.com"),
        ("", "example-shop", "example-shop.onlineornot.com"),
    ],
)
def test_readers_see_an_incident_at_the_pages_own_domain_or_at_its_subdomain(
    domain: str | None, subdomain: str | None, host: str
) -> None:
    page = StatusPage(custom_domain=domain, subdomain=subdomain)

    assert incident_url(page, "incident0001") == f"https://{host}/incidents/incident0001"


@pytest.mark.parametrize(
    ("domain", "subdomain"),
    [
        *((None, None), ("", ""), (None, "a b"), (None, "a/../b"), (None, "a)[x](b"), ("localhost", "example")),
        *(("user@example.com", None), ("javascript:alert(1)", None), ("a..b", None)),
        *(("exämple.com", None), ("a.b\n::error::", None), ("https://https://a.b", None)),
    ],
)
def test_what_is_no_host_makes_no_link(domain: str | None, subdomain: str | None) -> None:
    assert incident_url(StatusPage(custom_domain=domain, subdomain=subdomain), "incident0001") == ""
