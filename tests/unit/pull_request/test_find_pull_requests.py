"""Which of the pull requests that contain a commit brought it, and so get the comment."""

from typing import Any

import pytest
from support.github_app import HEAD, pull

from onlineornot_action.pull_request.find_pull_requests import choose
from onlineornot_action.pull_request.github_models import PullRequest

ELSEWHERE = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("pulls", "commit", "numbers"),
    [
        ([pull(12), pull(11, merge_commit=HEAD), pull(13, head=ELSEWHERE)], HEAD, [11]),
        ([pull(11, merge_commit=HEAD), pull(9, merge_commit=ELSEWHERE)], HEAD, [11]),
        ([pull(11, merge_commit=HEAD)], HEAD[:8].upper(), [11]),
        ([pull(9, merge_commit=ELSEWHERE), pull(12), pull(8, merged=True)], HEAD, [9, 8]),
        ([pull(12), pull(13, head=ELSEWHERE), pull(14)], HEAD, [12, 14]),
        ([pull(12)], HEAD[:8], [12]),
        ([pull(13, head=ELSEWHERE)], HEAD, []),
        ([pull(12) | {"state": "closed"}], HEAD, []),
        ([{"number": 12, "state": "open"}], HEAD, [12]),
        ([], HEAD, []),
    ],
    ids=[
        *("merged as this commit", "one of two merged", "abbreviated", "merged as another", "open and ending with it"),
        *("open, abbreviated", "only containing it", "closed", "of which GitHub says little", "none"),
    ],
)
def test_the_pull_request_that_brought_the_commit_is_chosen(
    pulls: list[dict[str, Any]], commit: str, numbers: list[int]
) -> None:
    chosen = choose(map(PullRequest.model_validate, pulls), commit)

    assert [pull_request.number for pull_request in chosen] == numbers
