"""Inputs as options of a command line, for people with a terminal and for CI systems other than GitHub's."""

import argparse
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

from onlineornot_action.inputs.environment import AUTOMATIC
from onlineornot_action.inputs.model import CommandLine, Inputs, Operation, input_names
from onlineornot_action.inputs.variables import (
    TOKEN_VARIABLE,
    find_secrets,
    find_value,
    has_inputs,
    is_on_github,
    redact,
    variable_of,
)
from onlineornot_action.onlineornot import __version__
from onlineornot_action.onlineornot.models import ComponentStatus, IncidentStatus
from onlineornot_action.text import quote

COMMAND = "onlineornot-incident-update"

_GROUPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "the incident": {
        "status-page-id": ("ID", "the id of the status page (required)"),
        "incident-id": ("ID", "the id of the incident"),
        "incident-title": ("TITLE", "the title of an open incident, instead of its id"),
        "if-no-incident": ("create|skip|fail", "what to do when no open incident has that title"),
    },
    "the update": {
        "status": ("STATUS", f"{', '.join(IncidentStatus)} (required to create)"),
        "description": ("TEXT", "what customers read (this or a file is required to create)"),
        "description-file": ("FILE", "a UTF-8 file in the current folder that contains the text"),
        "components": (
            "LIST",
            f"NAME: STATUS, separated by commas; or restore. Statuses: {', '.join(ComponentStatus)}",
        ),
        "notify": ("true|false", "whether subscribers are notified"),
        "date-happened": ("TIME", "when it happened: ISO 8601 with date, time and offset (default: now)"),
        "skip-duplicate": (
            "true|false|auto",
            "whether to post nothing when the newest update says the same; auto only knows re-runs on GitHub",
        ),
    },
    "an existing update": {
        "operation": ("WORD", f"{', '.join(Operation)}; auto updates if there is an --update-id, else creates"),
        "update-id": ("ID", "its id, or latest"),
    },
    "how it is done": {
        "dry-run": ("true|false", "check everything, and write nothing"),
        "fail-on-error": ("true|false", "false only warns when the API cannot be reached or its response was lost"),
        "timeout-seconds": ("SECONDS", "the time limit for everything together, from 10 to 600"),
        "api-url": ("URL", "the address of the API"),
    },
}
"""The inputs that are options, with metavar and help; a test names an input that is neither here nor below."""

NO_OPTIONS = frozenset({"api-token", "github-token", "comment", "pull-request"})
"""Tokens, which others could see, and what belongs to GitHub."""

_REFUSED_TOKENS = {
    "api-token": f"set the environment variable {TOKEN_VARIABLE} instead",
    "github-token": "it is for comments on GitHub, from a workflow",
}
_WHY_NO_TOKENS = "other users of a machine can see command lines, and shells keep them"

_IN_A_WORKFLOW = "The action takes no arguments on its command line; use inputs instead (with: …, not args: …)."

_DOTENV_IN_A_WORKFLOW = "--dotenv has no effect in a workflow, whose later steps read the step's outputs."

_DESCRIPTION = f"""\
Post, change, read, list or delete incident updates on an OnlineOrNot status page.

The API token, with the permission STATUS_PAGES:EDIT, comes from the environment
variable {TOKEN_VARIABLE}. The result is one JSON object on standard
output; everything else goes to standard error. The exit status is 0 when it was
done, 1 when it was not, 130 or 143 when it was interrupted."""

_EXAMPLE = f"""\
example:
  {COMMAND} --status-page-id abcdefgh --incident-title "Checkout is slow" \\
    --if-no-incident create --status INVESTIGATING \\
    --description "We are looking into it." --components "API: PARTIAL_OUTAGE\""""


def parse_command_line(arguments: Sequence[str], environ: Mapping[str, str]) -> CommandLine:
    """Read the options of a command line.

    Args:
        arguments: The command line, without the name of the program.
        environ: The environment, whose variables for inputs must not say anything else.
    """
    if is_on_github(environ) and has_inputs(environ):
        return CommandLine(problems=(_IN_A_WORKFLOW,))
    parser = _make_parser()
    try:
        options, others = parser.parse_known_args(arguments)
    except _UsageError as error:
        return CommandLine(dotenv=_find_dotenv(arguments), usage_error=str(error))
    if options.help:
        return CommandLine(answer=parser.format_help())
    if options.version:
        return CommandLine(answer=f"{COMMAND} {__version__}\n")
    given = dict(_given(vars(options)))
    problems = (
        *_unknown(others, environ),
        *_refused_tokens(vars(options)),
        *_empty_booleans(given),
        *_differences(given, environ),
        *([_DOTENV_IN_A_WORKFLOW] if options.dotenv and is_on_github(environ) else []),
    )
    variables = {variable_of(name): value for name, value in given.items() if value.strip()}
    return CommandLine(variables, options.dotenv or "", problems=problems)


