"""What `make demo` shows."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from onlineornot_sandbox.local_step import ROOT

SCREEN_LINES, SCREEN_COLUMNS = 50, 120
TIMEOUT_SECONDS = 60


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "onlineornot_sandbox.demo", "--serve"],
        env={"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as demo:
        yield demo
        demo.kill()


def test_the_demo_leads_through_a_failed_deploy_and_its_rollback(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "onlineornot_sandbox.demo"],
        env={"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=True,
    ).stdout

    lines = shown.splitlines()
    page = Path(lines[-1]).read_text(encoding="utf-8")
    assert [line for line in lines if "outcome=" in line] == [
        "  outcome=opened",
        "  outcome=updated",
        "  outcome=created",
        "  outcome=listed",
    ]
    assert shown.count("[RESOLVED] Checkout disrupted by a deploy") == 3
    assert "All systems operational" in page
    assert "The rollback is complete. Checkout works again." in page
    assert len(lines) <= 2 * SCREEN_LINES
    assert max(map(len, lines)) <= SCREEN_COLUMNS


def test_the_demo_keeps_its_page_up_until_it_is_interrupted(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout
    url = next(line.split()[0] for line in demo.stdout if line.startswith("http"))
    page = requests.get(url, timeout=TIMEOUT_SECONDS).text

    demo.send_signal(signal.SIGINT)

    assert demo.wait(TIMEOUT_SECONDS) == 0
    assert "The rollback is complete. Checkout works again." in page
