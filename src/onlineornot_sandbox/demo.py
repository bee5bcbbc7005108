"""Show what the action does: a deploy fails, somebody corrects the text, the rollback is through."""

import sys
from collections.abc import Mapping
from textwrap import indent

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import StepResult, run_step
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

TITLE = "Checkout is disturbed by a deploy"


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
    """Run the steps of two workflow runs that know nothing of each other, and show what came of them."""
    with Sandbox() as sandbox:
        everywhere = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID}
        opened = _show_step("Run 1: the deploy failed; tell customers, mark two components", everywhere, DEPLOY_FAILED)
        ids = {name: opened.outputs[name] for name in ("incident-id", "update-id")}
        _show_step("Run 1, a later step: correct the text of that update", everywhere, ids | TEXT_CORRECTED)
        _show_step("Run 2, hours later: the rollback is through; put them back", everywhere, ROLLBACK_COMPLETE)
        timeline = {"incident-id": ids["incident-id"], "operation": "list"}
        _show_step("What the incident says now", everywhere, timeline)
        _show("The page, as its readers see it", render_page(sandbox.store))
        _show("The mails to its subscribers", _mails(sandbox.store))


def _show_step(title: str, everywhere: Mapping[str, str], inputs: Mapping[str, str]) -> StepResult:
    result = run_step({**everywhere, **inputs})
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
    return value if len(value) <= 100 else f"{value[:100]}…"  # noqa: PLR2004 - one line of a terminal


def _mails(store: Store) -> str:
    return "".join(f"to {mail.to:<22}{mail.subject}\n" for mail in store.mails)


if __name__ == "__main__":
    main()
