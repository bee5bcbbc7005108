"""How long a step takes, from `docker run` to its end, and how long an interpreter that does nothing.

    PYTHONPATH=src .venv/bin/python tools/container_start.py

The two take turns, so that whatever else the machine does meets both alike. The ratio's limit is 2.5.
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
MEGABYTE = 1_000_000


def main() -> None:
    """Build the image, time both, weigh the image, and print the figures."""
    parser = argparse.ArgumentParser(description="Time the image's start.")
    parser.add_argument("--runs", type=int, default=15, help="how many of each (%(default)s)")
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
    """Word the inputs of a create as the runner does."""
    inputs = {
        "api-token": EDIT_TOKEN,
        "api-url": url,
        "description": "The roll-back is complete.",
        "incident-id": INCIDENT_ID,
        "status": "RESOLVED",
        "status-page-id": PAGE_ID,
    }
    return {f"INPUT_{name.upper()}": value for name, value in inputs.items()}


def seconds(command: tuple[str, ...], variables: Mapping[str, str]) -> float:
    """Time one command of the client."""
    begin = time.perf_counter()
    docker(*command, variables=variables)
    return time.perf_counter() - begin


def docker(*command: str, variables: Mapping[str, str] | None = None) -> bytes:
    """Run the client and hand back what it prints."""
    return subprocess.run(  # noqa: S603 - every word of the command stands in this file
        [DOCKER, *command],
        env={**os.environ, **(variables or {})},
        stdout=subprocess.PIPE,
        timeout=900,
        check=True,
    ).stdout


def report(create: float, nothing: float, *, image: str) -> None:
    """Print the medians, their ratio, and what the image weighs."""
    compressed = len(gzip.compress(docker("save", image), 6))
    unpacked = int(docker("image", "inspect", "--format", "{{.Size}}", image))
    print(  # noqa: T201 - the figures are what this script is for
        f"create      {create:.3f} s\n"
        f"-c pass     {nothing:.3f} s\n"
        f"ratio       {create / nothing:.2f}\n"
        f"compressed  {compressed / MEGABYTE:.1f} MB\n"
        f"unpacked    {unpacked / MEGABYTE:.1f} MB"
    )


if __name__ == "__main__":
    main()
