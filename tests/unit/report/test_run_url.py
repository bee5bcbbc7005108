"""The address of the workflow run."""

import pytest

from onlineornot_action.report.run_url import find_run_url

RUN = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/shop", "GITHUB_RUN_ID": "1658821493"}


def test_it_is_made_of_the_runners_variables() -> None:
    assert find_run_url(RUN) == "https://github.com/example/shop/actions/runs/1658821493"


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("value", ["", "a)b](c", "x\ny", "<b>"])
def test_it_is_empty_where_one_of_them_is_missing_or_strange(name: str, value: str) -> None:
    assert find_run_url(RUN | {name: value}) == ""
