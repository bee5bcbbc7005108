"""How Chromium renders the sandbox's page."""

from pathlib import Path

import pytest
from support.browser import Browser, installed_browser
from support.image import skip_unless_required

from onlineornot_sandbox.bodies import IncidentCreate
from onlineornot_sandbox.server import Sandbox
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
def browser(sandbox: Sandbox, tmp_path: Path) -> Browser:
    command = installed_browser()
    if command is None:
        skip_unless_required("Chromium is not installed", "REQUIRE_BROWSER")
    return Browser(command, sandbox.url, tmp_path)


def test_markup_in_a_title_and_a_text_is_shown_as_text(sandbox: Sandbox, browser: Browser) -> None:
    document = browser.read(f"{sandbox.url}/")

    assert "<title>Example Shop: All systems operational</title>" in document
    assert "<h3>&lt;script&gt;document.title = 'taken over'&lt;/script&gt;</h3>" in document
    assert "<p class=\"text\">&lt;img src='http://other.example/image.png'&gt;" in document


def test_the_page_is_light_or_dark_as_its_reader_prefers(sandbox: Sandbox, browser: Browser) -> None:
    assert browser.picture(f"{sandbox.url}/", "light") != browser.picture(f"{sandbox.url}/", "dark")
