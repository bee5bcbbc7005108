"""Many steps at once against a sandbox in trouble: what they say, counted against what its store holds.

make soak                                    300 steps over 50 incidents, with the limits of real life
PYTHONPATH=src:tests .venv/bin/python tools/soak.py --runs 1000 --seed 7
"""

import argparse
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from support.fault_server import CASES, WELL, FaultServer, Play, ReceivedRequest

from onlineornot_action.main import main as run_action
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store

TROUBLE = [
    CASES[name]
    for name in (
        "429 for a second, before the write",
        "silence, before the write",
        "silence, after the write",
        "reset, before the write",
        "reset, after the write",
        "500 envelope, before the write",
        "503 html, after the write",
    )
]
SHARE_OF_TROUBLE = 0.4


@dataclass(frozen=True)
class Verdict:
    """What one step says, and how often the store has its text."""

    outcome: str
    copies: int

    @property
    def is_lost(self) -> bool:
        """Whether it claims what is not there."""
        return self.outcome == "created" and self.copies == 0

    @property
    def is_duplicated(self) -> bool:
        """Whether subscribers were told twice."""
        return self.copies > 1

    @property
    def is_denied(self) -> bool:
        """Whether it claims that nothing was written, though it is there."""
        return self.outcome in ("rejected", "not-sent") and self.copies > 0


class TroubledServer(FaultServer):
    """A server that plays a fault at random; the seed decides which."""

    def __init__(self, store: Store, seed: int) -> None:
        super().__init__(store=store)
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def _next_play(self, request: ReceivedRequest) -> Play:  # noqa: ARG002 - trouble does not choose
        with self._lock:
            return self._random.choice(TROUBLE) if self._random.random() < SHARE_OF_TROUBLE else WELL


def soak(*, runs: int, incidents: int, seed: int, limits: RunLimits | None = None, seconds: int = 180) -> list[Verdict]:
    """Run so many steps at once, each with a text of its own."""
    store = Store()
    template = store.incidents[INCIDENT_ID]
    ids = [f"incident{number:04}" for number in range(incidents)]
    store.incidents = {incident_id: replace(template, id=incident_id) for incident_id in ids}
    texts = [f"Step {number} of seed {seed} has this to say." for number in range(runs)]
    with TemporaryDirectory() as folder, TroubledServer(store, seed) as server, ThreadPoolExecutor(runs) as pool:

        def run(number: int) -> str:
            file = Path(folder, str(number))
            inputs = {"status": "UPDATE", "description": texts[number], "timeout-seconds": str(seconds)}
            where = {"status-page-id": PAGE_ID, "incident-id": ids[number % incidents]}
            access = {"api-token": EDIT_TOKEN, "api-url": server.url}
            environ = as_variables(inputs | where | access) | {"GITHUB_OUTPUT": str(file)}
            run_action([], environ, io.StringIO(), limits=limits)
            return parse_outputs(file.read_text(encoding="utf-8"))["outcome"]

        outcomes = list(pool.map(run, range(runs)))
    written = Counter(update.description for incident in store.incidents.values() for update in incident.updates)
    return [Verdict(outcome, written[text]) for outcome, text in zip(outcomes, texts, strict=True)]


def table(verdicts: Iterable[Verdict]) -> str:
    """Count what the steps say against what the store holds."""
    every = list(verdicts)
    rows = [("outcome", "copies", "steps")]
    rows += [(key.outcome, str(key.copies), str(count)) for key, count in sorted(Counter(every).items(), key=str)]
    rows += [
        ("lost", "", str(sum(verdict.is_lost for verdict in every))),
        ("doubled", "", str(sum(verdict.is_duplicated for verdict in every))),
        ("denied", "", str(sum(verdict.is_denied for verdict in every))),
        ("unknown", "", str(sum(verdict.outcome == "unknown" for verdict in every))),
    ]
    return "".join(f"{outcome:<12}{copies:>8}{steps:>8}\n" for outcome, copies, steps in rows)


def main() -> int:
    """Soak as the command line says, and print the table; 1 when something was lost, doubled or denied."""
    parser = argparse.ArgumentParser(description="Run many steps at once against a sandbox in trouble.")
    parser.add_argument("--runs", type=int, default=300, help="(%(default)s)")
    parser.add_argument("--incidents", type=int, default=50, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    arguments = parser.parse_args()
    begin = time.monotonic()
    verdicts = soak(runs=arguments.runs, incidents=arguments.incidents, seed=arguments.seed)
    sys.stdout.write(f"{table(verdicts)}{time.monotonic() - begin:.0f} s\n")
    return int(any(verdict.is_lost or verdict.is_duplicated or verdict.is_denied for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
