"""A list as one reading shows it: how far it can be trusted, and which of its items are new."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError, APIResponseValidationError
from onlineornot_action.onlineornot.models import AnyItem, Listed, ListPage

MAX_PAGES = 20
"""A list with more pages proves nothing: it changes while it is read."""


@dataclass(frozen=True)
class PostLimits:
    """Limits of posting exactly once, in seconds unless stated otherwise; docs/exactly-once.md explains them."""

    absence_delay: float = 20
    """After a lost response, before a list can prove that nothing was written."""
    empty_list_delay: float = 1
    """Before an empty list is read again: a failing server may return one for a moment."""
    baseline_share: float = 0.25
    """The share of the time left that reading the list before a write may take."""
    clock_tolerance: float = 2
    """An item created no longer than this before a write, by the server's clock, may have come from it."""
    baseline_age: float = 300
    """An item created longer than this before a write cannot have come from it."""
    lost_writes: int = 3
    """How many writes may end without a response before no more are made."""


class Listing(Generic[Listed]):
    """One reading of a list.

    Args:
        pages: The pages of the list.
        max_pages: How many of them to read, None for all. By default one more than can be trusted, to notice it.
    """

    def __init__(self, pages: Iterable[ListPage[Listed]], *, max_pages: int | None = MAX_PAGES + 1) -> None:
        self.pages = tuple(islice(pages, max_pages))
        self.too_long = sum(bool(page.items) for page in self.pages) > MAX_PAGES
        self._items = {item.id: item for page in self.pages for item in page.items}

    @property
    def items(self) -> list[Listed]:
        """Every item once."""
        return list(self._items.values())

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all items."""
        return frozenset(self._items)

    @property
    def began(self) -> float:
        """When the first request began, on the deadline's clock."""
        return self.pages[0].began

    @property
    def server_time(self) -> float | None:
        """The server's clock when it responded, in seconds since 1970; None when it does not say."""
        return self.pages[-1].server_time

    @property
    def complete(self) -> bool:
        """Whether it has as many items as the API says there are."""
        return len(self.ids) >= max(page.total_count or 0 for page in self.pages)

    def may_show_everything(self, baseline: "Listing[Listed] | None") -> bool:
        """Whether nothing is known to be missing."""
        return self.complete and (baseline is None or baseline.ids <= self.ids)

    def shows_everything(self, baseline: "Listing[Listed] | None") -> bool:
        """Whether nothing can be missing, even though a failing server may return only a part of the list."""
        counts_agree = all(page.total_count == len(self.ids) for page in self.pages)
        return counts_agree and not self.pages[-1].items and self.may_show_everything(baseline)


def read_reliably(
    pages: Callable[[], Iterable[ListPage[Listed]]],
    deadline: Deadline,
    limits: PostLimits,
    *,
    is_enough: Callable[[list[Listed]], bool] = lambda _: False,
) -> Listing[Listed]:
    """Read a list until it is complete or shows enough. An empty list counts when it is read twice in a row.

    Raises:
        APIError: The list cannot be read, or is never complete.
    """
    attempts, empty_before = 0, False
    while True:
        attempts += 1
        reading = Listing(pages(), max_pages=None)
        if is_enough(reading.items) or (reading.complete and (reading.items or empty_before)):
            return reading
        empty_before = reading.complete
        pause = limits.empty_list_delay if empty_before else deadline.backoff(attempts)
        if not deadline.sleep(pause, deadline.limits.read_reserve, until="the list is read again"):
            raise APIResponseValidationError("the list never had as many items as its total_count")


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
        if error.prevents_writing:
            raise
        return None


def _read_at_most_twice(pages: Pages[Listed], deadline: Deadline) -> Listing[Listed] | None:
    reading = Listing(pages(deadline))
    if not (reading.complete or reading.too_long):
        reading = Listing(pages(deadline))
    return reading if reading.complete or reading.too_long else None


@dataclass(frozen=True)
class NewItems(Generic[AnyItem]):
    """The items of a reading that may have come from a write.

    Attributes:
        new: Items that did not exist before the write.
        uncertain: Items that may have existed before it.
    """

    new: tuple[AnyItem, ...]
    uncertain: tuple[AnyItem, ...]


@dataclass(frozen=True)
class Comparison(Generic[AnyItem]):
    """What new items are to the one that was posted; what is in no group is somebody else's.

    Attributes:
        same: Items that say exactly what was posted.
        similar: Items that may be it in another form.
        unreadable: Items that could not be read far enough to tell.
    """

    same: tuple[AnyItem, ...]
    similar: tuple[AnyItem, ...]
    unreadable: tuple[AnyItem, ...] = ()


def oldest_first(items: Iterable[AnyItem]) -> list[AnyItem]:
    """Sort items by when they were created."""
    return sorted(items, key=lambda item: item.created or 0.0)


def ids_of(items: Iterable[AnyItem]) -> tuple[str, ...]:
    """Return the ids of items."""
    return tuple(item.id for item in items)


def find_new_items(
    reading: Listing[AnyItem],
    baseline: Listing[AnyItem] | None,
    *,
    written_at: float,
    is_candidate: Callable[[AnyItem], bool],
    limits: PostLimits,
) -> NewItems[AnyItem]:
    """Find the items that are new since a write.

    With a baseline, an item is new when the baseline lacks it, unless the server created it long before the write: the
    baseline may have been incomplete. Without one, the item's age by the server's clock decides.

    Args:
        reading: The list after the write.
        baseline: The list before the write.
        written_at: When the write began, on the deadline's clock.
        is_candidate: Whether an item is considered at all.
        limits: `clock_tolerance` and `baseline_age` apply.
    """
    new: dict[str, AnyItem] = {}
    uncertain: dict[str, AnyItem] = {}
    for page in reading.pages:
        for item in filter(is_candidate, page.items):
            age = _age_at_write(item, page, written_at)
            was_there = baseline is not None and item.id in baseline.ids
            if was_there or (age is not None and age > limits.baseline_age):
                continue
            if baseline is not None or (age is not None and age <= limits.clock_tolerance):
                new[item.id] = item
            else:
                uncertain[item.id] = item
    return NewItems(tuple(new.values()), tuple(uncertain.values()))


def _age_at_write(item: AnyItem, page: ListPage[AnyItem], written_at: float) -> float | None:
    """Return an item's age when the write began, in seconds by the server's clock; None when it is not known."""
    if item.created is None or page.server_time is None:
        return None
    return page.server_time - (page.began - written_at) - item.created
