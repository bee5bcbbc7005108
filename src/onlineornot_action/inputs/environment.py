"""From the environment that the runner sets to inputs, or to everything that is wrong with them at once."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from onlineornot_action.inputs.certificates import certificate_problems, certificate_warnings
from onlineornot_action.inputs.model import Inputs, InvalidInputsError, Operation, input_names
from onlineornot_action.inputs.parsers import AUTO, ParsingContext, find_word
from onlineornot_action.inputs.rules import RULES, contradictions, resolve, without_effect
from onlineornot_action.inputs.variables import (
    PREFIX,
    TOKEN_VARIABLE,
    find_secrets,
    find_token,
    find_value,
    find_values,
    is_on_github,
    redact,
    variable_of,
)
from onlineornot_action.text import kebab, quote

ALLOW_HTTP_VARIABLE = "ONLINEORNOT_ALLOW_HTTP"

AUTOMATIC = {"operation": AUTO, "skip-duplicate": AUTO}
"""Inputs whose default depends on other inputs, or on the run."""

_NEVER_QUOTED = frozenset({"description", "incident-title", "github-token"})
"""Inputs whose values appear in no message. The first two are refused when they contain a token."""

_ALSO_CALLED = {"message": "description", "text": "description", "body": "description", "token": "api-token"}
"""What other actions call these inputs."""


class ValidInputs(NamedTuple):
    """Inputs, and sentences on what the user should fix although it is not an error."""

    inputs: Inputs
    warnings: list[str]


def read_inputs(
    environ: Mapping[str, str], earlier_problems: Iterable[str] = (), *, now: datetime | None = None
) -> ValidInputs:
    """Read the inputs.

    Args:
        environ: The variables of the inputs, and of what they depend on.
        earlier_problems: What is wrong with the command line, a sentence each.
        now: The current time, with an offset; None for the system's.

    Raises:
        InvalidInputsError: Some are wrong.
    """
    warnings = [*_unknown_inputs(environ), *certificate_warnings(environ)]
    given = _given(environ)
    context = ParsingContext(
        secrets=find_secrets(environ),
        workspace=Path(environ.get("GITHUB_WORKSPACE") or "."),
        runner_temp=_runner_temp(environ),
        now=now or datetime.now(UTC),
        allow_http=environ.get(ALLOW_HTTP_VARIABLE) == "true",
        rerun=_is_rerun(environ),
        warnings=warnings,
    )
    problems = [*earlier_problems, *_ambiguous_inputs(environ), *certificate_problems(environ)]
    problems += _contradictions(given, rerun=context.rerun)
    try:
        inputs = Inputs.model_validate(given, context=context)
    except ValidationError as error:
        on_github = is_on_github(environ)
        invalid = [_problem(detail, on_github=on_github) for detail in error.errors()]
        raise InvalidInputsError([*invalid, *problems], warnings) from None
    if problems:
        raise InvalidInputsError(problems, warnings)
    warnings += _idle_inputs(inputs, _explicit(given))
    return ValidInputs(inputs, warnings)


def _idle_inputs(inputs: Inputs, explicit: Mapping[str, str]) -> Iterator[str]:
    """Say which inputs have no effect."""
    unused = without_effect(inputs.operation, explicit)
    if "pull-request" in unused and "comment" in RULES[inputs.operation].names:
        unused.remove("pull-request")
        yield "pull-request has no effect without comment: true."
    if unused:
        yield f"With operation: {inputs.operation}, these have no effect: {', '.join(unused)}."


def _ambiguous_inputs(environ: Mapping[str, str]) -> Iterator[str]:
    for name in input_names():
        if len(find_values(environ, name)) > 1:
            variable = variable_of(name)
            yield f"{variable} and {variable.replace('-', '_')} are both set, and differ; set only one of them."


def _runner_temp(environ: Mapping[str, str]) -> Path | None:
    written = environ.get("RUNNER_TEMP", "")
    return Path(written) if os.path.isabs(written) else None  # noqa: PTH117 - most runs need no Path for it


def _is_rerun(environ: Mapping[str, str]) -> bool:
    """Tell whether the job is run again, so that an earlier attempt may have posted already."""
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return re.fullmatch("[0-9]{1,9}", attempt) is not None and int(attempt) > 1


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Collect the inputs that are not empty, by name, with `auto` resolved.

    Tokens that were pasted into the wrong input become asterisks, since messages quote what is wrong.
    """
    secrets = find_secrets(environ)
    given = dict(AUTOMATIC)
    for name in input_names():
        value = find_value(environ, name)
        if name == "api-token":
            value = find_token(environ)
        elif name not in _NEVER_QUOTED:
            value = redact(value, secrets)
        if value:
            given[name] = value
    given["operation"] = resolve(given["operation"], given)
    return given


def _explicit(given: Mapping[str, str]) -> dict[str, str]:
    """Leave out inputs that have their default value: it is the runner that fills in the defaults of `action.yml`."""
    defaults = {"skip-duplicate": AUTO}
    for field_name, field in Inputs.model_fields.items():
        if not field.is_required() and field.default is not None:
            defaults[kebab(field_name)] = str(field.default)
    return {name: value for name, value in given.items() if value.casefold() != defaults.get(name, "").casefold()}


def _unknown_inputs(environ: Mapping[str, str]) -> Iterator[str]:
    known = input_names()
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX).lower().replace("_", "-")
        if variable.startswith(PREFIX) and name not in known:
            yield f"There is no input {quote(name)}{_suggestion(name)}"


def _suggestion(unknown: str) -> str:
    nearest = difflib.get_close_matches(unknown, [*input_names(), *_ALSO_CALLED], n=1)
    return f"; did you mean {_ALSO_CALLED.get(nearest[0], nearest[0])}?" if nearest else "."


def _contradictions(given: Mapping[str, str], *, rerun: bool) -> Iterator[str]:
    return contradictions(find_word(Operation, given["operation"]), _explicit(given), rerun=rerun)


def _problem(error: ErrorDetails, *, on_github: bool) -> str:
    """Say in one sentence what is wrong with one input."""
    name = str(error["loc"][0])
    if error["type"] == "missing" and not on_github:
        return f"{TOKEN_VARIABLE} is not set." if name == "api-token" else f"{name} is required."
    if error["type"] == "missing" and name == "api-token":
        return (
            "api-token is empty; check the name of the secret. Workflow runs from forks and from Dependabot get no "
            "secrets, a workflow that another one calls gets them only if the calling job says secrets: inherit or "
            "passes them on, and an environment's secrets need environment: in the job. The environment variable "
            f"{TOKEN_VARIABLE} works as well."
        )
    if error["type"] == "missing":
        return (
            f'{name} is required; check where its value comes from, and quote ids in the workflow ({name}: "00012345").'
        )
    return f"{name} {error['ctx']['error']}."
