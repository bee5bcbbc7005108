"""The inputs of `action.yml` as one typed, frozen model, and how it is made from the environment."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, TextIO

from pydantic import BaseModel, ConfigDict, PlainValidator, SkipValidation, ValidationError
from pydantic_core import ErrorDetails

from onlineornot_action.inputs import parsers
from onlineornot_action.inputs.components import RESTORE, Components, parse_components
from onlineornot_action.inputs.parsers import AUTO, ParsingContext, find_word, word_of
from onlineornot_action.inputs.result import REPORTING, Choice, DeployResult, parse_result, result_conflicts
from onlineornot_action.inputs.rules import IfNoIncident, Operation, conflicts, without_effect
from onlineornot_action.inputs.variables import TOKEN_VARIABLE, Environment, variable_of
from onlineornot_action.masking import masker
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import kebab, quote

_AUTOMATIC = {"operation": AUTO, "skip-duplicate": AUTO}
"""Inputs whose default depends on other inputs, or on the run."""

_NEVER_QUOTED = frozenset({"api-token", "github-token", "description", "resolved-description", "incident-title"})
"""Inputs whose values appear in no message. The last three are refused when they contain a token."""

_ALSO_CALLED = {"message": "description", "text": "description", "body": "description", "token": "api-token"}
"""What other actions call these inputs."""


class Inputs(BaseModel):
    """All inputs, each valid by itself; `rules` says which go together."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab)

    api_token: Annotated[str, PlainValidator(parsers.token)]
    status_page_id: Annotated[str, PlainValidator(parsers.resource_id)]
    incident_id: Annotated[str | None, PlainValidator(parsers.resource_id)] = None
    incident_title: Annotated[str | None, PlainValidator(parsers.title)] = None
    if_no_incident: Annotated[IfNoIncident, PlainValidator(word_of(IfNoIncident))] = IfNoIncident.FAIL
    update_id: Annotated[str | None, PlainValidator(parsers.update_id)] = None
    operation: Annotated[Operation, PlainValidator(word_of(Operation, AUTO))]
    status: Annotated[IncidentStatus | None, PlainValidator(word_of(IncidentStatus))] = None
    description: Annotated[str | None, PlainValidator(parsers.text)] = None
    description_file: Annotated[str | None, PlainValidator(parsers.text_file)] = None
    result: Annotated[DeployResult | None, PlainValidator(parse_result)] = None
    resolved_description: Annotated[str | None, PlainValidator(parsers.text)] = None
    components: Annotated[Components | None, PlainValidator(parse_components)] = None
    notify: Annotated[bool, PlainValidator(parsers.boolean)] = True
    date_happened: Annotated[str | None, PlainValidator(parsers.timestamp)] = None
    skip_duplicate: Annotated[parsers.SkipDuplicate, PlainValidator(parsers.skip_duplicate)]
    dry_run: Annotated[bool, PlainValidator(parsers.boolean)] = False
    fail_on_error: Annotated[bool, PlainValidator(parsers.boolean)] = True
    timeout_seconds: Annotated[int, PlainValidator(parsers.timeout)] = 120
    api_url: Annotated[str, PlainValidator(parsers.base_url)] = "https://api.onlineornot.com"
    # A malformed token must not fail the step: it is needed only for the comment.
    github_token: SkipValidation[str | None] = None
    comment: Annotated[bool, PlainValidator(parsers.boolean)] = False
    pull_request: Annotated[int | None, PlainValidator(parsers.pull_request_number)] = None

    @property
    def text(self) -> str | None:
        """The text that customers read, from the input or from the file."""
        return self.description or self.description_file


class ValidInputs(NamedTuple):
    """Valid inputs, and warnings of what the user should fix all the same."""

    inputs: Inputs
    warnings: list[str]


class CommandLine(NamedTuple):
    """A parsed command line."""

    inputs: Mapping[str, str] = {}  # their texts, by name
    dotenv: str = ""  # the file for variables that later jobs read
    answer: str = ""  # what to print instead of running: the help or the version
    problems: tuple[str, ...] = ()  # one sentence on each thing that is wrong with it
    usage_error: str = ""  # why it cannot be parsed


class InvalidInputsError(Exception):
    """Raised when inputs are wrong, or name something that the status page does not have."""

    def __init__(self, problems: Iterable[str], warnings: Iterable[str] = ()) -> None:
        super().__init__()
        self.problems = tuple(problems)  # one sentence on each error
        self.warnings = tuple(warnings)  # sentences on what is not an error, but should be fixed as well


