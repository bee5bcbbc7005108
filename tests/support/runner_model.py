"""How GitHub's runner reads what a step leaves behind, after its own `ActionCommand` and `SetOutputFileCommand`.

Stricter in one way: any name counts as a command's, while the runner knows about twenty.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

_LINE_END = re.compile("\r\n|\r|\n")
_NEW_FORM = re.compile(r"\s*::(?P<info>.*?)::(?P<data>.*)", re.DOTALL)
_OLD_FORM = re.compile(r"##\[(?P<info>[^\]]*)\](?P<data>.*)", re.DOTALL)
_OUTPUT = re.compile(r"(?P<name>.*?)(?P<mark><<|=)(?P<rest>.*)", re.DOTALL)

_OF_DATA = {"%0D": "\r", "%0A": "\n", "%25": "%"}
_OF_PROPERTIES = {"%3A": ":", "%2C": ",", **_OF_DATA}
_OF_OLD_FORM = {"%3B": ";", "%5D": "]", **_OF_DATA}

_BAITS = (
    *(
        "::",
        "::error::x",
        " ::error::x",
        "\u3000::error::x",
        "::add-mask::",
        "::notice title=x::",
        "::stop-commands::x",
        "##[",
        "##[error]x",
        "##",
        "[",
    ),
    *("\r", "\n", "\r\n", "\x0b", "\x1c", "\x85", "\u2028", " ", "\t", "\u3000", "\x00", "\x1b[2K", "\x9b", "\u202e"),
    *("%", "%0A", "%0D", "%25", "%3A", "=", "<<", "x=y", "a<<b", "`", "```", "|", "\\", "<b>", "\ud800", "\U0001f6e0"),
)

texts = st.lists(st.sampled_from(_BAITS) | st.characters(exclude_categories=()), max_size=12).map("".join)
"""Text of any kind, lone surrogates included, that attempts to be more than text."""


@dataclass(frozen=True)
class Command:
    """A workflow command."""

    name: str
    data: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def commands(log: str) -> list[Command]:
    """The commands in a log, in order."""
    return [command for line in _LINE_END.split(log) if (command := _command(line))]


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


def parse_outputs(text: str) -> dict[str, str]:
    """The outputs in a file, of which only LF ends a line.

    Raises:
        ValueError: The runner would fail the step.
    """
    lines = iter(text.split("\n"))
    return dict(_output(line, lines) for line in lines if line)


def _output(line: str, following: Iterator[str]) -> tuple[str, str]:
    match = _OUTPUT.fullmatch(line)
    if not match or not match["name"]:
        raise ValueError(f"no output: {line!r}")
    if match["mark"] == "=":
        return match["name"], match["rest"]
    if not match["rest"]:
        raise ValueError(f"no delimiter: {line!r}")
    return match["name"], "\n".join(_until(match["rest"], following))


def _until(delimiter: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise ValueError(f"nothing ends {delimiter!r}")
