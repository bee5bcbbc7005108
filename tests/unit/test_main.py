"""Whole steps in this process, through `main`, against the sandbox."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest
from support.step import RunStep

from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.network.deadline import Limits
from onlineornot_action.session import RunLimits
from onlineornot_sandbox.auth import EDIT_TOKEN, OTHER_ORGANISATION_TOKEN, READ_TOKEN
from onlineornot_sandbox.local_step import ROOT, as_variables
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox

SINGLE_ATTEMPT_LIMITS = RunLimits(exchange=Limits(write_reserve=120), post=PostLimits(baseline_share=0.001))
PAGE = f"/v1/status_pages/{PAGE_ID}"
UPDATES = f"{PAGE}/incidents/{INCIDENT_ID}/updates"
UPDATE = f"{UPDATES}/{UPDATE_ID}"
CREATE = {"status": "identified", "description": "The cause is found."}


def test_create_posts_the_update(step: RunStep, sandbox: Sandbox) -> None:
    result = step(**CREATE, components=f"{API_ID}: major_outage", date_happened="2026-01-31T14:00:00+01:00")

    posted = sandbox.store.timeline()[-1]
    assert result.end == (0, "created")
    assert (posted.status, posted.description) == ("IDENTIFIED", "The cause is found.")
    assert posted.date_happened == "2026-01-31T13:00:00.000Z"
    assert [(change.id, change.new_status) for change in posted.components] == [(API_ID, "MAJOR_OUTAGE")]


def test_create_outputs_what_it_posted(step: RunStep, sandbox: Sandbox) -> None:
    result = step(**CREATE)

    posted = sandbox.store.timeline()[-1]
    assert {name: result.outputs[name] for name in ("update-id", "incident-id", "status", "notified", "error")} == {
        "update-id": posted.id,
        "incident-id": INCIDENT_ID,
        "status": "IDENTIFIED",
        "notified": "true",
        "error": "",
    }
    assert json.loads(result.outputs["update"]) == posted.as_json()


@pytest.mark.parametrize(("notify", "mails"), [("true", 3), ("", 3), ("FALSE", 0)])
def test_create_notifies_subscribers_by_default(step: RunStep, sandbox: Sandbox, notify: str, mails: int) -> None:
    result = step(**CREATE, notify=notify)

    assert len(sandbox.store.mails) == mails
    assert result.outputs["notified"] == str(bool(mails)).lower()


def test_update_changes_only_what_was_given(step: RunStep, sandbox: Sandbox) -> None:
    result = step(operation="update", update_id=UPDATE_ID, status="monitoring")

    changed = sandbox.store.timeline()[0]
    assert result.end == (0, "updated")
    assert (changed.status, changed.description[:13]) == ("MONITORING", "Some payments")
    assert result.outputs["notified"] == ""


def test_latest_is_the_newest_update(step: RunStep) -> None:
    newest = step(**CREATE).outputs["update-id"]

    result = step(operation="get", update_id="latest")

    assert (result.end, result.outputs["update-id"]) == ((0, "fetched"), newest)


def test_latest_of_an_incident_without_updates_is_an_invalid_input(step: RunStep) -> None:
    step(operation="delete", update_id=UPDATE_ID)

    result = step(operation="get", update_id="latest")

    assert result.end == (1, "invalid")
    assert "no updates" in result.outputs["error"]


def test_delete_removes_the_update(step: RunStep, sandbox: Sandbox) -> None:
    result = step(operation="delete", update_id=UPDATE_ID)

    assert (result.end, result.outputs["update-id"]) == ((0, "deleted"), UPDATE_ID)
    assert sandbox.store.timeline() == []


def test_list_outputs_all_updates_newest_first(step: RunStep) -> None:
    newest = step(**CREATE).outputs["update-id"]

    result = step(operation="list")

    assert result.end == (0, "listed")
    assert [update["id"] for update in json.loads(result.outputs["updates"])] == [newest, UPDATE_ID]


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [
        (CREATE, [f"GET {UPDATES}", f"POST {UPDATES}"]),
        ({"operation": "update", "update_id": UPDATE_ID, "status": "UPDATE"}, [f"PATCH {UPDATE}"]),
        ({"operation": "get", "update_id": UPDATE_ID}, [f"GET {UPDATE}"]),
        ({"operation": "delete", "update_id": UPDATE_ID}, [f"DELETE {UPDATE}"]),
        ({"operation": "list"}, [f"GET {UPDATES}"]),
        ({"operation": "delete", "update_id": "latest"}, [f"GET {UPDATES}", f"DELETE {UPDATE}"]),
    ],
)
def test_an_operation_sends_no_unnecessary_request_and_reads_the_page_last(
    step: RunStep, inputs: dict[str, str], requests: list[str]
) -> None:
    result = step(**inputs)

    assert result.requests == [*requests, f"GET {PAGE}"]


@pytest.mark.parametrize(
    ("inputs", "touched"),
    [
        (CREATE, UPDATES),
        ({"operation": "update", "update_id": UPDATE_ID, "status": "UPDATE"}, UPDATE),
        ({"operation": "delete", "update_id": UPDATE_ID}, UPDATE),
    ],
)
def test_dry_run_asks_for_permissions_reads_once_what_it_would_touch_and_writes_nothing(
    step: RunStep, inputs: dict[str, str], touched: str
) -> None:
    result = step(**inputs, dry_run="true")

    requests = ["GET /v1/tokens/permissions", f"GET {touched}"]
    assert (result.end, result.requests) == ((0, "dry-run"), requests)
    assert result.outputs["notified"] == "false"


def test_dry_run_shows_the_request(step: RunStep) -> None:
    assert '"notify_subscribers":true' in step(**CREATE, dry_run="true").summary


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"api_token": "no-such-token"}, "wrong, revoked or expired"),
        ({"api_token": READ_TOKEN}, "STATUS_PAGES:EDIT"),
        ({"api_token": OTHER_ORGANISATION_TOKEN}, "another organisation"),
        ({"incident_id": "no-such-incident"}, "Check the ids"),
    ],
)
def test_a_refusal_fails_and_says_what_to_change(
    step: RunStep, sandbox: Sandbox, inputs: dict[str, str], words: str
) -> None:
    result = step(**CREATE, **inputs, fail_on_error="false")

    assert result.end == (1, "rejected")
    assert words in result.outputs["error"]
    assert result.outputs["error"] in result.log.replace("%0A", "\n")
    assert len(sandbox.store.timeline()) == 1


def test_invalid_inputs_fail_at_once_and_all_of_them_are_named(step: RunStep, sandbox: Sandbox) -> None:
    result = step(status="BROKEN", notify="yes", incident_id="12345", fail_on_error="false")

    assert result.end == (1, "invalid")
    assert [problem.split()[0] for problem in result.outputs["error"].splitlines()] == [
        "incident-id",
        "status",
        "notify",
        "description",
    ]
    assert sandbox.store.requests == []


def test_an_api_that_cannot_be_reached_is_not_sent(step: RunStep) -> None:
    result = step(**CREATE, api_url="http://127.0.0.1:9", limits=SINGLE_ATTEMPT_LIMITS)

    assert result.end == (1, "not-sent")
    assert "refused" in result.outputs["error"]


def test_fail_on_error_false_tolerates_an_api_that_cannot_be_reached(step: RunStep) -> None:
    result = step(**CREATE, api_url="http://127.0.0.1:9", fail_on_error="false", limits=SINGLE_ATTEMPT_LIMITS)

    assert result.end == (0, "not-sent")
    assert "::warning::" in result.log


def test_the_token_is_masked_before_anything_else_is_logged(step: RunStep) -> None:
    result = step(arguments=["--verbose"], **CREATE, api_token=f"  Bearer {EDIT_TOKEN}\n")

    mask, *others = result.log.splitlines()
    assert mask == f"::add-mask::{EDIT_TOKEN}"
    assert EDIT_TOKEN not in "\n".join(others) + str(result.outputs) + result.summary


def test_the_token_may_come_from_the_environment(step: RunStep) -> None:
    result = step(**CREATE, api_token="", environ={"ONLINEORNOT_API_TOKEN": EDIT_TOKEN})

    assert result.end == (0, "created")


class BrokenClock:
    """A clock that cannot be read."""

    def monotonic(self) -> float:
        """Fail, with a secret in the message."""
        raise RuntimeError(EDIT_TOKEN)

    time = sleep = monotonic


def test_a_defect_is_reported_without_values(step: RunStep) -> None:
    result = step(**CREATE, clock=BrokenClock())

    assert result.end == (1, "not-sent")
    assert "::error::Internal error: RuntimeError in test_main.py" in result.log
    assert result.log.count(EDIT_TOKEN) == 1


def entry_point(environ: Mapping[str, str], code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", *(["-c", code] if code else [str(ROOT / "entrypoint.py")])]
    return subprocess.run(
        command, env=dict(environ), cwd="/", capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_the_entry_point_works_without_the_files_of_github(sandbox: Sandbox) -> None:
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}

    ended = entry_point(as_variables({**given, **CREATE}))

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "GITHUB_OUTPUT is not set" in ended.stdout
    assert len(sandbox.store.timeline()) == 2


def test_a_run_that_fails_on_its_inputs_imports_neither_requests_nor_github() -> None:
    code = (
        f"import io, sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from onlineornot_action.main import main; "
        "main([], {'GITHUB_ACTIONS': 'true'}, io.StringIO(), None); "
        "print({'requests', 'urllib3', 'github', 'argparse'} & set(sys.modules))"
    )

    assert entry_point({}, code).stdout == "set()\n"
