"""Fixtures for the tests of inputs."""

from pathlib import Path

import pytest


@pytest.fixture
def workspace_environ(tmp_path: Path) -> dict[str, str]:
    """Variables that name a workspace with the file `notes.txt`."""
    (tmp_path / "notes.txt").write_bytes(b"\xef\xbb\xbfRolled\r\nback.\x07\n")
    return {"GITHUB_WORKSPACE": str(tmp_path)}
