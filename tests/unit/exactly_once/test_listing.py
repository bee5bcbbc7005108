"""What a reading of a list shows, when it proves something, and which items are new."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from onlineornot_action.exactly_once.listing import Listing, NewItems, PostLimits, find_new_items
from onlineornot_action.onlineornot.models import ListPage

BEGAN, SERVER_TIME, WRITTEN_AT = 5_000.0, 1_800_000_000.0, 4_960.0
POSTED = SERVER_TIME - 40
"""When the write began, by the server's clock: the list was requested 40 s later."""


@dataclass(frozen=True)
class Note:
    """An item of a list."""

    id: str
    created: float | None = None


ONE, TWO, THREE = Note("one"), Note("two"), Note("three")


def page(
    *items: Note, total: int | None = None, began: float = BEGAN, date: float | None = SERVER_TIME
) -> ListPage[Note]:
    return ListPage(items, total, began, date)


def find_new(
    reading: Listing[Note], baseline: Listing[Note] | None, is_candidate: Callable[[Note], bool] = bool
) -> NewItems[Note]:
    return find_new_items(reading, baseline, written_at=WRITTEN_AT, is_candidate=is_candidate, limits=PostLimits())


def test_item_that_moves_on_to_the_next_page_is_counted_once() -> None:
    reading = Listing([page(ONE, TWO, began=1), page(TWO, THREE, began=2)])

    assert reading.items == [ONE, TWO, THREE]
    assert (reading.ids, reading.began) == (frozenset({"one", "two", "three"}), 1.0)


@pytest.mark.parametrize(
    ("pages", "complete"),
    [
        ([page(total=0)], True),
        ([page(total=None)], False),
        ([page(ONE, total=None)], True),
        ([page(total=1)], False),
        ([page(ONE, total=1)], True),
        ([page(ONE, TWO, total=1)], True),
        ([page(ONE, total=2), page(total=2)], False),
        ([page(ONE, total=2), page(ONE, total=2)], False),
        ([page(ONE, total=2), page(TWO, total=2)], True),
        ([page(ONE, total=2), page(total=1)], False),
        ([page(ONE, total=1), page(total=2)], False),
    ],
)
def test_reading_is_complete_with_as_many_items_as_the_largest_total(
    pages: list[ListPage[Note]], complete: object
) -> None:
    reading = Listing(pages)

    assert reading.complete is complete


@pytest.mark.parametrize(
    ("max_pages", "length", "read", "too_long"),
    [({}, 30, 21, True), ({}, 20, 20, False), ({"max_pages": None}, 30, 30, True)],
)
def test_no_page_is_requested_once_the_list_is_too_long(
    max_pages: Any, length: int, read: int, too_long: object
) -> None:
    pages: Iterator[ListPage[Note]] = iter([page(ONE)] * length)

    reading = Listing(pages, **max_pages)

    assert (len(reading.pages), len(list(pages)), reading.too_long) == (read, length - read, too_long)


@pytest.mark.parametrize(
    ("pages", "proof"),
    [
        pytest.param([page(ONE, TWO, total=2), page(total=2)], True, id="all"),
        pytest.param([page(ONE, total=3), page(TWO, THREE, total=3), page(total=3)], True, id="all and a new one"),
        pytest.param([page(ONE, TWO, total=2)], False, id="not to an empty page"),
        pytest.param([page(ONE, TWO, total=2), page(TWO, total=2)], False, id="a page without new items"),
        pytest.param([page(ONE, TWO, total=3), page(total=2)], False, id="another total at first"),
        pytest.param([page(ONE, TWO, total=2), page(total=3)], False, id="another total at last"),
        pytest.param([page(ONE, TWO, total=1), page(total=1)], False, id="more than the total"),
        pytest.param([page(ONE, TWO), page()], False, id="no total"),
        pytest.param([page(ONE, THREE, total=2), page(total=2)], False, id="one of the baseline is missing"),
        pytest.param([page(total=0)], False, id="nothing"),
    ],
)
def test_list_can_prove_absence_only_when_nothing_can_be_missing(pages: list[ListPage[Note]], proof: object) -> None:
    baseline = Listing([page(ONE, TWO, total=2)])

    reading = Listing(pages)

    assert reading.shows_everything(baseline) is proof


def test_list_can_prove_absence_without_a_baseline() -> None:
    assert Listing([page(ONE, total=1), page(total=1)]).shows_everything(None)


COMPLETE, INCOMPLETE, EMPTY = (Listing([each]) for each in (page(ONE), page(ONE, total=2), page(total=0)))


@pytest.mark.parametrize(
    ("age", "baseline", "date", "expected"),
    [
        (-10, None, SERVER_TIME, "new"),
        (2, None, SERVER_TIME, "new"),
        (2.001, None, SERVER_TIME, "uncertain"),
        (300, None, SERVER_TIME, "uncertain"),
        (300.001, None, SERVER_TIME, "old"),
        (None, None, SERVER_TIME, "uncertain"),
        (0, None, None, "uncertain"),
        (400, None, None, "uncertain"),
        (-10, COMPLETE, SERVER_TIME, "new"),
        (300.001, COMPLETE, SERVER_TIME, "new"),
        (None, COMPLETE, SERVER_TIME, "new"),
        (300, INCOMPLETE, SERVER_TIME, "new"),
        (300.001, INCOMPLETE, SERVER_TIME, "old"),
        (None, INCOMPLETE, SERVER_TIME, "new"),
        (300.001, EMPTY, SERVER_TIME, "uncertain"),
        (None, EMPTY, SERVER_TIME, "new"),
    ],
)
def test_item_is_judged_by_the_baseline_and_by_its_age_at_the_moment_of_the_post(
    age: float | None, baseline: Listing[Note] | None, date: float | None, expected: str
) -> None:
    note = Note("note", None if age is None else POSTED - age)
    before = baseline.items if baseline else ()

    found = find_new(Listing([page(*before, note, date=date)]), baseline)

    groups = {"new": NewItems((note,), ()), "uncertain": NewItems((), (note,)), "old": NewItems((), ())}
    assert found == groups[expected]


@pytest.mark.parametrize("baseline", [None, Listing([page(TWO)])], ids=["no baseline", "baseline"])
def test_item_that_is_no_candidate_is_neither_new_nor_uncertain(baseline: Listing[Note] | None) -> None:
    reading = Listing([page(ONE, Note("now", POSTED), THREE)])

    found = find_new(reading, baseline, lambda item: item == THREE)

    assert found.new + found.uncertain == (THREE,)


def test_each_page_has_its_own_clock() -> None:
    now, later = Note("now", POSTED), Note("later", POSTED - 100)
    pages = [page(now), page(later, began=BEGAN + 10, date=SERVER_TIME - 90)]

    found = find_new(Listing(pages), None)

    assert found == NewItems((now, later), ())
