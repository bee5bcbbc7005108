"""The text that customers read: from an input or a file, cleaned, and refused when it should not be published."""

import os
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from onlineornot_action.text import MIN_SECRET_LENGTH

MAX_LENGTH = 10_000
"""Characters. The API states no maximum; a longer text is refused, since a cut one would be published by half."""

_MAX_FILE_BYTES = 4 * MAX_LENGTH + 1024
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""What Unicode counts as letters and symbols, but nobody can see."""


def check(text: str, *, secrets: Iterable[str]) -> str:
    """Hand a clean text back.

    Raises:
        ValueError: It says nothing, too much, or a secret.
    """
    if any(map(_is_half, text)):
        raise ValueError("is not valid UTF-8")
    if not any(map(_is_visible, text)):
        raise ValueError("has nothing to read in it")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"has {len(text):,} characters, but at most {MAX_LENGTH:,} are allowed; shorten it")
    if any(len(secret) >= MIN_SECRET_LENGTH and secret in text for secret in secrets):
        raise ValueError("contains the API token or github-token, and a secret is not published; take it out")
    return text


def read_file(name: str, *, workspace: Path) -> str:
    """Read a text file that lies in the workspace.

    Raises:
        ValueError: It is not there, not in the workspace, no regular file, too large, or not UTF-8.
    """
    root = os.path.realpath(workspace)
    path = Path(os.path.realpath(os.path.join(root, name)))  # noqa: PTH118 - realpath takes links that go in circles
    if not path.is_relative_to(root):
        raise ValueError("is outside the workspace; give a path relative to the workspace, and no link that leaves it")
    try:
        return _read_regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is not a UTF-8 text; save it as one") from error
    except OSError as error:
        raise ValueError(
            f"cannot be read ({error.strerror}); give a path relative to the workspace, to a file that an earlier step "
            "of this job wrote or checked out"
        ) from error


def _read_regular_file(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - a descriptor is no path
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("is not a regular file")
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError(f"has over {_MAX_FILE_BYTES:,} bytes, but at most {MAX_LENGTH:,} characters are allowed")
    return content


def _is_half(character: str) -> bool:
    """Whether it stands for a byte that could not be decoded."""
    return unicodedata.category(character) == "Cs"


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK_LETTERS
