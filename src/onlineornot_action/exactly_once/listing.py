"""What one reading of a list shows, how far it can be trusted, and what in it is new."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count, islice
from typing import Generic

from onlineornot_action.onlineornot.deadline import Deadline, Limits, backoff
from onlineornot_action.onlineornot.errors import APIResponseValidationError
from onlineornot_action.onlineornot.models import AnyItem, Listed, ListPage

MAX_PAGES = 20
"""Of a longer list nothing can be told: it changes while it is read."""


@dataclass(frozen=True)
class PostLimits(Limits):
    """Limits of posting exactly once, in seconds unless stated otherwise; docs/exactly-once.md explains them."""

    absence_delay: float = 20
    """After a lost response, before a list can prove that nothing was written."""
    empty_list_delay: float = 1
    """Before an empty list is read again, since a hiccup may last a while."""
    baseline_share: float = 0.25
    """The share of all the time that reading the list before a write may take."""
    clock_tolerance: float = 2
    """An item created no longer than this before a write, by the server's clock, may have come from it."""
    baseline_age: float = 300
    """An item created longer than this before a write cannot have come from it."""


class Listing(Generic[Listed]):
    """A list as one reading of it showed it."""

    def __init__(self, pages: Iterable[ListPage[Listed]], *, max_pages: int | None = MAX_PAGES) -> None:
        self.pages = tuple(islice(pages, max_pages and max_pages + 1))
        self.too_long = sum(bool(page.items) for page in self.pages) > MAX_PAGES
        self._items = {item.id: item for page in self.pages for item in page.items}

    @property
    def items(self) -> list[Listed]:
        """Every item once."""
        return list(self._items.values())

    @property
    def ids(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(self._items)

    @property
    def began(self) -> float:
        """When its first request was begun."""
        return self.pages[0].began

    @property
    def complete(self) -> bool:
        """Whether it has as many items as the API says there are."""
        return len(self.ids) >= max(page.total_count or 0 for page in self.pages)

    def shows_everything(self, baseline: "Listing[Listed] | None") -> bool:
        """Whether nothing can be missing: a server in trouble may response an empty list, or a part of one."""
        counts_agree = all(page.total_count == len(self.ids) for page in self.pages)
        return counts_agree and not self.pages[-1].items and (baseline is None or baseline.ids <= self.ids)


def read_reliably(
    pages: Callable[[], Iterable[ListPage[Listed]]],
    deadline: Deadline,
    limits: PostLimits,
    *,
    is_enough: Callable[[list[Listed]], bool] = lambda _: False,
) -> Listing[Listed]:
    """Read a list until it is all there, or shows enough; an empty one is believed the second time.

    Raises:
        APIError: It cannot be read, or is never complete.
    """
    empty_before = False
    for attempts in count(1):
        reading = Listing(pages(), max_pages=None)
        if is_enough(reading.items) or (reading.complete and (reading.items or empty_before)):
            return reading
        empty_before = reading.complete
        if not deadline.sleep(
            limits.empty_list_delay if empty_before else backoff(attempts, limits), limits.read_reserve
        ):
            break
    raise APIResponseValidationError("the list never has as many items as it says", status=200)


@dataclass(frozen=True)
class NewItems(Generic[AnyItem]):
    """What in a reading may have come from a write.

    Attributes:
        new: What did not exist before.
        uncertain: What may have existed before.
    """

    new: tuple[AnyItem, ...]
    uncertain: tuple[AnyItem, ...]


def find_new_items(
    reading: Listing[AnyItem],
    baseline: Listing[AnyItem] | None,
    *,
    written_at: float,
    concerns: Callable[[AnyItem], bool],
    limits: PostLimits,
) -> NewItems[AnyItem]:
    """Tell what is new since a write.

    With a baseline that is what does not stand there, unless the server made it long before (a baseline may have been
    short). Without one the server's clock decides, as far as it can be known.

    Args:
        reading: The list after the write.
        baseline: The list before.
        written_at: When the write was begun, on this machine's clock.
        concerns: Whether an item counts at all.
        limits: What "just now" and "long ago" mean.
    """
    new: dict[str, AnyItem] = {}
    uncertain: dict[str, AnyItem] = {}
    for page in reading.pages:
        for item in filter(concerns, page.items):
            age = _age_at_write(item, page, written_at)
            if (baseline and item.id in baseline.ids) or (age is not None and age > limits.baseline_age):
                continue
            known = baseline is not None or (age is not None and age <= limits.clock_tolerance)
            (new if known else uncertain)[item.id] = item
    return NewItems(tuple(new.values()), tuple(uncertain.values()))


def _age_at_write(item: AnyItem, page: ListPage[AnyItem], written_at: float) -> float | None:
    """Seconds for which an item had existed when the write was begun, by the server's clock; None without one."""
    if item.created is None or page.server_time is None:
        return None
    return page.server_time - (page.began - written_at) - item.created
