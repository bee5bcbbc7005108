"""What a workflow asks for: the inputs of `action.yml`, typed, or everything that is wrong with them at once.

A new input is a field of `Inputs`, its parser in `input_values`, its name in `input_rules`, its line in `action.yml`
and its row in the README; a test names what is missing.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from onlineornot_action.inputs import parsers as values
from onlineornot_action.inputs.rules import Operation, contradictions, resolve, without_effect
from onlineornot_action.onlineornot.models import IncidentStatus
from onlineornot_action.text import MIN_SECRET_LENGTH, quote

TOKEN_VARIABLE = "ONLINEORNOT_API_TOKEN"  # noqa: S105 - the name of one
ALLOW_HTTP_VARIABLE = "ONLINEORNOT_ALLOW_HTTP"
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_PREFIX = "INPUT_"
_BEARER = "Bearer "
_ALSO_CALLED = {"message": "description", "text": "description", "body": "description", "token": "api-token"}
"""What other actions call these inputs."""


def kebab(field_name: str) -> str:
    """The name of an input, from that of its field."""
    return field_name.replace("_", "-")


class Inputs(BaseModel):
    """All inputs, as they are checked one by one; `input_rules` has what holds between them."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab)

    api_token: Annotated[str, AfterValidator(values.token)]
    status_page_id: Annotated[str, AfterValidator(values.resource_id)]
    incident_id: Annotated[str, AfterValidator(values.resource_id)] | None = None
    incident_title: Annotated[str, AfterValidator(values.title)] | None = None
    if_no_incident: Annotated[values.IfNoIncident, BeforeValidator(values.word_of(values.IfNoIncident))] = (
        values.IfNoIncident.FAIL
    )
    update_id: Annotated[str, AfterValidator(values.update_id)] | None = None
    operation: Annotated[Operation, BeforeValidator(values.word_of(Operation, values.AUTO))]
    status: Annotated[IncidentStatus, BeforeValidator(values.word_of(IncidentStatus))] | None = None
    description: Annotated[str, AfterValidator(values.text)] | None = None
    description_file: Annotated[str, AfterValidator(values.text_file)] | None = None
    components: Annotated[values.Components, PlainValidator(values.components)] | None = None
    notify: Annotated[bool, BeforeValidator(values.boolean)] = True
    date_happened: Annotated[str, AfterValidator(values.timestamp)] | None = None
    skip_duplicate: Annotated[bool, BeforeValidator(values.boolean_or_auto)]
    dry_run: Annotated[bool, BeforeValidator(values.boolean)] = False
    fail_on_error: Annotated[bool, BeforeValidator(values.boolean)] = True
    timeout_seconds: Annotated[int, BeforeValidator(values.seconds)] = 120
    api_url: Annotated[str, AfterValidator(values.base_url)] = "https://api.onlineornot.com"
    github_token: Annotated[str, PlainValidator(values.as_given)] | None = None
    comment: Annotated[bool, BeforeValidator(values.boolean)] = False

    @property
    def text(self) -> str | None:
        """What customers are to read, however it was given."""
        return self.description or self.description_file


class InvalidInputsError(Exception):
    """Raised when inputs are wrong, or name what the page does not have.

    Attributes:
        problems: A sentence for each.
        warnings: What came up besides.
    """

    def __init__(self, problems: Iterable[str], warnings: Iterable[str] = ()) -> None:
        super().__init__()
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)


class ValidInputs(NamedTuple):
    """Inputs, and what the user should mend all the same."""

    inputs: Inputs
    warnings: list[str]


def find_token(environ: Mapping[str, str]) -> str:
    """The API token, right or wrong, without the word Bearer; empty when there is none."""
    return _written_token(environ).removeprefix(_BEARER).strip()


def has_bearer_prefix(environ: Mapping[str, str]) -> bool:
    """Whether the token came with the word that belongs before it in the request."""
    return _written_token(environ).startswith(_BEARER)


def find_secrets(environ: Mapping[str, str]) -> list[str]:
    """Every token that was given, right or wrong; an expression that was not evaluated is none."""
    tokens = (find_token(environ), environ.get(_variable("github-token"), "").strip())
    return [token for token in tokens if len(token) >= MIN_SECRET_LENGTH and "${{" not in token]


def find_ca_bundle(environ: Mapping[str, str]) -> str | None:
    """The file or folder of certificates that the workflow's environment names."""
    return next(filter(None, map(environ.get, CA_VARIABLES)), None)


