"""Secrets in texts: found and masked, in every encoding. Imports only the standard library."""

import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable

MIN_SECRET_LENGTH = 8
"""Characters. Anything shorter is not treated as a secret, because it appears in ordinary text by chance."""

_URL_SAFE = str.maketrans("+/", "-_")
"""Turns base64 into its variant for URLs: https://www.rfc-editor.org/rfc/rfc4648#section-5"""

_CREDENTIALS: dict[str, tuple[str, str]] = {
    "PRIVATE KEY": ("a private key", "-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"),
    # The base64 of `x-access-token:`, which precedes a token in a header of Git that a checkout leaves in a file:
    # https://github.com/actions/checkout/blob/main/src/git-auth-helper.ts
    "eC1hY2Nlc3MtdG9rZW46": ("a credential of Git", "eC1hY2Nlc3MtdG9rZW46"),
    "gh": ("a GitHub token", r"\bgh[oprsu]_\w{36,}"),
    "github_pat_": ("a GitHub token", r"\bgithub_pat_\w{40,}"),
    "gl": ("a GitLab token", r"\bgl[a-z]{2,6}-[\w-]{20,}"),
    "AKIA": ("an AWS access key id", r"\bAKIA[A-Z0-9]{16}\b"),
    "ASIA": ("an AWS access key id", r"\bASIA[A-Z0-9]{16}\b"),
    "xox": ("a Slack token", r"\bxox[a-z]-(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{10,}"),
    "k_live_": ("a Stripe key", r"\b[rs]k_live_\w{16,}"),
    "AIza": ("a Google API key", r"\bAIza[\w-]{35}(?![\w-])"),
    "npm_": ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    "pypi-": ("a PyPI token", r"\bpypi-[\w-]{50,}"),
    "eyJ": ("a JSON Web Token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "uthorization": (
        "an Authorization header",
        r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(bearer|basic|token)\s+(?=[^\s\"']*[0-9=])[^\s\"']{8,}",
    ),
}
"""Patterns of credentials, by a text that every match contains, in this or in lower case.

Unless that text occurs, the pattern is not compiled.

GitHub: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
GitLab: https://docs.gitlab.com/security/tokens/#token-prefixes
AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
Others: https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns
"""


def find_credential(text: str) -> tuple[str, int] | None:
    """Return the kind of the first thing in a text that looks like a credential, and the number of its line."""
    lowered = text.lower()
    for sign, (kind, pattern) in _CREDENTIALS.items():
        is_possible = sign in text or sign in lowered
        match = re.search(pattern, text, re.ASCII) if is_possible else None
        if match:
            return kind, _line_of(match)
    return None


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return the function that replaces secrets in a text with asterisks."""
    encoded = _encodings(secrets)

    def mask(text: str) -> str:
        for secret in encoded:
            text = text.replace(secret, "***")
        return text

    return mask


def find_secret(text: str, secrets: Iterable[str]) -> int | None:
    """Return the number of the line in which a text contains a secret, even one interrupted by white space."""
    unbroken = "".join(text.split())
    for secret in _encodings(secrets):
        if secret in text or secret in unbroken:
            match = re.search(r"\s*".join(map(re.escape, secret)), text)
            return _line_of(match) if match else 1
    return None


def _line_of(match: re.Match[str]) -> int:
    return match.string.count("\n", 0, match.start()) + 1


def _encodings(secrets: Iterable[str]) -> list[str]:
    """Return secrets as they are, escaped in JSON, and in base64; the longest first, since one may contain another."""
    long_enough = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    encoded = {form for secret in long_enough for form in (secret, json.dumps(secret)[1:-1], *_base64_parts(secret))}
    return sorted(encoded, key=len, reverse=True)


def _base64_parts(secret: str) -> set[str]:
    """Return the forms that a secret can take in base64, which may encode other text around it.

    Three bytes become four characters, so the form depends on where in its group of three the secret begins. Characters
    that hold bits of its neighbours are left out: https://www.rfc-editor.org/rfc/rfc4648#section-4
    """
    parts = set[str]()
    for offset, first in enumerate((0, 2, 3)):
        shifted = bytes(offset) + secret.encode(errors="replace")
        part = b2a_base64(shifted, newline=False).decode()[first : len(shifted) * 8 // 6]
        parts |= {part, part.translate(_URL_SAFE)}
    return parts
