"""The text that customers read: checked before it is published, and read from a file or from standard input."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from onlineornot_action.masking import find_credential, find_secret

MAX_LENGTH = 10_000
"""Characters. The API documents no maximum. A longer text is refused rather than published in part."""

_MAX_FILE_BYTES = 4 * MAX_LENGTH + 1024
"""The longest text in UTF-8, four bytes a character, and some room for white space around it."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Stands for a byte of the environment that is not UTF-8: https://peps.python.org/pep-0383/"""

_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Invisible, but letters and symbols to Unicode: the Hangul fillers and the empty Braille pattern."""

_ESCAPE = re.compile(r"\\r\\n|\\[nt]|%0[Dd]%0[Aa]|%0[Aa]")
"""Escapes of line breaks and tabs in a shell, JSON or a workflow command, but neither in plain YAML nor for the API."""

_WINDOWS_PATH = re.compile(r"(?<!\w)[a-z]:\\\S*|(?<!\S)\\\\\S+", re.IGNORECASE)
"""A path with a drive or a host, such as `C:\\new`, in which a backslash escapes nothing."""

_CREDENTIALS_NAME = re.compile(r"\.?git-credentials|\.gitconfig$|\.netrc$")
"""Since version 6, actions/checkout writes the token into `git-credentials-*.config` under RUNNER_TEMP."""

_EXPRESSIONS = {"RUNNER_TEMP": "${{ runner.temp }}", "GITHUB_WORKSPACE": "${{ github.workspace }}"}
_VARIABLE = re.compile(rf"\$\{{?({'|'.join(_EXPRESSIONS)})\b")

_OUTSIDE = (
    "is outside the workspace and RUNNER_TEMP; give a path relative to the workspace, or one that begins with "
    "${{ runner.temp }}, without links that lead out of them"
)
_OUTSIDE_OF_CURRENT = (
    "is outside the current folder; give a path in it, without links that lead out of it, or - for standard input"
)
_ADVICE = "give a path relative to the workspace, to a file that an earlier step of this job wrote or checked out"
_CURRENT_ADVICE = "give a path in the current folder, or - for standard input"
_TEMP_ADVICE = (
    # https://github.com/actions/runner/blob/v2.329.0/src/Runner.Worker/Handlers/ContainerActionHandler.cs mounts it as
    # /github/runner_temp and translates variables, inputs included, that begin with its path.
    "give a file that an earlier step of this job wrote, and check the runner's version: RUNNER_TEMP is shared with "
    "container actions from 2.329.0 on; older ones share only the workspace"
)


def check(text: str, *, secrets: Iterable[str]) -> str:
    """Return the text if it may be published.

    Raises:
        ValueError: It is not valid Unicode, shows nothing, is too long, or contains a secret or what looks like one.
    """
    if _SURROGATE.search(text):
        raise ValueError("is not valid UTF-8")
    if all(unicodedata.category(character)[0] in "CMZ" or character in _BLANK_LETTERS for character in text):
        raise ValueError("contains no visible characters")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"has {len(text):,} characters, but at most {MAX_LENGTH:,} are allowed; shorten it")
    secret_line = find_secret(text, secrets)
    found = ("the API token or github-token", secret_line) if secret_line else find_credential(text)
    if found:
        kind, line = found
        raise ValueError(f"contains {kind} in line {line}; remove it, because this text is published")
    return text


def find_escape(text: str) -> str | None:
    """Return an escape that was probably meant as a line break or a tab, but would be published literally.

    In a text with real line breaks, a backslash is probably meant literally, as it is in a Windows path.
    """
    escapes = [match[0] for match in _ESCAPE.finditer(_WINDOWS_PATH.sub("", text))]
    return next((escape for escape in escapes if escape.startswith("%") or "\n" not in text), None)


def read_standard_input(stdin: TextIO | None) -> str:
    """Read the text that is piped into the command.

    Raises:
        ValueError: It is closed, a terminal, empty, too large, or not UTF-8.
    """
    if stdin is None or stdin.closed:
        raise ValueError("is -, but standard input is closed")
    if stdin.isatty():
        raise ValueError("is -, but standard input is a terminal; pipe the text into the command, or give a file")
    try:
        text = _decode(stdin.buffer.read(_MAX_FILE_BYTES + 1))
    except OSError as error:
        raise ValueError(f"is -, but standard input cannot be read ({error.strerror})") from error
    if not text:
        raise ValueError("is -, but standard input is empty; docker run needs the option -i to pass it on")
    return text


def read_file(name: str, *, workspace: Path, runner_temp: Path | None = None, on_github: bool = True) -> str:
    """Read a text file in the workspace, or one under RUNNER_TEMP that is given by its absolute path.

    Outside GitHub, the workspace is the current folder.

    Raises:
        ValueError: It does not exist, is outside both, belongs to the runner or to Git, is not a regular file, is
            too large, or is not UTF-8.
    """
    if on_github and (variable := _VARIABLE.search(name)):
        raise ValueError(f"contains the shell's variable {variable[1]}; write {_EXPRESSIONS[variable[1]]} instead")
    in_temp = runner_temp is not None and Path(os.path.normpath(name)).is_relative_to(runner_temp)
    try:
        root = os.path.realpath(runner_temp if runner_temp and in_temp else workspace)
        path = Path(os.path.realpath(os.path.join(root, name)))  # noqa: PTH118 - realpath accepts links in a loop
        if not path.is_relative_to(root):
            raise ValueError(_OUTSIDE if on_github else _OUTSIDE_OF_CURRENT)
        if runner_temp and _is_reserved(path, runner_temp, workspace):
            raise ValueError(
                "is a file of the runner or of a checkout, which may contain a token; give one that one of your "
                "steps wrote, in a folder whose name does not begin with an underscore"
            )
        return _decode(_read_regular_file(path))
    except OSError as error:
        advice = (_TEMP_ADVICE if in_temp else _ADVICE) if on_github else _CURRENT_ADVICE
        raise ValueError(f"cannot be read ({error.strerror}); {advice}") from error


def _is_reserved(path: Path, runner_temp: Path, workspace: Path) -> bool:
    """Tell whether a file under RUNNER_TEMP is in one of the runner's folders, or is named like a credentials file."""
    temp, workspace = Path(os.path.realpath(runner_temp)), Path(os.path.realpath(workspace))
    in_workspace_below = temp in workspace.parents and path.is_relative_to(workspace)
    if in_workspace_below or not path.is_relative_to(temp):
        return False
    below = path.relative_to(temp)
    in_runner_folder = any(folder.name.startswith("_") for folder in below.parents)
    return in_runner_folder or any(_CREDENTIALS_NAME.match(name) for name in below.parts)


def _read_regular_file(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer: https://man7.org/linux/man-pages/man7/fifo.7.html
    # Links were followed already; O_NOFOLLOW refuses one that has replaced the file since then.
    # Windows has neither flag: its named pipes are not in folders, and creating a link requires a privilege.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - Path cannot open a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("is not a regular file")
        return file.read(_MAX_FILE_BYTES + 1)


def _decode(content: bytes) -> str:
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError(f"has more than {_MAX_FILE_BYTES:,} bytes, but at most {MAX_LENGTH:,} characters are allowed")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text; save it in that encoding") from error