def read_inputs(
    environ: Mapping[str, str], arguments: Sequence[str] = (), *, now: datetime | None = None
) -> ValidInputs:
    """Read the inputs from the environment that the runner sets.

    Raises:
        InvalidInputsError: Some are wrong.
    """
    warnings = [*_unknown(environ)]
    given = _given(environ)
    rerun = _is_rerun(environ)
    context = values.ParsingContext(
        secrets=find_secrets(environ),
        workspace=Path(environ.get("GITHUB_WORKSPACE") or "."),
        now=now or datetime.now(UTC),
        allow_http=environ.get(ALLOW_HTTP_VARIABLE) == "true",
        rerun=rerun,
        warnings=warnings,
    )
    problems = [*_surroundings(environ, arguments), *_mismatches(given, rerun=rerun)]
    try:
        inputs = Inputs.model_validate(given, context=context)
    except ValidationError as error:
        raise InvalidInputsError([*map(_problem, error.errors()), *problems], warnings) from None
    if problems:
        raise InvalidInputsError(problems, warnings)
    if idle := without_effect(inputs.operation, _chosen(given)):
        warnings.append(f"With operation: {inputs.operation}, these have no effect: {', '.join(idle)}.")
    return ValidInputs(inputs, warnings)


def _is_rerun(environ: Mapping[str, str]) -> bool:
    """Whether the job runs again, so that an earlier attempt may have done the same."""
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return re.fullmatch("[0-9]{1,9}", attempt) is not None and int(attempt) > 1


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """The inputs that are not empty, by name, with `auto` resolved, and no token where a message could quote it."""
    written = {name: environ.get(_variable(name), "").strip() for name in input_names()}
    quotable = written.keys() - {"description", "incident-title", "github-token"}
    for secret in find_secrets(environ):
        written |= {name: written[name].replace(secret, "***") for name in quotable}
    given = {name: value for name, value in (written | {"api-token": find_token(environ)}).items() if value}
    given = {"operation": values.AUTO, "skip-duplicate": values.AUTO} | given
    return given | {"operation": resolve(given["operation"], given)}


def input_names() -> list[str]:
    """The names of all inputs, as a workflow writes them."""
    return [kebab(name) for name in Inputs.model_fields]


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _written_token(environ: Mapping[str, str]) -> str:
    return environ.get(_variable("api-token"), "").strip() or environ.get(TOKEN_VARIABLE, "").strip()


def _chosen(given: Mapping[str, str]) -> dict[str, str]:
    """What somebody wrote on purpose: the runner fills in the defaults of `action.yml`."""
    written = {name: str(field.default) for name, field in Inputs.model_fields.items() if field.default is not None}
    defaults = {kebab(name): default for name, default in written.items()}
    defaults |= {"skip-duplicate": values.AUTO}
    return {name: value for name, value in given.items() if value.casefold() != defaults.get(name, "").casefold()}


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    names = input_names()
    for variable in sorted(environ):
        name = variable.removeprefix(_PREFIX).lower()
        if variable.startswith(_PREFIX) and name not in names:
            import difflib

            nearest = difflib.get_close_matches(name, [*names, *_ALSO_CALLED], n=1)
            hint = f"; did you mean {_ALSO_CALLED.get(nearest[0], nearest[0])}?" if nearest else "."
            yield f"There is no input {quote(name)}{hint}"


def _surroundings(environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """What is wrong around the inputs."""
    if arguments:
        yield "The action takes no arguments on its command line; use inputs instead (with: …, not args: …)."
    variable = next(filter(environ.get, CA_VARIABLES), None)
    if variable and not os.path.exists(environ[variable]):  # noqa: PTH110 - it takes any text for a path
        yield (
            f"{variable} names a file that this container does not have; put the certificates into the workspace, "
            "which is /github/workspace here."
        )


def _mismatches(given: Mapping[str, str], *, rerun: bool) -> Iterator[str]:
    word = given["operation"].casefold()
    operation = Operation(word) if word in tuple(Operation) else None
    return contradictions(operation, _chosen(given), rerun=rerun)


def _problem(error: ErrorDetails) -> str:
    """One sentence on one input."""
    name = str(error["loc"][0])
    if error["type"] == "missing" and name == "api-token":
        return (
            "api-token is empty; check the name of the secret. Workflows of forks and of Dependabot get no secrets, "
            f"and an environment's secrets need environment: in the job. {TOKEN_VARIABLE} would do as well."
        )
    if error["type"] == "missing":
        return f'{name} is required; check what it comes from, and quote ids in the workflow ({name}: "00012345").'
    if error["type"] == "value_error":
        return f"{name} {error['ctx']['error']}."
    return f"{name} is not valid UTF-8."
