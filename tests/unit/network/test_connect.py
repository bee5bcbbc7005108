"""Which of a name's addresses a connection is made to, and how long that takes."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.exchanges import lasting
from support.fault_server import FaultServer
from support.listeners import address_at, refusing_address, resolving_to, silent_address

from onlineornot_action.network.connect import (
    ATTEMPT_DELAY,
    Address,
    confirm,
    create_connection,
    in_order,
    resolve_name,
)

FOREVER = 60.0
SOON = 1.0
V4, V6 = socket.AF_INET, socket.AF_INET6


class Addresses(NamedTuple):
    """Addresses that do not respond, refuse connections, or accept them."""

    silent: Address
    also_silent: Address
    refusing: Address
    good: Address
    also_good: Address


@pytest.fixture
def at() -> Iterator[Addresses]:
    with (
        silent_address("127.0.0.2") as silent,
        silent_address("127.0.0.3") as also_silent,
        refusing_address() as refusing,
        FaultServer() as good,
        FaultServer() as also_good,
    ):
        yield Addresses(silent, also_silent, refusing, address_at(*good.address), address_at(*also_good.address))


def connect(*addresses: Address, timeout: float = FOREVER, attempt_delay: float = ATTEMPT_DELAY) -> Address:
    """Connect to a name with these addresses, and return the one that responded."""
    resolve = resolving_to(*addresses)
    with create_connection(("name.example", 80), timeout, resolve=resolve, attempt_delay=attempt_delay) as connection:
        return V4, connection.getpeername()


def connect_and_confirm(*addresses: Address) -> None:
    with create_connection(("name.example", 80), FOREVER, resolve=resolving_to(*addresses)) as connection:
        confirm(connection)


def test_silent_addresses_cost_little(at: Addresses) -> None:
    with lasting(0.5, 0.5 + SOON):
        assert connect(at.silent, at.also_silent, at.good) == at.good


@pytest.mark.parametrize("order", [(0, 2, 3), (2, 0, 3)])
def test_the_good_address_is_found_behind_a_silent_and_a_refusing_one(order: tuple[int, ...], at: Addresses) -> None:
    with lasting(most=SOON):
        assert connect(*(at[place] for place in order)) == at.good


def test_after_a_refusal_the_next_address_is_tried_at_once(at: Addresses) -> None:
    with lasting(most=SOON):
        assert connect(at.refusing, at.good, attempt_delay=FOREVER) == at.good


@pytest.mark.parametrize("bad", [(250, ("name.example", 80)), (V4, ("255.255.255.255", 80))])
def test_an_address_that_fails_at_once_is_passed_over(bad: Address, at: Addresses) -> None:
    assert connect(bad, at.good, attempt_delay=FOREVER) == at.good


def test_only_silent_addresses_end_in_a_timeout(at: Addresses) -> None:
    with lasting(0.4, 0.4 + SOON), pytest.raises(TimeoutError):
        connect(at.silent, at.also_silent, timeout=0.4)


def test_only_refusing_addresses_end_in_a_refusal(at: Addresses) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(at.refusing, at.refusing)


def test_a_name_without_addresses_ends_in_an_error() -> None:
    with pytest.raises(OSError, match="no address"):
        connect()


def test_the_timeout_ends_up_on_the_socket(at: Addresses) -> None:
    with create_connection(("name.example", 80), 7, None, [], resolve=resolving_to(at.good)) as connection:
        assert connection.gettimeout() == 7


@pytest.mark.parametrize("kind", ["silent", "refusing"])
def test_an_address_that_failed_is_not_the_first_next_time(kind: str, at: Addresses) -> None:
    bad = getattr(at, kind)
    connect_and_confirm(bad, at.good)

    with lasting(most=SOON):
        assert connect(bad, at.good, attempt_delay=FOREVER) == at.good


def test_an_address_whose_handshake_was_never_done_is_not_the_first_next_time(at: Addresses) -> None:
    assert [connect(at.good, at.also_good), connect(at.good, at.also_good)] == [at.good, at.also_good]


def test_an_address_that_was_confirmed_stays_the_first(at: Addresses) -> None:
    connect_and_confirm(at.good, at.also_good)

    assert connect(at.good, at.also_good) == at.good


def test_no_socket_is_left_open(at: Addresses) -> None:
    open_files = Path("/proc/self/fd")
    before = len([*open_files.iterdir()])

    connect(at.silent, at.refusing, at.good)
    with contextlib.suppress(TimeoutError):
        connect(at.silent, timeout=0.1)

    assert len([*open_files.iterdir()]) == before


@pytest.mark.parametrize(
    ("families", "order"),
    [([V4, V4], [0, 1]), ([V6, V6, V6, V4, V4], [0, 3, 1, 4, 2]), ([V4, V6, V6], [0, 1, 2]), ([V4, V4, V6], [0, 2, 1])],
)
def test_families_alternate(families: list[int], order: list[int]) -> None:
    addresses = [(family, (str(place), 80)) for place, family in enumerate(families)]

    assert list(in_order(addresses)) == [addresses[place] for place in order]


def test_a_name_is_resolved_by_the_system() -> None:
    assert address_at("127.0.0.1", 80) in resolve_name("127.0.0.1", 80)
