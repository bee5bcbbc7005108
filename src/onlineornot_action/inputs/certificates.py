"""The certificates to trust that the workflow's `env:` names, in variables that other programs read as well.

requests: https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
OpenSSL: https://docs.openssl.org/master/man3/X509_get_default_cert_file/
Node: https://nodejs.org/api/cli.html#node_extra_ca_certsfile
"""

import os
from collections.abc import Iterator, Mapping

from onlineornot_action.network.tls import has_certificate

EXTRA_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""Node goes on without a file that this variable names and that does not exist, so workflows may name one."""

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", EXTRA_VARIABLE)

_ADVICE = "put the certificates into the workspace, which is /github/workspace where the action runs in a container"


def find_ca_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files and folders of certificates, each once."""
    return tuple(dict.fromkeys(path for _, path in _named(environ) if _exists(path)))


def certificate_problems(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the paths."""
    for variable, path in _named(environ):
        if not _exists(path):
            if variable != EXTRA_VARIABLE:
                yield f"{variable} names a path that does not exist where the action runs; {_ADVICE}."
        elif not has_certificate(path):
            yield f"{variable} names a file without a valid certificate; it must be a text file in PEM format."


def certificate_warnings(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what the user should fix although the run goes on."""
    path = environ.get(EXTRA_VARIABLE)
    if path and not _exists(path):
        yield (
            f"{EXTRA_VARIABLE} names a file that does not exist where the action runs, so its certificates are not "
            f"trusted here. If they are needed, {_ADVICE}; otherwise, unset the variable."
        )


def _named(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable that is set, with its value."""
    for variable in CA_VARIABLES:
        if path := environ.get(variable):
            yield variable, path


def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - unlike Path, it accepts any text
