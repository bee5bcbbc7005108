"""What a command line says, once it is read. `options` reads it, in the few runs that have one."""

from collections.abc import Mapping
from typing import NamedTuple


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
