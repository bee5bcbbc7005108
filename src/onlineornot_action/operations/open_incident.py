"""Open an incident exactly once, although the page may change its title."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from onlineornot_action.exactly_once.listing import Comparison, Listing
from onlineornot_action.exactly_once.post import Posted, duplicate_warnings, post
from onlineornot_action.network.deadline import CancelledError, Deadline
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import (
    ComponentStatus,
    Incident,
    IncidentCreate,
    IncidentUpdate,
    IncidentUpdateCreate,
    ListPage,
    created_or_oldest,
)
from onlineornot_action.operations.find_incident import is_manual, may_be_kept_as, open_incidents
from onlineornot_action.operations.updates import compare_with_page, differences, same_text, unnamed_components
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session, Target
from onlineornot_action.text import normalize, quote_name

MAX_READ = 100
"""New incidents whose first update is read; any beyond these may be ours."""


def open_incident(session: Session, target: Target) -> Result:
    """Open an incident under the title in the inputs, exactly once; raise what `post` raises."""
    inputs = session.inputs
    body = IncidentCreate(
        title=inputs.incident_title,
        description=inputs.text,
        status=inputs.status,
        notify_subscribers=inputs.notify,
        components=target.components,
    )
    warnings = ("date-happened has no effect when an incident is opened.",) if inputs.date_happened else ()
    if inputs.dry_run:
        return Result(Outcome.DRY_RUN, body=body, warnings=warnings)
    draft = IncidentDraft(session, body)
    posted = post(draft, session.deadline, target.incidents, session.limits.post)
    result = _opened(session, target, draft, posted)
    return result._replace(warnings=(*warnings, *result.warnings))


def _opened(session: Session, target: Target, draft: "IncidentDraft", posted: Posted[Incident]) -> Result:
    """Read the first update, and look at the list once: useful to know, but no reason to fail."""
    incident, title = posted.item, draft.body.title
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    update, listed = None, list[Incident]()
    with contextlib.suppress(APIError, CancelledError):
        known = draft.first_updates.get(incident.id)
        update = known or oldest(incident.updates or read_updates(session, incident, deadline).items)
    with contextlib.suppress(APIError, CancelledError):
        listed = Listing(draft.pages(deadline)).items
    older = older_duplicates((each for each in listed if each.id not in posted.duplicates), incident, title)
    titles = [each.title or "" for each in (*listed, incident) if each.id == incident.id]
    return Result(
        Outcome.OPENED,
        incident.id,
        update.id if update else "",
        update,
        notified=draft.body.notify_subscribers,
        known_because=posted.evidence,
        warnings=(
            *duplicate_warnings(posted),
            *_older_warnings(incident, older),
            *_title_warnings(incident, titles, title),
            *(differences(session, target, update, draft.first_update) if update else ()),
        ),
    )


def _older_warnings(opened: Incident, older: list[Incident]) -> Iterator[str]:
    if older:
        ids = ", ".join(incident.id for incident in older)
        yield f"Somebody else opened an incident of this title before: {ids}. This run opened {opened.id}; delete one."


def _title_warnings(opened: Incident, titles: Iterable[str], wanted: str) -> Iterator[str]:
    """Warn when the page keeps the title in a form that the same title will not find."""
    different = [title for title in titles if title and normalize(title) != normalize(wanted)]
    if different:
        yield (
            f"The page keeps the title {quote_name(wanted)} as {quote_name(different[0])}, so a later step with this "
            f"incident-title will not find incident {opened.id}. Use a title that the page does not change, or give "
            f"incident-id: {opened.id}."
        )


class IncidentDraft:
    """An incident to be opened exactly once, and what its first update will be."""

    def __init__(self, session: Session, body: IncidentCreate) -> None:
        self._session, self.body = session, body
        self.first_updates: dict[str, IncidentUpdate] = {}  # of new incidents that have been read, by the incident's id
        self.first_update = IncidentUpdateCreate(
            status=body.status,
            description=body.description,
            notify_subscribers=body.notify_subscribers,
            components_affected=body.components,
        )

    def post(self) -> Incident:
        """Open the incident."""
        return self._session.client.create_incident(self._session.page_id, self.body)

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[Incident]]:
        """Read the incidents of the page."""
        return self._session.client.incident_pages(self._session.page_id, deadline, to_the_end=to_the_end)

    def may_be_same(self, item: Incident) -> bool:
        """Whether an incident could be this one, whatever its title, which the page may have changed."""
        return is_manual(item)

    def compare(
        self, items: Sequence[Incident], deadline: Deadline | None = None, *, is_last_look: bool = False
    ) -> Comparison[Incident]:
        """Compare new incidents, and their first updates, which a list does not show, with this one.

        Each incident in `same` has its first update in `updates`.
        """
        limits = self._session.limits
        deadline = (deadline or self._session.deadline).within(limits.first_updates, detached=True)
        ours: list[tuple[Incident, Mapping[str, ComponentStatus] | None]] = []
        similar, unreadable = list[Incident](), list[Incident]()
        # Those most likely to be ours come first, in case there is no time to look at all of them.
        for item in sorted(items, key=lambda each: (not self._may_have_title(each), each.created or float("inf"))):
            first = self._read_first_update(item, deadline)
            if first is None:
                (similar if len(self.first_updates) >= MAX_READ else unreadable).append(item)
            elif self._may_have_title(item):
                with_first = item.model_copy(update={"updates": (first,)})
                ours.append((with_first, unnamed_components(first, self.first_update, exactly=True)))
            elif same_text(first.description, self.first_update.description):
                similar.append(item)
        found = compare_with_page(self._session, ours, deadline, is_last_look=is_last_look)
        return Comparison(found.same, (*found.similar, *similar), (*found.unreadable, *unreadable))

    def _may_have_title(self, incident: Incident) -> bool:
        return may_be_kept_as(incident.title or "", self.body.title)

    def _read_first_update(self, incident: Incident, deadline: Deadline) -> IncidentUpdate | None:
        """Return the first update of an incident, which is read once; None when it cannot be read for now."""
        known = self.first_updates.get(incident.id)
        if known or not deadline.left() or len(self.first_updates) >= MAX_READ:
            return known
        deadline = deadline.within(self._session.limits.follow_up, detached=True)
        try:
            updates = read_updates(self._session, incident, deadline)
        except APIError:
            return None
        first = oldest(updates.items)
        # A failing server may leave out the first update, so an incomplete list can only show that it is ours.
        if first and (updates.complete or unnamed_components(first, self.first_update, exactly=True) is not None):
            self.first_updates[incident.id] = first
        return self.first_updates.get(incident.id)


def read_updates(session: Session, incident: Incident, deadline: Deadline) -> Listing[IncidentUpdate]:
    """Read the updates of an incident until a deadline; an incomplete list is returned as it is."""
    return Listing(session.client.incident_update_pages(session.page_id, incident.id, deadline))


def oldest(updates: Iterable[IncidentUpdate]) -> IncidentUpdate | None:
    """Return the oldest of some updates."""
    return min(updates, key=created_or_oldest, default=None)


def older_duplicates(incidents: Iterable[Incident], opened: Incident, title: str) -> list[Incident]:
    """Return other open incidents of the same title that were opened before this one."""
    others = (incident for incident in open_incidents(incidents, title) if incident.id != opened.id)
    return [each for each in others if (each.created or 0.0, each.id) < (opened.created or 0.0, opened.id)]
