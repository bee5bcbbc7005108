"""Whole steps in this process, through `main`, against the sandbox."""

import dataclasses
import io
import json
import re
from collections.abc import Callable
from functools import partial

import pytest
from support.fault_server import FAULTS, FOREVER, Fault, Phase, Reply, Rule
from support.markdown import Page
from support.runner_model import commands
from support.step import Result, RunStep

from onlineornot_action.exactly_once.listing import PostLimits
from onlineornot_action.main import main
from onlineornot_action.network.deadline import Limits
from onlineornot_action.onlineornot.client import OnlineOrNotClient
from onlineornot_action.operations import run
from onlineornot_action.pull_request import comment
from onlineornot_action.report import summary
from onlineornot_action.report.actions import ActionsReporter
from onlineornot_action.session import RunLimits
from onlineornot_action.text import JOINER
from onlineornot_sandbox.auth import EDIT_TOKEN, OTHER_ORGANISATION_TOKEN, READ_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.seed import API_ID, INCIDENT_ID, PAGE_ID, UPDATE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

SINGLE_ATTEMPT_LIMITS = RunLimits(exchange=Limits(write_reserve=120), post=PostLimits(baseline_share=0.001))
CREATE = {"status": "identified", "description": "The cause is found."}
CLOSE = {"status": "resolved", "description": "All is well."}


@pytest.fixture
def step(step: RunStep) -> RunStep:
    """Run the action on the incident of the sandbox."""
    return partial(step, incident_id=INCIDENT_ID)


def test_create_posts_the_update_and_outputs_it(step: RunStep, sandbox: Sandbox) -> None:
    result = step(**CREATE, components=f"{API_ID}: major_outage", date_happened="2026-01-31T14:00:00+01:00")

    posted = sandbox.store.timeline()[-1]
    assert (posted.status, posted.description) == ("IDENTIFIED", "The cause is found.")
    assert posted.date_happened == "2026-01-31T13:00:00.000Z"
    assert [(change.id, change.new_status) for change in posted.components] == [(API_ID, "MAJOR_OUTAGE")]
    assert result.end == (0, "created")
    assert json.loads(result.outputs["update"]) == json.loads(json.dumps(posted.as_json()))
    expected = {"update-id": posted.id, "incident-id": INCIDENT_ID, "status": "IDENTIFIED", "error": ""}
    assert expected.items() <= result.outputs.items()


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


def test_latest_is_the_newest_update_if_there_is_one(step: RunStep, sandbox: Sandbox) -> None:
    newest = step(**CREATE).outputs["update-id"]

    fetched = step(operation="get", update_id="latest")
    deleted = [step(operation="delete", update_id=update_id) for update_id in (newest, UPDATE_ID)]
    missing = step(operation="get", update_id="latest")

    assert (fetched.end, fetched.outputs["update-id"]) == ((0, "fetched"), newest)
    assert [result.end for result in deleted] == [(0, "deleted")] * 2
    assert [result.outputs["update-id"] for result in deleted] == [newest, UPDATE_ID]
    assert sandbox.store.timeline() == []
    assert (missing.end, "no updates" in missing.error) == ((1, "invalid"), True)


def test_list_outputs_all_updates_newest_first(step: RunStep) -> None:
    newest = step(**CREATE).outputs["update-id"]

    result = step(operation="list")

    assert result.end == (0, "listed")
    assert [update["id"] for update in json.loads(result.outputs["updates"])] == [newest, UPDATE_ID]


def test_dry_run_shows_the_request(step: RunStep) -> None:
    result = step(**CREATE, dry_run="true")

    assert result.outputs["notified"] == "false"
    assert '"notify_subscribers":true' in result.summary
    assert '"notify_subscribers":true' in result.log


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

    named = [problem.split()[0] for problem in result.error.splitlines()]
    assert (result.end, named) == ((1, "invalid"), ["incident-id", "status", "notify", "description"])
    assert sandbox.store.requests == []


