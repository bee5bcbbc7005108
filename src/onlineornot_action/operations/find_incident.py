"""The incident of a title: the open one, or one that is opened under it."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from onlineornot_action.exactly_once.listing import Listing
from onlineornot_action.exactly_once.post import Evidence, Posted, duplicate_warnings, post
from onlineornot_action.inputs.model import IfNoIncident, InvalidInputsError, Operation
from onlineornot_action.inputs.parsers import SkipDuplicate
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError, CancelledError
from onlineornot_action.onlineornot.models import (
    Incident,
    IncidentCreate,
    IncidentUpdate,
    IncidentUpdateCreate,
    ListPage,
    newest_first,
)
from onlineornot_action.operations.incidents import has_title, open_incidents
from onlineornot_action.operations.updates import draft_update, says_the_same
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session, Target
from onlineornot_action.text import quote


def find_incident(session: Session, title: str) -> Target | Result:
    """Find the newest open incident of this title.

    Returns:
        The incident; or a target without one, when it has to be opened; or, when nothing is left to do, the result.

    Raises:
        InvalidInputsError: There is none, and `if-no-incident` is `fail`.
        APIError: The incidents cannot be read.
    """
    incidents = session.read_incidents(is_enough=lambda some: bool(open_incidents(some, title)))
    candidates = open_incidents(incidents.items, title)
    if not candidates:
        return _posted_before(session, incidents, title) or _without_incident(session, incidents, title)
    warnings: tuple[str, ...] = ()
    if len(candidates) > 1:
        ids = ", ".join(incident.id for incident in candidates)
        warnings = (f"Several open incidents have this title: {ids}. The newest, which is the first, is used.",)
    return Target(candidates[0].id, incidents=incidents, warnings=warnings)


def _posted_before(session: Session, incidents: Listing[Incident], title: str) -> Result | None:
    """Return what an earlier attempt of the job posted to the incident that it thereby ended."""
    ended = newest_first(incident for incident in incidents.items if has_title(incident, title))
    is_rerun = session.inputs.skip_duplicate is SkipDuplicate.IF_ANY
    if not (ended and is_rerun and session.inputs.operation is Operation.CREATE):
        return None
    target = Target(ended[0].id, incidents=incidents)
    if session.inputs.components:
        from onlineornot_action.operations.components import find_components

        target = find_components(session, target)
    updates = target.updates or session.read_updates(target.incident_id)
    duplicate = draft_update(session, target).find_duplicate(updates.items)
    if duplicate is None:
        return None
    return Result(
        Outcome.UNCHANGED,
        target.incident_id,
        duplicate.id,
        duplicate,
        known_updates=updates,
        evidence=Evidence.DUPLICATE,
    )


def _without_incident(session: Session, incidents: Listing[Incident], title: str) -> Target | Result:
    match session.inputs.if_no_incident:
        case IfNoIncident.CREATE:
            return Target(incidents=incidents)
        case IfNoIncident.SKIP:
            return Result(Outcome.SKIPPED)
        case IfNoIncident.FAIL:
            raise InvalidInputsError([_describe_missing(title)])


def _describe_missing(title: str) -> str:
    return (
        f"incident-title: no open incident is called {quote(title)}. It may have ended; "
        "with if-no-incident: create one is opened, with skip the step ends without an error."
    )


def open_incident(session: Session, target: Target) -> Result:
    """Open an incident under the title in the inputs, exactly once; what it raises is what `post` raises."""
    inputs = session.inputs
    body = IncidentCreate(
        title=inputs.incident_title,
        description=inputs.text,
        status=inputs.status,
        notify_subscribers=inputs.notify,
        components=target.components,
    )
    warnings = ("date-happened has no effect on an incident that is opened.",) if inputs.date_happened else ()
    if inputs.dry_run:
        return Result(Outcome.DRY_RUN, body=body, warnings=warnings)
    draft = IncidentDraft(session.client, session.page_id, body)
    posted = post(draft, session.deadline, baseline=target.incidents, limits=session.limits)
    result = _opened(session, draft, posted)
    return replace(result, warnings=(*warnings, *result.warnings))


def _opened(session: Session, draft: "IncidentDraft", posted: Posted[Incident]) -> Result:
    """Read the first update and look for rivals, once: useful to know, but no reason to fail."""
    incident = posted.item
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    update, rivals = None, list[Incident]()
    with contextlib.suppress(APIError, CancelledError):
        update = first_update(session.client, session.page_id, incident, deadline)
        others = (each for each in Listing(draft.pages(deadline)).items if each.id not in posted.duplicates)
        rivals = older_rivals(others, incident, draft.body.title)
    return Result(
        Outcome.OPENED,
        incident.id,
        update.id if update else "",
        update,
        notified=draft.body.notify_subscribers,
        evidence=posted.evidence,
        warnings=(*duplicate_warnings(posted), *_rival_warnings(incident, rivals)),
    )


def _rival_warnings(opened: Incident, rivals: list[Incident]) -> Iterator[str]:
    if rivals:
        ids = ", ".join(rival.id for rival in rivals)
        yield f"Somebody else opened an incident of this title before: {ids}. This run opened {opened.id}; delete one."


@dataclass(frozen=True)
class IncidentDraft:
    """An incident to be opened exactly once."""

    client: OnlineOrNotClient
    status_page_id: str
    body: IncidentCreate

    def post(self) -> Incident:
        """Open the incident."""
        return self.client.create_incident(self.status_page_id, self.body)

    def pages(self, deadline: Deadline | None = None, *, to_the_end: bool = False) -> Iterator[ListPage[Incident]]:
        """Read the incidents of the page."""
        return self.client.incident_pages(self.status_page_id, deadline, to_the_end=to_the_end)

    def may_be_same(self, item: Incident) -> bool:
        """Whether an incident could be this one."""
        return has_title(item, self.body.title)

    def is_same(self, item: Incident, deadline: Deadline | None = None) -> bool:
        """Whether an incident's first update, which a list does not show, says what this one's does."""
        try:
            first = first_update(self.client, self.status_page_id, item, deadline)
        except APIError:  # then `post` ends as unknown
            return False
        return first is not None and says_the_same(first, self._first_update())

    def _first_update(self) -> IncidentUpdateCreate:
        return IncidentUpdateCreate(
            status=self.body.status,
            description=self.body.description,
            notify_subscribers=self.body.notify_subscribers,
            components_affected=self.body.components,
        )


def first_update(
    client: OnlineOrNotClient, status_page_id: str, incident: Incident, deadline: Deadline | None = None
) -> IncidentUpdate | None:
    """Return the update that an incident began with; it is read if the incident does not hold its updates.

    Raises:
        APIError: The updates cannot be read.
    """
    updates = incident.updates or Listing(client.incident_update_pages(status_page_id, incident.id, deadline)).items
    return min(updates, key=lambda update: update.created or 0.0, default=None)


def older_rivals(incidents: Iterable[Incident], opened: Incident, title: str) -> list[Incident]:
    """Return other open incidents of the same title that were opened before this one."""
    rivals = (incident for incident in open_incidents(incidents, title) if incident.id != opened.id)
    return [rival for rival in rivals if (rival.created or 0.0, rival.id) < (opened.created or 0.0, opened.id)]
