"""Fixtures of more than one test file; `tests/README.md` lists them."""

import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trustme
from support.clock import SkippingClock
from support.step import RunStep, run_main, store_on

from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store


@pytest.fixture(scope="session", autouse=True)
def _no_proxy_of_this_machine() -> Iterator[None]:
    """Keep tests from using this machine's proxy; a test that needs a proxy names its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture
def clock() -> SkippingClock:
    """Run as usual, but let waiting take no time."""
    return SkippingClock()


@pytest.fixture
def store(clock: SkippingClock) -> Store:
    """Fill a page with one open incident."""
    return store_on(clock)


@pytest.fixture
def sandbox(store: Store) -> Iterator[Sandbox]:
    """Serve the store over HTTP."""
    with Sandbox(store=store) as sandbox:
        yield sandbox


@pytest.fixture
def step(store: Store, clock: SkippingClock, tmp_path: Path) -> RunStep:
    """Run the action in this process against a server of the store, which may follow a script."""
    return partial(run_main, tmp_path, store=store, clock=clock)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Create a certificate authority that nobody trusts yet."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Issue a certificate for `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "api.example").configure_cert(context)
    return context


@pytest.fixture
def ca_bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """Write the authority's certificate into a file, and return its path."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
