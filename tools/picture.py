"""Redraw docs/comment.png, the picture of the comment in the README.

    make picture

Runs the two steps of examples/pull-request.yml against the sandbox and a stand-in for GitHub's API, and takes a
screenshot of the comment in both of its states. Needs Chromium.
"""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from markdown_it import MarkdownIt
from support.fault_server import FaultServer
from support.github_app import HEAD, REPOSITORY, TOKEN, GitHub, create_github_app, pull

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, run_step
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

PICTURE = ROOT / "docs" / "comment.png"
WIDTH, HEIGHT = 960, 735
START, END = datetime(2026, 11, 24, 14, 3, tzinfo=UTC), datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STYLE = """
body { font: 14px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; color: #1f2328; margin: 16px; }
article { border: 1px solid #d1d9e0; border-radius: 6px; margin-bottom: 16px; }
header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; padding: 6px 16px; }
section { padding: 4px 16px; }
h3 { font-size: 1.25em; margin: 12px 0; }
code { background: #818b981f; border-radius: 6px; padding: .2em .4em; font: 85% "Liberation Mono", monospace; }
h3 code { font-size: inherit; }
blockquote { border-left: .25em solid #d1d9e0; color: #59636e; margin: 0; padding: 0 1em; }
a { color: #0969da; }
"""


def main() -> None:
    """Run the two steps of the workflow, and draw the comment as it is after each."""
    now = [START]
    store = Store(clock=lambda: now[-1])
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]}, jobs={55: [("deploy (eu)", "failure")]})
    with (
        TemporaryDirectory() as folder,
        FaultServer(app=create_github_app(github)) as server,
        Sandbox(store=store) as sandbox,
    ):
        environ = _after_a_failed_run(55, server.url, Path(folder))
        run_step(_inputs_of("begin", sandbox.url), environ)
        opened = github.bodies(7)
        now.append(END)
        run_step(_inputs_of("end", sandbox.url), environ)
        resolved = github.bodies(7)
    _take_screenshot("".join(map(_comment_as_html, opened + resolved)))


def _inputs_of(job: str, api_url: str) -> dict[str, str]:
    """Return what the one step of a job passes to the action, with the sandbox's values for its expressions."""
    workflow = yaml.safe_load((ROOT / "examples" / "pull-request.yml").read_text(encoding="utf-8"))
    (step,) = workflow["jobs"][job]["steps"]
    given = {name: str(value) for name, value in step["with"].items()}
    return given | {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "api-url": api_url, "github-token": TOKEN}


def _after_a_failed_run(run_id: int, github_url: str, folder: Path) -> dict[str, str]:
    """Return the environment of a workflow that was triggered by a failed run of another."""
    run = {"id": run_id, "head_sha": HEAD, "conclusion": "failure"}
    event = folder / "event.json"
    event.write_text(json.dumps({"workflow_run": run}), encoding="utf-8")
    return {
        "GITHUB_API_URL": github_url,
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "1658821493",
        "GITHUB_SERVER_URL": "https://github.com",
    }


def _comment_as_html(body: str) -> str:
    markdown = MarkdownIt("commonmark").render(body)
    return f"<article><header><b>github-actions</b> bot commented</header><section>{markdown}</section></article>"


def _take_screenshot(content: str) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"None of {', '.join(BROWSERS)} is installed.")
    with TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>{content}", encoding="utf-8")
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
        )
        size = ("--force-device-scale-factor=1.5", f"--window-size={WIDTH},{HEIGHT}")
        where = (f"--user-data-dir={folder}/profile", f"--screenshot={PICTURE}", page.as_uri())
        subprocess.run([browser, *options, *size, *where], check=True, timeout=60, stderr=subprocess.DEVNULL)  # noqa: S603 - fixed arguments


if __name__ == "__main__":
    main()
