"""Run the sandbox until SIGINT or SIGTERM stops it."""

import argparse

from onlineornot_sandbox.auth import CHECKS_TOKEN, EDIT_TOKEN, OTHER_ORGANISATION_TOKEN, READ_TOKEN
from onlineornot_sandbox.server import Sandbox, serve_until_stopped


def main() -> None:
    """Start the sandbox, print its address, ids and tokens, and wait for a signal."""
    parser = argparse.ArgumentParser(prog="onlineornot_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", default=8787, type=int, help="port to listen on; 0 picks a free one (default: %(default)s)"
    )
    arguments = parser.parse_args()
    serve_until_stopped(Sandbox(host=arguments.host, port=arguments.port), describe)


def describe(sandbox: Sandbox) -> str:
    """List the ids, tokens and addresses that are needed to use the sandbox from a terminal."""
    store, url = sandbox.store, sandbox.url
    rows = [
        ("page", store.page.id, store.page.name),
        *(("incident", incident.id, incident.title) for incident in store.incidents.values()),
        *(("component", component.id, component.name) for component in store.components.values()),
        ("token", EDIT_TOKEN, "reads and writes"),
        ("token", READ_TOKEN, "reads"),
        ("token", OTHER_ORGANISATION_TOKEN, "belongs to another organisation"),
        ("token", CHECKS_TOKEN, "is for uptime checks only"),
        ("open", f"{url}/", "the status page as readers see it"),
        ("open", f"{url}/sandbox/mails", "mails sent to subscribers"),
        ("open", f"{url}/sandbox/requests", "requests that the API received"),
        ("post to", f"{url}/sandbox/lose-response", "lose the response to the next write"),
    ]
    lines = [f"  {kind:<12}{value:<44}{meaning}" for kind, value, meaning in rows]
    return "\n".join([f"The sandbox listens on {url} (Ctrl-C stops it)", *lines]) + "\n"


if __name__ == "__main__":
    main()
