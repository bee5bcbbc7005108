"""How the composite action prepares a run."""

import subprocess
import sys

import pytest
from preparation import shorten_limit

from onlineornot_sandbox.local_step import ROOT


@pytest.mark.parametrize(
    ("written", "seconds", "left"),
    [
        ("120", 3.2, "116"),
        ("12", 3.2, "10"),
        ("10", 3.2, "10"),
        (" 600 ", 60.0, "540"),
        ("601", 3.2, "601"),
        ("soon", 3.2, "soon"),
        ("", 3.2, ""),
    ],
)
def test_what_pip_took_is_missing_from_the_limit_of_the_step(written: str, seconds: float, left: str) -> None:
    environ = {"INPUT_TIMEOUT-SECONDS": written}

    assert shorten_limit(environ, seconds) == {"INPUT_TIMEOUT-SECONDS": left}


def test_everything_that_runs_before_there_are_packages_needs_only_the_standard_library() -> None:
    code = f"import sys; sys.path[:0] = [{str(ROOT / 'src')!r}, {str(ROOT / 'composite')!r}]; import preparation"

    # -S leaves out the folders that packages are in.
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")
