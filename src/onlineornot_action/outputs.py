"""What a run hands on to later steps: the outputs of `action.yml`, typed."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Outcome(StrEnum):
    """What became of a run, in one word."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    FETCHED = "fetched"
    LISTED = "listed"
    DRY_RUN = "dry-run"
    INVALID = "invalid"
    REJECTED = "rejected"
    NOT_SENT = "not-sent"
    UNKNOWN = "unknown"

    @property
    def failed(self) -> bool:
        """Whether the step did not do what it was asked."""
        return self in _FAILED

    @property
    def forgivable(self) -> bool:
        """Whether `fail-on-error: false` lets the step pass: the API was out of reach, or its answer was lost."""
        return self in {Outcome.NOT_SENT, Outcome.UNKNOWN}


_FAILED = {Outcome.INVALID, Outcome.REJECTED, Outcome.NOT_SENT, Outcome.UNKNOWN}


class Outputs(BaseModel):
    """Every output, as text. What there is nothing to say of stays empty."""

    model_config = ConfigDict(frozen=True, alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True)

    outcome: Outcome
    update_id: str = ""
    incident_id: str = ""
    incident_url: str = ""
    status: str = ""
    notified: str = ""
    update: str = ""
    updates: str = ""
    error: str = ""
