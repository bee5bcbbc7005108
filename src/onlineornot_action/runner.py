"""The runner's side: masks, the log with its annotations, and the files for outputs and the job summary.

Everything that leaves the action passes through here, so this is where it is escaped. The runner reads the log line by
line for commands, `::name::` at the start of a line and `##[name]` anywhere in it, and untrusted text can hold both.
Source: the runner's `ActionCommand` and `FileCommandManager`.
"""

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TextIO

from onlineornot_action.text import CONTROL_CHARACTERS, MIN_SECRET_LENGTH

_ANNOTATION_LENGTH = 4000
_SUMMARY_BYTES = 1024 * 1024


class Level(StrEnum):
    """How loud an annotation is."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


class Runner:
    """Writes to GitHub's runner what it, and the people who read it, are to know.

    Args:
        environ: Where the runner says which files it reads.
        log: The step's log, standard output; None when it is closed.
    """

    def __init__(self, environ: Mapping[str, str], log: TextIO | None) -> None:
        self._environ = environ
        self._log = log
        self._secrets: list[str] = []

    def mask(self, secret: str) -> None:
        """Have the runner, and this object, write asterisks for a secret."""
        if len(secret) < MIN_SECRET_LENGTH:
            return
        # Of a secret with several lines the runner would mask each, and a short one would be all over the log.
        for line in filter(lambda line: len(line) >= MIN_SECRET_LENGTH, _lines(secret)):
            self._write(f"::add-mask::{_escape(line)}")
        known = {*self._secrets, secret, json.dumps(secret)[1:-1]}
        self._secrets = sorted(known, key=len, reverse=True)

    def log(self, text: str) -> None:
        """Write plain lines."""
        first, *others = _lines(self.scrub(text))
        self._write("\n".join([_escaped(first), *(f"| {_escaped(line)}" for line in others)]))

    def annotate(self, level: Level, message: str) -> None:
        """Write a message that shows on the run's page. It is shortened to what GitHub shows."""
        text = self.escaped(message)
        if len(text) > _ANNOTATION_LENGTH:
            text = f"{text[: _ANNOTATION_LENGTH - 1]}…"
        self._write(f"::{level}::{_escape(text)}")

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold the lines that are written inside."""
        self._write(f"::group::{_escape(_escaped(self.scrub(title)))}")
        try:
            yield
        finally:
            self._write("::endgroup::")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Hand values on to later steps."""
        self._append("GITHUB_OUTPUT", "".join(_heredoc(name, self.scrub(value)) for name, value in outputs.items()))

    def add_summary(self, markdown: str) -> None:
        """Show a text on the job's page. What is longer than GitHub shows is left out whole."""
        text = self.scrub(markdown)
        if len(text.encode(errors="replace")) > _SUMMARY_BYTES:
            text = "The summary of this step is too long for GitHub; its outputs have it all.\n"
        self._append("GITHUB_STEP_SUMMARY", text)

    def escaped(self, text: str) -> str:
        """A untrusted text without secrets, and without anything that the runner would take for a command."""
        return "\n".join(_escaped(line) for line in _lines(self.scrub(text)))

    def scrub(self, text: str) -> str:
        """Replace the secrets in a text."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _append(self, variable: str, text: str) -> None:
        path = self._environ.get(variable)
        if not path:
            self.log(f"{variable} is not set, as is usual outside GitHub: nothing is written there")
            return
        try:
            with open(path, "ab") as file:  # noqa: PTH123 - one word for one file
                file.write(text.encode(errors="replace"))
        except OSError as error:
            self.annotate(Level.WARNING, f"The file that {variable} names cannot be written: {error.strerror}.")

    def _write(self, text: str) -> None:
        # A log that cannot be written is no reason to stop: the outputs and the exit status still tell.
        with contextlib.suppress(OSError, ValueError):
            if self._log is not None:
                self._log.write(f"{text}\n".encode(errors="replace").decode())
                self._log.flush()


def _lines(text: str) -> list[str]:
    return re.split("\r\n|\r|\n", text)


def _escaped(line: str) -> str:
    """A line that the runner takes for text, wherever it stands."""
    line = CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", line).replace("##[", "## [")
    return f"| {line}" if line.lstrip().startswith("::") else line


def _escape(data: str) -> str:
    """The data of a workflow command, in one line."""
    return data.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _heredoc(name: str, value: str) -> str:
    delimiter = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
