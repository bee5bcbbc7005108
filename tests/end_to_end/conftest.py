"""Fixtures of the tests that need the image."""

import fcntl
import os

import pytest
from support.image import build_image, skip_unless_required, why_there_is_no_image


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the image once for all workers, or take the one that the variable IMAGE names; return its id."""
    if reason := why_there_is_no_image():
        skip_unless_required(reason)
    if given := os.environ.get("IMAGE"):
        return given
    folder = tmp_path_factory.getbasetemp()
    common_folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with (common_folder / "image").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        image_id = file.read() or build_image()
        file.truncate(0)
        file.write(image_id)
    return image_id
