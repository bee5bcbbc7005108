"""Which tokens there are, and what each may do."""

from http import HTTPStatus

from werkzeug.datastructures import Authorization

from onlineornot_sandbox.envelopes import Code, RefusedError

EDIT_TOKEN = "sandbox-edit-token"  # noqa: S105 - opens nothing but the sandbox
READ_TOKEN = "sandbox-read-token"  # noqa: S105 - likewise
FOREIGN_TOKEN = "sandbox-foreign-token"  # noqa: S105 - likewise; of an organisation without a page

READS = frozenset({"GET", "HEAD"})


def check_access(authorization: Authorization | None, method: str) -> None:
    """Refuse a request whose token is missing, unknown or not allowed to do this."""
    token = authorization.token if authorization and authorization.type == "bearer" else None
    if token not in (EDIT_TOKEN, READ_TOKEN, FOREIGN_TOKEN):
        message = "The API token is missing, expired or wrong."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, message, Code.NOT_AUTHENTICATED)
    if token == FOREIGN_TOKEN:
        message = "The status page belongs to another organisation."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)
    if token == READ_TOKEN and method not in READS:
        message = "The API token lacks the permission STATUS_PAGES:EDIT."
        raise RefusedError(HTTPStatus.FORBIDDEN, message, Code.NOT_ALLOWED)
