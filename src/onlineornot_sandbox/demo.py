"""Show what the action does: a deploy fails, somebody corrects the text, the rollback is through."""

import sys
from collections.abc import Mapping
from textwrap import indent

from onlineornot_sandbox.access import EDIT_TOKEN
from onlineornot_sandbox.reader import render_page
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, WEBSITE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.steps import StepResult, run_step
from onlineornot_sandbox.store import Store


def main() -> None:
    """Run four steps against a sandbox, and show what came of them."""
    with Sandbox() as sandbox:
        everywhere = {
            "api-token": EDIT_TOKEN,
            "api-url": sandbox.url,
            "status-page-id": PAGE_ID,
            "incident-id": INCIDENT_ID,
        }
        failed = _show_step(
            "1. The deploy failed: tell customers, mark two components",
            everywhere,
            {
                "status": "INVESTIGATING",
                "description": "A deploy went wrong. Checkout may fail; we are rolling it back.",
                "components": f"{API_ID}: MAJOR_OUTAGE\n{WEBSITE_ID}: PARTIAL_OUTAGE",
            },
        )
        _show_step(
            "2. Somebody knows more: correct the text of that update",
            everywhere,
            {
                "operation": "update",
                "update-id": failed.outputs["update-id"],
                "description": "A deploy went wrong. Card payments fail; we are rolling it back.",
            },
        )
        _show_step(
            "3. The rollback is through: it is over, the components are back",
            everywhere,
            {
                "status": "RESOLVED",
                "description": "The rollback is complete. Checkout works again.",
                "components": f"{API_ID}: OPERATIONAL\n{WEBSITE_ID}: OPERATIONAL",
            },
        )
        _show_step("4. What the incident says now", everywhere, {"operation": "list"})
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
