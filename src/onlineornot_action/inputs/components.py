"""The input `components`: from lines, JSON or the word `restore` to components and their new status."""

import re
from typing import Literal

from onlineornot_action.inputs.component_json import parse_json
from onlineornot_action.inputs.component_lines import STATUS_PATTERN, NamedStatus, parse_lines

RESTORE: Literal["restore"] = "restore"

Components = tuple[NamedStatus, ...] | Literal["restore"]
"""A JSON list of ids is sent as it is, names are looked up, `restore` undoes what the incident changed."""


def parse_components(value: str) -> Components:
    """Parse lines, a JSON list or object, or the word `restore`."""
    if value.casefold() == RESTORE:
        return RESTORE
    if _is_json(value):
        return parse_json(value)
    return parse_lines(value)


def _is_json(value: str) -> bool:
    """Tell JSON from entries of which the first has a name that begins with a bracket.

    An entry ends with a word, JSON with a bracket; JSON in which that is missing has its statuses in quotes.
    """
    closing = {"[": "]", "{": "}"}.get(value[:1])
    if closing is None or value.endswith(closing):
        return closing is not None
    return not re.search(rf":\s*(?:{STATUS_PATTERN})\s*[,;\n]|:\s*\w+[\s,;]*$", value, re.IGNORECASE)
