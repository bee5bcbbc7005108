"""What the runner says of the workflow run that this step is in, and of the change that the run is about."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SHA = "(?!0+$)[0-9A-Za-z]{1,64}"
"""A commit; a branch that was deleted has zeros in its place."""
_COMMITS: dict[str, tuple[tuple[str, ...], ...]] = {
    "push": (("head_commit", "id"), ("after",)),
    "deployment": (("deployment", "sha"),),
    "deployment_status": (("deployment", "sha"),),
    "workflow_run": (("workflow_run", "head_sha"),),
}
"""Where an event names its commit."""
_OF_ANOTHER_COMMIT = ("workflow_run", "issues", "issue_comment")
"""Events whose runs are said to be of the newest commit on the default branch, which has nothing to do with them."""


@dataclass(frozen=True)
class WorkflowRun:
    """A workflow run.

    Attributes:
        api_url: GitHub's API; on GitHub Enterprise Server that is another one.
        server_url: GitHub itself, likewise.
        repository: Owner and name.
        url: Where people see the run; empty when that is not known.
        pull_request: The number of the pull request that the event is about, if it is about one.
        commit: The commit that it is about otherwise; empty when that is not known.
        failed_run: The id of the run that started this one by its end, unless that was a good one.
    """

    api_url: str
    server_url: str
    repository: str
    url: str
    pull_request: int | None
    commit: str
    failed_run: int | None

    def url_of(self, run: int) -> str:
        """Where people see another run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{run}"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "WorkflowRun":
        """Read it from the environment, and from the file that holds the event."""
        event, payload = environ.get("GITHUB_EVENT_NAME", ""), _read_json(environ.get("GITHUB_EVENT_PATH", ""))
        number = _pull_request(payload)
        server_url = (environ.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")
        repository, run = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_RUN_ID", "")
        attempt = f"actions/runs/{run}/attempts/{environ.get('GITHUB_RUN_ATTEMPT') or 1}"
        return cls(
            api_url=environ.get("GITHUB_API_URL", "").rstrip("/"),
            server_url=server_url,
            repository=repository,
            url=f"{server_url}/{repository}/{attempt}" if run else "",
            pull_request=number,
            commit="" if number else _commit(event, payload, environ.get("GITHUB_SHA", "")),
            failed_run=_failed_run(payload) if event == "workflow_run" else None,
        )


def _read_json(path: str) -> object:
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _find(payload: object, *names: str) -> object:
    for name in names:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _number(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _pull_request(payload: object) -> int | None:
    """The event's own one, or the one whose comment the event is about."""
    commented = _find(payload, "issue", "pull_request") and _find(payload, "issue", "number")
    return _number(_find(payload, "pull_request", "number")) or _number(commented)


def _commit(event: str, payload: object, commit_of_the_run: str) -> str:
    unrelated = event in _OF_ANOTHER_COMMIT or _find(payload, "deleted") is True
    last_resort = "" if unrelated else commit_of_the_run
    named = (_find(payload, *names) for names in _COMMITS.get(event, ()))
    return next((sha for sha in (*named, last_resort) if isinstance(sha, str) and re.fullmatch(_SHA, sha)), "")


def _failed_run(payload: object) -> int | None:
    went_well = _find(payload, "workflow_run", "conclusion") in ("success", "neutral", "skipped")
    return None if went_well else _number(_find(payload, "workflow_run", "id"))
