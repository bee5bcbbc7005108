"""Reports to GitHub's runner: masks, the log with its annotations, and the files for outputs and the job summary.

Everything that the action writes passes through here, so this is where it is escaped. The runner looks for commands in
each line of the log, `::name::` at its start and `##[name]` anywhere in it, as other CI systems do for `##vso[…]` and
`##teamcity[…]`, and untrusted text can contain all of them.

Sources:
    How a command is found and unescaped: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    What a command does: https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs
    How the files are read: https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs
"""

import contextlib
import os.path
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TextIO

from onlineornot_action.inputs.variables import GitHubVariables
from onlineornot_action.masking import MIN_SECRET_LENGTH
from onlineornot_action.text import CONTROL_CHARACTERS

_MAX_ANNOTATION_LENGTH = 4000
"""Characters. The runner cuts a message at 4,096, `_maxIssueMessageLength` in
https://github.com/actions/runner/blob/main/src/Runner.Worker/ExecutionContext.cs
"""

_COMMAND = re.compile(r"##(?=[^\s#\[]*\[)")
"""The beginning of a command of GitHub, Azure Pipelines or TeamCity:

- https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands
- https://www.jetbrains.com/help/teamcity/service-messages.html
"""

_MAX_SUMMARY_BYTES = 1024 * 1024
"""A longer summary is dropped:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
"""

_TOO_LONG = "The summary of this step is too long for GitHub to show; the outputs contain everything.\n"
_LOST_OUTPUTS = "; later steps will not see the outputs"


class Level(StrEnum):
    """Severity of an annotation, by the name of its command."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


class Reporter(ABC):
    """Tells people and later steps how a run went. Nothing that it writes contains a secret.

    GitHub's runner masks secrets in the log, but not in the files that it reads:
    https://github.com/actions/runner/blob/main/src/Runner.Common/HostContext.cs
    """

    def __init__(self, github: GitHubVariables, log_stream: TextIO | None, mask: Callable[[str], str]) -> None:
        self.github, self.log_stream, self.mask = github, log_stream, mask
        self.warnings: list[str] = []  # so far, with their secrets masked

    def log(self, text: str) -> None:
        """Write plain lines; a bar marks every line but the first."""
        write_line(self.log_stream, escape_commands(self.mask(text)).replace("\n", "\n| "))

    def log_group(self, title: str, text: str) -> None:
        """Write plain lines under a title."""
        self.log(f"{title}:")
        self.log(text)

    @abstractmethod
    def annotate(self, level: Level, message: str) -> None:
        """Write a message that people should not miss."""

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Set outputs that later steps read; a later value replaces an earlier one."""
        self.append("GITHUB_OUTPUT", self.github.output, format_outputs(outputs))

    @abstractmethod
    def publish_outputs(self) -> None:
        """Show the outputs, now that they are complete."""

    def add_summary(self, markdown: str) -> None:
        """Add to the job summary."""
        is_too_long = len(markdown.encode(errors="replace")) > _MAX_SUMMARY_BYTES
        self.append("GITHUB_STEP_SUMMARY", self.github.step_summary, _TOO_LONG if is_too_long else markdown)

    def append(self, variable: str, path: str, text: str) -> None:
        """Append to the file that a variable names, if it does."""
        try:
            if path:
                with open(path, "ab") as file:  # noqa: PTH123 - Path.open does no more
                    file.write(self.mask(text).encode(errors="replace"))
        except OSError as error:
            lost = _LOST_OUTPUTS if variable == "GITHUB_OUTPUT" else ""
            warn(self, f"The file that {variable} names cannot be written: {error.strerror}{lost}.")


class ActionsReporter(Reporter):
    """Reports to GitHub's runner; the log is the step's standard output."""

    def mask_log(self, secrets: Iterable[str]) -> None:
        """Have the runner mask each line of the secrets, except short ones, which would be masked all over the log."""
        for secret in secrets:
            for line in _lines(secret):
                if len(line) >= MIN_SECRET_LENGTH:
                    write_line(self.log_stream, f"::add-mask::{_escape_data(line)}")

    def log_group(self, title: str, text: str) -> None:
        write_line(self.log_stream, f"::group::{_escape_data(_escape_line(self.mask(title)))}")
        self.log(text)
        write_line(self.log_stream, "::endgroup::")

    def annotate(self, level: Level, message: str) -> None:
        text = escape_commands(self.mask(message))
        if len(text) > _MAX_ANNOTATION_LENGTH:
            text = f"{text[: _MAX_ANNOTATION_LENGTH - 1]}…"
        write_line(self.log_stream, f"::{level}::{_escape_data(text)}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        path = self.github.output
        was_there = os.path.exists(path)  # noqa: PTH110 - Path.exists may raise
        super().set_outputs(outputs)
        if os.path.exists(path) and not was_there:  # noqa: PTH110 - likewise
            missing = "The file that GITHUB_OUTPUT names did not exist, as when the runner itself is in a container"
            warn(self, f"{missing}{_LOST_OUTPUTS}.")

    def publish_outputs(self) -> None:
        pass  # The runner shows them when the step is over.

    def append(self, variable: str, path: str, text: str) -> None:
        super().append(variable, path, text)
        if not path:
            self.log(f"{variable} is not set: nothing is written to it")


def warn(reporter: Reporter, message: str) -> None:
    """Annotate a warning once, unless it is empty, and keep it for the job summary."""
    masked = reporter.mask(message)
    if masked and masked not in reporter.warnings:
        reporter.warnings.append(masked)
        reporter.annotate(Level.WARNING, masked)


def escape_commands(text: str) -> str:
    """Escape a text, so that no CI system finds a command in it."""
    return "\n".join(map(_escape_line, _lines(text)))


def write_line(stream: TextIO | None, text: str) -> None:
    """Write to a log. If that fails, the run must go on: its outputs and exit status still report the result."""
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            stream.write(f"{text}\n".encode(errors="replace").decode())
            stream.flush()


def format_outputs(outputs: Mapping[str, str]) -> str:
    """Return outputs as the runner reads them, between random delimiters that no value can contain."""
    end = f"end-{secrets.token_hex(16)}"
    return "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in outputs.items())


def _lines(text: str) -> list[str]:
    # The runner reads the log with .NET's ReadLine, to which a lone CR ends a line as well:
    # https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs
    return re.split("\r\n|\r|\n", text)


def _escape_line(line: str) -> str:
    line = CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", line)
    line = _COMMAND.sub("## ", line)
    return f"| {line}" if line.lstrip().startswith("::") else line


def _escape_data(data: str) -> str:
    """Put the data of a workflow command on one line."""
    return data.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
