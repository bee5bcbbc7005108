"""Which certificates are trusted: certifi's, and those that the user names."""

import ssl
from functools import cache
from pathlib import Path

import certifi


@cache
def ssl_context(ca_paths: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Make a TLS context that verifies the chain, the dates and the host name, as OpenSSL does by default.

    It trusts the certificates in these files and folders in addition to certifi's, and is made once, since loading them
    takes long. Python 3.13 and urllib3 would set VERIFY_X509_STRICT, which refuses authorities without a key identifier
    or a critical `basicConstraints`. Those of inspecting proxies are often like that, and curl and Node accept them:
    https://docs.python.org/3/library/ssl.html#ssl.create_default_context

    Raises:
        OSError: A file does not exist or has no valid certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for path in (certifi.where(), *ca_paths):
        context.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
    return context
