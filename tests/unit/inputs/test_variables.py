"""Which variables hold secrets."""

import pytest
from support.inputs import TOKEN, USUAL, as_variables

from onlineornot_action.inputs.variables import find_run_url, find_secrets


def test_tokens_in_both_spellings_are_secrets() -> None:
    other = "other-token-1234"
    environ = as_variables(USUAL | {"api_token": f"Bearer {other}"})

    assert find_secrets(environ) == [TOKEN, other]


def test_the_variable_for_the_token_is_a_secret_also_where_an_input_takes_its_place() -> None:
    assert find_secrets(as_variables(USUAL) | {"ONLINEORNOT_API_TOKEN": "other-token-1234"}) == [
        TOKEN,
        "other-token-1234",
    ]


RUN = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/shop", "GITHUB_RUN_ID": "1658821493"}


def test_the_address_of_the_run_is_made_of_the_runners_variables() -> None:
    assert find_run_url(RUN) == "https://github.com/example/shop/actions/runs/1658821493"


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("value", ["", "a)b](c", "x\ny", "<b>"])
def test_the_address_of_the_run_is_empty_where_a_variable_is_missing_or_strange(name: str, value: str) -> None:
    assert find_run_url(RUN | {name: value}) == ""
