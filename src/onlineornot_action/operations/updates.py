"""An update as a draft, and whether another one matches it, however the API stores it.

The API may change the form of a text, name only the components that really changed, and drop milliseconds.
"""

import contextlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from onlineornot_action.exactly_once.listing import Comparison
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    AnyItem,
    ComponentChange,
    ComponentStatus,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    ListPage,
    seconds_since_1970,
)
from onlineornot_action.session import Session, Target
from onlineornot_action.text import quote, quote_name, unescape_html

_PRECISION = 1.0
"""Seconds by which a date may differ."""

MAX_COMBINING = 30
"""Combining characters in a row, as many as Unicode's stream-safe text has: https://unicode.org/reports/tr15/"""


def unnamed_components(
    update: IncidentUpdate, wanted: IncidentUpdateCreate, *, exactly: bool
) -> dict[str, ComponentStatus] | None:
    """Compare an update with the one to post: status, text, and the components that it names.

    Args:
        update: The update, whose components an API may name only as far as they have changed.
        wanted: The one to post.
        exactly: Whether the update must be the result of posting `wanted`: then it may name no other component, and if
            it has no list of components, status and text decide.

    Returns:
        The components that `update` omits, which must have this status on the page; None if it does not match.
    """
    if update.status != wanted.status or not same_text(update.description, wanted.description):
        return None
    if exactly and update.components is None:
        return {}
    named = {change.id: change.new_status for change in update.components or ()}
    asked_for = {component.id: component.status for component in wanted.components_affected or ()}
    if exactly and not named.items() <= asked_for.items():
        return None
    if any(named.get(component_id, status) != status for component_id, status in asked_for.items()):
        return None
    return {component_id: status for component_id, status in asked_for.items() if component_id not in named}


def is_patched(update: IncidentUpdate, patch: IncidentUpdatePatch) -> bool:
    """Whether an update has the values of a patch."""
    return (
        patch.status in (None, update.status)
        and (patch.description is None or same_text(update.description, patch.description))
        and (patch.date_happened is None or _same_moment(update.date_happened, patch.date_happened))
    )


def same_text(one: str | None, other: str) -> bool:
    """Whether two texts differ at most by what a page may change: escapes, the normal form, white space at the ends."""
    if one is None or len(one) > 8 * len(other) + 1000:  # longer than any escaping makes it
        return False
    return one == other or _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    unescaped = unescape_html(text)
    lines = _normalize(unescaped).replace("\r\n", "\n").strip().split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _normalize(text: str) -> str:
    """Return a text in NFC, or as it is if long runs of combining characters would make that take quadratic time."""
    if text.isascii():
        return text
    runs = groupby(text, lambda character: unicodedata.combining(character) > 0)
    longest = max((len(list(run)) for is_combining, run in runs if is_combining), default=0)
    return text if longest > MAX_COMBINING else unicodedata.normalize("NFC", text)


def _same_moment(one: str | None, other: str) -> bool:
    moment, sent = seconds_since_1970(one), seconds_since_1970(other)
    return moment is not None and sent is not None and abs(moment - sent) < _PRECISION


def draft_update(session: Session, target: Target) -> "UpdateDraft":
    """Draft the update that the inputs ask for."""
    inputs = session.inputs
    body = IncidentUpdateCreate(
        status=inputs.status,
        description=inputs.text,
        notify_subscribers=inputs.notify,
        components_affected=target.components,
        date_happened=inputs.date_happened,
    )
    return UpdateDraft(session, target.incident_id, body)


class UpdateDraft(NamedTuple):
    """An update to post exactly once."""

    session: Session
    incident_id: str
    body: IncidentUpdateCreate

    def post(self) -> IncidentUpdate:
        """Post the update."""
        return self.session.client.create_incident_update(self.session.page_id, self.incident_id, self.body)

    def pages(
        self, deadline: Deadline | None = None, *, to_the_end: bool = False
    ) -> Iterator[ListPage[IncidentUpdate]]:
        """Read the updates of its incident."""
        pages = self.session.client.incident_update_pages
        return pages(self.session.page_id, self.incident_id, deadline, to_the_end=to_the_end)

    def may_be_same(self, item: IncidentUpdate) -> bool:  # noqa: ARG002 - any new update may be ours
        """Whether an update could be this one."""
        return True

    def compare(
        self, items: Sequence[IncidentUpdate], deadline: Deadline | None = None, *, is_last_look: bool = False
    ) -> Comparison[IncidentUpdate]:
        """Compare updates with this one, in whatever form the server may have stored it."""
        unnamed = [(item, unnamed_components(item, self.body, exactly=True)) for item in items]
        return compare_with_page(self.session, unnamed, deadline, is_last_look=is_last_look)


def read_statuses(session: Session, deadline: Deadline | None = None) -> dict[str, str | None]:
    """Read the current status of each component of the page, by its id."""
    pages = session.client.component_pages(session.page_id, deadline)
    return {component.id: component.status for page in pages for component in page.items}


def compare_with_page(
    session: Session,
    unnamed: Iterable[tuple[AnyItem, Mapping[str, ComponentStatus] | None]],
    deadline: Deadline | None,
    *,
    is_last_look: bool,
) -> Comparison[AnyItem]:
    """Sort items by what `unnamed_components` returned for each; read the page's components at most once."""
    same, similar, unreadable = list[AnyItem](), list[AnyItem](), list[AnyItem]()
    page: Mapping[str, str | None] | None = None
    for item, statuses in unnamed:
        if statuses and page is None and not is_last_look:
            with contextlib.suppress(APIError):
                page = read_statuses(session, deadline)
        if statuses is None:
            similar.append(item)
        elif statuses and page is None:
            unreadable.append(item)
        elif statuses.items() <= (page or {}).items():
            same.append(item)
        else:
            similar.append(item)
    return Comparison(tuple(same), tuple(similar), tuple(unreadable))


def differences(
    session: Session, target: Target, update: IncidentUpdate, wanted: IncidentUpdateCreate
) -> Iterator[str]:
    """Say how an update, as the API returned it, differs from the one that was sent."""
    if update.status and update.status != wanted.status:
        yield f"The page has this update as {quote(update.status)}, though {wanted.status} was sent."
    if update.description is not None and not same_text(update.description, wanted.description):
        yield (
            "The page keeps the text in another form than it was sent, so later runs will not recognise this update: a "
            "re-run and skip-duplicate may post it again."
        )
    if update.components is not None:
        yield from _unconfirmed(session, target, update.components, wanted)


def _unconfirmed(
    session: Session, target: Target, changes: Iterable[ComponentChange], wanted: IncidentUpdateCreate
) -> Iterator[str]:
    """Say which components lack the status that was sent; read the statuses if an omitted component is unknown."""
    page = {component.id: component for component in target.page.items} if target.page else {}
    named = {change.id: change.new_status for change in changes}
    asked_for = wanted.components_affected or ()
    statuses = {component.id: component.status for component in page.values()}
    if any(component.id not in {*named, *statuses} for component in asked_for):
        statuses = {}
        with contextlib.suppress(APIError, CancelledError):
            statuses = read_statuses(session, session.deadline.within(session.limits.follow_up, detached=True))
    for component in asked_for:
        known = page.get(component.id)
        name = quote_name((known and known.name) or component.id)
        if component.id not in named:
            if statuses.get(component.id) != component.status:
                yield f"The page does not confirm that the component {name} has {component.status}; look at it."
        elif named[component.id] != component.status:
            has = quote(named[component.id] or "no status")
            yield f"The page gives the component {name} {has}, though {component.status} was sent."
