"""Incidents as the API shows them."""

from onlineornot_action.onlineornot.models import Incident

TITLE = "Checkout is failing"
PLAN = {"id": "maintenance1", "start_date": "2026-01-31T14:00:00Z"}
ENDED = "2026-01-31T15:00:00.000Z"


def incident(number: int = 1, minute: int = 0, title: object = TITLE, **fields: object) -> Incident:
    """Make an incident as the API shows it."""
    created = {"created_at": f"2026-01-31T14:{minute:02}:00.000Z"}
    return Incident.model_validate({"id": f"incident{number:04}", "title": title, **created, **fields})
