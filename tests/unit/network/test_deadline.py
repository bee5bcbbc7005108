"""Waits, and how they are announced."""

import pytest
from support.fault_server import VirtualClock

from onlineornot_action.network.deadline import Deadline


@pytest.mark.parametrize(
    ("part", "seconds", "reserve", "lines"),
    [
        (60, 2, 0, []),
        (60, 5, 0, ["Waiting 5 s until the list is read again; 60 s left"]),
        (60, 90, 10, ["Waiting 50 s until the list is read again; 60 s left"]),
        (10, 4, 0, ["Waiting 4 s until the list is read again; 60 s left"]),
    ],
)
def test_a_wait_of_more_than_two_seconds_is_announced_with_the_total_time_left(
    clock: VirtualClock, part: float, seconds: float, reserve: float, lines: list[str]
) -> None:
    said: list[str] = []

    Deadline.after(60, clock, log=said.append).within(part).sleep(seconds, reserve, until="the list is read again")

    assert said == lines
