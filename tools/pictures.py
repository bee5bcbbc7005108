"""Redraw the pictures of the README and the documents, in light and dark, from real runs.

    make pictures

Runs the step of examples/pull-request.yml for a failure and for a success, and one whose response is lost, against the
sandbox and a stand-in for GitHub's API, and takes pictures of the status page, the job summaries and the comment. Needs
Chromium.
"""

import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from markdown_it import MarkdownIt
from support.browser import SCHEMES, Browser, Scheme, installed_browser
from support.fault_server import FAULTS, FaultServer, Phase, Rule
from support.github_app import HEAD, REPOSITORY, TOKEN, GitHub, create_github_app, pull

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, run_step
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

PICTURES = ROOT / "docs/pictures"
MAX_BYTES = 200_000
WIDTH = 830
"""Pixels of the column in which GitHub shows a README."""
PAGE_WIDTH = 480
"""Of the status page, two of which stand side by side."""

START, END = datetime(2026, 11, 24, 14, 3, tzinfo=UTC), datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --muted: #59636e; --line: #d1d9e0; --soft: #f6f8fa; --link: #0969da;
  --page: #ffffff; --code: #818b981f; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --muted: #9198a1; --line: #3d444d; --soft: #151b23;
  --link: #4493f8; --page: #0d1117; --code: #656c7633; } }
body { background: var(--page); color: var(--text); margin: 8px;
  font: 14px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
article { border: 1px solid var(--line); border-radius: 6px; margin-bottom: 12px; }
header { background: var(--soft); border-bottom: 1px solid var(--line); border-radius: 6px 6px 0 0; padding: 6px 16px; }
section { padding: 4px 16px; }
h3 { font-size: 1.25em; margin: 12px 0; }
p, ul, blockquote { margin: 0 0 12px; }
blockquote { border-left: .25em solid var(--line); color: var(--muted); padding: 0 1em; }
code { background: var(--code); border-radius: 6px; padding: .2em .4em; font: 85% "Liberation Mono", monospace; }
table { border-collapse: collapse; }
td, th { border: 1px solid var(--line); padding: 6px 13px; }
a { color: var(--link); }
details { margin: 0 0 12px; }
"""


@dataclass(frozen=True)
class Scene:
    """What a picture shows: an HTML document or its body, and how large it is in pixels."""

    name: str
    html: str
    height: int
    width: int = WIDTH


def main() -> None:
    """Draw every scene in both schemes."""
    command = installed_browser()
    if command is None:
        sys.exit("Chromium is not installed.")
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, Sandbox() as nowhere:
        browser = Browser(command, nowhere.url, Path(folder))
        for scene in [*_incident_scenes(Path(folder)), _unknown_scene()]:
            for scheme in SCHEMES:
                _draw(scene, browser, "dark" if scheme == "dark" else "light")


def _incident_scenes(folder: Path) -> list[Scene]:
    """Run the two steps of the workflow, and show page, summary and comment."""
    now = [START]
    store = Store(clock=lambda: now[-1])
    store.incidents.clear()
    github = GitHub(pulls={HEAD: [pull(7, merged=True)]}, jobs={55: [("deploy (eu)", "failure")]})
    with FaultServer(app=create_github_app(github)) as server, Sandbox(store=store) as sandbox:
        environ = _after_a_failed_run(55, server.url, folder)
        opened = run_step(_inputs("failure", sandbox.url), environ)
        pages, comments = [render_page(store)], github.bodies(7)
        now.append(END)
        run_step(_inputs("success", sandbox.url), environ)
        pages, comments = [*pages, render_page(store)], [*comments, *github.bodies(7)]
    return [
        Scene("page-open", pages[0], 840, PAGE_WIDTH),
        Scene("page-over", pages[1], 1110, PAGE_WIDTH),
        Scene("summary", _document(("Job summary", opened.summary)), 296),
        Scene("comment", _document(*(("<b>github-actions</b> bot commented", body) for body in comments)), 690),
    ]


def _unknown_scene() -> Scene:
    """Run a step whose response is lost while the list cannot be read."""
    script = [
        Rule(FAULTS["reset"], Phase.AFTER, method="POST"),
        Rule(FAULTS["reset"], method="GET", path="/updates", times=99),
    ]
    text = {"status": "INVESTIGATING", "description": "A deploy went wrong. Checkout may fail; we are rolling it back."}
    with FaultServer(script) as server:
        about = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID, "api-url": server.url}
        step = run_step({**about, **text, "timeout-seconds": "10"}, {"GITHUB_REPOSITORY": REPOSITORY})
    summary = re.sub(r"127\.0\.0\.1\W*\d+", "api.onlineornot.com", step.summary)
    for seeded, realistic in ((PAGE_ID, "m3fGx0aV"), (INCIDENT_ID, "Kx7Qe2rTzN4w")):
        summary = summary.replace(seeded, realistic)
    return Scene("unknown", _document(("Job summary", summary)), 336)


def _draw(scene: Scene, browser: Browser, scheme: Scheme) -> None:
    page = browser.folder / "scene.html"
    page.write_text(scene.html, encoding="utf-8")
    picture = browser.picture(page.as_uri(), scheme, scene.width, scene.height)
    if len(picture) > MAX_BYTES:
        sys.exit(f"pictures.py: {scene.name} has {len(picture):,} bytes")
    (PICTURES / f"{scene.name}-{scheme}.png").write_bytes(picture)


def _document(*articles: tuple[str, str]) -> str:
    """Return an HTML document with headings and what Markdown shows below them."""
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = "".join(
        f"<article><header>{heading}</header><section>{renderer.render(markdown)}</section></article>"
        for heading, markdown in articles
    )
    return f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>{body}"


def _inputs(result: str, api_url: str) -> dict[str, str]:
    """Return what the step of the example passes to the action, with the sandbox's values for its expressions."""
    workflow = yaml.safe_load((ROOT / "examples/pull-request.yml").read_text(encoding="utf-8"))
    (step,) = workflow["jobs"]["tell-customers"]["steps"]
    given = {name: str(value) for name, value in step["with"].items()}
    shown = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "api-url": api_url, "github-token": TOKEN}
    return given | shown | {"result": result}


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


if __name__ == "__main__":
    main()
