"""Show what one step with `result` does at four moments of a failed deploy, against the sandbox."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from textwrap import indent

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import run_step
from onlineornot_sandbox.page_view import in_words, render_page
from onlineornot_sandbox.seed import PAGE_ID
from onlineornot_sandbox.server import Sandbox, serve_until_stopped
from onlineornot_sandbox.store import Store

INTRODUCTION = """\
A deploy fails, customers are notified, and a later deploy succeeds. The workflow has one step for all of it, which
runs after each deploy. Here it is the action itself, run as GitHub runs it, against a sandbox of the OnlineOrNot API
on this machine. The status page has three subscribers. The step's inputs:
"""
STEP = {
    "result": "${{ needs.deploy.result }}",
    "incident-title": "Checkout disrupted by a deploy",
    "description": "A deploy went wrong. Checkout may fail; we are looking into it.",
    "resolved-description": "The deploy is complete. Checkout works again.",
    "components": "API: MAJOR_OUTAGE\nWebsite: PARTIAL_OUTAGE",
}
FAILURE = {"result": "failure"}
FIX_FAILED = {**FAILURE, "status": "IDENTIFIED", "description": "The cause is known, and a second fix is on its way."}
SUCCESS = {"result": "success"}
RERUN = {"GITHUB_RUN_ATTEMPT": "2"}

_ANNOTATION = re.compile(r"::(?:notice|warning|error)[^:]*::(.*)")


def main() -> None:
    """Run the steps, show what each does, and write the status page to a file."""
    parser = argparse.ArgumentParser(prog="onlineornot_sandbox.demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep the sandbox running until Ctrl-C")
    arguments = parser.parse_args()
    store = Store()
    store.incidents.clear()  # the demo opens its own
    with Sandbox(store=store) as sandbox:
        Demo(sandbox).run()
    page = Path(mkdtemp(prefix="onlineornot-demo-"), "status-page.html")  # it outlives the demo
    page.write_text(render_page(store), encoding="utf-8")
    _write("", "The status page as customers see it:", page.as_uri())
    if arguments.serve:
        serve_until_stopped(Sandbox(store=store), lambda sandbox: f"{sandbox.url}/ (Ctrl-C stops it)\n")


class Demo:
    """Runs steps against a sandbox and describes each."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._store = sandbox.store
        self._common = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID}

    def run(self) -> None:
        """Run the step four times; the second is a re-run, the others are new workflow runs."""
        _write(INTRODUCTION, indent(_as_yaml(STEP), "  "))
        self._step("1. The deploy fails", FAILURE)
        self._step("2. Somebody re-runs the failed job, and it fails again", FAILURE, RERUN)
        _write("A step with curl would have posted the same text, and mailed everybody, a second time.")
        self._store.lost_responses = 1
        self._step("3. A fix fails, too; the sandbox writes the update, but its response is lost", FIX_FAILED)
        _write("The action found its update. `curl --retry 3 --retry-all-errors` would have posted it twice.")
        self._step("4. The deploy succeeds", SUCCESS)
        _write("The next deploys that succeed find no open incident, and post nothing.")

    def _step(self, title: str, changed: Mapping[str, str], environ: Mapping[str, str] | None = None) -> None:
        mails, requests = len(self._store.mails), len(self._store.requests)
        result = run_step({**self._common, **STEP, **changed}, environ)
        annotations = [match[1] for match in map(_ANNOTATION.fullmatch, result.log.splitlines()) if match]
        sent = Counter(request.method for request in self._store.requests[requests:])
        _write("", title, "-" * len(title), "with:", indent(_as_yaml(changed), "  "))
        _write(*(f"Log:      {line}" for line in annotations), f"Outcome:  {result.outputs['outcome']}")
        _write("Requests: " + ", ".join(f"{count} {method}" for method, count in sent.items()))
        _write(f"Page:     {self._describe_page()}", f"Mails:    {self._describe_mails(mails)}")

    def _describe_page(self) -> str:
        (incident,) = self._store.incidents.values()
        state = "over" if incident.ended else "open"
        components = (f"{each.name} {in_words(each.status).lower()}" for each in self._store.components.values())
        return f"incident {state}, updates: {len(incident.updates)}; {', '.join(components)}"

    def _describe_mails(self, before: int) -> str:
        new = self._store.mails[before:]
        return "\n          ".join(f"{mail.to:<19}{mail.subject}" for mail in new) or "none"


def _write(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _as_yaml(inputs: Mapping[str, str]) -> str:
    return "\n".join(
        f"{name}: |\n{indent(value, '  ')}" if "\n" in value else f"{name}: {value}" for name, value in inputs.items()
    )


if __name__ == "__main__":
    main()