@pytest.mark.parametrize(("fail_on_error", "exit_status", "level"), [("true", 1, "error"), ("false", 0, "warning")])
def test_fail_on_error_decides_whether_an_api_that_cannot_be_reached_fails_the_step(
    step: RunStep, fail_on_error: str, exit_status: int, level: str
) -> None:
    result = step(**CREATE, api_url="http://127.0.0.1:9", fail_on_error=fail_on_error, limits=SINGLE_ATTEMPT_LIMITS)

    assert result.end == (exit_status, "not-sent")
    assert "refused" in result.outputs["error"]
    assert [command.name for command in commands(result.log)][-1] == level


def test_the_token_is_masked_before_anything_else_is_logged(step: RunStep) -> None:
    result = step(arguments=["--verbose"], **CREATE, api_token=f"  Bearer {EDIT_TOKEN}\n")

    mask, *others = result.log.splitlines()
    assert mask == f"::add-mask::{EDIT_TOKEN}"
    assert EDIT_TOKEN not in "\n".join(others) + str(result.outputs) + result.summary


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


@pytest.fixture
def fail_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], None]:
    """Have a function fail the first time that it is called, with a secret in the message."""

    def replace(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def fail(*_: object, **__: object) -> None:
            monkeypatch.setattr(owner, name, real)
            raise RuntimeError(EDIT_TOKEN)

        monkeypatch.setattr(owner, name, fail)

    return replace


@pytest.mark.parametrize(
    ("owner", "name", "doing"),
    [
        (ActionsReporter, "publish_outputs", "writing the outputs"),
        (OnlineOrNotClient, "get_status_page", "reading the address of the incident"),
        (summary, "describe", "writing the annotation"),
        (comment, "with_comment", "updating the comment on the pull request"),
        (summary, "render", "writing the job summary"),
    ],
)
def test_a_part_of_the_report_that_fails_is_a_warning_and_changes_nothing_else(
    step: RunStep, sandbox: Sandbox, fail_once: Callable[[object, str], None], owner: object, name: str, doing: str
) -> None:
    fail_once(owner, name)

    result = step(**CREATE, comment=str(owner is comment).lower())

    assert (result.end, result.outputs["update-id"]) == ((0, "created"), sandbox.store.timeline()[-1].id)
    [warning] = [command.data for command in commands(result.log) if command.name == "warning"]
    assert re.fullmatch(
        rf"Internal error: RuntimeError in test_main.py, line \d+, while {doing}. The result is not affected.", warning
    )
    assert name == "render" or "Internal error" in result.summary.split("<details>")[0]


@pytest.mark.parametrize("name", ["set_outputs", "annotate", "add_summary"])
@pytest.mark.parametrize(("inputs", "end"), [(CREATE, 0), (CREATE | {"api_token": READ_TOKEN}, 1)])
def test_the_exit_status_is_settled_before_anything_is_reported(
    step: RunStep, monkeypatch: pytest.MonkeyPatch, name: str, inputs: dict[str, str], end: int
) -> None:
    monkeypatch.setattr(ActionsReporter, name, BrokenClock.monotonic)

    assert step(**inputs).exit_status == end


SIMILAR, MEANT = "Chekout is failing", "was probably meant"


def shown_in(result: Result) -> str:
    """Return the unfolded part of the summary, without escapes."""
    return Page(result.summary.split("<details>")[0]).text.replace(JOINER, "")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (CREATE | {"mesage": "x"}, ["There is no input 'mesage'"]),
        (CLOSE | {"incident_title": SIMILAR, "if_no_incident": "skip"}, [MEANT, "Open incidents: "]),
        (CLOSE | {"incident_title": SIMILAR, "if_no_incident": "create"}, [MEANT, "would already be over"]),
        (CREATE | {"incident_title": SIMILAR, "if_no_incident": "create"}, [MEANT]),
        (CREATE | {"incident_title": SIMILAR}, [MEANT, "Open incidents: "]),
        (CREATE | {"comment": "true", "github_token": ""}, ["There is no comment on the pull request"]),
    ],
)
def test_every_warning_stands_unfolded_in_the_summary_and_in_the_log(
    step: RunStep, inputs: dict[str, str], words: list[str]
) -> None:
    result = step(**{"incident_id": "" if "incident_title" in inputs else INCIDENT_ID} | inputs)

    assert result.summary.startswith("### ❌" if result.exit_status else "### ⚠️")
    assert [word for word in words if word not in shown_in(result)] == []
    assert [word for word in words if word not in result.log] == []
    assert [line for text in result.warnings for line in text.split("\n") if line not in shown_in(result)] == []


