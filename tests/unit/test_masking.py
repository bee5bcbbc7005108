"""Secrets are found and masked in every encoding."""

import base64
import json
import textwrap
from collections.abc import Callable

import pytest

from onlineornot_action.masking import contains_secret, masker

SECRET = "token-1234567890"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "URL-safe"])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "x-access-token:"])
@pytest.mark.parametrize("after", ["", "a", "\n", ":x"])
@pytest.mark.parametrize("secret", [SECRET, "ghs_>>>???~~~", "12345678", "ghp_\xe9\xff\xfe\xfb~?>"])
def test_a_secret_in_base64_is_found_and_masked(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{secret}{after}".encode()).decode()

    assert contains_secret(encoded, [secret])
    assert contains_secret(f"Basic {encoded.rstrip('=')}.", [secret])
    assert contains_secret("\n".join(textwrap.wrap(encoded, 7)), [secret])
    assert "***" in masker([secret])(encoded)


@pytest.mark.parametrize("other", ["token-0234567890", "Token-1234567890", "token", ""])
def test_something_else_is_no_secret_as_it_is_or_in_base64(other: str) -> None:
    text = f"The key is {other}, {base64.b64encode(other.encode()).decode()}"

    assert not contains_secret(text, [SECRET])
    assert masker([SECRET])(text) == text


@pytest.mark.parametrize("secret", [SECRET, 'quoted "token"', "two\nlines of it"])
def test_a_secret_is_masked_as_it_is_and_in_json(secret: str) -> None:
    text = f"It is {secret}, psst; {json.dumps({'token': secret})}"

    assert contains_secret(json.dumps(secret), [secret])
    assert masker([secret])(text) == 'It is ***, psst; {"token": "***"}'


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        (["first-secret", "second-secret"], "first-secret second-secret", "*** ***"),
        (["a-secret", "not-a-secret"], "not-a-secret", "***"),
        (["12345678"], "is 12345678", "is ***"),
        (["7 chars", ""], "has 7 chars", "has 7 chars"),
        (["service"], "The c2VydmljZQ== service", "The c2VydmljZQ== service"),
    ],
)
def test_secrets_are_masked_as_a_whole_unless_ordinary_text_contains_them(
    secrets: list[str], text: str, masked: str
) -> None:
    assert masker(secrets)(text) == masked
    assert contains_secret(text, secrets) == (masked != text)
