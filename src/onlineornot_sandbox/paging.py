"""Lists with pages and a search, newest item first.

The real API promises no order: code that relies on this one has a bug that the sandbox does not show.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TypeVar

from flask import Response

from onlineornot_sandbox.envelopes import RefusedError, success
from onlineornot_sandbox.resources import Item

PER_PAGE = 20
MAX_PER_PAGE = 100


AnyItem = TypeVar("AnyItem", bound=Item)


def list_response(
    items: Iterable[AnyItem], text_of: Callable[[AnyItem], str], query: Mapping[str, str], hidden: int
) -> Response:
    """Return the page of a list that a query asks for.

    Args:
        items: Every item of the list.
        text_of: Returns the text of an item that `search` is compared with.
        query: The parameters of the request: `page`, `per_page` and `search`.
        hidden: How many more items `total_count` counts.
    """
    page = _number(query, "page", 1)
    per_page = min(_number(query, "per_page", PER_PAGE), MAX_PER_PAGE)
    search = query.get("search", "").casefold()
    found = [item for item in tuple(items) if search in text_of(item).casefold()]
    found.sort(key=lambda item: str(item.created_at or ""), reverse=True)
    shown = found[(page - 1) * per_page : page * per_page]
    info = {"page": page, "per_page": per_page, "count": len(shown), "total_count": len(found) + hidden}
    return success([item.as_json() for item in shown], result_info=info)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not re.fullmatch("[1-9][0-9]{0,17}", value):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name}: must be a whole number of at least 1")
    return int(value)
