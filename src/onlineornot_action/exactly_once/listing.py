"""One reading of a list: how far it can be trusted, and which of its items are new."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Generic, Literal, NamedTuple, Self

from onlineornot_action.network.deadline import Deadline
from onlineornot_action.onlineornot.errors import APIError, APIResponseValidationError
from onlineornot_action.onlineornot.models import AnyItem, ListPage, Misfit

MAX_PAGES = 20
"""A list with more pages proves nothing: it changes while it is read."""


class PostLimits(NamedTuple):
    """Limits of posting exactly once, in seconds unless stated otherwise; docs/exactly-once.md explains them."""

    absence_delay: float = 20  # from a lost response until a list can prove that nothing was written
    second_reading_delay: float = 1  # a failing server may return an empty or incomplete list for a moment
    baseline_share: float = 0.25  # of the time left, for reading the list before a write
    clock_tolerance: float = 2  # an item created no longer than this before a write may have come from it
    baseline_age: float = 300  # an item created longer than this before a write cannot have come from it
    lost_writes: int = 3  # after this many writes without a response, no more are made


class Listing(Generic[AnyItem]):
    """One reading of a list.

    Args:
        pages: The pages of the list.
        max_pages: How many of them to read, None for all. By default one too many, to notice a list that is too long.
        before: The previous reading. If both show the same items, at least one, the server hides what is missing.

    Attributes:
        items: Every item once.
        misfits: Items that are not of the documented form; they are counted, but not used.
        ids: The ids of all items, misfits included.
        hidden: How many items the server counts without showing them.
        too_long: Whether the list has too many pages to prove anything.
    """

    def __init__(
        self, pages: Iterable[ListPage[AnyItem]], *, max_pages: int | None = MAX_PAGES + 1, before: Self | None = None
    ) -> None:
        self.pages = tuple(islice(pages, max_pages))
        self.items = list({item.id: item for page in self.pages for item in page.items}.values())
        self.misfits: tuple[Misfit, ...] = tuple(misfit for page in self.pages for misfit in page.misfits)
        self.ids = frozenset(item.id for item in self.items).union(misfit.id for misfit in self.misfits)
        self.hidden = max(self.missing, 0) if before and before.ids == self.ids != frozenset() else 0
        self.too_long = sum(bool(page.items or page.misfits) for page in self.pages) > MAX_PAGES

    @property
    def began(self) -> float:
        """When the first request began, on the deadline's clock."""
        return self.pages[0].began

    @property
    def server_time(self) -> float | None:
        """The server's clock when it responded, in seconds since 1970; None when it does not say."""
        return self.pages[-1].server_time

    @property
    def missing(self) -> int:
        """How many items the API counts, but does not list."""
        return max(page.total_count or 0 for page in self.pages) - len(self.ids)

    @property
    def complete(self) -> bool:
        """Whether all items that the API counts are listed, except those that are known to be hidden.

        A list may be empty only if the API counts no items: a failing server may return an empty list.
        """
        return self.missing <= self.hidden and (bool(self.ids) or any(page.total_count == 0 for page in self.pages))

    def shows_everything(self, baseline: "Listing[AnyItem] | None") -> bool:
        """Whether nothing can be missing, even though a failing server may return only a part of the list."""
        hidden = baseline.hidden if baseline else 0
        counts_agree = all(page.total_count == len(self.ids) + hidden for page in self.pages)
        is_at_end = not (self.pages[-1].items or self.pages[-1].misfits)
        return counts_agree and is_at_end and (baseline is None or baseline.ids <= self.ids)


def read_reliably(
    pages: Callable[[], Iterable[ListPage[AnyItem]]],
    deadline: Deadline,
    limits: PostLimits,
    *,
    is_enough: Callable[[list[AnyItem]], bool] = lambda _: False,
) -> Listing[AnyItem]:
    """Read a list until it is complete or shows enough.

    An empty list is accepted when it is read twice in a row. So is a list that shows fewer items than it counts, when
    the next reading shows the same items: servers may count hidden or deleted ones.

    Raises:
        APIError: The list cannot be read, or never twice with the same items.
    """
    attempts, before = 0, None
    while True:
        attempts += 1
        reading = Listing(pages(), max_pages=None, before=before)
        is_confirmed_empty = before is not None and not before.ids
        if is_enough(reading.items) or (reading.complete and (reading.ids or is_confirmed_empty)):
            return _log_hidden(reading, deadline)
        is_incomplete_again = attempts > 1 and not reading.complete
        pause = max(limits.second_reading_delay, deadline.backoff(attempts) if is_incomplete_again else 0.0)
        before = reading if reading.ids or reading.complete else None
        if not deadline.sleep(pause, deadline.limits.read_reserve, until="the list is read again"):
            raise APIResponseValidationError("the list was never complete")


