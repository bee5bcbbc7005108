"""The runner's side: masks, the log with its annotations, and the files for outputs and the job summary.

Everything that the action writes passes through here, so this is where it is escaped. The runner looks for commands in
each line of the log, `::name::` at its start and `##[name]` anywhere in it, and untrusted text can contain both.

Sources:
    How a command is found and unescaped: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    What a command does: https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs
    How the files are read: https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs
"""

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TextIO

from onlineornot_action.text import CONTROL_CHARACTERS, MIN_SECRET_LENGTH, base64_parts

_MAX_ANNOTATION_LENGTH = 4000
"""Characters. The runner cuts a message at 4,096, `_maxIssueMessageLength` in
https://github.com/actions/runner/blob/main/src/Runner.Worker/ExecutionContext.cs
"""

_MAX_SUMMARY_BYTES = 1024 * 1024
"""A longer summary is dropped:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
"""


class Level(StrEnum):
    """Severity of an annotation, by the name of its command."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


class Runner:
    """Writes the log, the outputs and the job summary of a step.

    Args:
        environ: Its variables name the files that the runner reads.
        log: The step's log, which is standard output; None when that is closed.
    """

    def __init__(self, environ: Mapping[str, str], log: TextIO | None) -> None:
        self._environ = environ
        self._log = log
        self._secrets: list[str] = []

    def mask(self, secret: str) -> None:
        """Mask a secret in everything written from here on, by the runner and by this object."""
        # The runner masks each line of a secret by itself, and a short line would be masked all over the log.
        for line in _lines(secret):
            if len(line) >= MIN_SECRET_LENGTH:
                self._write(f"::add-mask::{_escape_data(line)}")
        self._hide(secret)

    def log(self, text: str) -> None:
        """Write plain lines; a bar marks those that continue the first."""
        self._write("\n| ".join(self._escaped_lines(text)))

    def annotate(self, level: Level, message: str) -> None:
        """Write a message that GitHub shows on the page of the workflow run, shortened to what it shows."""
        text = self.escape(message)
        if len(text) > _MAX_ANNOTATION_LENGTH:
            text = f"{text[: _MAX_ANNOTATION_LENGTH - 1]}…"
        self._write(f"::{level}::{_escape_data(text)}")

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold the lines that are written within the context."""
        self._write(f"::group::{_escape_data(_escape_line(self.scrub(title)))}")
        try:
            yield
        finally:
            self._write("::endgroup::")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Write the outputs that later steps read."""
        self._append("GITHUB_OUTPUT", "".join(_heredoc(name, self.scrub(value)) for name, value in outputs.items()))

    def publish_outputs(self) -> None:
        """Say that the outputs are complete. The runner reads them when the step is over."""

    def add_summary(self, markdown: str) -> None:
        """Add to the job summary; a text that GitHub would drop as too long is replaced by a sentence."""
        text = self.scrub(markdown)
        if len(text.encode(errors="replace")) > _MAX_SUMMARY_BYTES:
            text = "The summary of this step is too long for GitHub to show; the outputs contain everything.\n"
        self._append("GITHUB_STEP_SUMMARY", text)

    def escape(self, text: str) -> str:
        """Remove secrets from an untrusted text, and everything that the runner would take for a command."""
        return "\n".join(self._escaped_lines(text))

    def scrub(self, text: str) -> str:
        """Replace the masked secrets in a text with asterisks."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _hide(self, secret: str) -> None:
        if len(secret) < MIN_SECRET_LENGTH:
            return
        # The runner derives the base64 forms from the mask by itself, but in the log alone, not in the files:
        # https://github.com/actions/runner/blob/main/src/Runner.Common/HostContext.cs
        known = {*self._secrets, secret, json.dumps(secret)[1:-1], *base64_parts(secret)}
        # Longest first: a secret that contains another one is replaced as a whole.
        self._secrets = sorted(known, key=len, reverse=True)

    def _escaped_lines(self, text: str) -> list[str]:
        return [_escape_line(line) for line in _lines(self.scrub(text))]

    def _append(self, variable: str, text: str) -> None:
        path = self._environ.get(variable)
        if not path:
            self.log(f"{variable} is not set: nothing is written to it")
            return
        try:
            with open(path, "ab") as file:  # noqa: PTH123 - Path.open does no more
                file.write(text.encode(errors="replace"))
        except OSError as error:
            self.annotate(Level.WARNING, f"The file that {variable} names cannot be written: {error.strerror}.")

    def _write(self, text: str) -> None:
        # A log that cannot be written must not stop the work: the outputs and the exit status still report it.
        with contextlib.suppress(OSError, ValueError):
            if self._log is not None:
                self._log.write(f"{text}\n".encode(errors="replace").decode())
                self._log.flush()


def _lines(text: str) -> list[str]:
    # The runner reads the log with .NET's ReadLine, to which a lone CR ends a line as well:
    # https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs
    return re.split("\r\n|\r|\n", text)


def _escape_line(line: str) -> str:
    """Return a line in which the runner finds no command."""
    line = CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", line).replace("##[", "## [")
    return f"| {line}" if line.lstrip().startswith("::") else line


def _escape_data(data: str) -> str:
    """Put the data of a workflow command on one line."""
    return data.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _heredoc(name: str, value: str) -> str:
    # A random delimiter, so that a value cannot contain it and set outputs of its own.
    delimiter = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
