"""Secrets are found and masked in every encoding."""

import base64
import json
import textwrap
from collections.abc import Callable

import pytest

from onlineornot_action.masking import find_credential, find_secret, masker

SECRET = "token-1234567890"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "URL-safe"])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "x-access-token:"])
@pytest.mark.parametrize("after", ["", "a", "\n", ":x"])
@pytest.mark.parametrize("secret", [SECRET, "ghs_>>>???~~~", "12345678", "ghp_\xe9\xff\xfe\xfb~?>"])
def test_a_secret_in_base64_is_found_and_masked(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{secret}{after}".encode()).decode()

    assert find_secret(encoded, [secret])
    assert find_secret(f"Basic {encoded.rstrip('=')}.", [secret])
    assert find_secret("In\n" + "\n".join(textwrap.wrap(encoded, 7)), [secret])
    assert "***" in masker([secret])(encoded)


@pytest.mark.parametrize("secret", [SECRET, 'quoted "token"', "two\nlines of it"])
def test_a_secret_is_masked_as_it_is_and_in_json(secret: str) -> None:
    text = f"It is {secret}, psst; {json.dumps({'token': secret})}"

    assert find_secret(f"Here:\n{json.dumps(secret)}", [secret]) == len(["Here:", secret])
    assert masker([secret])(text) == 'It is ***, psst; {"token": "***"}'


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        (["first-secret", "second-secret"], "first-secret second-secret", "*** ***"),
        (["a-secret", "not-a-secret"], "not-a-secret", "***"),
        (["12345678"], "is 12345678", "is ***"),
        (["7 chars", ""], "has 7 chars", "has 7 chars"),
        (["service"], "The c2VydmljZQ== service", "The c2VydmljZQ== service"),
        ([SECRET], "is token-0234567890, dG9rZW4tMDIzNDU2Nzg5MA==", "is token-0234567890, dG9rZW4tMDIzNDU2Nzg5MA=="),
        ([SECRET], "is Token-1234567890, VG9rZW4tMTIzNDU2Nzg5MA==", "is Token-1234567890, VG9rZW4tMTIzNDU2Nzg5MA=="),
    ],
)
def test_secrets_are_masked_as_a_whole_unless_ordinary_text_contains_them(
    secrets: list[str], text: str, masked: str
) -> None:
    assert masker(secrets)(text) == masked
    assert bool(find_secret(text, secrets)) == (masked != text)


A, D = "a1B2c3D4e5" * 9, "1234567890" * 9


@pytest.mark.parametrize(
    ("secret", "near_miss", "kind"),
    [
        (f"ghp_{A[:36]}", "ghp_example", "a GitHub token"),
        (f"ghs_{A[:36]}", f"laughs_{A[:36]}", "a GitHub token"),
        (f"github_pat_{A[:22]}_{A[:59]}", "github_pat_settings", "a GitHub token"),
        (f"glpat-{A[:20]}", "glpat-expired", "a GitLab token"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA-1234567890123456", "an AWS access key id"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIANMARKETSAREDOWN", "an AWS access key id"),
        (f"xoxb-{D[:12]}-{A[:24]}", "xoxb-tokens-are-revoked", "a Slack token"),
        (f"sk_live_{A[:24]}", "sk_live_mode", "a Stripe key"),
        (f"AIza{A[:35]}", "AIza123", "a Google API key"),
        (f"npm_{A[:36]}", "npm_config_registry", "an npm token"),
        (f"pypi-{A[:60]}", "pypi-server-is-down", "a PyPI token"),
        (f"eyJ{A[:20]}.eyJ{A[:20]}.{A[:30]}", "eyJson.parse.fails", "a JSON Web Token"),
        (f"Authorization: Bearer {A[:20]}", "Authorization: Bearer authentication fails", "an Authorization header"),
        (f'"authorization": "Basic {A[:10]}="', "The Authorization header is rejected", "an Authorization header"),
        (f"AUTHORIZATION: BEARER {A[:20]}", "AUTHORIZATION IS BROKEN", "an Authorization header"),
        ("-----BEGIN EC PRIVATE KEY-----", "BEGIN PRIVATE KEY", "a private key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "a private key"),
    ],
)
def test_a_credential_is_found_by_its_form_and_what_only_resembles_it_is_not(
    secret: str, near_miss: str, kind: str
) -> None:
    assert find_credential(f"We rotate keys.\nIt was {secret}, says the log.") == (kind, 2)
    assert find_credential(f"We rotate keys.\nIt was {near_miss}, says the log.") is None
