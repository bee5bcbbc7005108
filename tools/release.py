"""What a release has to look up, check and change. Standard library only: the release runs it without installing.

    python3 tools/release.py version             print the version of the code
    python3 tools/release.py plan REPOSITORY     refuse unless it can be released; print version= and image=
    python3 tools/release.py check-workflows     refuse if the workflows on main have changed
    python3 tools/release.py check-newest        refuse if a newer version has been released
    python3 tools/release.py index FILE ARCHITECTURE=DIGEST...
                                                 refuse unless the index names these images; print its digest
    python3 tools/release.py notes VERSION       print the changelog's section
    python3 tools/release.py pin IMAGE           make action.yml name a published image
    python3 tools/release.py publish IMAGE       commit that, tag it, release it, move v1 to it; with `gh`
    python3 tools/release.py owner NAME          replace the placeholder for the owner of the repository

Run in the root of the checkout; CONTRIBUTING.md describes the whole process.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CODE = Path("src/onlineornot_action/onlineornot/__init__.py")
CHANGELOG = Path("CHANGELOG.md")
ACTION = Path("action.yml")
WORKFLOWS = ".github/workflows"
BUILT = "  image: Dockerfile\n"
"""The line of `action.yml` that a release replaces. It stays on main, for `uses: ./` and forks."""

NAME = "onlineornot-incident-update"
PLACEHOLDER = "OWNER"
"""What stands for the owner until somebody publishes the repository; it could be somebody's account."""

UNRELEASED = f"No release has been published yet: `{PLACEHOLDER}` stands for the account that will publish it.\n\n"
"""The sentence of the README that goes once the owner is named."""

_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"
_ACCOUNT = "[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
_IMAGE = rf"ghcr\.io/[a-z0-9-]+/[a-z0-9._-]+:({_VERSION})@sha256:[0-9a-f]{{64}}"


class Refusal(Exception):  # noqa: N818 - a reason, not a failure of this script
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
    check_newest()
    check_workflows()
    _check_line(ACTION.read_text(encoding="utf-8"))
    if not re.fullmatch(rf"{_ACCOUNT}/[A-Za-z0-9._-]+", repository):
        raise Refusal(f"{repository!r} is not of the form owner/name")
    return f"version={released}\nimage=ghcr.io/{repository.lower()}"


