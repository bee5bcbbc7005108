"""How PyGithub reaches GitHub: as the API of the status page is reached, with the same certificates and addresses."""

from typing import Any

from onlineornot_action.network.exchange import Cause, ExchangeError, Network


def connect_through(requester: Any, network: Network) -> None:  # noqa: ANN401 - only github_api.py imports PyGithub
    """Make PyGithub's `Requester` connect as a network says.

    It has no parameter for that. It makes one connection object, with a session of its own, before the first request,
    and keeps it: https://github.com/PyGithub/PyGithub/blob/main/github/Requester.py
    """
    network.mount(getattr(requester, "_Requester__createConnection")().session)  # noqa: B009 - the name is private


def explain_connection_failure(error: ExchangeError) -> str:
    """Say which certificate or proxy kept a request from being sent; empty if it was neither."""
    match error.cause:
        case Cause.UNKNOWN_AUTHORITY:
            return f"{error}; name the file of its authority in REQUESTS_CA_BUNDLE"
        case Cause.CERTIFICATE | Cause.PROXY | Cause.SOCKS_PROXY:
            return str(error)
    return ""
