"""What `make demo` shows, and what it needs."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from onlineornot_sandbox.local_step import ROOT

SCREEN_LINES, SCREEN_COLUMNS = 50, 120
TIMEOUT_SECONDS = 60
DEMO = [sys.executable, "-m", "onlineornot_sandbox.demo"]
ENVIRON = {"PYTHONPATH": str(ROOT / "src")}


def test_the_demo_leads_through_a_failed_deploy_a_rerun_a_lost_response_and_the_end(tmp_path: Path) -> None:
    shown = subprocess.run(
        DEMO,
        env=ENVIRON | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=True,
    ).stdout

    lines = shown.splitlines()
    page = Path(unquote(urlsplit(lines[-1]).path)).read_text(encoding="utf-8")
    assert lines[-1].startswith("file:///")
    assert re.findall(r"(?m)^  result: (.*)", shown) == ["${{ needs.deploy.result }}", *["failure"] * 3, "success"]
    assert re.findall(r"Outcome: +(\w+)", shown) == ["opened", "unchanged", "created", "created"]
    assert re.findall(r"Requests: .*GET(.*)", shown) == [", 1 POST", "", ", 1 POST", ", 1 POST"]
    assert re.findall(r"incident (\w+, updates: \d);", shown) == [
        *["open, updates: 1"] * 2,
        "open, updates: 2",
        "over, updates: 3",
    ]
    assert re.findall(r"(?m)^Mails: +(\S+)(?: +(\S+))?", shown) == [
        ("ada@example.com", "[INVESTIGATING]"),
        ("none", ""),
        ("ada@example.com", "[IDENTIFIED]"),
        ("ada@example.com", "[RESOLVED]"),
    ]
    assert "All systems operational" in page
    assert "The deploy is complete. Checkout works again." in page
    assert len(lines) <= 2 * SCREEN_LINES
    assert max(map(len, lines[:-1])) <= SCREEN_COLUMNS


def test_the_demo_keeps_its_page_up_until_it_is_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*DEMO, "--serve"], env=ENVIRON | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, encoding="utf-8"
    ) as demo:
        assert demo.stdout
        url = next(line.split()[0] for line in demo.stdout if line.startswith("http"))
        page = requests.get(url, timeout=TIMEOUT_SECONDS).text

        demo.send_signal(signal.SIGINT)

        assert demo.wait(TIMEOUT_SECONDS) == 0
        assert "The deploy is complete. Checkout works again." in page


def test_the_demo_needs_only_the_packages_of_its_lock_file_in_the_versions_of_the_tests() -> None:
    demo, dev = (
        set(re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / file).read_text(encoding="utf-8")))
        for file in ("requirements-demo.txt", "requirements-dev.txt")
    )

    assert demo <= dev
    assert {"flask", "jinja2", "pyyaml", "requests", "pydantic"} <= {name for name, _ in demo}
    assert not {"pytest", "ruff", "mypy", "pygithub"} & {name for name, _ in demo}
