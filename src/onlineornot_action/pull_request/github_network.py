"""How PyGithub reaches GitHub: as the API of the status page is reached, with the same certificates and addresses."""

from typing import Any

from onlineornot_action.onlineornot.adapter import NetworkAdapter
from onlineornot_action.onlineornot.failures import find_certificate_error, find_proxy_problem, is_about_the_authority
from onlineornot_action.onlineornot.network import Network
from onlineornot_action.onlineornot.route import find_route


def connect_through(requester: Any, network: Network) -> None:  # noqa: ANN401 - only github_api.py imports PyGithub
    """Make PyGithub's `Requester` connect as a network says.

    It has no parameter for that. It makes one connection object, with a session of its own, before the first request,
    and keeps it: https://github.com/PyGithub/PyGithub/blob/main/github/Requester.py
    """
    connection = getattr(requester, "_Requester__createConnection")()  # noqa: B009 - the name is private
    adapter = NetworkAdapter(network)
    connection.session.mount("https://", adapter)
    connection.session.mount("http://", adapter)


def explain_connection_failure(error: Exception, url: str, network: Network) -> str:
    """Say which certificate or proxy kept a request from being sent; empty if it was neither."""
    if rejection := find_certificate_error(error):
        advice = "; name the file of its authority in REQUESTS_CA_BUNDLE" if is_about_the_authority(rejection) else ""
        return f"GitHub's certificate was rejected ({rejection.verify_message}){advice}"
    proxy = find_route(url, network.proxy_variables).proxy
    problem = find_proxy_problem(proxy, error) if proxy else ""
    return f"GitHub could not be reached: {problem}" if problem else ""
