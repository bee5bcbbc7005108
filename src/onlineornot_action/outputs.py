"""What a run came to, and what of it later steps can read: the outputs of `action.yml`, typed."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from onlineornot_action.exactly_once.post import Evidence
from onlineornot_action.onlineornot.models import (
    IncidentCreate,
    IncidentUpdate,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
)
from onlineornot_action.text import kebab


class Outcome(StrEnum):
    """What became of a run, in one word."""

    CREATED = "created"
    OPENED = "opened"
    UPDATED = "updated"
    DELETED = "deleted"
    FETCHED = "fetched"
    LISTED = "listed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    DRY_RUN = "dry-run"
    INVALID = "invalid"
    REJECTED = "rejected"
    NOT_SENT = "not-sent"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"

    @property
    def failed(self) -> bool:
        """Whether the step did not do what it was asked."""
        failures = {Outcome.INVALID, Outcome.REJECTED, Outcome.NOT_SENT, Outcome.UNKNOWN, Outcome.CANCELLED}
        return self in failures

    @property
    def updates_comment(self) -> bool:
        """Whether the pull request should hear of it: the incident says something new, or was to."""
        news = {Outcome.CREATED, Outcome.OPENED, Outcome.UPDATED, Outcome.DELETED, Outcome.UNCHANGED}
        return self in news

    @property
    def tolerable(self) -> bool:
        """Whether `fail-on-error: false` lets the step pass: the API was out of reach, or its response was lost."""
        return self in {Outcome.NOT_SENT, Outcome.UNKNOWN}


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        incident_id: The incident that it was about, as far as that is known.
        update_id: The update that it was about, likewise.
        update: That update as the API shows it.
        updates: `list` only: all of them, newest first.
        notified: Whether subscribers are told of what this run posted; None when that is not known.
        body: Dry run only: what would have been sent.
        incident_url: Where readers see the incident, as far as that is known.
        comments: Where people see the comments on pull requests.
        evidence: How it is known that it is done.
        notes: What else the summary says.
        warnings: What somebody should look at.
        error: What went wrong, when it did.
    """

    outcome: Outcome
    incident_id: str = ""
    update_id: str = ""
    update: IncidentUpdate | None = None
    updates: tuple[IncidentUpdate, ...] | None = None
    notified: bool | None = False
    body: IncidentCreate | IncidentUpdateCreate | IncidentUpdatePatch | None = None
    incident_url: str = ""
    comments: tuple[str, ...] = ()
    evidence: Evidence = Evidence.RESPONSE
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Outputs:
    """Every output, as text. What there is nothing to say of stays empty."""

    outcome: Outcome
    update_id: str = ""
    incident_id: str = ""
    incident_url: str = ""
    status: str = ""
    notified: str = ""
    update: str = ""
    updates: str = ""
    error: str = ""

    def by_name(self) -> dict[str, str]:
        """Each by its name in `action.yml`."""
        return {kebab(name): value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, result: Result) -> "Outputs":
        """Put a result into words."""
        return cls(
            outcome=result.outcome,
            update_id=result.update_id,
            incident_id=result.incident_id,
            incident_url=result.incident_url,
            status=(result.update and result.update.status) or "",
            notified="" if result.notified is None else str(result.notified).lower(),
            update=result.update.to_json() if result.update else "",
            updates="" if result.updates is None else _as_json_list(result.updates),
            error=result.error,
        )


def _as_json_list(updates: tuple[IncidentUpdate, ...]) -> str:
    return f"[{','.join(update.to_json() for update in updates)}]"
