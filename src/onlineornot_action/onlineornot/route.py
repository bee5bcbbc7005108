"""The way to a host: directly, or through the proxy that the environment sets for it."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy


class Proxy(NamedTuple):
    """A proxy that the environment sets.

    Attributes:
        address: Its host and port, without user name and password.
        variable: The environment variable that sets it.
        is_socks: Whether it is a SOCKS proxy, which is not supported.
    """

    address: str
    variable: str
    is_socks: bool


class Route(NamedTuple):
    """The way to a host."""

    host: str
    proxy: Proxy | None

    def __str__(self) -> str:
        return f"{self.host} through the proxy {self.proxy.address}" if self.proxy else self.host


def find_route(url: str, proxy_variables: Sequence[str] = ()) -> Route:
    """Find the way to the host of a URL, as `requests` does: the scheme's proxy, else that of ALL_PROXY.

    Without variables, it takes the proxies of the system's settings on Windows and macOS. A variable overrides them.

    Args:
        url: The URL.
        proxy_variables: The names of the environment variables that set proxies.
    """
    parts = urlsplit(url)
    proxies = get_environ_proxies(url)
    chosen = select_proxy(url, proxies)
    if not chosen:
        return Route(parts.netloc, None)
    address = chosen.split("://")[-1].rpartition("@")[2].strip("/")
    variable = _find_variable(parts.scheme if parts.scheme in proxies else "all", proxy_variables)
    return Route(parts.netloc, Proxy(address, variable, chosen.lower().startswith("socks")))


def _find_variable(scheme: str, proxy_variables: Sequence[str]) -> str:
    """Find the variable that sets the proxy of a scheme.

    The name may be in any case; all lower-case takes precedence, then the last:
    https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies
    """
    name = f"{scheme}_proxy"
    written = [variable for variable in proxy_variables if variable.lower() == name]
    if name in written or not written:
        return name if written else name.upper()
    return written[-1]
