"""What pip's output means, which folder packages have, and how it gets its name."""

import sys
import time
from pathlib import Path

import pytest
from installation import InstallationError, Installer, explain, move_into_place, name_folder

from onlineornot_sandbox.local_step import ROOT

RETRYING = "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
NOT_FOUND = "\nERROR: No matching distribution found for pydantic-core==2.50.4"


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "a mirror or a proxy has changed it",
        ),
        (f"{RETRYING}'SSLError(... CERTIFICATE_VERIFY_FAILED ...)'{NOT_FOUND}", "PIP_CERT"),
        (f"{RETRYING}'NewConnectionError(...)'{NOT_FOUND}", "HTTPS_PROXY or PIP_INDEX_URL"),
        (f"{RETRYING}'ProxyError('Cannot connect to proxy.')'{NOT_FOUND}", "HTTPS_PROXY or PIP_INDEX_URL"),
        ("ERROR: HTTP error 403 while getting a file", "HTTPS_PROXY or PIP_INDEX_URL"),
        (f"ERROR: Could not find a version (from versions: none){NOT_FOUND}", "actions/setup-python"),
        ("ERROR: [Errno 28] No space left on device", "its output is in the log"),
        ("", "its output is in the log"),
    ],
)
def test_the_output_of_pip_leads_to_advice(output: str, advice: str) -> None:
    assert advice in explain(output)


def test_a_folder_is_named_by_lock_and_python() -> None:
    name = name_folder(b"one")

    assert name == name_folder(b"one") != name_folder(b"two")
    assert f"{sys.version_info.major}{sys.version_info.minor}" in name


def test_a_filled_folder_gets_its_name(tmp_path: Path) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    (beside / "package").mkdir(parents=True)

    assert move_into_place(beside, folder) == folder
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "package"]


def test_the_folder_of_a_faster_step_is_kept(tmp_path: Path) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    (beside / "ours").mkdir(parents=True)
    (folder / "theirs").mkdir(parents=True)

    assert move_into_place(beside, folder) == folder
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "theirs"]


def test_a_folder_that_cannot_be_renamed_is_used_where_it_is(tmp_path: Path) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "missing" / "folder"
    beside.mkdir()

    assert move_into_place(beside, folder) == beside


def test_pip_is_ended_when_its_time_is_up_and_leaves_nothing(tmp_path: Path) -> None:
    installer = Installer({"RUNNER_TEMP": str(tmp_path)}, [], lambda: False)

    with pytest.raises(InstallationError, match="took too long"):
        installer.install(ROOT / "requirements-core.txt", end=time.monotonic())

    assert list(tmp_path.iterdir()) == []
