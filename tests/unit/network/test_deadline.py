"""Waits, and what is said of them."""

import pytest
from support.fault_server import VirtualClock

from onlineornot_action.network.deadline import Deadline

NEXT = "the list is read again"


@pytest.mark.parametrize(
    ("seconds", "reserve", "lines"),
    [
        (2, 0, []),
        (5, 0, ["Waiting 5 s until the list is read again; 60 s left"]),
        (90, 10, ["Waiting 50 s until the list is read again; 60 s left"]),
    ],
)
def test_a_wait_of_more_than_two_seconds_is_announced_with_the_time_that_is_left(
    clock: VirtualClock, seconds: float, reserve: float, lines: list[str]
) -> None:
    said: list[str] = []

    Deadline.after(60, clock, log=said.append).sleep(seconds, reserve, until=NEXT)

    assert said == lines


def test_the_time_that_is_left_is_that_for_everything(clock: VirtualClock) -> None:
    said: list[str] = []

    Deadline.after(60, clock, log=said.append).within(10).sleep(4, until=NEXT)

    assert said == ["Waiting 4 s until the list is read again; 60 s left"]
