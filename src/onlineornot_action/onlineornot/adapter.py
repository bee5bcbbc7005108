"""An adapter that makes `requests` connect as a `Network` says, directly or through a proxy.

Everything here extends hooks of urllib3 and requests.
"""

import socket
from collections.abc import Mapping
from functools import partial
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from onlineornot_action.onlineornot.dialing import Address, Dialer
from onlineornot_action.onlineornot.network import Network


class DialedHTTPConnection(HTTPConnection):
    """A connection to the first address that responds.

    `_new_conn` is where urllib3 connects, and these are the exceptions that it raises there:
    https://github.com/urllib3/urllib3/blob/main/src/urllib3/connection.py
    """

    def __init__(self, dialer: Dialer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._dialer = dialer
        self._address: Address | None = None

    def _new_conn(self) -> Any:
        try:
            dialed = self._dialer.connect(self._dns_host, self.port, self.timeout, self.socket_options or ())
        except OSError as error:
            raise self._as_urllib3_error(error) from error
        self._address = dialed.address
        dialed.socket.settimeout(self.timeout)
        return dialed.socket

    def _as_urllib3_error(self, error: OSError) -> Exception:
        if isinstance(error, socket.gaierror):
            return NameResolutionError(self.host, self, error)
        if isinstance(error, TimeoutError):
            return ConnectTimeoutError(self, f"Connection to {self.host} timed out")
        return NewConnectionError(self, f"Failed to establish a new connection: {error}")

    def connect(self) -> None:
        super().connect()
        if self._address:
            self._dialer.confirm(self._address)


class DialedHTTPSConnection(DialedHTTPConnection, HTTPSConnection):
    """The same with TLS."""


Connections = Mapping[str, type[DialedHTTPConnection]]
"""The class of the connections of each scheme."""

CONNECTIONS: Connections = {"http": DialedHTTPConnection, "https": DialedHTTPSConnection}


class NetworkAdapter(HTTPAdapter):
    """Connects as a network says; every certificate is verified, whatever `verify` says.

    `pool_classes_by_scheme` is where a pool manager lets itself be customized:
    https://github.com/urllib3/urllib3/blob/main/src/urllib3/poolmanager.py. Each pool in turn makes its connections
    from `ConnectionCls`: https://github.com/urllib3/urllib3/blob/main/src/urllib3/connectionpool.py.
    """

    def __init__(self, network: Network, connections: Connections = CONNECTIONS) -> None:
        self._network = network
        self._pools = {
            "http": partial(_HTTPPool, partial(connections["http"], network.dialer)),
            "https": partial(_HTTPSPool, partial(connections["https"], network.dialer)),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._network.ssl_context
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ARG002 - see the class
        cert: Any = None,
    ) -> Any:
        """Give the pool the network's TLS context.

        Left alone, `requests` would replace certifi's certificates by those that REQUESTS_CA_BUNDLE names:
        https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
        """
        host, options = super().build_connection_pool_key_attributes(request, True, cert)
        if host["scheme"] == "https":
            options["ssl_context"] = self._network.ssl_context
        return host, options

    def cert_verify(self, *args: Any, **options: Any) -> None:
        """Leave the pool as it is: urllib3 would load the certificates named here for each connection anew."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = connection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = connection
