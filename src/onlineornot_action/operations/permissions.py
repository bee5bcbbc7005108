"""Whether the token may write: what a dry run asks the API, so that a rehearsal finds out before the day it matters."""

from dataclasses import dataclass

from onlineornot_action.onlineornot.errors import APIError, AuthenticationError
from onlineornot_action.outputs import Outcome, Result
from onlineornot_action.session import Session
from onlineornot_action.text import quote

_MAX_QUOTED = 10
"""How many permissions a message quotes."""


@dataclass(frozen=True)
class Permissions:
    """What a token may do with status pages, as far as the API's words can be understood.

    The API documents their form by one example, `uptime_checks (read)`, so entries are compared by their letters only.
    """

    entries: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether there is an entry for status pages that says what is allowed."""
        return self._allow("read") or self._allow("edit")

    @property
    def read_only(self) -> bool:
        """Whether status pages may be read, but not be edited."""
        return self._allow("read") and not self._allow("edit")

    def __str__(self) -> str:
        """Quote the API's words."""
        quoted = ", ".join(map(quote, self.entries[:_MAX_QUOTED])) or "nothing"
        return f"{quoted}, …" if len(self.entries) > _MAX_QUOTED else quoted

    def _allow(self, what: str) -> bool:
        return any(what in letters for letters in map(_letters, self.entries) if "statuspage" in letters)


def _letters(entry: str) -> str:
    return "".join(filter(str.isalpha, entry.casefold()))


def check_permissions(session: Session) -> Result:
    """Ask the API whether the token may write.

    Returns:
        A dry run with what is to be said about the permissions; or a refusal, where the token may only read.

    Raises:
        AuthenticationError: The API refused the token itself.
        CancelledError: The run was cancelled.
    """
    deadline = session.deadline.within(session.limits.follow_up, detached=True)
    try:
        permissions = Permissions(session.client.get_token_permissions(deadline))
    except AuthenticationError:
        raise
    except APIError as error:
        return Result(Outcome.DRY_RUN, notes=(f"The permissions of the API token could not be read: {error}",))
    if permissions.read_only:
        return Result(Outcome.REJECTED, session.inputs.incident_id or "", error=_describe_refusal(permissions))
    if not permissions.known:
        return Result(Outcome.DRY_RUN, warnings=(_describe_unknown(permissions),))
    return Result(Outcome.DRY_RUN)


def _describe_refusal(permissions: Permissions) -> str:
    return (
        "The API would refuse this: the API token may read status pages, but not edit them. Store a token with the "
        f"permission STATUS_PAGES:EDIT. The API says that this one may: {permissions}."
    )


def _describe_unknown(permissions: Permissions) -> str:
    return (
        "It is not known whether the API token may edit status pages, which needs the permission STATUS_PAGES:EDIT. "
        f"The API says that it may: {permissions}."
    )
