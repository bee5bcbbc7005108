"""Soak test: run steps against a server with faults, and compare their outcomes with its store.

    make soak                                                                 300 steps at once over 50 incidents
    PYTHONPATH=src:tests .venv/bin/python tools/soak.py --runs 1000 --seed 7

First come all pairs of faults, one after the other; then many steps at once with random faults and the limits of
production. The exit status is 1 if a step was lost, duplicated or denied; see `Verdict`.
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

from support.fault_pairs import fault_pairs
from support.fault_server import CASES, HEALTHY, FaultServer, ReceivedRequest, Rule
from support.step import run_main

from onlineornot_action.main import main as run_action
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store

FAULTS = [
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
FAULT_RATE = 0.4


@dataclass(frozen=True)
class Verdict:
    """The outcome of one step, and the number of updates with its text in the store."""

    outcome: str
    copies: int

    @property
    def failure(self) -> str:
        """Whether the update is there twice, missing although reported, or there although denied; or empty."""
        if self.copies > 1:
            return "duplicated"
        if self.copies == 0:
            return "lost" if self.outcome == "created" else ""
        return "denied" if self.outcome in ("rejected", "not-sent") else ""


class RandomFaultServer(FaultServer):
    """A server that responds to some requests with a fault; the seed decides which."""

    def __init__(self, store: Store, seed: int) -> None:
        super().__init__(store=store)
        self._random = random.Random(seed)  # noqa: S311 - not used for security

    def _next_rule(self, request: ReceivedRequest) -> Rule:  # noqa: ARG002 - faults are independent of the request
        with self._lock:
            return self._random.choice(FAULTS) if self._random.random() < FAULT_RATE else HEALTHY


def soak(*, runs: int, incidents: int, seed: int, limits: RunLimits | None = None, seconds: int = 180) -> list[Verdict]:
    """Run steps at once, each with its own text, spread over several incidents.

    Args:
        runs: The number of steps.
        incidents: The number of incidents.
        seed: Decides which requests meet a fault.
        limits: Limits of a step; those of production by default.
        seconds: The `timeout-seconds` of a step.
    """
    store = Store()
    template = store.incidents[INCIDENT_ID]
    ids = [f"incident{number:04}" for number in range(incidents)]
    store.incidents = {incident_id: replace(template, id=incident_id) for incident_id in ids}
    texts = [f"Update {number} of seed {seed}." for number in range(runs)]
    with TemporaryDirectory() as folder, RandomFaultServer(store, seed) as server, ThreadPoolExecutor(runs) as pool:

        def run(number: int) -> str:
            output_file = Path(folder, str(number))
            inputs = {"status": "UPDATE", "description": texts[number], "timeout-seconds": str(seconds)}
            inputs |= {"status-page-id": PAGE_ID, "incident-id": ids[number % incidents]}
            inputs |= {"api-token": EDIT_TOKEN, "api-url": server.url}
            environ = as_variables(inputs) | {"GITHUB_OUTPUT": str(output_file)}
            run_action([], environ, io.StringIO(), None, limits=limits or RunLimits())
            return parse_outputs(output_file.read_text(encoding="utf-8"))["outcome"]

        outcomes = list(pool.map(run, range(runs)))
    written = Counter(update.description for incident in store.incidents.values() for update in incident.updates)
    return [Verdict(outcome, written[text]) for outcome, text in zip(outcomes, texts, strict=True)]


def run_pairs() -> list[str]:
    """Run a step for each pair of faults; return the names of those whose outcome differs from the store."""
    wrong = []
    with TemporaryDirectory() as folder:
        for name, script in fault_pairs().items():
            result = run_main(Path(folder), *script, status="UPDATE", description=name)
            if not result.is_honest:
                wrong.append(f"{name}: {result.outcome} with {result.copies} copies")
    return wrong


def table(verdicts: Iterable[Verdict]) -> str:
    """Format the number of steps for each outcome and number of copies, and which of them are failures."""
    rows = [("outcome", "copies", "steps", "failure")]
    rows += [
        (each.outcome, str(each.copies), str(count), each.failure or "none")
        for each, count in sorted(Counter(verdicts).items(), key=str)
    ]
    return "".join(f"{outcome:<12}{copies:>8}{steps:>8}  {failure}\n" for outcome, copies, steps, failure in rows)


def main() -> int:
    """Run the soak test with the arguments of the command line, and print a table of its results."""
    parser = argparse.ArgumentParser(description="Run many steps at once against a server with random faults.")
    parser.add_argument("--runs", type=int, default=300, help="number of steps (default: %(default)s)")
    parser.add_argument("--incidents", type=int, default=50, help="number of incidents (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random faults (default: %(default)s)")
    arguments = parser.parse_args()
    start = time.monotonic()
    wrong = run_pairs()
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    verdicts = soak(runs=arguments.runs, incidents=arguments.incidents, seed=arguments.seed)
    sys.stdout.write(f"{table(verdicts)}{time.monotonic() - start:.0f} s\n")
    return int(bool(wrong) or any(verdict.failure for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