def test_a_component_that_is_left_as_it_is_stands_in_the_summary(step: RunStep, store: Store) -> None:
    step(**CREATE, components="API: major_outage")
    step(
        **CREATE, incident_id="", incident_title="Search is slow", if_no_incident="create", components="API: no_impact"
    )
    store.components[API_ID] = dataclasses.replace(store.components[API_ID], status="MAJOR_OUTAGE")

    result = step(**CLOSE, components="restore")

    assert "'API' was left as it is, MAJOR_OUTAGE: it belongs to the open incident" in shown_in(result)
    assert result.summary.startswith("### ⚠️ Posted RESOLVED")


@pytest.mark.parametrize(
    ("inputs", "method", "done"),
    [
        ({"operation": "delete"}, "DELETE", "deleted"),
        ({"operation": "update", "description": "All is well."}, "PATCH", "updated"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "cancels", "outcome", "is_shown"),
    [
        ("", False, "", True),
        ("reset", False, "unknown", True),
        ("reset", True, "cancelled", True),
        ("401 envelope", False, "rejected", False),
    ],
)
def test_what_latest_has_overwritten_or_deleted_or_may_have_is_shown_as_it_was(
    step: RunStep,
    inputs: dict[str, str],
    method: str,
    done: str,
    fault: str,
    outcome: str,
    *,
    cancels: bool,
    is_shown: bool,
) -> None:
    step(status="monitoring", description="Rolled back *by hand*.")
    rules = [Rule(FAULTS[fault], method=method, times=FOREVER, cancels=cancels)] if fault else []

    result = step(*rules, **inputs, update_id="latest")

    assert result.outcome == (outcome or done)
    assert ("Rolled back *by hand*." in shown_in(result)) is is_shown
    assert ("Before, the update was MONITORING: Rolled back *by hand*." in result.log) is is_shown


def test_an_update_that_matches_although_a_newer_one_differs_is_not_called_the_same(step: RunStep) -> None:
    step(**CREATE)
    step(status="update", description="Rolled back by hand, all good.")

    result = step(**CREATE, attempt=2)

    assert result.end == (0, "unchanged")
    assert result.summary.startswith("### ⚠️ Nothing was posted: an update that matches is there already")
    assert "but the newest update is" in shown_in(result)
    assert "same" not in result.log + shown_in(result)


def test_a_response_that_differs_from_what_was_sent_is_shown_as_the_page_has_it(step: RunStep) -> None:
    def change(reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["result"] |= {"status": "UPDATE", "description": "It is cut", "components": []}
        return dataclasses.replace(reply, body=json.dumps(body).encode())

    otherwise = Rule(Fault(lambda reply: [change(reply).wire()]), Phase.AFTER, "POST")
    result = step(otherwise, **CREATE, components="API: major_outage")

    heading, *_, text = shown_in(result).strip().split("\n")
    assert (result.end, text) == ((0, "created"), "It is cut")
    assert heading.startswith("⚠️ Posted UPDATE")
    assert "does not confirm that the component" in shown_in(result)
    assert "🔴" not in result.summary


def test_a_defect_after_the_post_is_unknown(step: RunStep, fail_once: Callable[[object, str], None]) -> None:
    fail_once(run, "_circumstances")

    result = step(**CREATE, fail_on_error="false")

    assert (result.end, result.outputs["notified"]) == ((1, "unknown"), "")
    assert "Look at the incident" in result.outputs["error"]


def test_outside_github_the_outputs_are_one_json_object_written_once(
    sandbox: Sandbox, fail_once: Callable[[object, str], None]
) -> None:
    fail_once(OnlineOrNotClient, "get_status_page")
    given = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    stdout, stderr = io.StringIO(), io.StringIO()

    exit_status = main([], as_variables(given | CREATE) | {"GITHUB_ACTIONS": ""}, stdout, stderr)

    outputs = json.loads(stdout.getvalue())
    assert (exit_status, outputs["outcome"]) == (0, "created")
    assert outputs["update-id"] == sandbox.store.timeline()[-1].id
    assert "while reading the address of the incident" in stderr.getvalue()
