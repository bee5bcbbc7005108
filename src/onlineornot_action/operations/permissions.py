"""Whether the token may write: a dry run asks the API, so that a rehearsal finds out before the day it matters."""

from onlineornot_action.onlineornot.errors import APIError, AuthenticationError
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session
from onlineornot_action.text import quote

_MAX_QUOTED = 10
"""How many permissions a message quotes."""


def check_permissions(session: Session) -> Result:
    """Ask the API whether the token may write.

    The API documents the form of permissions by one example, `uptime_checks (read)`, so they are compared by their
    letters only.

    Returns:
        A dry run, with a note or a warning where that is uncertain; or a refusal, where the token may only read.

    Raises:
        AuthenticationError: The API refused the token itself.
        CancelledError: The run was cancelled.
    """
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    try:
        permissions = session.client.get_token_permissions(deadline)
    except AuthenticationError:
        raise
    except APIError as error:
        return Result(Outcome.DRY_RUN, notes=(f"The permissions of the API token could not be read: {error}",))
    if _allow(permissions, "edit"):
        return Result(Outcome.DRY_RUN)
    quoted = ", ".join(map(quote, permissions[:_MAX_QUOTED])) or "nothing"
    allowed = f"{quoted}, …" if len(permissions) > _MAX_QUOTED else quoted
    if _allow(permissions, "read"):
        refusal = (
            "The API would refuse this: the API token may read status pages, but not edit them. Store a token with the "
            f"permission STATUS_PAGES:EDIT. The API says that this one may: {allowed}."
        )
        return Result(Outcome.REJECTED, session.inputs.incident_id or "", error=refusal)
    warning = (
        "It is not known whether the API token may edit status pages, which needs the permission STATUS_PAGES:EDIT. "
        f"The API says that it may: {allowed}."
    )
    return Result(Outcome.DRY_RUN, warnings=(warning,))


def _allow(permissions: tuple[str, ...], what: str) -> bool:
    letters = ("".join(filter(str.isalpha, entry.casefold())) for entry in permissions)
    return any(what in each for each in letters if "statuspage" in each)
