"""What a run came to, and what later steps can read of it: the outputs of `action.yml`, typed."""

from dataclasses import asdict, dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Self

from onlineornot_action.exactly_once.evidence import Evidence
from onlineornot_action.text import kebab

if TYPE_CHECKING:
    # A run that fails on its inputs does without the client.
    from onlineornot_action.exactly_once.listing import Listing
    from onlineornot_action.onlineornot.models import (
        IncidentCreate,
        IncidentUpdate,
        IncidentUpdateCreate,
        IncidentUpdatePatch,
    )


class Kind(Enum):
    """What an outcome means for the step and for the comment on the pull request."""

    POSTED = auto()
    """Success: the incident says what was asked for, and the comment should say so too."""
    DONE = auto()
    """Success: nothing changed."""
    FAILED = auto()
    """The step fails."""
    TOLERABLE = auto()
    """The step fails, unless `fail-on-error` is false."""


class Outcome(StrEnum):
    """The result of a run in one word."""

    CREATED = "created", Kind.POSTED
    OPENED = "opened", Kind.POSTED
    UPDATED = "updated", Kind.POSTED
    DELETED = "deleted", Kind.POSTED
    FETCHED = "fetched", Kind.DONE
    LISTED = "listed", Kind.DONE
    UNCHANGED = "unchanged", Kind.POSTED
    SKIPPED = "skipped", Kind.DONE
    DRY_RUN = "dry-run", Kind.DONE
    INVALID = "invalid", Kind.FAILED
    REJECTED = "rejected", Kind.FAILED
    NOT_SENT = "not-sent", Kind.TOLERABLE
    UNKNOWN = "unknown", Kind.TOLERABLE
    CANCELLED = "cancelled", Kind.FAILED

    kind: Kind

    def __new__(cls, word: str, kind: Kind = Kind.DONE) -> Self:
        """Create a member whose value is the word alone."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.kind = kind
        return member

    @property
    def failed(self) -> bool:
        """Whether the step did not do what it was asked to."""
        return self.kind in (Kind.FAILED, Kind.TOLERABLE)


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        incident_id: The incident; empty when it is not known.
        update_id: The update that was created, changed, read or deleted; empty when there is none.
        update: That update as the API returned it.
        updates: `list` only: all updates, newest first.
        known_updates: The other updates of the incident as this run read them; None when that may be out of date.
        replaced: The update that was changed or deleted as `latest`, as it was before.
        notified: Whether subscribers are notified of what this run posted; None when that is not known.
        body: Dry run only: the body that would have been sent.
        incident_url: The incident's public address; empty when it is not known.
        comments: The addresses of the comments on pull requests.
        evidence: How the result is known.
        notes: Further sentences for the summary.
        warnings: What the user should look at, a sentence each.
        error: What went wrong; empty on success.
    """

    outcome: Outcome
    incident_id: str = ""
    update_id: str = ""
    update: "IncidentUpdate | None" = None
    updates: "tuple[IncidentUpdate, ...] | None" = None
    known_updates: "Listing[IncidentUpdate] | None" = None
    replaced: "IncidentUpdate | None" = None
    notified: bool | None = False
    body: "IncidentCreate | IncidentUpdateCreate | IncidentUpdatePatch | None" = None
    incident_url: str = ""
    comments: tuple[str, ...] = ()
    evidence: Evidence = Evidence.RESPONSE
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Outputs:
    """Every output as text; empty when not applicable."""

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
        """Return the outputs by their names in `action.yml`."""
        return {kebab(name): value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, result: Result) -> "Outputs":
        """Return the outputs of a result."""
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


def _as_json_list(updates: "tuple[IncidentUpdate, ...]") -> str:
    return f"[{','.join(update.to_json() for update in updates)}]"
