"""Which certificates are trusted: certifi's authorities, and those that the user names in addition."""

import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection


@cache
def ssl_context(ca_paths: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Make a TLS context that verifies the chain, the dates and the host name, as OpenSSL does by default.

    Python 3.13 and urllib3 set VERIFY_X509_STRICT in contexts of their own. It refuses authorities whose
    `basicConstraints` is not critical or that have no key identifier. Those of inspecting proxies often are like that,
    and curl and Node accept them. https://docs.python.org/3/library/ssl.html#ssl.create_default_context

    It is made once, since certificates take long to load.

    Args:
        ca_paths: Files and folders of certificates to trust in addition to certifi's.

    Raises:
        OSError: A file does not exist or has no valid certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for path in (certifi.where(), *ca_paths):
        _load(context, path)
    return context


def _load(context: ssl.SSLContext, path: str) -> None:
    is_folder = Path(path).is_dir()
    context.load_verify_locations(cafile=None if is_folder else path, capath=path if is_folder else None)


class NetworkAdapter(HTTPAdapter):
    """Verifies every certificate with `ssl_context`, whatever `verify` says, and makes connections of given classes.

    Left alone, `requests` would replace certifi's certificates by those that REQUESTS_CA_BUNDLE names:
    https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification

    Args:
        ca_paths: Files and folders of certificates to trust in addition to certifi's.
        connections: The class of the connections of each scheme.
    """

    def __init__(self, ca_paths: tuple[str, ...], connections: Mapping[str, type[HTTPConnection]]) -> None:
        self._ca_paths = ca_paths
        self._connections = connections
        super().__init__()

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = ssl_context(self._ca_paths)
        return super().proxy_manager_for(proxy, **options)

    def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, *_: Any) -> Any:
        host, options = super().build_connection_pool_key_attributes(request, True)
        if host["scheme"] == "https":
            options["ssl_context"] = ssl_context(self._ca_paths)
        return host, options

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = self._connections[pool.scheme]
        return pool

    def cert_verify(self, *args: Any, **options: Any) -> None:
        """Leave the pool as it is: urllib3 would load the certificates named here for each connection anew."""
