"""The runner's side where there is no runner: a shell, or a CI system that is not GitHub's.

The outputs are one JSON object on standard output; everything else that a person reads goes to standard error.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from onlineornot_action.report.actions import Level, Runner

_COLORS = {Level.NOTICE: "32", Level.WARNING: "33", Level.ERROR: "31"}
"""https://en.wikipedia.org/wiki/ANSI_escape_code#Colors"""

_JSON_OUTPUTS = frozenset({"update", "updates"})

_DOTENV_OUTPUTS = ("outcome", "update-id", "incident-id", "incident-url", "status", "notified")
"""None that holds a text: GitLab takes each line of the file for a variable."""


class Terminal(Runner):
    """Writes what a step would write, for people and for other CI systems.

    Args:
        environ: Its variables say whether colors are wanted, and name the files that GitHub's runner reads, if any.
        stdout: Gets the outputs; None when it is closed.
        stderr: Gets everything else; None when it is closed.
        dotenv: The file for variables that later jobs read; empty for none.
    """

    def __init__(
        self, environ: Mapping[str, str], stdout: TextIO | None, stderr: TextIO | None, dotenv: str = ""
    ) -> None:
        super().__init__(environ, stderr)
        self._stdout = stdout
        self._dotenv = dotenv
        self._outputs: dict[str, str] = {}
        self._colored = bool(
            stderr
            and stderr.isatty()
            and not environ.get("NO_COLOR")  # https://no-color.org
            and environ.get("TERM", "dumb") != "dumb"  # set wherever the sequences of ANSI are understood
        )

    def mask(self, secret: str) -> None:
        """Hide a secret in everything written from here on. The command for GitHub's runner would show it here."""
        self._hide(secret)

    def annotate(self, level: Level, message: str) -> None:
        """Write a message after its level."""
        label = f"\x1b[{_COLORS[level]}m{level}:\x1b[0m" if self._colored else f"{level}:"
        first, *others = self.escape(message).split("\n")
        self._write("\n  ".join([f"{label} {first}", *others]))

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Write a title above the lines that are written within the context."""
        self.log(f"{title}:")
        yield

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Remember the outputs until they are published."""
        self._outputs |= outputs
        if self._environ.get("GITHUB_OUTPUT"):
            super().set_outputs(outputs)

    def publish_outputs(self) -> None:
        """Write the outputs as one JSON object on one line, and into the file for later jobs."""
        values = {name: self.scrub(value) for name, value in self._outputs.items()}
        parsed = {name: json.loads(values[name] or "null") for name in _JSON_OUTPUTS & values.keys()}
        # In ASCII, so that no control character reaches a terminal; and without what GitHub's runner would take for a
        # command, since it reads the output of a `docker run` in a workflow.
        line = json.dumps({**values, **parsed}).replace("##[", r"\u0023#[")
        try:
            if self._stdout is not None:
                self._stdout.write(f"{line}\n")
                self._stdout.flush()
        except (OSError, ValueError):
            self.annotate(Level.WARNING, "The outputs cannot be written to standard output.")
        if self._dotenv:
            self._write_dotenv(values)

    def add_summary(self, markdown: str) -> None:
        """Write the job summary if a file for it is named."""
        if self._environ.get("GITHUB_STEP_SUMMARY"):
            super().add_summary(markdown)

    def _write_dotenv(self, values: Mapping[str, str]) -> None:
        """Write the outputs that are words, ids and addresses as variables.

        https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
        """
        shown = {name: value if re.fullmatch("[!-~]*", value) else "" for name, value in values.items()}
        lines = [f"ONLINEORNOT_{name.replace('-', '_').upper()}={shown[name]}\n" for name in _DOTENV_OUTPUTS]
        try:
            # Without O_NONBLOCK, a named pipe without a reader would keep the process; Windows has none in a folder.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
            with open(os.open(self._dotenv, flags, 0o644), "w", encoding="ascii", newline="\n") as file:  # noqa: PTH123 - Path cannot open a descriptor
                file.writelines(lines)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
            self.annotate(Level.WARNING, f"The file that --dotenv names cannot be written: {reason}.")
