"""The public address of an incident, which no response of the API contains."""

import re
from collections.abc import Callable

from onlineornot_action.network.deadline import CancelledError
from onlineornot_action.onlineornot.errors import APIError
from onlineornot_action.onlineornot.models import StatusPage
from onlineornot_action.session import Session

MAX_HOST_LENGTH = 253


def find_incident_url(session: Session, incident_id: str, log: Callable[[str], None]) -> str:
    """Read the status page, in one short attempt, and return the incident's address; log why it is empty.

    Without the id of an incident, it is the address of the page.
    """
    try:
        page = session.client.get_status_page(session.page_id, session.deadline.within(session.limits.follow_up))
    except (APIError, CancelledError) as error:
        log(f"The address of the incident is not known: {error}")
        return ""
    url = incident_url(page, incident_id)
    if not url:
        log("The address of the incident is not known: the page does not say where it is.")
    return url


def incident_url(page: StatusPage, incident_id: str) -> str:
    """Return where readers see an incident, or the page if there is no id; empty when the page does not say where."""
    host = _host(page.custom_domain or (f"{page.subdomain}.onlineornot.com" if page.subdomain else ""))
    path = f"incidents/{incident_id}" if incident_id else ""
    return f"https://{host}/{path}" if host else ""


def _host(domain: str) -> str:
    """Return the host of a domain, which may be written as a URL; empty when it is not a valid one."""
    host = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
    match = re.fullmatch(rf"(?:https?://)?({host})\.?(?:/[!-~]*)?", domain.strip().casefold())
    return match[1] if match and len(match[1]) <= MAX_HOST_LENGTH else ""
