"""What a server was asked, in a form that a test can compare."""

from collections.abc import Sequence
from typing import Protocol

from support.github_app import REPOSITORY


class RecordedRequest(Protocol):
    """A request that came in; the path may include a query."""

    @property
    def method(self) -> str:
        """GET, POST, PATCH or DELETE."""
        ...

    @property
    def path(self) -> str:
        """The path."""
        ...


class Recorder(Protocol):
    """What keeps the requests that came in: the sandbox's store, or a fault server."""

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """All of them, in order."""
        ...


def requests_of(recorder: Recorder) -> list[str]:
    """Name method and path of each request, without the query and the repository on GitHub."""
    paths = ((request.method, request.path.partition("?")[0]) for request in recorder.requests)
    return [f"{method} {path.replace(f'/repos/{REPOSITORY}', '')}" for method, path in paths]
