"""Whether an update on the page says what was asked for, however the API writes it down.

It may change the form of a text, name only those components that really changed, and drop the milliseconds of a date.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from onlineornot_action.onlineornot.models import (
    ComponentAffected,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)

_PRECISION = 1.0
"""Seconds by which a date may differ."""


def says_the_same(update: IncidentUpdate, wanted: IncidentUpdateCreate) -> bool:
    """Whether an update has the status, the text and the components of one that was to be posted."""
    return (
        update.status == wanted.status
        and _same_text(update.description, wanted.description)
        and _same_components(update, wanted.components_affected or ())
    )


def is_patched(update: IncidentUpdate, patch: IncidentUpdatePatch) -> bool:
    """Whether an update is as a patch was to make it."""
    return (
        patch.status in (None, update.status)
        and (patch.description is None or _same_text(update.description, patch.description))
        and (patch.date_happened is None or _same_moment(update.date_happened, patch.date_happened))
    )


def _same_text(one: str | None, other: str) -> bool:
    return one is not None and _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip().split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _same_components(update: IncidentUpdate, wanted: Iterable[ComponentAffected]) -> bool:
    if update.components is None:
        return True
    asked_for = {(component.id, component.status) for component in wanted}
    changed = {(change.id, change.new_status) for change in update.components}
    return changed <= asked_for and bool(changed) == bool(asked_for)


def _same_moment(one: str | None, other: str) -> bool:
    try:
        difference = datetime.fromisoformat(one or "") - datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
    return abs(difference.total_seconds()) < _PRECISION
