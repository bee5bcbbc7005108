"""What `make demo` shows."""

import subprocess
import sys

from onlineornot_sandbox.local_step import ROOT


def test_the_demo_leads_through_a_failed_deploy_and_its_rollback() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "onlineornot_sandbox.demo"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout

    assert [line for line in shown.splitlines() if "outcome=" in line] == [
        "    outcome=opened",
        "    outcome=updated",
        "    outcome=created",
        "    outcome=listed",
    ]
    assert "Example Shop: ALL_SYSTEMS_OPERATIONAL" in shown
    assert shown.count("[RESOLVED] Checkout disrupted by a deploy") == 3
