"""Which certificates are trusted: those of certifi's authorities, and of those that the user names in addition."""

import ssl
from collections.abc import Iterable
from pathlib import Path


def create_ssl_context(ca_paths: Iterable[str]) -> ssl.SSLContext:
    """Make a TLS context that verifies the chain, the dates and the host name, as OpenSSL does by default.

    Python 3.13 and urllib3 set VERIFY_X509_STRICT in contexts of their own. It refuses authorities whose
    `basicConstraints` is not critical or that have no key identifier. Those of inspecting proxies often are like that,
    and curl and Node accept them. https://docs.python.org/3/library/ssl.html#ssl.create_default_context

    Args:
        ca_paths: Files and folders of certificates to trust in addition to certifi's.

    Raises:
        OSError: A file does not exist or has no valid certificate.
    """
    from certifi import where

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for path in (where(), *ca_paths):
        _load(context, path)
    return context


def has_certificate(path: str) -> bool:
    """Tell whether a file has a certificate, and nothing that hides it from OpenSSL. Folders are taken as they are."""
    if Path(path).is_dir():
        return True
    if not Path(path).is_file():
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        _load(context, path)
    except OSError:
        return False
    return context.cert_store_stats()["x509"] > 0


def _load(context: ssl.SSLContext, path: str) -> None:
    is_folder = Path(path).is_dir()
    context.load_verify_locations(cafile=None if is_folder else path, capath=path if is_folder else None)
