"""Chromium, which reads a page without a window, and the pictures that it takes."""

import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking")
SCHEMES = {"dark": 0, "light": 1}
"""Chromium's numbers for what a reader prefers; `preferredColorScheme` of its settings for tests."""
TIMEOUT_SECONDS = 120

Scheme = Literal["dark", "light"]


def installed_browser() -> str | None:
    """Find Chromium on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Browser:
    """A browser that sends all its requests, also those that it makes on its own, to one server of this machine.

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

    def picture(self, url: str, scheme: Scheme, width: int = 1000, height: int = 1000) -> "Picture":
        """Take a picture of the page as it looks to those who prefer light or dark."""
        file = self.folder / f"{scheme}-{width}.png"
        prefers = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
        self._run(url, prefers, f"--window-size={width},{height}", f"--screenshot={file}")
        return Picture(file.read_bytes())

    def requests_of(self, url: str) -> list[str]:
        """Load the page, and return the address of each request for it or by it.

        What the browser asks for on its own, such as updates, names no origin as its initiator:
        https://www.chromium.org/developers/design-documents/network-stack/netlog/
        """
        file = self.folder / "net-log.json"
        self._run(url, "--dump-dom", f"--log-net-log={file}")
        log = json.loads(file.read_text(encoding="utf-8"))
        start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
        events = [event.get("params", {}) for event in log["events"] if event["type"] == start]
        started = [(event["url"], event["initiator"]) for event in events if "url" in event]
        return [address for address, initiator in started if address == url or initiator != "not an origin"]

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


@dataclass(frozen=True)
class Picture:
    """A PNG of 8-bit RGB, which is what Chromium writes. The format: https://www.w3.org/TR/png-3/."""

    png: bytes

    @property
    def width(self) -> int:
        """The width in pixels."""
        return int.from_bytes(self.png[16:20], "big")

    @property
    def corner(self) -> tuple[int, ...]:
        """Red, green and blue of the pixel top left, which no filter changes."""
        return tuple(self._filtered_rows()[0][1:4])

    @property
    def different_rows(self) -> int:
        """How many rows of pixels differ from all others; a blank page has two or three."""
        return len(set(self._filtered_rows()))

    def _filtered_rows(self) -> list[bytes]:
        data = zlib.decompress(b"".join(self._image_data()))
        size = 1 + 3 * self.width
        return [data[start : start + size] for start in range(0, len(data), size)]

    def _image_data(self) -> Iterator[bytes]:
        position = 8
        while position < len(self.png):
            length = int.from_bytes(self.png[position : position + 4], "big")
            if self.png[position + 4 : position + 8] == b"IDAT":
                yield self.png[position + 8 : position + 8 + length]
            position += 12 + length
