"""Secrets in texts: found and masked, in every encoding. Imports the standard library alone."""

import json
from binascii import b2a_base64
from collections.abc import Callable, Iterable

MIN_SECRET_LENGTH = 8
"""Characters. Anything shorter is not treated as a secret, because it appears in ordinary text by chance."""

_URL_SAFE = str.maketrans("+/", "-_")
"""Turns base64 into its variant for URLs: https://www.rfc-editor.org/rfc/rfc4648#section-5"""


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return the function that replaces secrets in a text with asterisks."""
    encoded = _encodings(secrets)

    def mask(text: str) -> str:
        for secret in encoded:
            text = text.replace(secret, "***")
        return text

    return mask


def contains_secret(text: str, secrets: Iterable[str]) -> bool:
    """Tell whether a text contains a secret, which white space may interrupt."""
    unbroken = "".join(text.split())
    return any(secret in text or secret in unbroken for secret in _encodings(secrets))


def _encodings(secrets: Iterable[str]) -> list[str]:
    """Return secrets as they are, escaped in JSON, and in base64; the longest first, since one may contain another."""
    long_enough = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    encoded = {form for secret in long_enough for form in (secret, json.dumps(secret)[1:-1], *_base64_parts(secret))}
    return sorted(encoded, key=len, reverse=True)


def _base64_parts(secret: str) -> set[str]:
    """Return texts of which every base64 form of a secret contains one, even if more than the secret was encoded.

    Three bytes become four characters, so the form depends on where in its group of three the secret begins. Characters
    that hold bits of its neighbours are left out: https://www.rfc-editor.org/rfc/rfc4648#section-4
    """
    parts = {_base64_part(secret.encode(errors="replace"), offset) for offset in range(3)}
    return parts | {part.translate(_URL_SAFE) for part in parts}


def _base64_part(secret: bytes, offset: int) -> str:
    """Return the characters that encode a secret and nothing else, where `offset` bytes precede it in its group."""
    encoded = b2a_base64(bytes(offset) + secret, newline=False).decode()
    first, end = (0, 2, 3)[offset], (offset + len(secret)) * 8 // 6
    return encoded[first:end]
