"""Which change this workflow run is about: the pull request or the commit of the event that triggered it."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from onlineornot_action.inputs.variables import GitHubVariables

_SHA = "(?!0+$)[0-9A-Za-z]{1,64}"
"""A commit. Git writes zeros for the commit of a deleted branch: https://git-scm.com/docs/githooks#_pre_push"""
_SHA_BY_A_SENDER = "(?!0+$)[0-9A-Fa-f]{7,64}"
"""A commit in `client_payload`, where a sender may also name a branch, which is not one commit."""
_COMMITS: dict[str, tuple[tuple[str, ...], ...]] = {
    "push": (("head_commit", "id"), ("after",)),
    "deployment": (("deployment", "sha"),),
    "deployment_status": (("deployment", "sha"),),
    "workflow_run": (("workflow_run", "head_sha"),),
    "check_run": (("check_run", "head_sha"),),
    "check_suite": (("check_suite", "head_sha"),),
    "status": (("sha",),),
    "repository_dispatch": (("client_payload", "sha"), ("client_payload", "git", "sha")),
}
"""Where the payload of an event has its commit: https://docs.github.com/en/webhooks/webhook-events-and-payloads

What a `repository_dispatch` carries is up to its sender; `git.sha` is what Vercel sends.
"""
_WITH_SHA = {"push", "release", "merge_group", "deployment", "deployment_status", "workflow_dispatch", "schedule", ""}
"""Events that are about the commit in GITHUB_SHA; outside GitHub a run may have no event at all.

For most others GITHUB_SHA is the newest commit of the default branch, which has nothing to do with them:
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""


class WorkflowRun(NamedTuple):
    """A workflow run, and the change that it is about."""

    api_url: str  # the URL of GitHub's API; GitHub Enterprise Server has its own
    server_url: str  # the URL of GitHub itself, likewise
    repository: str  # owner and name: `octo-org/shop`
    url: str  # where people see the run; empty when unknown
    pull_request: int | None  # the number of the pull request that the event is about; None for other events
    commit: str  # what other events are about; empty when unknown
    failed_run: int | None  # the id of the workflow run that triggered this one, if it did not succeed
    pull_requests: tuple[int, ...] = ()  # the numbers of those that a check names besides its commit

    def url_of(self, run_id: int) -> str:
        """Return where people see another run of this repository."""
        return f"{self.server_url}/{self.repository}/actions/runs/{run_id}"

    @classmethod
    def of(cls, github: GitHubVariables) -> "WorkflowRun":
        """Read the run from the runner's variables and from the file with the event's payload."""
        event, payload = github.event_name, _read_json(github.event_path)
        number = _find_pull_request(payload)
        ended_well = _find(payload, "workflow_run", "conclusion") in ("success", "neutral", "skipped")
        is_after_failure = event == "workflow_run" and not ended_well
        server_url = (github.server_url or "https://github.com").rstrip("/")
        attempt = f"actions/runs/{github.run_id}/attempts/{github.run_attempt or 1}"
        return cls(
            api_url=github.api_url.rstrip("/"),
            server_url=server_url,
            repository=github.repository,
            url=f"{server_url}/{github.repository}/{attempt}" if github.run_id else "",
            pull_request=number,
            commit="" if number else _find_commit(event, payload, github.sha),
            pull_requests=_find_pull_requests(payload),
            failed_run=_as_number(_find(payload, "workflow_run", "id")) if is_after_failure else None,
        )


def _read_json(path: str) -> object:
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _find(payload: object, *names: str) -> object:
    """Return the value at a path of names; None when the payload has no such path."""
    for name in names:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _as_number(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _find_pull_request(payload: object) -> int | None:
    """Return the event's own pull request, or the one that was commented on: `issue_comment` calls it an issue."""
    commented = _find(payload, "issue", "number") if _find(payload, "issue", "pull_request") else None
    sent = _find(payload, "client_payload", "pull_request", "number")
    return _as_number(_find(payload, "pull_request", "number")) or _as_number(commented) or _as_number(sent)


def _find_pull_requests(payload: object) -> tuple[int, ...]:
    """Return the pull requests that a check names. GitHub leaves out those of forks."""
    named = _find(payload, "check_run", "pull_requests") or _find(payload, "check_suite", "pull_requests")
    numbers = [_as_number(_find(each, "number")) for each in named] if isinstance(named, list) else []
    return tuple(filter(None, numbers))


def _find_commit(event: str, payload: object, sha_of_the_run: str) -> str:
    """Return the commit that the payload names, or else that of the run if the event is about it."""
    pattern = _SHA_BY_A_SENDER if event == "repository_dispatch" else _SHA
    named = [_matching(pattern, _find(payload, *names)) for names in _COMMITS.get(event, ())]
    if event in _WITH_SHA and _find(payload, "deleted") is not True:
        named.append(_matching(_SHA, sha_of_the_run))
    return next(filter(None, named), "")


def _matching(pattern: str, value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(pattern, value) else ""
