"""The page shows what readers of a status page look for, and untrusted text as text."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from onlineornot_sandbox.bodies import ComponentSetting, IncidentCreate, IncidentUpdateCreate, IncidentUpdatePatch
from onlineornot_sandbox.page_view import render_page, to_the_minute
from onlineornot_sandbox.resources import Component, ComponentStatus, UpdateStatus
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, INCIDENT_TITLE, UPDATE_ID
from onlineornot_sandbox.store import Store

START = datetime(2026, 1, 2, 12, 0, 0, 678_900, tzinfo=UTC)
MARKUP = "<script>alert('1')</script> & \"</p>"
ESCAPED_MARKUP = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &#34;&lt;/p&gt;"


@pytest.fixture
def store() -> Store:
    times = (START + timedelta(minutes=number) for number in range(100))
    return Store(clock=lambda: next(times))


def post(store: Store, status: UpdateStatus, text: str = "Some text.", api: ComponentStatus | None = None) -> None:
    settings = [ComponentSetting(id=API_ID, status=api)] if api else []
    body = IncidentUpdateCreate(status=status, description=text, components_affected=settings)
    store.create_incident_update(INCIDENT_ID, body)


def text_of(page: str) -> str:
    """Return what a reader sees of the page's body, with one space between words."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", page.partition("<body>")[2])).split())


@pytest.mark.parametrize(
    ("status", "banner", "words"),
    [
        ("NO_IMPACT", "All systems operational", "No impact"),
        ("DEGRADED_PERFORMANCE", "Partially degraded service", "Degraded performance"),
        ("PARTIAL_OUTAGE", "Minor service outage", "Partial outage"),
        ("MAJOR_OUTAGE", "Major system outage", "Major outage"),
        ("MAINTENANCE", "Service under maintenance", "Maintenance"),
    ],
)
def test_the_banner_and_the_component_say_the_status_in_words(
    store: Store, status: ComponentStatus, banner: str, words: str
) -> None:
    post(store, "UPDATE", api=status)

    page = render_page(store)

    assert f'<p class="card banner {status}">{banner}</p>' in page
    assert f'<li>API <span class="status {status}">{words}</span></li>' in page


def test_the_newest_incident_is_first_with_its_impact_and_components_without_a_group_are_last(store: Store) -> None:
    store.components["comp-mail"] = Component(id="comp-mail", name="Mail", group_id=None, created_at="", updated_at="")
    settings = [ComponentSetting(id=API_ID, status="PARTIAL_OUTAGE")]
    store.create_incident(IncidentCreate(title="Search is slow", description="", status="UPDATE", components=settings))

    shown = text_of(render_page(store))

    assert "Open incidents Search is slow Partial outage Opened 2026-01-02 12:01 UTC" in shown
    assert shown.index("Search is slow") < shown.index(INCIDENT_TITLE)
    assert (
        "Components Shop Website Operational Payments Operational Core API Partial outage Search Operational "
        "Other components Mail Operational Past incidents"
    ) in shown


def test_an_incident_shows_its_timeline_newest_first_and_is_past_once_it_has_ended(store: Store) -> None:
    post(store, "IDENTIFIED", "A cable broke.", api="MAJOR_OUTAGE")
    during = text_of(render_page(store))
    post(store, "RESOLVED", "A new cable is in place.")
    after = text_of(render_page(store))

    assert (
        "Open incidents Checkout is failing Opened 2026-01-02 11:30 UTC "
        "Identified 2026-01-02 12:01 UTC A cable broke. API: Operational → Major outage "
        "Investigating 2026-01-02 11:30 UTC Some payments do not go through. We are looking into it. Components"
    ) in during
    assert during.index("Past incidents") < during.index("None so far.")
    assert "Open incidents" not in after
    assert "Past incidents Checkout is failing Opened 2026-01-02 11:30 UTC Ended 2026-01-02 12:02 UTC Resolved" in after


def test_untrusted_text_is_shown_as_text_with_its_line_breaks_and_no_address(store: Store) -> None:
    post(store, "UPDATE", "  The rollback is complete.\nCheckout works again.")
    store.create_incident(IncidentCreate(title=MARKUP, description=MARKUP, status="UPDATE"))
    store.patch_incident_update(INCIDENT_ID, UPDATE_ID, IncidentUpdatePatch(date_happened=MARKUP))

    page = render_page(store)

    assert page.count(ESCAPED_MARKUP) == 3
    assert "<script" not in page
    assert '<p class="text">  The rollback is complete.\nCheckout works again.</p>' in page
    assert not re.search("//|url\\(|src=|href=", page)


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [
        ("2026-01-02T12:00:59.999Z", "2026-01-02 12:00 UTC"),
        ("2026-01-02T00:30:00+02:00", "2026-01-01 22:30 UTC"),
        ("2026-01-02T12:00:00", "2026-01-02 12:00 UTC"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_time_is_shown_in_utc_to_the_minute_and_other_text_as_it_is(timestamp: str, shown: str) -> None:
    assert to_the_minute(timestamp) == shown