class _UsageError(Exception):
    """Raised when argparse cannot make sense of a command line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise instead of ending the process, in a sentence that repeats no value, which could be a secret."""
        problem = message.removeprefix("argument ").partition(" '")[0]
        if problem.endswith("expected one argument"):
            option = problem.partition(":")[0]
            problem += f"; write {option}=VALUE if the value begins with a hyphen"
        raise _UsageError(f"{problem}; see --help.")


class _Once(argparse.Action):
    """Keeps a value, and refuses a second one."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, _: str | None = None
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{self.option_strings[0]} is given twice")
        setattr(namespace, self.dest, values)


def _make_parser() -> _Parser:
    parser = _Parser(
        prog=COMMAND,
        usage=f"{COMMAND} --status-page-id ID (--incident-id ID | --incident-title TITLE) [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    for title, names in _GROUPS.items():
        group = parser.add_argument_group(title)
        for name, (metavar, about) in names.items():
            _add_option(group, name, metavar, about)
    group = parser.add_argument_group("other options")
    group.add_argument("--dotenv", action=_Once, metavar="FILE", help="write the outcome and ids there, as variables")
    group.add_argument("--help", "-h", action="store_true", help="show this text")
    group.add_argument("--version", action="store_true", help="show the version")
    for name in _REFUSED_TOKENS:
        # Known, so that its value is not taken for anything that a message could repeat.
        parser.add_argument(f"--{name}", nargs="?", const="", help=argparse.SUPPRESS)
    return parser


def _add_option(group: argparse._ArgumentGroup, name: str, metavar: str, about: str) -> None:
    default = _default_of(name)
    shown = f"{about} (default: {default})".replace("%", "%%") if default else about
    if _is_boolean(name):
        group.add_argument(f"--{name}", action=_Once, nargs="?", const="true", metavar=metavar, help=shown)
    else:
        group.add_argument(f"--{name}", action=_Once, metavar=metavar, help=shown)


def _is_boolean(name: str) -> bool:
    return Inputs.model_fields[name.replace("-", "_")].annotation is bool


def _default_of(name: str) -> str:
    """Return the default of an input, as one would write it; empty when there is none."""
    field = Inputs.model_fields[name.replace("-", "_")]
    if field.is_required() or field.default is None:
        return AUTOMATIC.get(name, "")
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _given(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in input_names():
        value = options.get(name.replace("-", "_"))
        if value is not None and name not in NO_OPTIONS:
            yield name, value


def _find_dotenv(arguments: Sequence[str]) -> str:
    """Return the file of `--dotenv` on a command line that cannot be read otherwise."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == "--dotenv":
            return following
        if argument.startswith("--dotenv="):
            return argument.partition("=")[2]
    return ""


def _unknown(others: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Say what is no option; only what looks like a name is repeated, since a value could be a secret."""
    known = [f"--{name}" for name in input_names() if name not in NO_OPTIONS]
    names = (re.match("--?[a-z-]+(?=$|[=:\\s])", redact(argument, find_secrets(environ))) for argument in others)
    unknown = [name[0] for name in names if name]
    for name in unknown:
        nearest = difflib.get_close_matches(name, known, n=1)
        yield f"There is no option {quote(name)}; {f'did you mean {nearest[0]}?' if nearest else 'see --help.'}"
    if others and not unknown:
        yield f"{len(others)} argument(s) belong to no option; quote a text that contains spaces, and see --help."


def _empty_booleans(given: Mapping[str, str]) -> Iterator[str]:
    """Refuse what is probably a variable that is not set: `--dry-run "$UNSET"` must not post."""
    for name, value in given.items():
        if _is_boolean(name) and not value.strip():
            yield f"--{name} has an empty value; give true or false."


def _refused_tokens(options: Mapping[str, Any]) -> Iterator[str]:
    for name, advice in _REFUSED_TOKENS.items():
        if options[name.replace("-", "_")] is not None:
            yield f"--{name} is not accepted, because {_WHY_NO_TOKENS}; {advice}."


def _differences(given: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in given.items():
        in_environment = find_value(environ, name)
        if value.strip() and in_environment and in_environment != value.strip():
            yield f"--{name} and the variable for {name} in the environment differ; give only one."
