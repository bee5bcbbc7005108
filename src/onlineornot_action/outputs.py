"""The result of a run, and the outputs of `action.yml` that later steps read."""

from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple, assert_never

from onlineornot_action.text import kebab

if TYPE_CHECKING:
    # `composite/` reports before pydantic is installed.
    from onlineornot_action.exactly_once.listing import Listing
    from onlineornot_action.onlineornot import models


class Kind(Enum):
    """What an outcome means for the step and for the comment on the pull request."""

    POSTED = auto()
    """Success: the incident says what was asked for, and the comment should say so too."""
    DONE = auto()
    """Success: nothing changed."""
    FAILED = auto()
    """The step fails."""
    SOFT_FAILURE = auto()
    """The step fails, unless `fail-on-error` is false."""


class Outcome(StrEnum):
    """The result of a run in one word."""

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
    def kind(self) -> Kind:
        """What it means for the step and for the comment."""
        match self:
            case Outcome.CREATED | Outcome.OPENED | Outcome.UPDATED | Outcome.DELETED | Outcome.UNCHANGED:
                return Kind.POSTED
            case Outcome.FETCHED | Outcome.LISTED | Outcome.SKIPPED | Outcome.DRY_RUN:
                return Kind.DONE
            case Outcome.INVALID | Outcome.REJECTED | Outcome.CANCELLED:
                return Kind.FAILED
            case Outcome.NOT_SENT | Outcome.UNKNOWN:
                return Kind.SOFT_FAILURE
            case _:
                assert_never(self)

    @property
    def failed(self) -> bool:
        """Whether the step did not do what it was asked to."""
        return self.kind in (Kind.FAILED, Kind.SOFT_FAILURE)


class Result(NamedTuple):
    """The result of a run.

    Attributes:
        incident_id: The incident; empty when it is not known.
        update_id: The update that was created, changed, read or deleted; empty when there is none.
        update: That update as the API returned it.
        updates: `list` only: all updates, newest first.
        known_updates: The other updates of the incident as this run read them; None when that may be out of date.
        incident_title: Its title as far as this run knows it; empty otherwise.
        replaced: The update that was, or may have been, changed or deleted as `latest`, as it was before.
        notified: Whether subscribers are notified of what this run posted; None when that is not known.
        body: Dry run only: the body that would have been sent.
        incident_url: The incident's public address; empty when it is not known.
        comments: The addresses of the comments on pull requests.
        known_because: How the result is known; empty where the API confirmed it at once.
        notes: Further sentences for the summary.
        warnings: What the user should look at, a sentence each.
        error: What went wrong; empty on success.
        tolerated: Whether the step succeeds although the run failed, because of `fail-on-error: false`.
    """

    outcome: Outcome
    incident_id: str = ""
    update_id: str = ""
    update: "models.IncidentUpdate | None" = None
    updates: "tuple[models.IncidentUpdate, ...] | None" = None
    known_updates: "Listing[models.IncidentUpdate] | None" = None
    incident_title: str = ""
    replaced: "models.IncidentUpdate | None" = None
    notified: bool | None = False
    body: "models.IncidentCreate | models.IncidentUpdateCreate | models.IncidentUpdatePatch | None" = None
    incident_url: str = ""
    comments: tuple[str, ...] = ()
    known_because: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""
    tolerated: bool = False


class Outputs(NamedTuple):
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
        return {kebab(name): value for name, value in self._asdict().items()}

    @classmethod
    def of(cls, result: Result) -> "Outputs":
        """Return the outputs of a result."""
        update, updates = result.update, result.updates
        return cls(
            outcome=result.outcome,
            update_id=result.update_id,
            incident_id=result.incident_id,
            incident_url=result.incident_url,
            status=(update and update.status) or "",
            notified="" if result.notified is None else str(result.notified).lower(),
            update=update.to_json() if update else "",
            updates="" if updates is None else f"[{','.join(each.to_json() for each in updates)}]",
            error=result.error,
        )
