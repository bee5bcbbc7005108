"""Reports where there is no GitHub: in a shell, or in another CI system.

The outputs are one JSON object on standard output; everything else that a person reads goes to standard error.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO, assert_never

from onlineornot_action.inputs.variables import Environment
from onlineornot_action.report.actions import (
    Level,
    append_to_file,
    escape_commands,
    format_outputs,
    limit_summary,
    warn,
    write_line,
)

_JSON_OUTPUTS = frozenset({"update", "updates"})

_DOTENV_OUTPUTS = ("outcome", "update-id", "incident-id", "incident-url", "status", "notified")
"""Those without free text, since GitLab takes each line of the file for a variable."""

_PLAIN = re.compile(r"[\w-]*|https?://[\w./:-]+", re.ASCII)
"""A word, an id or an address in which a shell that reads the file finds nothing to expand or to run."""


@dataclass
class ConsoleReporter:
    """Reports to people and to other CI systems.

    Attributes:
        environment: Says whether colors are wanted, and names the files that GitHub's runner reads, if any.
        stdout: Gets the outputs, once they are complete; None when it is closed.
        stderr: Gets everything else; None when it is closed.
        mask: Masks the secrets in a text.
        dotenv: The file for variables that later jobs read; empty for none.
        outputs: Those that have been set.
        warnings: The warnings so far, with their secrets masked.
    """

    environment: Environment
    stdout: TextIO | None
    stderr: TextIO | None
    mask: Callable[[str], str]
    dotenv: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def log(self, text: str) -> None:
        write_line(self.stderr, escape_commands(self.mask(text)).replace("\n", "\n| "))

    def log_group(self, title: str, text: str) -> None:
        self.log(f"{title}:")
        self.log(text)

    def annotate(self, level: Level, message: str) -> None:
        label = f"\x1b[{_color(level)}m{level}:\x1b[0m" if self._shows_colors() else f"{level}:"
        text = escape_commands(self.mask(message)).replace("\n", "\n  ")
        write_line(self.stderr, f"{label} {text}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        self.outputs.update(outputs)
        self._append("GITHUB_OUTPUT", self.environment.github.output, format_outputs(outputs))

    def publish_outputs(self) -> None:
        outputs = {name: self.mask(value) for name, value in self.outputs.items()}
        parsed = {name: json.loads(outputs[name] or "null") for name in _JSON_OUTPUTS & outputs.keys()}
        # In ASCII, so that no control character reaches a terminal; and without what a CI system would take for a
        # command: GitHub's runner reads the output of a `docker run` in a workflow, too.
        line = json.dumps({**outputs, **parsed}).replace("##", r"\u0023\u0023")
        try:
            if self.stdout is not None:
                self.stdout.write(f"{line}\n")
                self.stdout.flush()
        except (OSError, ValueError):
            warn(self, "The outputs cannot be written to standard output.")
        if self.dotenv:
            self._write_dotenv(outputs)

    def add_summary(self, markdown: str) -> None:
        self._append("GITHUB_STEP_SUMMARY", self.environment.github.step_summary, limit_summary(markdown))

    def _append(self, variable: str, path: str, text: str) -> None:
        if path:
            append_to_file(self, variable, path, text)

    def _shows_colors(self) -> bool:
        return self.environment.wants_color and self.stderr is not None and self.stderr.isatty()

    def _write_dotenv(self, outputs: Mapping[str, str]) -> None:
        """Write the outputs that are words, ids and addresses as variables.

        https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
        """
        shown = {name: value if _PLAIN.fullmatch(value) else "" for name, value in outputs.items()}
        lines = [f"ONLINEORNOT_{name.replace('-', '_').upper()}={shown[name]}\n" for name in _DOTENV_OUTPUTS]
        try:
            # Without O_NONBLOCK, a named pipe without a reader would block the process; Windows has none in a folder.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
            with open(os.open(self.dotenv, flags, 0o644), "w", encoding="ascii", newline="\n") as file:  # noqa: PTH123 - Path cannot open a descriptor
                file.writelines(lines)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
            warn(self, f"The file that --dotenv names cannot be written: {reason}.")


def _color(level: Level) -> int:
    """Return the color of a level: https://en.wikipedia.org/wiki/ANSI_escape_code#Colors."""
    match level:
        case Level.NOTICE:
            return 32
        case Level.WARNING:
            return 33
        case Level.ERROR:
            return 31
        case _:
            assert_never(level)
