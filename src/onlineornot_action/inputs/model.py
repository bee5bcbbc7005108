"""The inputs of `action.yml` as one typed, frozen model.

A new input is a field of `Inputs`, its parser in `parsers`, its name in `rules`, its line in `action.yml` and its row
in the README; tests name what is missing.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator

from onlineornot_action.inputs import parsers
from onlineornot_action.inputs.components import Components, parse_components
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import kebab


class Operation(StrEnum):
    """What to do with the updates of an incident."""

    CREATE = "create"
    UPDATE = "update"
    GET = "get"
    LIST = "list"
    DELETE = "delete"


class IfNoIncident(StrEnum):
    """What to do when no open incident has the title."""

    FAIL = "fail"
    CREATE = "create"
    SKIP = "skip"


class Inputs(BaseModel):
    """All inputs, each valid by itself; `rules` says which go together."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab)

    api_token: Annotated[str, AfterValidator(parsers.token)]
    status_page_id: Annotated[str, AfterValidator(parsers.resource_id)]
    incident_id: Annotated[str, AfterValidator(parsers.resource_id)] | None = None
    incident_title: Annotated[str, AfterValidator(parsers.title)] | None = None
    if_no_incident: Annotated[IfNoIncident, BeforeValidator(parsers.word_of(IfNoIncident))] = IfNoIncident.FAIL
    update_id: Annotated[str, AfterValidator(parsers.update_id)] | None = None
    operation: Annotated[Operation, BeforeValidator(parsers.word_of(Operation, parsers.AUTO))]
    status: Annotated[IncidentStatus, BeforeValidator(parsers.word_of(IncidentStatus))] | None = None
    description: Annotated[str, AfterValidator(parsers.text)] | None = None
    description_file: Annotated[str, AfterValidator(parsers.text_file)] | None = None
    components: Annotated[Components, PlainValidator(parse_components)] | None = None
    notify: Annotated[bool, BeforeValidator(parsers.boolean)] = True
    date_happened: Annotated[str, AfterValidator(parsers.timestamp)] | None = None
    skip_duplicate: Annotated[parsers.SkipDuplicate, PlainValidator(parsers.skip_duplicate)]
    dry_run: Annotated[bool, BeforeValidator(parsers.boolean)] = False
    fail_on_error: Annotated[bool, BeforeValidator(parsers.boolean)] = True
    timeout_seconds: Annotated[int, BeforeValidator(parsers.timeout)] = 120
    api_url: Annotated[str, AfterValidator(parsers.base_url)] = "https://api.onlineornot.com"
    github_token: Annotated[str, PlainValidator(parsers.unchecked)] | None = None
    comment: Annotated[bool, BeforeValidator(parsers.boolean)] = False
    pull_request: Annotated[int, BeforeValidator(parsers.pull_request_number)] | None = None

    @property
    def text(self) -> str | None:
        """The text that customers read, from the input or from the file."""
        return self.description or self.description_file


class InvalidInputsError(Exception):
    """Raised when inputs are wrong, or name something that the status page does not have.

    Attributes:
        problems: A sentence for each.
        warnings: Sentences on what is not an error, but should be fixed as well.
    """

    def __init__(self, problems: Iterable[str], warnings: Iterable[str] = ()) -> None:
        super().__init__()
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)


def input_names() -> list[str]:
    """Return the names of all inputs, as a workflow writes them."""
    return [kebab(name) for name in Inputs.model_fields]
