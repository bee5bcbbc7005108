"""Faults during which something else happens."""

from collections.abc import Callable, Iterable

from support.fault_server import End, Fault


def lost_while(happens: Callable[[], object]) -> Fault:
    """Make the fault that is a lost response while something else happens."""

    def happen(_reply: object) -> Iterable[bytes]:
        happens()
        return ()

    return Fault(happen, End.CLOSE)
