"""Which certificates are trusted: certifi's, and those that the user names."""

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


class NetworkAdapter(HTTPAdapter):
    """Makes connections of the given class for each scheme, and verifies certificates with `ssl_context`.

    `requests` would replace certifi's certificates with those that REQUESTS_CA_BUNDLE names:
    https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    """

    def __init__(self, ca_paths: tuple[str, ...], connections: Mapping[str, type[HTTPConnection]]) -> None:
        self._ca_paths, self._connections = ca_paths, connections
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
        """Do nothing: urllib3 would load the certificates anew for each connection."""
