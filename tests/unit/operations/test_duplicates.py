"""Which updates of an incident make a new one unnecessary."""

import pytest

from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.models import IncidentStatus, IncidentUpdate, IncidentUpdateCreate
from onlineornot_action.operations.duplicates import find_candidates
from onlineornot_action.operations.updates import UpdateDraft

TEXT = "A fix is out."


def at(minute: int | str, status: str, text: str = TEXT) -> IncidentUpdate:
    moment = minute if isinstance(minute, str) else f"2026-11-24T09:0{minute}:00Z"
    fields = {"id": f"update-{minute}", "status": status, "description": text, "created_at": moment}
    return IncidentUpdate.model_validate(fields)


OURS, NEWER = at(1, "MONITORING"), at(2, "UPDATE", "Newer")


@pytest.mark.parametrize(
    ("items", "status", "if_newest", "if_any"),
    [
        ([], "MONITORING", None, None),
        ([at(1, "MONITORING", "Another text")], "MONITORING", None, None),
        ([at(1, "UPDATE")], "MONITORING", None, None),
        ([OURS], "MONITORING", "update-1", "update-1"),
        ([NEWER, OURS], "MONITORING", None, "update-1"),
        ([OURS, at(2, "MONITORING")], "MONITORING", "update-2", "update-2"),
        ([OURS, at(2, "RESOLVED", "Over")], "MONITORING", None, None),
        ([OURS, at(2, "COMPLETED", "Over")], "MONITORING", None, None),
        ([OURS, at(2, "RESOLVED", "Over"), at(3, "UPDATE")], "MONITORING", None, None),
        ([at(1, "RESOLVED", "Over"), at(2, "MONITORING")], "MONITORING", "update-2", "update-2"),
        ([at("undated", "MONITORING")], "MONITORING", "update-undated", "update-undated"),
        ([at("undated", "MONITORING", "Another text"), OURS], "MONITORING", None, "update-1"),
        ([at(1, "RESOLVED"), NEWER], "RESOLVED", "update-1", "update-1"),
        ([at(1, "COMPLETED"), NEWER], "COMPLETED", "update-1", "update-1"),
        ([at(1, "RESOLVED"), at(2, "INVESTIGATING", "Again")], "RESOLVED", None, None),
        ([at(1, "RESOLVED"), at(2, "RESOLVED", "By hand")], "RESOLVED", None, None),
    ],
)
def test_an_update_is_a_duplicate_by_its_rule(
    items: list[IncidentUpdate], status: IncidentStatus, if_newest: str | None, if_any: str | None
) -> None:
    body = IncidentUpdateCreate(status=status, description=TEXT, notify_subscribers=False)
    draft = UpdateDraft(OnlineOrNotClient("token", deadline=Deadline.after(0)), "page", "incident", body)

    found = [
        find_candidates(items, draft, rule)[:1] for rule in (SkipDuplicate.IF_NEWEST, SkipDuplicate.IF_ANY_ON_RERUN)
    ]

    assert [[each.id for each in candidates] for candidates in found] == [
        [one] if one else [] for one in (if_newest, if_any)
    ]
