"""What a release needs to know, to check and to change. Standard library only: the release runs it without installing.

    python3 tools/release.py version             print the version of the code
    python3 tools/release.py plan REPOSITORY     refuse unless it can be released; print version= and image=
    python3 tools/release.py notes VERSION       print the changelog's section
    python3 tools/release.py pin IMAGE           let action.yml name a published image
    python3 tools/release.py owner NAME          replace the placeholder for the owner of the repository

Run in the root of the checkout; CONTRIBUTING.md tells the whole story.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CODE = Path("src/onlineornot_action/onlineornot/__init__.py")
CHANGELOG = Path("CHANGELOG.md")
ACTION = Path("action.yml")
WORKFLOWS = ".github/workflows"
BUILT = "  image: Dockerfile\n"
"""The line of `action.yml` that a release replaces. It stays on main, for `uses: ./` and forks."""

NAME = "onlineornot-incident-update"
PLACEHOLDER = "OWNER"
"""What stands for the owner until somebody publishes the repository; it could be somebody's account."""

_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"
_ACCOUNT = "[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
_IMAGE = rf"ghcr\.io/[a-z0-9-]+/[a-z0-9._-]+:({_VERSION})@sha256:[0-9a-f]{{64}}"


class Refusal(Exception):  # noqa: N818 - not an error: the answer to a question
    """Raised when something must not be released as it is."""


def version() -> str:
    """Return the version of the code."""
    found = re.search(rf'^__version__ = "({_VERSION})"$', CODE.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise Refusal(f"{CODE} has no version of the form 1.2.3")
    return found[1]


def plan(repository: str) -> str:
    """Check everything that can be checked before anything is built, and return what the later jobs need."""
    released = version()
    notes(released)
    if files := _files_with_placeholder():
        raise Refusal(f"{PLACEHOLDER}/{NAME} is left in {', '.join(files)}; run make owner NAME=…")
    if _git("ls-remote", "origin", f"refs/tags/v{released}"):
        raise Refusal(f"the tag v{released} exists already; a name that was released once is never used again")
    _git("fetch", "--quiet", "origin", "main")
    if _git("rev-parse", f"HEAD:{WORKFLOWS}") != _git("rev-parse", f"FETCH_HEAD:{WORKFLOWS}"):
        raise Refusal(
            f"main has other {WORKFLOWS} by now, so GitHub would refuse the tag; release main's newest commit"
        )
    if not re.fullmatch(rf"{_ACCOUNT}/[A-Za-z0-9._-]+", repository):
        raise Refusal(f"{repository!r} is not of the form owner/name")
    return f"version={released}\nimage=ghcr.io/{repository.lower()}"


def notes(released: str) -> str:
    """Return the changelog's section on a version."""
    sections = re.split(r"^## (.*)\n", CHANGELOG.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = dict(zip(sections[1::2], sections[2::2], strict=True)).get(released, "").strip()
    if not section:
        raise Refusal(f"{CHANGELOG} has no section {released!r} with anything in it")
    return section


def pin(image: str) -> str:
    """Let `action.yml` name a published image by its digest, and change nothing else."""
    found = re.fullmatch(_IMAGE, image)
    if not found:
        raise Refusal(f"{image!r} is not of the form ghcr.io/owner/name:1.2.3@sha256:…, in lower case")
    if found[1] != version():
        raise Refusal(f"the image is {found[1]}, but the code is {version()}")
    text = ACTION.read_text(encoding="utf-8")
    if text.count(BUILT) != 1 or text.count("\n  image:") != 1:
        raise Refusal(f"{ACTION} does not have exactly one line {BUILT.strip()!r}")
    ACTION.write_text(text.replace(BUILT, f"  image: docker://{image}\n"), encoding="utf-8")
    return f"{ACTION} names {image}"


def owner(name: str) -> str:
    """Replace the placeholder in every file of the repository."""
    if not re.fullmatch(_ACCOUNT, name):
        raise Refusal(f"{name!r} is not the name of an account on GitHub")
    files = _files_with_placeholder()
    for file in files:
        path = Path(file)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"{PLACEHOLDER}/{NAME}", f"{name}/{NAME}"), encoding="utf-8")
    return f"Replaced {PLACEHOLDER} in {len(files)} files"


def _files_with_placeholder() -> list[str]:
    found = subprocess.run(  # noqa: S603 - the words are from this file
        ["git", "grep", "--files-with-matches", "--fixed-strings", f"{PLACEHOLDER}/{NAME}"],  # noqa: S607
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    return found.stdout.splitlines()


def _git(*command: str) -> str:
    ended = subprocess.run(["git", *command], capture_output=True, encoding="utf-8", check=False)  # noqa: S603, S607
    if ended.returncode:
        raise Refusal(f"git {command[0]} failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def main() -> int:
    """Do what the command line asks for."""
    commands: dict[str, tuple[Callable[..., str], str | None]] = {
        "version": (version, None),
        "plan": (plan, "repository"),
        "notes": (notes, "version"),
        "pin": (pin, "image"),
        "owner": (owner, "name"),
    }
    parser = argparse.ArgumentParser(description="What a release needs.")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, (_, argument) in commands.items():
        subparser = subparsers.add_parser(name)
        if argument:
            subparser.add_argument("arguments", metavar=argument.upper(), nargs=1)
    options = parser.parse_args()
    try:
        print(commands[options.command][0](*getattr(options, "arguments", ())))  # noqa: T201 - what was asked for
    except Refusal as refusal:
        print(f"release.py: {refusal}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
