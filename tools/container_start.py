"""Benchmark the image: how long does a step take, compared with a container whose interpreter does nothing?

    PYTHONPATH=src .venv/bin/python tools/container_start.py [--runs 15]

Needs a Docker engine. The two alternate, so that other load on the machine affects both alike. The ratio should not
exceed 2.5.
"""

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox

ROOT = Path(__file__).parents[1]
DOCKER = shutil.which("docker") or "docker"
RUN = ("run", "--rm", "--network", "host")
BUILD_TIMEOUT = 900  # seconds
MEGABYTE = 1_000_000


def main() -> None:
    """Build the image, time both containers, and print the results."""
    parser = argparse.ArgumentParser(description="Benchmark the image.")
    parser.add_argument("--runs", type=int, default=15, help="runs of each container (default: %(default)s)")
    runs = parser.parse_args().runs
    image = docker("build", "--quiet", str(ROOT)).decode().split()[-1]

    with Sandbox() as sandbox:
        variables = create_inputs(sandbox.url)
        names = [option for name in variables for option in ("-e", name)]
        create = (*RUN, *names, image)
        nothing = (*RUN, "--entrypoint", "/usr/local/bin/python", image, "-I", "-c", "pass")
        pairs = [(seconds(create, variables), seconds(nothing, variables)) for _ in range(runs)]

    report(*(statistics.median(times) for times in zip(*pairs, strict=True)), image=image)


def create_inputs(url: str) -> dict[str, str]:
    """Return the inputs of a create as the environment variables that the runner sets."""
    inputs = {
        "api-token": EDIT_TOKEN,
        "api-url": url,
        "description": "The rollback is complete.",
        "incident-id": INCIDENT_ID,
        "status": "RESOLVED",
        "status-page-id": PAGE_ID,
    }
    return {f"INPUT_{name.upper()}": value for name, value in inputs.items()}


def seconds(command: tuple[str, ...], variables: Mapping[str, str]) -> float:
    """Return how long a docker command takes."""
    start = time.perf_counter()
    docker(*command, variables=variables)
    return time.perf_counter() - start


def docker(*command: str, variables: Mapping[str, str] | None = None) -> bytes:
    """Run a docker command and return its output."""
    return subprocess.run(  # noqa: S603 - all arguments come from this file
        [DOCKER, *command],
        env={**os.environ, **(variables or {})},
        stdout=subprocess.PIPE,
        timeout=BUILD_TIMEOUT,
        check=True,
    ).stdout


def report(create: float, nothing: float, *, image: str) -> None:
    """Print the medians, their ratio, and the size of the image."""
    compressed = len(gzip.compress(docker("save", image), 6))
    unpacked = int(docker("image", "inspect", "--format", "{{.Size}}", image))
    print(  # noqa: T201 - the output of this script
        f"create      {create:.3f} s\n"
        f"-c pass     {nothing:.3f} s\n"
        f"ratio       {create / nothing:.2f}\n"
        f"compressed  {compressed / MEGABYTE:.1f} MB\n"
        f"unpacked    {unpacked / MEGABYTE:.1f} MB"
    )


if __name__ == "__main__":
    main()
