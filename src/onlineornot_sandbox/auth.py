"""The tokens that the sandbox accepts, and what each may do."""

from http import HTTPStatus

from werkzeug.datastructures import Authorization

from onlineornot_sandbox.envelopes import Code, RefusedError

EDIT_TOKEN = "sandbox-edit-token"  # noqa: S105 - valid in the sandbox only
READ_TOKEN = "sandbox-read-token"  # noqa: S105 - likewise
OTHER_ORGANISATION_TOKEN = "sandbox-other-organisation-token"  # noqa: S105 - likewise; its organisation does not own the status page

READ_METHODS = frozenset({"GET", "HEAD"})


def check_access(authorization: Authorization | None, method: str) -> None:
    """Check that a request's token may use this method.

    Raises:
        RefusedError: The token is missing, unknown, or lacks the permission.
    """
    token = authorization.token if authorization and authorization.type == "bearer" else None
    if token not in (EDIT_TOKEN, READ_TOKEN, OTHER_ORGANISATION_TOKEN):
        message = "The API token is missing, expired or wrong."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, message, Code.NOT_AUTHENTICATED)
    if token == OTHER_ORGANISATION_TOKEN:
        message = "The status page belongs to another organisation."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)
    if token == READ_TOKEN and method not in READ_METHODS:
        message = "The API token lacks the permission STATUS_PAGES:EDIT."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)
