"""Demonstrate the action: a deploy fails, the text is corrected, the rollback completes."""

import sys
from collections.abc import Mapping
from textwrap import indent

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, run_step
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

MAX_OUTPUT_LENGTH = 100

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
    """Run the steps of two independent workflow runs, and show what each step and the status page look like."""
    with Sandbox() as sandbox:
        common = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID}
        opened = _show_step("Run 1: the deploy failed; inform customers and mark two components", common, DEPLOY_FAILED)
        ids = {name: opened.outputs[name] for name in ("incident-id", "update-id")}
        _show_step("Run 1, a later step: correct the text of that update", common, ids | TEXT_CORRECTED)
        _show_step("Run 2, hours later: the rollback is complete; restore the components", common, ROLLBACK_COMPLETE)
        list_updates = {"incident-id": ids["incident-id"], "operation": "list"}
        _show_step("All updates of the incident", common, list_updates)
        _show("The status page as readers see it", render_page(sandbox.store))
        _show("The mails to subscribers", _mails(sandbox.store))


def _show_step(title: str, common: Mapping[str, str], inputs: Mapping[str, str]) -> StepResult:
    result = run_step({**common, **inputs})
    with_ = "".join(f"{name}: {_in_yaml(value)}\n" for name, value in inputs.items())
    outputs = "".join(f"{name}={_shortened(value)}\n" for name, value in result.outputs.items() if value)
    _show(title, f"with:\n{indent(with_, '  ')}")
    _show("log", result.log, level=1)
    _show(f"outputs (exit status {result.exit_status})", outputs, level=1)
    _show("job summary", result.summary.rstrip() + "\n", level=1)
    return result


def _show(title: str, text: str, *, level: int = 0) -> None:
    heading = f"\n{title}\n{'=' * len(title)}\n" if level == 0 else f"\n{title}:\n"
    sys.stdout.write(heading + indent(text, "    " if level else ""))


def _in_yaml(value: str) -> str:
    return f"|\n{indent(value, '  ')}" if "\n" in value else value


def _shortened(value: str) -> str:
    return value if len(value) <= MAX_OUTPUT_LENGTH else f"{value[:MAX_OUTPUT_LENGTH]}…"


def _mails(store: Store) -> str:
    return "".join(f"to {mail.to:<22}{mail.subject}\n" for mail in store.mails)


if __name__ == "__main__":
    main()
