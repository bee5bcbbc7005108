"""Which incidents another run has opened at the same time."""

import pytest
from support.sample_incidents import ENDED, PLAN, TITLE, incident

from onlineornot_action.onlineornot.models import Incident
from onlineornot_action.operations.open_incident import older_duplicates


@pytest.mark.parametrize(
    ("other", "is_older"),
    [
        (incident(1, 1), True),
        (incident(9, 2), False),
        (incident(1, 2), True),
        (incident(9, 3), False),
        (incident(1, 1, "Another"), False),
        (incident(1, 1, ended=ENDED), False),
        (incident(1, 1, scheduled_maintenance=PLAN), False),
    ],
    ids=["older", "same moment, higher id", "same moment", "newer", "other title", "ended", "maintenance"],
)
def test_an_older_duplicate_is_open_under_the_same_title(other: Incident, *, is_older: bool) -> None:
    opened = incident(5, 2)

    older = older_duplicates([opened, other], opened, TITLE)

    assert older == [other] * is_older
