"""The tokens that the sandbox accepts, and what each may do."""

from http import HTTPStatus

from werkzeug.datastructures import Authorization

from onlineornot_sandbox.envelopes import Code, RefusedError

EDIT_TOKEN = "sandbox-edit-token"  # noqa: S105 - valid in the sandbox only
READ_TOKEN = "sandbox-read-token"  # noqa: S105 - likewise
OTHER_ORGANISATION_TOKEN = "sandbox-other-organisation-token"  # noqa: S105 - likewise; it does not own the page
CHECKS_TOKEN = "sandbox-checks-token"  # noqa: S105 - likewise; it is for uptime checks only

STATUS_PAGES_READ = "status_pages (read)"
STATUS_PAGES_EDIT = "status_pages (edit)"
PERMISSIONS = {
    EDIT_TOKEN: ("uptime_checks (read)", STATUS_PAGES_EDIT),
    READ_TOKEN: (STATUS_PAGES_READ,),
    OTHER_ORGANISATION_TOKEN: (STATUS_PAGES_EDIT,),
    CHECKS_TOKEN: ("uptime_checks (read)",),
}
"""What each token may do. The API documents only the first entry as an example; EDIT includes READ."""

READ_METHODS = frozenset({"GET", "HEAD"})


def permissions_of(authorization: Authorization | None) -> tuple[str, ...]:
    """Return the permissions of a request's token.

    Raises:
        RefusedError: The token is missing or unknown.
    """
    token = _token(authorization)
    if token not in PERMISSIONS:
        message = "The API token is missing, expired or wrong."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, message, Code.NOT_AUTHENTICATED)
    return PERMISSIONS[token]


def check_access(authorization: Authorization | None, method: str) -> None:
    """Check that a request's token may use this method on the status page.

    Raises:
        RefusedError: The token is missing, unknown, or lacks the permission.
    """
    permissions = permissions_of(authorization)
    if _token(authorization) == OTHER_ORGANISATION_TOKEN:
        message = "The status page belongs to another organisation."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)
    needed = "READ" if method in READ_METHODS else "EDIT"
    allowing = {STATUS_PAGES_READ, STATUS_PAGES_EDIT} if needed == "READ" else {STATUS_PAGES_EDIT}
    if not allowing.intersection(permissions):
        message = f"The API token lacks the permission STATUS_PAGES:{needed}."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)


def _token(authorization: Authorization | None) -> str:
    if authorization is None or authorization.type != "bearer":
        return ""
    return authorization.token or ""
