"""The pull requests that a workflow run is about: those that the event names, or those behind its commit."""

from collections.abc import Iterable

from onlineornot_action.pull_request.github_api import GitHub
from onlineornot_action.pull_request.github_models import PullRequest

MAX_PULL_REQUESTS = 3


def find_pull_requests(github: GitHub) -> tuple[int, ...]:
    """Return the numbers of the pull requests to comment on.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    run = github.run
    if run.pull_request:
        return (run.pull_request,)
    if not run.commit:
        return run.pull_requests[:MAX_PULL_REQUESTS]
    # A fork and the repository that it was forked from share commits, and so the pull requests of both are listed.
    ours = [pull for pull in github.pull_requests(run.commit) if pull.belongs_to(run.repository)]
    numbers = tuple(pull.number for pull in choose(ours, run.commit))
    return (numbers or run.pull_requests)[:MAX_PULL_REQUESTS]


def choose(pull_requests: Iterable[PullRequest], commit: str) -> list[PullRequest]:
    """Return the pull requests that brought a commit.

    GitHub lists every pull request that contains the commit, also those into which the default branch was merged since:
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    merged, others = list[PullRequest](), list[PullRequest]()
    for pull in pull_requests:
        (merged if pull.merged_at else others).append(pull)
    if merged:
        return [pull for pull in merged if pull.was_merged_as(commit)] or merged
    return [pull for pull in others if pull.is_open and pull.ends_with(commit)]