def read_baseline(
    pages: Callable[[Deadline], Iterable[ListPage[AnyItem]]],
    deadline: Deadline,
    limits: PostLimits,
    *,
    is_enough: Callable[[list[AnyItem]], bool] | None = None,
) -> Listing[AnyItem] | None:
    """Read a list before a write, in a share of the time left; return None when it cannot be read or stays incomplete.

    With `is_enough`, the list is searched: it is read reliably, or until `is_enough` accepts what it shows. Without, it
    is only for comparison after the write, and is read at most twice.

    Raises:
        APIError: The write would fail for the same reason.
    """
    share = deadline.within(deadline.left() * limits.baseline_share)
    try:
        if is_enough:
            return read_reliably(partial(pages, share), share, limits, is_enough=is_enough)
        first = Listing(pages(share))
        if first.complete or first.too_long:
            return first
        if not share.sleep(limits.second_reading_delay, share.limits.read_reserve):
            return None
        second = Listing(pages(share), before=first)
    except APIError as error:
        if error.prevents_writing:
            raise
        return None
    return _log_hidden(second, deadline) if second.complete or second.too_long else None


def _log_hidden(reading: Listing[AnyItem], deadline: Deadline) -> Listing[AnyItem]:
    if reading.hidden:
        deadline.log(f"A list counts {reading.hidden} more than it shows, twice: they seem to be hidden or deleted.")
    return reading


def pause_before_reading(deadline: Deadline, attempts: int, *, proof_from: float, until: str = "") -> bool:
    """Back off between readings, but not beyond `proof_from`; return False when no time is left for another reading.

    Announce a long wait if `until` says what comes next; raise `CancelledError` if the run was cancelled.
    """
    pause, rest = deadline.backoff(attempts), proof_from - deadline.clock.monotonic()
    return deadline.sleep(min(pause, rest) if rest > 0 else pause, deadline.limits.read_reserve, until=until)


class NewItems(NamedTuple, Generic[AnyItem]):
    """The items of a reading that may have come from a write."""

    new: tuple[AnyItem, ...]
    uncertain: tuple[AnyItem, ...]  # they may have existed before


class Comparison(NamedTuple, Generic[AnyItem]):
    """How new items compare with the one that was posted; an item in no group is somebody else's."""

    same: tuple[AnyItem, ...]
    similar: tuple[AnyItem, ...]  # each may be the posted one in another form
    unreadable: tuple[AnyItem, ...] = ()  # they could not be read far enough to tell


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

    An item that a complete baseline lacks is new, whatever its date: clocks may differ. If the item is much older than
    the write, an empty baseline leaves that uncertain, and an incomplete one rules it out. Without one, age decides.

    Args:
        reading: The list after the write.
        baseline: The list before the write.
        written_at: When the write began, on the deadline's clock.
        is_candidate: Whether an item is considered at all.
        limits: `clock_tolerance` and `baseline_age` apply.
    """
    found: dict[str, dict[str, AnyItem]] = {"new": {}, "uncertain": {}, "old": {}}
    for page in reading.pages:
        for item in filter(is_candidate, page.items):
            if baseline is None or item.id not in baseline.ids:
                age = _age_at_write(item, page, written_at)
                found[_novelty(age, baseline, limits)][item.id] = item
    return NewItems(tuple(found["new"].values()), tuple(found["uncertain"].values()))


def _novelty(
    age: float | None, baseline: Listing[AnyItem] | None, limits: PostLimits
) -> Literal["new", "uncertain", "old"]:
    """Classify an item that the baseline lacks, by its age in seconds when the write began."""
    is_old = age is not None and age > limits.baseline_age
    if baseline is not None and baseline.complete:
        # A server in trouble may return an empty list.
        return "uncertain" if is_old and not baseline.ids else "new"
    if is_old:
        return "old"
    is_recent = age is not None and age <= limits.clock_tolerance
    return "new" if baseline is not None or is_recent else "uncertain"


def _age_at_write(item: AnyItem, page: ListPage[AnyItem], written_at: float) -> float | None:
    """Return an item's age when the write began, in seconds by the server's clock; None when it is not known."""
    if item.created is None or page.server_time is None:
        return None
    return page.server_time - (page.began - written_at) - item.created
