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
    """The result of a run. Texts are empty where this run does not know them."""

    outcome: Outcome
    incident_id: str = ""
    update_id: str = ""  # the update that was created, changed, read or deleted
    update: "models.IncidentUpdate | None" = None  # the same as the API returned it
    updates: "tuple[models.IncidentUpdate, ...] | None" = None  # `list` only: all updates, newest first
    known_updates: "Listing[models.IncidentUpdate] | None" = None  # the others; None when that may be out of date
    incident_title: str = ""
    replaced: "models.IncidentUpdate | None" = None  # what was, or may have been, changed or deleted as `latest`
    notified: bool | None = False  # whether subscribers are notified of what this run posted; None when not known
    body: "models.IncidentCreate | models.IncidentUpdateCreate | models.IncidentUpdatePatch | None" = None  # dry run
    incident_url: str = ""
    comments: tuple[str, ...] = ()  # the addresses of the comments on pull requests
    known_because: str = ""  # empty where the API confirmed the result at once
    notes: tuple[str, ...] = ()  # further sentences for the summary
    warnings: tuple[str, ...] = ()  # sentences on what the user should look at
    error: str = ""
    tolerated: bool = False  # whether the step succeeds although the run failed: `fail-on-error: false`


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
