"""Run the sandbox until a signal ends it."""

import argparse
import signal
import sys

from onlineornot_sandbox.auth import EDIT_TOKEN, FOREIGN_TOKEN, READ_TOKEN
from onlineornot_sandbox.server import Sandbox

ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})


def main() -> None:
    """Serve, say where and with which ids, and wait."""
    parser = argparse.ArgumentParser(prog="onlineornot_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (%(default)s)")
    parser.add_argument("--port", default=8787, type=int, help="0 picks a free one (%(default)s)")
    arguments = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)  # before there are threads, which inherit it
    with Sandbox(host=arguments.host, port=arguments.port) as sandbox:
        sys.stdout.write(describe(sandbox))
        sys.stdout.flush()
        signal.sigwait(ENDING_SIGNALS)


def describe(sandbox: Sandbox) -> str:
    """Write down what somebody at a terminal needs to try the sandbox."""
    store, url = sandbox.store, sandbox.url
    rows = [
        ("page", store.page.id, store.page.name),
        *(("incident", incident.id, incident.title) for incident in store.incidents.values()),
        *(("component", component.id, component.name) for component in store.components.values()),
        ("token", EDIT_TOKEN, "reads and writes"),
        ("token", READ_TOKEN, "reads"),
        ("token", FOREIGN_TOKEN, "of another organisation"),
        ("look at", f"{url}/", "the page as readers see it"),
        ("look at", f"{url}/sandbox/mails", "what subscribers were sent"),
        ("look at", f"{url}/sandbox/requests", "what the API was asked"),
    ]
    lines = [f"  {kind:<12}{value:<44}{meaning}" for kind, value, meaning in rows]
    return "\n".join([f"The sandbox listens at {url} (Ctrl-C ends it)", *lines]) + "\n"


if __name__ == "__main__":
    main()
