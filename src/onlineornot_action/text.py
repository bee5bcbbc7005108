"""Untrusted text made safe to show and to compare: control characters, quoting, truncation, Markdown; and names."""

import re
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

MIN_SECRET_LENGTH = 8
"""Characters. Anything shorter is not treated as a secret, because it appears in ordinary text by chance."""

MAX_QUOTE_LENGTH = 60
"""Characters of a value that a message quotes."""

MAX_CELL_LENGTH = 200
"""Characters of a text that a cell of a table shows."""

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and line feed, DEL, C1, and the bidirectional controls, which make a text look like another one.

Why the last are dangerous: https://trojansource.codes
"""

_TERMINAL_SEQUENCES = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)")
"""CSI sequences, such as colors, and OSC sequences, such as titles: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html"""

_LOOKALIKES = str.maketrans("`|", "'¦")
"""A backtick ends a code span, and a pipe ends a cell even inside one: https://github.github.com/gfm/#tables-extension-"""


def normalize_newlines(text: str) -> str:
    """End every line with LF."""
    return re.sub("\r\n?", "\n", text)


def strip_controls(text: str) -> str:
    """Remove whole terminal escape sequences, and every other control character."""
    return CONTROL_CHARACTERS.sub("", _TERMINAL_SEQUENCES.sub("", text))


def plain(text: str) -> str:
    """Prepare an untrusted text for display: LF at the end of lines, no control characters."""
    return strip_controls(normalize_newlines(text))


def shorten(text: str, length: int) -> str:
    """Cut a text that is longer than `length` characters, and add an ellipsis."""
    return text if len(text) <= length else f"{text[:length]}…"


def one_line(text: str) -> str:
    """Replace each run of white space, line breaks included, with one space."""
    return " ".join(text.split())


def quote(value: str) -> str:
    """Quote a value for a message: on one line, without lone surrogates, and shortened."""
    return f"'{shorten(one_line(value).encode(errors='replace').decode(), MAX_QUOTE_LENGTH)}'"


def fold(name: str) -> str:
    """Return the form in which names and titles are compared: NFC, stripped and case-folded."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def kebab(field_name: str) -> str:
    """Return the name of an input or output, as a workflow writes it, from the name of its field."""
    return field_name.replace("_", "-")


def code(text: str, length: int = MAX_CELL_LENGTH) -> str:
    """Format a text as one line of inline code, without characters that could end the code or its table cell."""
    line = one_line(plain(text)).translate(_LOOKALIKES)
    return f"`{shorten(line, length)}`" if line else ""


def table(rows: Iterable[Sequence[str]]) -> str:
    """Format rows of Markdown cells as a table; the first row is the header."""
    head, *others = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *others))


def fence(text: str, language: str = "text") -> str:
    """Format a text as a code block, whose fence is longer than any run of backticks in the text.

    Only a fence at least as long ends the block: https://github.github.com/gfm/#fenced-code-blocks
    """
    shown = plain(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{shown}\n{marks}"


def locate_defect(error: Exception) -> str:
    """Name an unexpected exception and where it was raised; its message is left out, since it could hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"
