"""How GitHub's runner finds workflow commands in a log, and what other CI systems and terminals find in it.

After `ActionCommand.cs`: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
Stricter in one way: any name counts as a command, while the runner knows about twenty.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_LINE_END = re.compile("\r\n|\r|\n")
_NEW_FORM = re.compile(r"\s*::(?P<info>.*?)::(?P<data>.*)", re.DOTALL)
_OLD_FORM = re.compile(r"##\[(?P<info>[^\]]*)\](?P<data>.*)", re.DOTALL)

_OF_OTHERS = re.compile(r"##(?:vso|teamcity|\w*)\[|section_(?:start|end):[0-9]+:[^\n]*\r|[\x1b\x9b]")
"""Of Azure Pipelines, TeamCity and GitLab, and of terminals:

- https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands
- https://www.jetbrains.com/help/teamcity/service-messages.html
- https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

_OF_DATA = {"%0D": "\r", "%0A": "\n", "%25": "%"}
_OF_PROPERTIES = {"%3A": ":", "%2C": ",", **_OF_DATA}
_OF_OLD_FORM = {"%3B": ";", "%5D": "]", **_OF_DATA}


@dataclass(frozen=True)
class Command:
    """A workflow command."""

    name: str
    data: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def commands(log: str) -> list[Command]:
    """Find the commands in a log, in order."""
    return [command for line in _LINE_END.split(log) if (command := _command(line))]


def other_commands(log: str) -> list[str]:
    """Find what another CI system or a terminal takes for the beginning of a command."""
    return _OF_OTHERS.findall(log)


def _command(line: str) -> Command | None:
    if match := _NEW_FORM.match(line):
        name, _, properties = match["info"].partition(" ")
        return Command(name, _unescape(match["data"], _OF_DATA), _pairs(properties, ",", _OF_PROPERTIES))
    if match := _OLD_FORM.search(line):
        name, _, properties = match["info"].partition(" ")
        return Command(name, _unescape(match["data"], _OF_OLD_FORM), _pairs(properties, ";", _OF_OLD_FORM))
    return None


def _pairs(text: str, separator: str, escapes: Mapping[str, str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.strip().split(separator))
    return {name: _unescape(value, escapes) for name, _, value in pairs if name and value}


def _unescape(text: str, escapes: Mapping[str, str]) -> str:
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text
