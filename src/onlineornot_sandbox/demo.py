"""Demonstrate the action: a deploy fails, the text is corrected, the rollback completes."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from textwrap import indent

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, run_step
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox, serve_until_stopped
from onlineornot_sandbox.store import Store

MAX_OUTPUT_LENGTH = 100
SHOWN_OUTPUTS = ("outcome", "incident-id", "update-id", "updates")

TITLE = "Checkout disrupted by a deploy"
DEPLOY_FAILED = {
    "incident-title": TITLE,
    "if-no-incident": "create",
    "status": "INVESTIGATING",
    "description": "A deploy went wrong. Checkout may fail; we are rolling it back.",
    "components": "API: MAJOR_OUTAGE\nWebsite: PARTIAL_OUTAGE",
}
TEXT_CORRECTED = {
    "operation": "update",
    "description": "A deploy went wrong. Card payments fail; we are rolling it back.",
}
ROLLBACK_COMPLETE = {
    "incident-title": TITLE,
    "if-no-incident": "skip",
    "status": "RESOLVED",
    "description": "The rollback is complete. Checkout works again.",
    "components": "restore",
}


def main() -> None:
    """Run the steps, show what each does, and write the status page to a file."""
    parser = argparse.ArgumentParser(prog="onlineornot_sandbox.demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep the sandbox running until Ctrl-C")
    arguments = parser.parse_args()
    store = Store()
    store.incidents.clear()  # the demo opens its own
    with Sandbox(store=store) as sandbox:
        _run_steps(sandbox.url)
    _show("The mails to subscribers", _mails(store))
    _show("The status page as readers see it", f"{_written(render_page(store))}\n")
    if arguments.serve:
        serve_until_stopped(Sandbox(store=store), lambda sandbox: f"{sandbox.url}/ (Ctrl-C stops it)\n")


def _run_steps(url: str) -> None:
    """Run the steps of two independent workflow runs."""
    common = {"api-token": EDIT_TOKEN, "api-url": url, "status-page-id": PAGE_ID}
    opened = _show_step("Run 1: the deploy failed; inform customers and mark two components", common, DEPLOY_FAILED)
    ids = {name: opened.outputs[name] for name in ("incident-id", "update-id")}
    _show_step("Run 1, a later step: correct the text of that update", common, ids | TEXT_CORRECTED)
    _show_step("Run 2: the rollback is complete; restore the components", common, ROLLBACK_COMPLETE)
    list_updates = {"incident-id": ids["incident-id"], "operation": "list"}
    _show_step("Run 2, a later step: read all updates of the incident", common, list_updates)


def _show_step(title: str, common: Mapping[str, str], inputs: Mapping[str, str]) -> StepResult:
    result = run_step({**common, **inputs})
    with_ = "".join(f"{name}: {_in_yaml(value)}\n" for name, value in inputs.items())
    shown = [(name, result.outputs.get(name)) for name in SHOWN_OUTPUTS]
    outputs = "".join(f"{name}={_shortened(value)}\n" for name, value in shown if value)
    _show(title, f"with:\n{indent(with_, '  ')}log:\n{indent(result.log, '  ')}outputs:\n{indent(outputs, '  ')}")
    return result


def _show(title: str, text: str) -> None:
    sys.stdout.write(f"\n{title}\n{'=' * len(title)}\n{text}")


def _in_yaml(value: str) -> str:
    return f"|\n{indent(value, '  ')}" if "\n" in value else value


def _shortened(value: str) -> str:
    return value if len(value) <= MAX_OUTPUT_LENGTH else f"{value[:MAX_OUTPUT_LENGTH]}…"


def _mails(store: Store) -> str:
    return "".join(f"to {mail.to:<22}{mail.subject}\n" for mail in store.mails)


def _written(page: str) -> Path:
    """Write the page to a file that outlives the demo."""
    file = Path(mkdtemp(prefix="onlineornot-demo-"), "status-page.html")
    file.write_text(page, encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
