"""Lists come in pages, can be searched, and stand newest first.

The real API promises no order: whoever relies on this one has a bug that the sandbox cannot show.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Protocol, TypeVar

from flask import Response

from onlineornot_sandbox.envelopes import RefusedError, success
from onlineornot_sandbox.resources import Json

PER_PAGE = 20
MAX_PER_PAGE = 100


class Listed(Protocol):
    """What can stand in a list."""

    @property
    def created_at(self) -> str:
        """The timestamp that orders the list."""

    def as_json(self) -> Json:
        """Word the item."""


Item = TypeVar("Item", bound=Listed)


def listing(items: Iterable[Item], text_of: Callable[[Item], str], query: Mapping[str, str]) -> Response:
    """Response the page that the query asks for; `text_of` gives what `search` looks through."""
    page = _number(query, "page", 1)
    per_page = min(_number(query, "per_page", PER_PAGE), MAX_PER_PAGE)
    wanted = query.get("search", "").casefold()
    found = [item for item in tuple(items) if wanted in text_of(item).casefold()]
    found.sort(key=lambda item: item.created_at, reverse=True)
    given = found[(page - 1) * per_page : page * per_page]
    info = {"page": page, "per_page": per_page, "count": len(given), "total_count": len(found)}
    return success([item.as_json() for item in given], result_info=info)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not re.fullmatch("[1-9][0-9]{0,17}", value):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name}: must be a whole number from 1 on")
    return int(value)
