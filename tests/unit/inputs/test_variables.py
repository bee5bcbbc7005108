"""Which variables hold secrets."""

from support.inputs import TOKEN, USUAL, as_variables

from onlineornot_action.inputs.variables import find_secrets


def test_tokens_in_both_spellings_are_secrets() -> None:
    other = "other-token-1234"
    environ = as_variables(USUAL | {"api_token": f"Bearer {other}"})

    assert find_secrets(environ) == [TOKEN, other]


def test_the_variable_for_the_token_is_a_secret_also_where_an_input_takes_its_place() -> None:
    assert find_secrets(as_variables(USUAL) | {"ONLINEORNOT_API_TOKEN": "other-token-1234"}) == [
        TOKEN,
        "other-token-1234",
    ]
