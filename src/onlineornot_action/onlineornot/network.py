"""How servers are reached: which certificates are trusted, how names become addresses, and through which proxies."""

import ssl
from dataclasses import dataclass, field
from functools import cached_property

from onlineornot_action.onlineornot.dialing import Dialer
from onlineornot_action.onlineornot.trust import create_ssl_context


@dataclass(frozen=True)
class Network:
    """How servers are reached. One for the whole process, since certificates take long to load.

    Attributes:
        ca_paths: Files and folders of certificates to trust in addition to certifi's.
        proxy_variables: The names of the environment variables that set proxies, as they are written there.
        dialer: Connects to them, and remembers which addresses were silent.
    """

    ca_paths: tuple[str, ...] = ()
    proxy_variables: tuple[str, ...] = ()
    dialer: Dialer = field(default_factory=Dialer)

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """The context of all TLS connections; made when the first of them needs it."""
        return create_ssl_context(self.ca_paths)
