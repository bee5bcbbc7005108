"""Whether an update on the page says what was requested."""

from typing import Any

import pytest

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    IncidentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_action.operations.updates import UpdateDraft, is_patched, says_the_same

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
    description: str = "A fix is out.",
    components: tuple[ComponentAffected, ...] | None = None,
    status: IncidentStatus = IncidentStatus.MONITORING,
) -> IncidentUpdateCreate:
    return IncidentUpdateCreate(
        status=status, description=description, notify_subscribers=False, components_affected=components
    )


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        pytest.param("A fix is out.", "A fix is out.", True, id="the same"),
        pytest.param("A fix is out.", "A fix is out", False, id="another"),
        pytest.param("A fix is out.", "a fix is out.", False, id="another case"),
        pytest.param("Gr\u00fc\u00dfe", "Gru\u0308\u00dfe", True, id="composed and decomposed"),
        pytest.param("Gru\u0308\u00dfe", "Gr\u00fc\u00dfe", True, id="decomposed and composed"),
        pytest.param("2\u00b2", "22", False, id="only compatible"),
        pytest.param("one\ntwo", "one\r\ntwo", True, id="CRLF on the page"),
        pytest.param("one\r\ntwo", "one\ntwo", True, id="CRLF sent"),
        pytest.param("one\n\ntwo", "one\ntwo", False, id="fewer lines"),
        pytest.param("one\ntwo", "one two", False, id="a space for a line's end"),
        pytest.param("one  \ntwo\t\nthree", "one\ntwo\nthree", True, id="white space at the end of lines"),
        pytest.param("  one\ntwo\n", "one\ntwo", True, id="white space at both ends"),
        pytest.param("one\n  two", "one\ntwo", False, id="white space at the beginning of a line"),
        pytest.param("one  two", "one two", False, id="white space within a line"),
        pytest.param("one", None, False, id="no text"),
    ],
)
def test_texts_are_compared_in_one_form(sent: str, shown: str | None, same: object) -> None:
    assert says_the_same(update(description=shown), wanted(sent)) is same
    assert is_patched(update(description=shown), IncidentUpdatePatch(description=sent)) is same


@pytest.mark.parametrize("status", ["RESOLVED", "monitoring", None])
def test_an_update_with_another_status_is_not_the_same(status: str | None) -> None:
    assert not says_the_same(update(status=status), wanted())


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        pytest.param(SENT, [API, WEB], True, id="all"),
        pytest.param(SENT, [WEB, API], True, id="in another order"),
        pytest.param(SENT, [API], True, id="only what really changed"),
        pytest.param(SENT, [], False, id="none"),
        pytest.param(SENT[:1], [API, WEB], False, id="more than were sent"),
        pytest.param(SENT[:1], [WEB], False, id="another"),
        pytest.param(SENT[:1], [API | {"new_status": "OPERATIONAL"}], False, id="another status"),
        pytest.param(SENT[:1], [API | {"old_status": "OPERATIONAL", "name": "API"}], True, id="old status and name"),
        pytest.param(SENT[:1], [{"id": "component-api"}], False, id="no status"),
        pytest.param(None, [], True, id="none, and none were sent"),
        pytest.param((), [], True, id="none, and an empty list was sent"),
        pytest.param(None, [API], False, id="some, and none were sent"),
        *(pytest.param(sent, None, True, id="null") for sent in (SENT, (), None)),
    ],
)
def test_components_on_the_page_must_be_among_those_that_were_sent(
    sent: tuple[ComponentAffected, ...] | None, shown: list[dict[str, str]] | None, same: object
) -> None:
    assert says_the_same(update(components=shown), wanted(components=sent)) is same


def test_date_does_not_decide_whether_an_update_is_the_same() -> None:
    assert says_the_same(update(date_happened="2020-01-01T00:00:00Z"), wanted())


@pytest.mark.parametrize(
    ("patch", "patched"),
    [
        (IncidentUpdatePatch(), True),
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING), True),
        (IncidentUpdatePatch(status=IncidentStatus.RESOLVED), False),
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING, description="Another text"), False),
        (IncidentUpdatePatch(status=IncidentStatus.MONITORING, date_happened="2026-11-24T09:31:00Z"), False),
        (IncidentUpdatePatch(status=IncidentStatus.RESOLVED, description="A fix is out.", date_happened=MOMENT), False),
    ],
)
def test_update_is_patched_when_all_that_was_given_is_there(patch: IncidentUpdatePatch, patched: object) -> None:
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


def at(minute: int | str, status: str, text: str = "A fix is out.") -> IncidentUpdate:
    moment = minute if isinstance(minute, str) else f"2026-11-24T09:0{minute}:00Z"
    return update(id=f"update-{minute}", status=status, description=text, created_at=moment)


@pytest.mark.parametrize(
    ("items", "status", "expected"),
    [
        ([], "MONITORING", None),
        ([at(1, "MONITORING", "Another text")], "MONITORING", None),
        ([at(1, "UPDATE")], "MONITORING", None),
        ([at(1, "MONITORING"), at(2, "UPDATE", "Newer")], "MONITORING", "update-1"),
        ([at(1, "MONITORING"), at(2, "MONITORING")], "MONITORING", "update-2"),
        ([at(1, "MONITORING"), at(2, "RESOLVED", "Over")], "MONITORING", None),
        ([at(1, "MONITORING"), at(2, "COMPLETED", "Over")], "MONITORING", None),
        ([at(2, "MONITORING"), at(1, "RESOLVED", "Over")], "MONITORING", "update-2"),
        ([at(1, "RESOLVED", "Over"), at(2, "MONITORING"), at(3, "RESOLVED", "Over")], "MONITORING", None),
        ([at("undated", "MONITORING")], "MONITORING", "update-undated"),
        ([at(1, "RESOLVED"), at(2, "UPDATE", "Newer")], "RESOLVED", "update-1"),
    ],
)
def test_duplicate_is_the_same_since_the_incident_was_last_over(
    items: list[IncidentUpdate], status: IncidentStatus, expected: str | None
) -> None:
    client = OnlineOrNotClient("token", deadline=Deadline.after(0))
    draft = UpdateDraft(client, "page", "incident", wanted(status=status))

    duplicate = draft.find_duplicate(items)

    assert (duplicate and duplicate.id) == expected
