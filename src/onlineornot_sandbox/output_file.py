"""The file that GITHUB_OUTPUT names, read as GitHub's runner reads it.

After `FileCommandManager.cs`: https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs
"""

import re
from collections.abc import Iterator

_OUTPUT = re.compile(r"(?P<name>.*?)(?P<mark><<|=)(?P<rest>.*)", re.DOTALL)


def parse_outputs(text: str) -> dict[str, str]:
    """Read the outputs in a file, in which only LF ends a line.

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
