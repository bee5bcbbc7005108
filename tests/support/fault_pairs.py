"""Every pair of faults that one create may meet; the tests run a sample of them, `make soak` all."""

from dataclasses import replace
from itertools import product

from support.fault_server import CASES, FAULTS, Phase, Rule

KINDS = (
    "reset, before the write",
    "reset, after the write",
    "silence, after the write",
    "written late, before the write",
    "headers cut between lines, after the write",
    "500 envelope, before the write",
    "500 envelope, after the write",
    "503 html, before the write",
    "408 empty, after the write",
    "200 empty list, before the write",
    "201 without an id, before the write",
    "429 for a second, before the write",
    "400 envelope, before the write",
    "401 envelope, before the write",
    "403 html, before the write",
    "403 html, after the write",
    "total_count too high, after the write",
)
"""One fault of each kind, in the phases that make a difference."""


def fault_pairs() -> dict[str, list[Rule]]:
    """Return scripts in which two requests in a row meet a fault, by their names."""
    found: dict[str, list[Rule]] = {}
    for first, second in product(KINDS, KINDS):
        one, two = CASES[first], CASES[second]
        baseline, lists = Rule(FAULTS["chunked"], Phase.AFTER, "GET"), replace(two, method="GET", times=3)
        found |= {
            f"list: {first}; post: {second}": [replace(one, method="GET"), replace(two, method="POST")],
            f"post: {first}; post: {second}": [replace(one, method="POST"), replace(two, method="POST")],
            f"post: {first}; list: {second}": [baseline, replace(one, method="POST"), lists],
        }
    return found
