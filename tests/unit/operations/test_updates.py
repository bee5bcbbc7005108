"""Whether an update on the page matches what was requested."""

from typing import Any

import pytest

from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    IncidentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_action.operations.updates import is_patched, unnamed_components

API = {"id": "component-api", "new_status": "MAJOR_OUTAGE"}
WEB = {"id": "component-web", "new_status": "OPERATIONAL"}
SENT = tuple(
    ComponentAffected.model_validate({"id": change["id"], "status": change["new_status"]}) for change in (API, WEB)
)
MOMENT = "2026-11-24T09:30:00.000Z"


def update(**fields: Any) -> IncidentUpdate:
    fields = {"status": "MONITORING", "description": "A fix is out.", "date_happened": MOMENT} | fields
    return IncidentUpdate.model_validate({"id": "update-1"} | fields)


def wanted(
    description: str = "A fix is out.", components: tuple[ComponentAffected, ...] | None = None
) -> IncidentUpdateCreate:
    status = IncidentStatus.MONITORING
    return IncidentUpdateCreate(
        status=status, description=description, notify_subscribers=False, components_affected=components
    )


def matches(shown: IncidentUpdate, sent: IncidentUpdateCreate) -> bool:
    return unnamed_components(shown, sent, exactly=True) == {}


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        pytest.param("A fix is out.", "A fix is out.", True, id="the same"),
        pytest.param("A fix is out.", "A fix is out", False, id="another"),
        pytest.param("A fix is out.", "a fix is out.", False, id="another case"),
        pytest.param("Gr\u00fc\u00dfe", "Gru\u0308\u00dfe", True, id="composed and decomposed"),
        pytest.param("2\u00b2", "22", False, id="only compatible"),
        pytest.param("one\ntwo", "one\r\ntwo", True, id="CRLF on the page"),
        pytest.param("one\n\ntwo", "one\ntwo", False, id="fewer lines"),
        pytest.param("one\ntwo", "one two", False, id="a space for a line's end"),
        pytest.param("one  \ntwo\t\nthree", "one\ntwo\nthree", True, id="white space at the end of lines"),
        pytest.param("  one\ntwo\n", "one\ntwo", True, id="white space at both ends"),
        pytest.param("one\n  two", "one\ntwo", False, id="white space at the beginning of a line"),
        pytest.param("one  two", "one two", False, id="white space within a line"),
        pytest.param("one", None, False, id="no text"),
        pytest.param("R&D <b>is</b> down", "R&amp;D &lt;b&gt;is&lt;/b&gt; down", True, id="escaped on the page"),
        pytest.param("R&amp;D", "R&D", True, id="escaped by the sender"),
        pytest.param("R&ampD", "R&D", False, id="an escape without its end"),
        pytest.param("one", "<p>one</p>", False, id="wrapped"),
        pytest.param("one", "one" + "\u0301" * 160_000, False, id="much longer"),
    ],
)
def test_texts_are_compared_in_one_form(sent: str, shown: str | None, same: object) -> None:
    assert matches(update(description=shown), wanted(sent)) is same
    assert is_patched(update(description=shown), IncidentUpdatePatch(description=sent)) is same


ALL, ONE = ["component-api", "component-web"], ["component-web"]


@pytest.mark.parametrize(
    ("sent", "shown", "lost", "duplicate"),
    [
        pytest.param(SENT, [API, WEB], [], [], id="all"),
        pytest.param(SENT, [WEB, API], [], [], id="in another order"),
        pytest.param(SENT, [API], ONE, ONE, id="only what changed"),
        pytest.param(SENT, [], ALL, ALL, id="none"),
        pytest.param(SENT[:1], [API, WEB], None, [], id="more than were sent"),
        pytest.param(SENT[:1], [WEB], None, ["component-api"], id="another"),
        pytest.param(SENT[:1], [API | {"new_status": "OPERATIONAL"}], None, None, id="another status"),
        pytest.param(SENT[:1], [API | {"old_status": "OPERATIONAL", "name": "API"}], [], [], id="old status and name"),
        pytest.param(SENT[:1], [{"id": "component-api"}], None, None, id="no status"),
        pytest.param(None, [], [], [], id="none, and none were sent"),
        pytest.param(None, [API], None, [], id="some, and none were sent"),
        pytest.param(None, None, [], [], id="absent, and none were sent"),
        pytest.param(SENT, None, [], ALL, id="absent"),
    ],
)
def test_components_that_an_update_does_not_name_are_left_to_the_page(
    sent: tuple[ComponentAffected, ...] | None,
    shown: list[dict[str, str]] | None,
    lost: list[str] | None,
    duplicate: list[str] | None,
) -> None:
    unnamed = [
        unnamed_components(update(components=shown), wanted(components=sent), exactly=exactly)
        for exactly in (True, False)
    ]

    assert [None if each is None else sorted(each) for each in unnamed] == [lost, duplicate]


@pytest.mark.parametrize(
    ("fields", "same"),
    [({"status": "RESOLVED"}, False), ({"status": None}, False), ({"date_happened": None}, True)],
)
def test_the_status_decides_whether_an_update_is_the_same_but_not_its_date(fields: Any, same: object) -> None:
    assert matches(update(**fields), wanted()) is same


@pytest.mark.parametrize(
    ("patch", "patched"),
    [
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING), True),
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING, description="Another text"), False),
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING, date_happened="2026-11-24T09:31:00Z"), False),
        (IncidentUpdatePatch(status=IncidentStatus.RESOLVED, description="A fix is out.", date_happened=MOMENT), False),
    ],
)
def test_update_is_patched_when_every_given_field_matches(patch: IncidentUpdatePatch, patched: object) -> None:
    assert is_patched(update(), patch) is patched


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        (MOMENT, MOMENT, True),
        ("2026-11-24T09:30:00.999Z", "2026-11-24T09:30:00Z", True),
        ("2026-11-24T09:30:00Z", "2026-11-24T09:30:00.999Z", True),
        ("2026-11-24T09:30:01Z", "2026-11-24T09:30:00Z", False),
        ("2026-11-24T10:30:00+01:00", "2026-11-24T09:30:00Z", True),
        ("2026-11-24T09:30:00+01:00", "2026-11-24T09:30:00Z", False),
        (MOMENT, "2026-11-24T09:30:00", False),
        (MOMENT, "yesterday", False),
        (MOMENT, None, False),
    ],
)
def test_dates_may_differ_by_less_than_a_second(sent: str, shown: str | None, same: object) -> None:
    assert is_patched(update(date_happened=shown), IncidentUpdatePatch(date_happened=sent)) is same
