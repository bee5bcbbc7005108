"""GitHub's Markdown around foreign text, in which that is nothing but text: no markup, no link, no mention."""

import re
from collections.abc import Iterable, Sequence

from onlineornot_action.inputs.description import plain

LONGEST_CELL = 200
"""Characters of a text inside a table."""

_LOOKALIKES = str.maketrans("`|", "'¦")


def code(text: str, longest: int = LONGEST_CELL) -> str:
    """A text as one line of code, not too long, without the two marks that could end it or the cell that it is in."""
    line = " ".join(plain(text).split()).translate(_LOOKALIKES)
    return f"`{line if len(line) <= longest else f'{line[:longest]}…'}`" if line else ""


def table(rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; the first row is its head."""
    head, *others = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *others))


def fence(text: str, language: str = "text") -> str:
    """A text in a block of its own, behind a fence longer than any in it."""
    shown = plain(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{shown}\n{marks}"
