"""Inputs as options of a command line, for people with a terminal and for CI systems other than GitHub's."""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from onlineornot_action.inputs.model import CommandLine, Inputs, default_of, input_names
from onlineornot_action.inputs.rules import Operation
from onlineornot_action.inputs.variables import TOKEN_VARIABLE, Environment
from onlineornot_action.masking import masker
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
        "description-file": ("FILE", "a UTF-8 file in the current folder with the text; - for standard input"),
        "components": (
            "LIST",
            f"NAME: STATUS, separated by commas; or restore. Statuses: {', '.join(ComponentStatus)}",
        ),
        "notify": ("true|false", "whether subscribers are notified"),
        "date-happened": ("TIME", "when it happened: ISO 8601 with date, time and offset (default: now)"),
        "skip-duplicate": (
            "true|false|auto",
            "true posts nothing if the newest update is the same; auto if any is, but only on a re-run, on GitHub",
        ),
    },
    "a deploy that failed or succeeded": {
        "result": ("WORD", "failure opens an incident or adds to it, success closes it; other words do nothing"),
        "resolved-description": ("TEXT", "what customers read when the incident is closed"),
    },
    "an existing update": {
        "operation": ("WORD", f"{', '.join(Operation)}; auto updates if there is an --update-id, else creates"),
        "update-id": ("ID", "its id, or latest"),
    },
    "how to run": {
        "dry-run": ("true|false", "check everything, and write nothing"),
        "fail-on-error": ("true|false", "false only warns when the API cannot be reached or its response was lost"),
        "timeout-seconds": ("SECONDS", "the time limit for the whole run, from 10 to 600"),
        "api-url": ("URL", "the address of the API"),
    },
}
"""The inputs that are options, with metavar and help; a test names an input that is neither here nor below."""

NO_OPTIONS = frozenset({"api-token", "github-token", "comment", "pull-request"})
"""Tokens, which others could see on a command line, and inputs that only make sense on GitHub."""

_REFUSED_TOKENS = {
    "api-token": f"set the environment variable {TOKEN_VARIABLE} instead",
    "github-token": "it is for comments on GitHub, from a workflow",
}

_DESCRIPTION = f"""\
Post, change, read, list or delete incident updates on an OnlineOrNot status page.

The API token, with the permission STATUS_PAGES:EDIT, comes from the environment
variable {TOKEN_VARIABLE}. The result is one JSON object on standard
output; everything else goes to standard error. The exit status is 0 on success,
1 on failure, and 130 or 143 when interrupted."""

_EXAMPLE = f"""\
example:
  {COMMAND} --status-page-id abcdefgh --incident-title "Checkout is slow" \\
    --if-no-incident create --status INVESTIGATING \\
    --description "We are looking into it." --components "API: PARTIAL_OUTAGE\""""


def parse_command_line(arguments: Sequence[str], environment: Environment) -> CommandLine:
    """Parse the options, which must not differ from the inputs in the environment."""
    if environment.on_github and environment.inputs:
        problem = "The action takes no arguments on its command line; use inputs instead (with: …, not args: …)."
        return CommandLine(problems=(problem,))
    parser = _make_parser()
    try:
        namespace, others = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        return CommandLine(dotenv=_find_dotenv(arguments), usage_error=_usage_error(error))
    options = vars(namespace)
    if options["help"]:
        return CommandLine(answer=parser.format_help())
    if options["version"]:
        return CommandLine(answer=f"{COMMAND} {__version__}\n")
    names = [name for name in input_names() if name not in NO_OPTIONS and options[name]]
    given = {name: options[name][-1].strip() for name in names}
    problems = tuple(_problems(options, others, given, environment))
    inputs = {name: value for name, value in given.items() if value}
    return CommandLine(inputs, options["dotenv"][-1] if options["dotenv"] else "", problems=problems)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        usage=f"{COMMAND} --status-page-id ID (--incident-id ID | --incident-title TITLE) [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
        exit_on_error=False,
    )
    for title, names in _GROUPS.items():
        group = parser.add_argument_group(title)
        for name, (metavar, about) in names.items():
            _add_option(group, name, metavar, about)
    group = parser.add_argument_group("other options")
    group.add_argument("--dotenv", action="append", metavar="FILE", help="write the outcome and ids to this file")
    group.add_argument("--help", "-h", action="store_true", help="show this text")
    group.add_argument("--version", action="store_true", help="show the version")
    for name in _REFUSED_TOKENS:
        # Defined, so that its value is not mistaken for an unknown argument, which a message might repeat.
        parser.add_argument(f"--{name}", dest=name, nargs="?", const="", help=argparse.SUPPRESS)
    return parser


def _add_option(group: argparse._ArgumentGroup, name: str, metavar: str, about: str) -> None:
    default = default_of(name)
    shown = f"{about} (default: {default})".replace("%", "%%") if default else about
    nargs, const = ("?", "true") if _is_boolean(name) else (None, None)
    group.add_argument(f"--{name}", dest=name, action="append", nargs=nargs, const=const, metavar=metavar, help=shown)


def _is_boolean(name: str) -> bool:
    return Inputs.model_fields[name.replace("-", "_")].annotation is bool


def _usage_error(error: argparse.ArgumentError) -> str:
    """Say why the command line cannot be parsed, without repeating a value, since that could be a secret."""
    option, problem = error.argument_name, re.split(" ['\"]", error.message)[0]
    if problem == "expected one argument":
        problem += f"; write {option}=VALUE if the value begins with a hyphen"
    return f"{option}: {problem}; see --help."


def _find_dotenv(arguments: Sequence[str]) -> str:
    """Return the file of `--dotenv` on a command line that cannot be parsed."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == "--dotenv":
            return following
        if argument.startswith("--dotenv="):
            return argument.partition("=")[2]
    return ""


def _problems(
    options: Mapping[str, Any], others: Sequence[str], given: Mapping[str, str], environment: Environment
) -> Iterator[str]:
    """Say what is wrong with options that argparse accepts."""
    for name, values in options.items():
        if isinstance(values, list) and len(values) > 1:
            yield f"--{name} is given twice."
    yield from _unknown(others, environment)
    for name, advice in _REFUSED_TOKENS.items():
        if options[name] is not None:
            reason = "other users of a machine can see command lines, and shells keep them"
            yield f"--{name} is not accepted, because {reason}; {advice}."
    for name, value in given.items():
        if _is_boolean(name) and not value:  # probably an unset variable: `--dry-run "$UNSET"` must not post
            yield f"--{name} has an empty value; give true or false."
    for name, value in given.items():
        if value and environment.inputs.get(name, "") not in ("", value):
            yield f"--{name} and the variable for {name} in the environment differ; give only one."
    if options["dotenv"] and environment.on_github:
        yield "--dotenv has no effect in a workflow, whose later steps read the step's outputs."


def _unknown(others: Sequence[str], environment: Environment) -> Iterator[str]:
    """Report unknown options; repeat only what looks like a name, since a value could be a secret."""
    mask = masker(environment.secrets)
    names = (re.match("--?[a-z-]+(?=$|[=:\\s])", mask(argument)) for argument in others)
    unknown = [name[0] for name in names if name]
    yield from (f"There is no option {quote(name)}; see --help." for name in unknown)
    if others and not unknown:
        yield f"{len(others)} argument(s) belong to no option; quote a text that contains spaces, and see --help."
