"""What several test files need."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from onlineornot_sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve a page with one open incident."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Found an authority that nobody trusts yet."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Have it sign for `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """Write its certificate into a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
