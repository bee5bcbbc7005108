"""The text that customers read: checked before it is published, and read from a file."""

import os
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from onlineornot_action.text import MIN_SECRET_LENGTH

MAX_LENGTH = 10_000
"""Characters. The API documents no maximum. A longer text is refused rather than published in part."""

_MAX_FILE_BYTES = 4 * MAX_LENGTH + 1024
"""The longest text in UTF-8, four bytes a character, and some room for white space around it."""

_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Invisible, but letters and symbols to Unicode: the Hangul fillers and the empty Braille pattern."""


def check(text: str, *, secrets: Iterable[str]) -> str:
    """Return the text if it may be published.

    Raises:
        ValueError: It is not valid Unicode, shows nothing, is too long, or contains a secret.
    """
    if any(map(_is_surrogate, text)):
        raise ValueError("is not valid UTF-8")
    if not any(map(_is_visible, text)):
        raise ValueError("contains no visible characters")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"has {len(text):,} characters, but at most {MAX_LENGTH:,} are allowed; shorten it")
    if any(len(secret) >= MIN_SECRET_LENGTH and secret in text for secret in secrets):
        raise ValueError("contains the API token or github-token; remove it, because this text is published")
    return text


def read_file(name: str, *, workspace: Path) -> str:
    """Read a text file in the workspace.

    Raises:
        ValueError: It does not exist, is outside the workspace, is not a regular file, is too large, or is not UTF-8.
    """
    root = os.path.realpath(workspace)
    path = Path(os.path.realpath(os.path.join(root, name)))  # noqa: PTH118 - realpath accepts links in a loop
    if not path.is_relative_to(root):
        raise ValueError(
            "is outside the workspace; give a path relative to the workspace, without links that lead out of it"
        )
    try:
        return _read_regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text; save it in that encoding") from error
    except OSError as error:
        raise ValueError(
            f"cannot be read ({error.strerror}); give a path relative to the workspace, to a file that an earlier step "
            "of this job wrote or checked out"
        ) from error


def _read_regular_file(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer: https://man7.org/linux/man-pages/man7/fifo.7.html
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - Path cannot open a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("is not a regular file")
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError(f"has more than {_MAX_FILE_BYTES:,} bytes, but at most {MAX_LENGTH:,} characters are allowed")
    return content


def _is_surrogate(character: str) -> bool:
    """Tell whether it stands for a byte of the environment that is not UTF-8 (https://peps.python.org/pep-0383/)."""
    return unicodedata.category(character) == "Cs"


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK_LETTERS
