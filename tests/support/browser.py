"""Chromium without a window."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking")
SCHEMES = {"dark": 0, "light": 1}
"""Chromium's numbers for what a reader prefers; `preferredColorScheme` of its settings for tests."""
SHARP = "--force-device-scale-factor=2"
TIMEOUT_SECONDS = 120

Scheme = Literal["dark", "light"]


def installed_browser() -> str | None:
    """Find Chromium on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Browser:
    """A browser that sends all its requests, even those that it makes on its own, to one server of this machine.

    Args:
        command: The program.
        proxy: URL of the server that receives every request.
        folder: Where profile and pictures go.
    """

    command: str
    proxy: str
    folder: Path

    def read(self, url: str) -> str:
        """Return the document as it is once it is loaded."""
        return self._run(url, "--dump-dom")

    def picture(self, url: str, scheme: Scheme, width: int = 1000, height: int = 1000) -> bytes:
        """Return a PNG of the page in the light or the dark scheme, at twice the resolution."""
        file = self.folder / f"{scheme}-{width}.png"
        prefers = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
        self._run(url, prefers, SHARP, f"--window-size={width},{height}", f"--screenshot={file}")
        return file.read_bytes()

    def _run(self, url: str, *options: str) -> str:
        route = (f"--proxy-server={self.proxy}", "--proxy-bypass-list=<-loopback>")
        profile = f"--user-data-dir={self.folder / 'profile'}"
        return subprocess.run(
            [self.command, *OPTIONS, *route, profile, *options, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=True,
        ).stdout