def read_inputs(
    environment: Environment,
    earlier_problems: Iterable[str] = (),  # one sentence on each thing that is wrong with the command line
    *,
    stdin: TextIO | None = None,  # where `description-file: -` is read from; None when it is closed
    now: datetime | None = None,  # with an offset; None for the system's time
) -> ValidInputs:
    """Read the inputs from the environment.

    Raises:
        InvalidInputsError: Inputs are wrong, by themselves or together.
    """
    warnings = [*_unknown_inputs(environment), *environment.certificates.warnings]
    given = _given(environment)
    explicit = {name: value for name, value in given.items() if value.casefold() != default_of(name).casefold()}
    if "result" in given:
        given |= REPORTING | explicit
    if given["operation"].casefold() == AUTO:
        given["operation"] = Operation.UPDATE if "update-id" in given else Operation.CREATE
    operation = find_word(Operation, given["operation"])
    problems = [
        *earlier_problems,
        *_ambiguous_inputs(environment),
        *environment.certificates.problems,
        *result_conflicts(explicit, environment),
        *conflicts(operation, explicit, environment),
    ]
    context = ParsingContext(environment, now or datetime.now(UTC), warnings, stdin)
    try:
        inputs = Inputs.model_validate(given, context=context)
    except ValidationError as error:
        problems = [*(_problem(detail, environment) for detail in error.errors()), *problems]
    if problems:
        raise InvalidInputsError(problems, warnings)
    return ValidInputs(_with_result(inputs), [*warnings, *without_effect(inputs.operation, explicit, environment)])


def _with_result(inputs: Inputs) -> Inputs:
    """Replace the inputs that describe an update by those that close the incident, if the result is a success."""
    if inputs.result is None or inputs.result.choice is not Choice.CLOSE:
        return inputs
    closing = {
        "status": IncidentStatus.RESOLVED,
        "description": inputs.resolved_description,
        "description_file": None,
        "components": RESTORE,
        "if_no_incident": IfNoIncident.SKIP,
        "skip_duplicate": parsers.SkipDuplicate.NEVER,  # only an open incident is closed
        "date_happened": None,
    }
    return inputs.model_copy(update=closing)


def input_names() -> list[str]:
    """Return the names of all inputs, as a workflow writes them."""
    return [kebab(name) for name in Inputs.model_fields]


def default_of(name: str) -> str:
    """Return the default of an input, as a workflow writes it; empty when it has none."""
    field = Inputs.model_fields[name.replace("-", "_")]
    if field.is_required() or field.default is None:
        return _AUTOMATIC.get(name, "")
    return str(field.default).lower()


def _given(environment: Environment) -> dict[str, str]:
    """Collect the inputs that are not empty, by name.

    Tokens that were pasted into the wrong input become asterisks, since messages quote what is wrong.
    """
    mask = masker(environment.secrets)
    texts = {**environment.inputs, "api-token": environment.api_token}
    given = {name: text for name in input_names() if (text := texts.get(name, ""))}
    return _AUTOMATIC | {name: text if name in _NEVER_QUOTED else mask(text) for name, text in given.items()}


def _unknown_inputs(environment: Environment) -> Iterator[str]:
    known = input_names()
    if not (unknown := sorted(environment.inputs.keys() - known)):
        return
    import difflib  # noqa: PLC0415 - few runs need it

    for name in unknown:
        nearest = difflib.get_close_matches(name, [*known, *_ALSO_CALLED], n=1)
        suggestion = f"; did you mean {_ALSO_CALLED.get(nearest[0], nearest[0])}?" if nearest else "."
        yield f"There is no input {quote(name)}{suggestion}"


def _ambiguous_inputs(environment: Environment) -> Iterator[str]:
    for name in input_names():
        if name in environment.ambiguous:
            variable = variable_of(name)
            yield f"{variable} and {variable.replace('-', '_')} are both set, and differ; set only one of them."


def _problem(error: ErrorDetails, environment: Environment) -> str:
    """Say in one sentence what is wrong with one input."""
    name = str(error["loc"][0])
    if error["type"] != "missing":
        written = TOKEN_VARIABLE if name == "api-token" and not environment.on_github else environment.name_of(name)
        return f"{written} {error['ctx']['error']}."
    if not environment.on_github:
        return f"{TOKEN_VARIABLE} is not set." if name == "api-token" else f"{environment.name_of(name)} is required."
    if name == "api-token":
        return (
            "api-token is empty; check the name of the secret. Workflow runs from forks and from Dependabot get no "
            "secrets; a workflow that another one calls gets them only if the calling job says secrets: inherit or "
            "passes them on; an environment's secrets need environment: in the job. The environment variable "
            f"{TOKEN_VARIABLE} works as well."
        )
    return f'{name} is required; check where its value comes from, and quote ids in the workflow ({name}: "00012345").'
