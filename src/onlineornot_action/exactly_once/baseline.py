"""The baseline: a list as it is just before a write, and whether it makes that write unnecessary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Generic

from onlineornot_action.exactly_once.listing import Listing, PostLimits, read_reliably
from onlineornot_action.onlineornot.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError, Effect
from onlineornot_action.onlineornot.models import Listed, ListPage

Pages = Callable[[Deadline], Iterable[ListPage[Listed]]]
"""Reads a list until a deadline."""


@dataclass(frozen=True)
class DuplicateCheck(Generic[Listed]):
    """When an item that is already there makes posting unnecessary.

    Attributes:
        find: Returns that item of a list, if there is one.
        is_required: Whether nothing is posted while the list cannot be read. Otherwise the check is left out then.
    """

    find: Callable[[list[Listed]], Listed | None]
    is_required: bool


def read_baseline(
    pages: Pages[Listed], deadline: Deadline, limits: PostLimits, check: DuplicateCheck[Listed] | None = None
) -> Listing[Listed] | None:
    """Read a list before a write; return None when it cannot be read or stays incomplete.

    It may take its share of the time, or all of it where a required check depends on the list.

    Raises:
        APIError: The list cannot be read, and a required check or the write depends on it.
    """
    if check and check.is_required:
        find, read = check.find, partial(pages, deadline)
        return read_reliably(read, deadline, limits, is_enough=lambda items: find(items) is not None)
    share = deadline.within(deadline.left() * limits.baseline_share)
    try:
        return read_reliably(partial(pages, share), share, limits) if check else _read_at_most_twice(pages, share)
    except APIError as error:
        if _prevents_writing(error):
            raise
        return None


def _read_at_most_twice(pages: Pages[Listed], deadline: Deadline) -> Listing[Listed] | None:
    reading = Listing(pages(deadline))
    if not (reading.complete or reading.too_long):
        reading = Listing(pages(deadline))
    return reading if reading.complete or reading.too_long else None


def _prevents_writing(error: APIError) -> bool:
    """Whether the failure to read the list will also make the write fail."""
    refused = error.status in (401, 403, 404)
    return refused or error.effect is Effect.THROTTLED or (error.effect is Effect.NOT_SENT and error.final)
