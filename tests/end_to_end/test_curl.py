"""What a step that calls curl does against the sandbox: the facts about curl in `docs/comparison.md`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from support.documents import block
from support.fault_server import FAULTS, FaultServer, Phase, Rule
from support.image import skip_unless_required

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.store import Store

BASH = shutil.which("bash") or "bash"
TEXT = "A deploy went wrong. We are rolling it back."
RETRY = "--fail --retry 3"
HTTP_ERROR, EMPTY_REPLY, RECEIVE_ERROR = 22, 52, 56
STEP = r"""
curl --silent --show-error $OPTIONS "$UPDATES" \
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
  -d "{\"status\": \"$STATUS\", \"description\": \"$TEXT\"}"
"""


@pytest.fixture
def server(store: Store) -> Iterator[FaultServer]:
    """Serve the page to curl, if it is installed."""
    if shutil.which("curl") is None:
        skip_unless_required("curl is not installed")
    with FaultServer(store=store) as server:
        yield server


def curl(
    server: FaultServer, options: str = "", *, token: str = EDIT_TOKEN, status: str = "INVESTIGATING", text: str = TEXT
) -> int:
    """Run the step as GitHub does, with `bash -e`, and return its exit status."""
    updates = f"{server.url}/v1/status_pages/{PAGE_ID}/incidents/{INCIDENT_ID}/updates"
    variables = {"OPTIONS": options, "UPDATES": updates, "TOKEN": token, "STATUS": status, "TEXT": text}
    ended = subprocess.run(
        [BASH, "-e", "-c", STEP], env={"PATH": os.defpath, **variables}, stdout=subprocess.PIPE, timeout=60, check=False
    )
    return ended.returncode


def copies(server: FaultServer) -> int:
    """Count the updates that the page has now and did not have before."""
    return len(server.store.timeline()) - 1


def test_the_command_of_the_readme_finds_the_id_of_the_page(server: FaultServer) -> None:
    command = block("README.md", "Set up", "sh").partition("|")[0]

    shown = subprocess.run(
        [BASH, "-e", "-c", command.replace("https://api.onlineornot.com", server.url)],
        env={"PATH": os.defpath, "ONLINEORNOT_API_TOKEN": EDIT_TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )

    assert [page["id"] for page in json.loads(shown.stdout)["result"]] == [PAGE_ID]


def test_a_rerun_posts_a_second_copy_and_notifies_again(server: FaultServer) -> None:
    first, again = curl(server), curl(server)

    assert (first, again, copies(server)) == (0, 0, 2)
    assert len(server.store.mails) == 2 * 3


@pytest.mark.parametrize(
    ("options", "fault", "phase", "exit_status", "written"),
    [
        pytest.param(RETRY, "close", Phase.AFTER, EMPTY_REPLY, 1, id="red although the update is there"),
        pytest.param(RETRY, "reset", Phase.AFTER, RECEIVE_ERROR, 1, id="red although the update is there"),
        pytest.param("", "502 html", Phase.AFTER, 0, 1, id="green, and the update is there"),
        pytest.param("", "502 html", Phase.BEFORE, 0, 0, id="green although the update is not there"),
        pytest.param(RETRY, "502 html", Phase.AFTER, 0, 2, id="a second copy"),
        pytest.param(f"{RETRY} --retry-all-errors", "reset", Phase.AFTER, 0, 2, id="a second copy"),
    ],
)
def test_a_lost_response_is_red_or_green_whether_or_not_the_update_was_posted(
    server: FaultServer, options: str, fault: str, phase: Phase, exit_status: int, written: int
) -> None:
    server.script.append(Rule(FAULTS[fault], phase, "POST"))

    assert (curl(server, options), copies(server)) == (exit_status, written)


@pytest.mark.parametrize(("options", "exit_status"), [("", 0), ("--fail", HTTP_ERROR)])
@pytest.mark.parametrize(
    "wrong",
    [{"token": "expired"}, {"status": "BROKEN"}, {"text": 'The page says "sold out".'}, {"text": "Two\nlines."}],
)
def test_an_expired_token_a_wrong_status_a_quote_or_a_line_break_is_green_without_fail(
    server: FaultServer, options: str, exit_status: int, wrong: dict[str, str]
) -> None:
    assert (curl(server, options, **wrong), copies(server)) == (exit_status, 0)


def test_a_token_in_the_text_is_published(server: FaultServer) -> None:
    exit_status = curl(server, text=f"Sent with {EDIT_TOKEN}")

    assert exit_status == 0
    assert EDIT_TOKEN in server.store.timeline()[-1].description
