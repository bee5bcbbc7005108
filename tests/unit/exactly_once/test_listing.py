"""What a reading of a list shows, when it proves something, and which items are new."""

from collections.abc import Iterator
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


def anything(item: Note) -> bool:
    return bool(item.id)


def new_items(*items: Note, baseline: Listing[Note] | None = None, date: float | None = SERVER_TIME) -> NewItems[Note]:
    reading = Listing([page(*items, date=date)])
    return find_new_items(reading, baseline, written_at=WRITTEN_AT, is_candidate=anything, limits=PostLimits())


def test_item_that_moves_on_to_the_next_page_is_counted_once() -> None:
    reading = Listing([page(ONE, TWO), page(TWO, THREE)])

    assert reading.items == [ONE, TWO, THREE]
    assert reading.ids == {"one", "two", "three"}


def test_reading_began_with_its_first_page() -> None:
    reading = Listing([page(ONE, began=1), page(TWO, began=2)])

    assert reading.began == 1


@pytest.mark.parametrize(
    ("pages", "complete"),
    [
        ([page(total=0)], True),
        ([page(total=None)], True),
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


@pytest.mark.parametrize(("pages", "too_long"), [(20, False), (21, True)])
def test_reading_of_more_than_20_pages_is_too_long(pages: int, too_long: object) -> None:
    reading = Listing([page(ONE)] * pages)

    assert reading.too_long is too_long


@pytest.mark.parametrize(("max_pages", "expected"), [({}, 21), ({"max_pages": None}, 30)], ids=["default", "none"])
def test_no_page_is_requested_once_the_list_is_too_long(max_pages: Any, expected: int) -> None:
    pages: Iterator[ListPage[Note]] = iter([page(ONE)] * 30)

    reading = Listing(pages, **max_pages)

    assert len(reading.pages) == expected
    assert len(list(pages)) == 30 - expected


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
    reading = Listing([page(ONE, total=1), page(total=1)])

    assert reading.shows_everything(None)


@pytest.mark.parametrize(
    ("age", "expected"),
    [(-10, "new"), (2, "new"), (2.001, "uncertain"), (300, "uncertain"), (300.001, "old")],
)
def test_age_at_the_moment_of_the_post_decides_without_a_baseline(age: float, expected: str) -> None:
    note = Note("note", POSTED - age)

    found = new_items(note)

    assert (
        found == {"new": NewItems((note,), ()), "uncertain": NewItems((), (note,)), "old": NewItems((), ())}[expected]
    )


@pytest.mark.parametrize(("created", "date"), [(None, SERVER_TIME), (POSTED, None), (POSTED - 400, None)])
def test_item_of_unknown_age_is_uncertain_without_a_baseline(created: float | None, date: float | None) -> None:
    note = Note("note", created)

    found = new_items(note, date=date)

    assert found == NewItems((), (note,))


@pytest.mark.parametrize("created", [POSTED + 10, POSTED - 3, POSTED - 3600, None])
def test_item_that_the_baseline_does_not_show_is_new(created: float | None) -> None:
    old, note = Note("old", POSTED), Note("note", created)

    found = new_items(old, note, baseline=Listing([page(old)]))

    assert found == NewItems((note,), ())


LONG_AGO = Note("note", POSTED - 300.001)


@pytest.mark.parametrize(
    ("baseline", "found"),
    [
        pytest.param([page(ONE, total=1)], NewItems((LONG_AGO,), ()), id="complete: its clock is wrong"),
        pytest.param([page(ONE, total=2)], NewItems((), ()), id="incomplete: it was there"),
        pytest.param([page(total=0)], NewItems((), (LONG_AGO,)), id="empty: it is uncertain"),
    ],
)
def test_item_that_is_much_older_than_the_write_is_judged_by_the_baseline(
    baseline: list[ListPage[Note]], found: NewItems[Note]
) -> None:
    assert new_items(LONG_AGO, baseline=Listing(baseline)) == found


def test_empty_baseline_is_a_baseline() -> None:
    note = Note("note")

    found = new_items(note, baseline=Listing([page(total=0)]))

    assert found == NewItems((note,), ())


@pytest.mark.parametrize("baseline", [None, Listing([page(TWO)])], ids=["no baseline", "baseline"])
def test_item_that_is_no_candidate_is_neither_new_nor_uncertain(baseline: Listing[Note] | None) -> None:
    def is_three(item: Note) -> bool:
        return item == THREE

    reading = Listing([page(ONE, Note("now", POSTED), THREE)])

    found = find_new_items(reading, baseline, written_at=WRITTEN_AT, is_candidate=is_three, limits=PostLimits())

    assert found.new + found.uncertain == (THREE,)


def test_each_page_has_its_own_clock() -> None:
    now, later = Note("now", POSTED), Note("later", POSTED - 100)
    pages = [page(now), page(later, began=BEGAN + 10, date=SERVER_TIME - 90)]

    found = find_new_items(Listing(pages), None, written_at=WRITTEN_AT, is_candidate=anything, limits=PostLimits())

    assert found == NewItems((now, later), ())
