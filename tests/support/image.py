"""The image, built from the checkout by a Docker engine."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import NoReturn

import pytest

from onlineornot_sandbox.local_step import ROOT

DOCKER = shutil.which("docker") or "docker"
BUILD_SECONDS = 900
STEP_SECONDS = 120
PYTHON = "/usr/local/bin/python"
"""The interpreter in the image."""


def skip_unless_required(reason: str, variable: str = "REQUIRE_ENGINE") -> NoReturn:
    """Skip a test that lacks something; fail if the environment requires it."""
    if os.environ.get(variable) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def docker(
    *command: str, environ: Mapping[str, str] | None = None, seconds: float = STEP_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run the client; `environ` is added to its own environment, from which `-e NAME` takes a value."""
    return subprocess.run(
        [DOCKER, *command],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )


def base_image() -> str:
    """Return the image that ours is built from, with its digest."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^FROM (\S+@sha256:\S+)", dockerfile, re.MULTILINE)
    return str(base)


def why_there_is_no_image() -> str:
    """Say why the image cannot be built here; empty if it can."""
    if docker("version", seconds=60).returncode != 0:
        return "no Docker engine runs"
    base = base_image()
    if docker("image", "inspect", base).returncode != 0 and docker("pull", base, seconds=300).returncode != 0:
        return f"the base image {base} is neither here nor can it be pulled"
    return ""


def build_image(tag: str = "onlineornot-incident-update:tests", *options: str) -> str:
    """Build the image from the checkout, and return its id."""
    built = docker("build", "--tag", tag, *options, str(ROOT), seconds=BUILD_SECONDS)
    assert built.returncode == 0, built.stdout + built.stderr
    return docker("image", "inspect", "--format", "{{.Id}}", tag).stdout.strip()


def run_python(image: str, code: str, *options: str) -> str:
    """Run code in the image's own interpreter, and return what it prints."""
    ended = docker("run", "--rm", *options, "--entrypoint", PYTHON, image, "-I", "-c", code)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
