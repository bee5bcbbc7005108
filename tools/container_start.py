"""Benchmark the image: how long does a step take, compared with a container whose interpreter does nothing?

    PYTHONPATH=src:tests .venv/bin/python tools/container_start.py [--runs 15] [--against IMAGE] [--posted]

Needs a Docker engine. All containers take turns, so that other load on the machine affects them alike. The ratio should
not exceed 2.8 for a create and 2.65 for an invalid input. `--against` compares with another image, such as that of the
commit before; this one should not take more than 1.01 times as long.
`--posted` also times a create only until its update is on the page.
"""

import argparse
import gzip
import statistics
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from support.image import DOCKER, PYTHON, build_image, docker

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

RUN = ("run", "--rm", "--network", "host")
MEGABYTE = 1_000_000

Command = tuple[tuple[str, ...], dict[str, str], int]
"""The arguments of a docker command, its environment variables, and the exit status that it should have."""


def main() -> None:
    """Build the image, time the containers in turns, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(description="Benchmark the image.")
    parser.add_argument("--runs", type=int, default=15, help="runs of each container (default: %(default)s)")
    parser.add_argument("--against", metavar="IMAGE", help="another image to compare with")
    parser.add_argument("--posted", action="store_true", help="also time a create until its update is on the page")
    options = parser.parse_args()
    image = build_image("onlineornot-incident-update:benchmark")
    nothing = (*RUN, "--entrypoint", PYTHON, image, "-I", "-c", "pass")

    with Sandbox() as sandbox:
        commands: dict[str, Command] = {"-c pass": (nothing, {}, 0)}
        for name, step_image in {"": image, " against": options.against}.items():
            if step_image:
                commands[f"create{name}"] = step(step_image, sandbox.url, "RESOLVED", 0)
                commands[f"invalid{name}"] = step(step_image, sandbox.url, "BROKEN", 1)
        rounds: list[dict[str, float]] = []
        for _ in range(options.runs):
            rounds.append({name: seconds(*command) for name, command in commands.items()})
            if options.posted:
                rounds[-1]["posted"] = seconds_until_posted(commands["create"], sandbox.store)

    report({name: statistics.median(each[name] for each in rounds) for name in rounds[0]}, image)


def step(image: str, url: str, status: str, exit_status: int) -> Command:
    """Return a step that creates an update, with the environment variables that the runner sets."""
    inputs = {
        "api-token": EDIT_TOKEN,
        "api-url": url,
        "description": "The rollback is complete.",
        "incident-id": INCIDENT_ID,
        "status": status,
        "status-page-id": PAGE_ID,
    }
    variables = as_variables(inputs)
    return (*RUN, *(option for name in variables for option in ("-e", name)), image), variables, exit_status


def seconds(command: tuple[str, ...], variables: Mapping[str, str], exit_status: int) -> float:
    """Return how long a container takes; fail if it does not end as expected."""
    start = time.perf_counter()
    ended = docker(*command, environ=variables)
    taken = time.perf_counter() - start
    if ended.returncode != exit_status:
        raise SystemExit(f"docker {' '.join(command)} ended with {ended.returncode}, not {exit_status}")
    return taken


def seconds_until_posted(create: Command, store: Store) -> float:
    """Return how long it takes from the docker command until the page has the update."""
    start = datetime.now(UTC)
    seconds(*create)
    return (datetime.fromisoformat(store.timeline()[-1].created_at) - start).total_seconds()


def report(medians: Mapping[str, float], image: str) -> None:
    """Print the medians, their ratios, and the size of the image."""
    saved = subprocess.run([DOCKER, "save", image], stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own image
    compressed = len(gzip.compress(saved.stdout, 6))
    unpacked = int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)
    lines = [f"{name:16} {median:.3f} s  {median / medians['-c pass']:.2f}" for name, median in medians.items()]
    lines += [
        f"{name:16} {medians[name] / medians[f'{name} against']:.3f} of the other image"
        for name in ("create", "invalid")
        if f"{name} against" in medians
    ]
    lines += [f"compressed       {compressed / MEGABYTE:.1f} MB", f"unpacked         {unpacked / MEGABYTE:.1f} MB"]
    print(*lines, sep="\n")  # noqa: T201 - the output of this script


if __name__ == "__main__":
    main()
