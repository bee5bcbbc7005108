"""Reports where there is no GitHub: in a shell, or in another CI system.

The outputs are one JSON object on standard output; everything else that a person reads goes to standard error.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import TextIO, assert_never

from onlineornot_action.inputs.variables import Environment
from onlineornot_action.report.actions import Level, Reporter, escape_commands, warn, write_line

_JSON_OUTPUTS = frozenset({"update", "updates"})

_DOTENV_OUTPUTS = ("outcome", "update-id", "incident-id", "incident-url", "status", "notified")
"""Those without free text, since GitLab takes each line of the file for a variable."""

_PLAIN = re.compile(r"[\w-]*|https?://[\w./:-]+", re.ASCII)
"""A word, an id or an address in which a shell that reads the file finds nothing to expand or to run."""


class ConsoleReporter(Reporter):
    """Reports to people and to other CI systems; `dotenv` names the file for variables that later jobs read."""

    def __init__(
        self,
        environment: Environment,
        stdout: TextIO | None,
        stderr: TextIO | None,
        mask: Callable[[str], str],
        dotenv: str = "",
    ) -> None:
        super().__init__(environment.github, stderr, mask)
        self.stdout, self.dotenv = stdout, dotenv
        self.wants_color = environment.wants_color
        self.outputs: dict[str, str] = {}

    def annotate(self, level: Level, message: str) -> None:
        is_colored = self.wants_color and self.log_stream is not None and self.log_stream.isatty()
        label = f"\x1b[{_color(level)}m{level}:\x1b[0m" if is_colored else f"{level}:"
        text = escape_commands(self.mask(message)).replace("\n", "\n  ")
        write_line(self.log_stream, f"{label} {text}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        self.outputs.update(outputs)
        super().set_outputs(outputs)

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