def notes(released: str) -> str:
    """Return the changelog's section for a version."""
    sections = re.split(r"^## (.*)\n", CHANGELOG.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = dict(zip(sections[1::2], sections[2::2], strict=True)).get(released, "").strip()
    if not section:
        raise Refusal(f"{CHANGELOG} has no section {released!r} with anything in it")
    return section


def pin(image: str) -> str:
    """Make `action.yml` name a published image by its digest, and change nothing else."""
    found = re.fullmatch(_IMAGE, image)
    if not found:
        raise Refusal(f"{image!r} is not of the form ghcr.io/owner/name:1.2.3@sha256:…, in lower case")
    if found[1] != version():
        raise Refusal(f"the image is {found[1]}, but the code is {version()}")
    text = ACTION.read_text(encoding="utf-8")
    _check_line(text)
    ACTION.write_text(text.replace(BUILT, f"  image: docker://{image}\n"), encoding="utf-8")
    return f"{ACTION} names {image}"


def check_workflows() -> str:
    """Refuse if the workflows on main have changed; the approval of a release may have taken days."""
    _git("fetch", "--quiet", "origin", "main")
    if _git("rev-parse", f"HEAD:{WORKFLOWS}") != _git("rev-parse", f"FETCH_HEAD:{WORKFLOWS}"):
        raise Refusal(
            f"main has other {WORKFLOWS} by now, so GitHub would refuse the tag; release main's newest commit"
        )
    return f"main has the same {WORKFLOWS}"


def check_newest() -> str:
    """Refuse when a newer version has been released: a job of an older release, run again, would move v1 back."""
    this = version()
    major = _major(this)
    tags = _git("ls-remote", "origin", f"refs/tags/v{major}.*")
    newest = max(re.findall(rf"refs/tags/v({_VERSION})$", tags, re.MULTILINE), key=_numbers, default=this)
    if _numbers(newest) > _numbers(this):
        raise Refusal(f"v{newest} has been released, so v{major} does not move back to v{this}")
    return f"no release is newer than v{this}"


def _major(version: str) -> str:
    return version.split(".", maxsplit=1)[0]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def index(file: str, *tested: str) -> str:
    """Return the digest of an index, as buildx prints it before it is pushed, if it names the tested images alone."""
    content = Path(file).read_bytes().removesuffix(b"\n")
    manifests = json.loads(content).get("manifests", [])
    named = [f"{each['platform']['architecture']}={each['digest']}" for each in manifests]
    if sorted(named) != sorted(tested):
        raise Refusal(f"{file} names {', '.join(named) or 'no images'}, but {', '.join(tested)} were tested")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _check_line(action: str) -> None:
    if action.count(BUILT) != 1 or action.count("\n  image:") != 1:
        raise Refusal(f"{ACTION} does not have exactly one line {BUILT.strip()!r}")


def publish(image: str) -> str:
    """Publish the commit that names an image. What an earlier attempt has done already is left as it is.

    The commit is made over the API, which signs it, and without credentials in the checkout.
    """
    check_newest()
    check_workflows()
    pin(image)
    repository, tag = os.environ["GITHUB_REPOSITORY"], f"v{version()}"
    released = _release_commit(f"repos/{repository}/git", tag)
    _point(f"repos/{repository}/git", f"tags/{tag}", released, move=False)
    if not _gh(f"repos/{repository}/releases/tags/{tag}", none_if_missing=True):
        text = _announcement(repository, tag, released, image)
        sboms = sorted(map(str, Path("sboms").glob("*.json")))
        _run("gh", "release", "create", tag, *sboms, "--verify-tag", "--title", tag, "--notes-file", "-", text=text)
    _point(f"repos/{repository}/git", f"tags/{_major(tag)}", released, move=True)
    return f"{tag} is {released}"


def _release_commit(git: str, tag: str) -> str:
    """Create the commit and its branch, unless an earlier attempt has; return the commit."""
    content = ACTION.read_text(encoding="utf-8")
    parent = _git("rev-parse", "HEAD")
    entry = {"path": str(ACTION), "mode": "100644", "type": "blob", "content": content}
    tree = _gh(f"{git}/trees", {"base_tree": _git("rev-parse", "HEAD^{tree}"), "tree": [entry]})["sha"]
    branch = f"heads/release/{tag}"
    if earlier := _gh(f"{git}/ref/{branch}", none_if_missing=True):
        made = _gh(f"{git}/commits/{earlier['object']['sha']}")
        if made["tree"]["sha"] != tree or [each["sha"] for each in made["parents"]] != [parent]:
            raise Refusal(f"the branch release/{tag} holds something else already")
        return str(made["sha"])
    commit = str(_gh(f"{git}/commits", {"message": f"Release {tag}", "tree": tree, "parents": [parent]})["sha"])
    _point(git, branch, commit, move=False)
    return commit


def _point(git: str, ref: str, commit: str, *, move: bool) -> None:
    """Create a branch or a tag; if it exists, move it, or make sure that it is the right one."""
    existing = _gh(f"{git}/ref/{ref}", none_if_missing=True)
    if existing is None:
        _gh(f"{git}/refs", {"ref": f"refs/{ref}", "sha": commit})
    elif existing["object"]["sha"] != commit:
        if not move:
            raise Refusal(f"{ref} is {existing['object']['sha']} already")
        _gh(f"{git}/refs/{ref}", {"sha": commit, "force": True}, method="PATCH")


def _announcement(repository: str, tag: str, commit: str, image: str) -> str:
    """Return the text of the release: what changed, the line to paste, and how to verify what it runs."""
    verify = (
        f"gh attestation verify oci://{image} --repo {repository} \\\n"
        f"  --signer-workflow {repository}/.github/workflows/release.yml \\\n"
        "  --source-ref refs/heads/main --deny-self-hosted-runners"
    )
    return (
        f"{notes(version())}\n\n### Use it\n\n```yaml\n- uses: {repository}@{commit} # {tag}\n```\n\n"
        f"The image is `{image}`.\n\n### Verify it\n\n```sh\n"
        f"gh release verify {tag} --repo {repository}\n{verify}\n"
        f"{verify} \\\n  --predicate-type https://spdx.dev/Document/v2.3\n```\n"
    )


def owner(name: str) -> str:
    """Replace the placeholder in every file of the repository."""
    if not re.fullmatch(_ACCOUNT, name):
        raise Refusal(f"{name!r} is not the name of an account on GitHub")
    files = _files_with_placeholder()
    for file in files:
        path = Path(file)
        text = path.read_text(encoding="utf-8").replace(UNRELEASED, "")
        # The names of images are in lower case: https://distribution.github.io/distribution/spec/api/#overview
        text = text.replace(f"ghcr.io/{PLACEHOLDER}/{NAME}", f"ghcr.io/{name.lower()}/{NAME}")
        path.write_text(text.replace(f"{PLACEHOLDER}/{NAME}", f"{name}/{NAME}"), encoding="utf-8")
    return f"Replaced {PLACEHOLDER} in {len(files)} files"


def _files_with_placeholder() -> list[str]:
    files = _git("ls-files", "-z").split("\0")
    wanted = f"{PLACEHOLDER}/{NAME}".encode()
    return [file for file in files if file and wanted in Path(file).read_bytes()]


def _git(*command: str) -> str:
    return _run("git", *command)


def _gh(path: str, body: Mapping[str, Any] | None = None, *, method: str = "", none_if_missing: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Send a request to GitHub's API; a POST when it has a body."""
    options = [*(("--method", method) if method else ()), *(("--input", "-") if body else ())]
    try:
        return json.loads(_run("gh", "api", path, *options, text=json.dumps(body) if body else ""))
    except Refusal as refusal:
        if none_if_missing and "HTTP 404" in str(refusal):
            return None
        raise


def _run(*command: str, text: str = "") -> str:
    ended = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    if ended.returncode:
        raise Refusal(f"{' '.join(command[:3])} failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def main() -> int:
    """Do what the command line asks for."""
    functions = (version, plan, check_workflows, check_newest, index, notes, pin, publish, owner)
    commands: dict[str, Callable[..., str]] = {each.__name__.replace("_", "-"): each for each in functions}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    try:
        print(commands[options.command](*options.arguments))  # noqa: T201 - what was asked for
    except Refusal as refusal:
        print(f"release.py: {refusal}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
