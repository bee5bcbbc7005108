"""The inputs of `action.yml` as one typed, frozen model.

A new input is a field of `Inputs`, its parser in `parsers`, its name in `rules`, its line in `action.yml` and its row
in the README; tests name what is missing.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic_core import CoreSchema, core_schema

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

    @property
    def writes(self) -> bool:
        """Whether it changes what readers see."""
        return self not in (Operation.GET, Operation.LIST)


class IfNoIncident(StrEnum):
    """What to do when no open incident has the title."""

    FAIL = "fail"
    CREATE = "create"
    SKIP = "skip"


class Parsed:
    """Marks a field whose value comes from the text of the input alone.

    It hands pydantic the whole schema of the field. With pydantic's own validators, the schema of the type would be
    built as well, for every field and in every run.
    https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__
    """

    def __init__(self, parse: Callable[[str], object]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)


class ParsedInContext:
    """Marks a field whose value depends on the `ParsingContext` as well, or on the field's name."""

    def __init__(self, parse: Callable[[str, parsers.Info], object]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.parse)


class Inputs(BaseModel):
    """All inputs, each valid by itself; `rules` says which go together."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab)

    api_token: Annotated[str, Parsed(parsers.token)]
    status_page_id: Annotated[str, ParsedInContext(parsers.resource_id)]
    incident_id: Annotated[str | None, ParsedInContext(parsers.resource_id)] = None
    incident_title: Annotated[str | None, ParsedInContext(parsers.title)] = None
    if_no_incident: Annotated[IfNoIncident, Parsed(parsers.word_of(IfNoIncident))] = IfNoIncident.FAIL
    update_id: Annotated[str | None, ParsedInContext(parsers.update_id)] = None
    operation: Annotated[Operation, Parsed(parsers.word_of(Operation, parsers.AUTO))]
    status: Annotated[IncidentStatus | None, Parsed(parsers.word_of(IncidentStatus))] = None
    description: Annotated[str | None, ParsedInContext(parsers.text)] = None
    description_file: Annotated[str | None, ParsedInContext(parsers.text_file)] = None
    components: Annotated[Components | None, Parsed(parse_components)] = None
    notify: Annotated[bool, Parsed(parsers.boolean)] = True
    date_happened: Annotated[str | None, ParsedInContext(parsers.timestamp)] = None
    skip_duplicate: Annotated[parsers.SkipDuplicate, ParsedInContext(parsers.skip_duplicate)]
    dry_run: Annotated[bool, Parsed(parsers.boolean)] = False
    fail_on_error: Annotated[bool, Parsed(parsers.boolean)] = True
    timeout_seconds: Annotated[int, Parsed(parsers.timeout)] = 120
    api_url: Annotated[str, ParsedInContext(parsers.base_url)] = "https://api.onlineornot.com"
    github_token: Annotated[str | None, Parsed(parsers.unchecked)] = None
    comment: Annotated[bool, Parsed(parsers.boolean)] = False
    pull_request: Annotated[int | None, Parsed(parsers.pull_request_number)] = None

    @property
    def text(self) -> str | None:
        """The text that customers read, from the input or from the file."""
        return self.description or self.description_file


class CommandLine(NamedTuple):
    """What a command line says.

    Attributes:
        variables: The options, as the variables that the runner would set for inputs.
        dotenv: The file for variables that later jobs read; empty for none.
        answer: The text that was asked for instead of a run; empty when none was.
        problems: What is wrong with it, a sentence each.
        usage_error: Why it cannot be read at all; empty when it can.
    """

    variables: Mapping[str, str] = {}
    dotenv: str = ""
    answer: str = ""
    problems: tuple[str, ...] = ()
    usage_error: str = ""

    def merge_into(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment with the options, in place of those with underscores that say the same."""
        replaced = {variable.replace("-", "_") for variable in self.variables}
        return {name: value for name, value in environ.items() if name not in replaced} | dict(self.variables)


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
