"""What Chromium makes of the sandbox's page."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser, installed_browser
from support.fault_server import FaultServer

from onlineornot_sandbox.bodies import IncidentCreate
from onlineornot_sandbox.store import Store

TITLE = "<script>document.title = 'taken over'</script>"
DESCRIPTION = (
    "<img src='http://other.example/image.png'><link rel=stylesheet href='//other.example/style.css'>"
    "</p><script src='/script.js'></script><meta http-equiv=refresh content='0;url=http://other.example/'>"
)


@pytest.fixture
def store() -> Store:
    store = Store()
    store.create_incident(IncidentCreate(title=TITLE, description=DESCRIPTION, status="INVESTIGATING"))
    return store


@pytest.fixture
def server(store: Store) -> Iterator[FaultServer]:
    with FaultServer(store=store) as server:
        yield server


@pytest.fixture
def browser(server: FaultServer, tmp_path: Path) -> Browser:
    command = installed_browser()
    if command is None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)("Chromium is not installed")
    return Browser(command, server.url, tmp_path)


def test_markup_in_a_title_and_a_text_is_shown_as_text(server: FaultServer, browser: Browser) -> None:
    document = browser.read(f"{server.url}/")

    assert "<title>Example Shop: All systems operational</title>" in document
    assert "<h3>&lt;script&gt;document.title = 'taken over'&lt;/script&gt;</h3>" in document
    assert "<p class=\"text\">&lt;img src='http://other.example/image.png'&gt;" in document


def test_the_page_is_the_only_request(server: FaultServer, browser: Browser) -> None:
    requests = browser.requests_of(f"{server.url}/")

    assert requests == [f"{server.url}/"]


@pytest.mark.parametrize("width", [400, 1000])
def test_the_page_is_light_or_dark_as_its_reader_prefers(server: FaultServer, browser: Browser, width: int) -> None:
    light = browser.picture(f"{server.url}/", "light", width)
    dark = browser.picture(f"{server.url}/", "dark", width)

    assert (light.width, dark.width) == (width, width)
    assert min(light.corner) > 200
    assert max(dark.corner) < 50
    assert min(light.different_rows, dark.different_rows) > 100
