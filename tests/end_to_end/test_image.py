"""What the image contains: modules, sizes, labels, packages; and that another build contains the same."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator

import pytest
from support.image import DOCKER, STEP_SECONDS, build_image, docker, run_python, skip_unless_required

from onlineornot_sandbox.local_step import ROOT

pytestmark = pytest.mark.container

SYFT = ROOT / ".venv-tools/bin/syft"
MAX_DOWNLOAD = 24_000_000
"""Bytes of the image as a compressed archive."""
MIN_FILES = 2_000
DEBIAN_PACKAGES = {"libc6", "libssl3t64", "zlib1g", "base-passwd", "ca-certificates", "libc-bin"}
"""The scripts of the last three wrote passwd, the CA certificates and nsswitch.conf, which no list of files names."""

NEEDED_MODULES = (
    "asyncio, concurrent.futures, ctypes, difflib, email, encodings.idna, github, gzip, "
    "hashlib, http.client, idna, ipaddress, json, logging, nacl.public, pydantic, requests, ssl, tempfile, "
    "traceback, zlib"
)
LIST_FILES = "import os; [print(f'{at}/{name}') for at, _, names in os.walk('/') for name in names]"
LIST_WITHOUT_BYTECODE = """
import importlib.util, pathlib
UNCHECKED = b"\\x01\\x00\\x00\\x00"

def is_ready(source):
    bytecode = pathlib.Path(importlib.util.cache_from_source(source))
    return bytecode.exists() and bytecode.read_bytes()[4:8] == UNCHECKED

sources = [*pathlib.Path("/usr/local/lib").rglob("*.py"), *pathlib.Path("/action").rglob("*.py")]
assert len(sources) > 500, len(sources)
print(*(source for source in sources if not is_ready(source)), sep="\\n")
"""

COMMANDS = {"sh", "cat", "chmod", "cp", "env", "find", "grep", "mkdir", "mv", "rm", "stat", "tail", "tar"}
COMMANDS |= {"base64", "nohup", "sleep", "touch"}
"""What GitHub's hook for Kubernetes, GitLab, Woodpecker and Jenkins call in a container."""

File = tuple[int, bytes, str, str]
"""Mode, type, target of a link, and hash of the content."""


def scan(image: str) -> set[tuple[str, str, str]]:
    """Return kind, name and version of everything that syft finds in an image."""
    if not SYFT.exists():
        skip_unless_required("syft is not installed; run make .venv-tools/installed")
    scanned = subprocess.run(
        [SYFT, "--quiet", "--output", "syft-json", f"docker:{image}"],
        env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
        stdout=subprocess.PIPE,
        timeout=STEP_SECONDS,
        check=True,
    )
    found = json.loads(scanned.stdout)["artifacts"]
    return {(each["type"], each["name"].lower(), each["version"]) for each in found}


def locked() -> set[tuple[str, str]]:
    """Return name and version of every line of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", lines, re.MULTILINE)
    return {(name.lower(), version) for name, version in found}


def files_of(image: str) -> dict[str, File]:
    """Return all files of an image, by path."""
    container = docker("create", image).stdout.strip()
    try:
        exported = subprocess.Popen([DOCKER, "export", container], stdout=subprocess.PIPE)
        with exported, tarfile.open(fileobj=exported.stdout, mode="r|") as archive:
            return dict(_described(archive))
    finally:
        docker("rm", container)


def _described(archive: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    for member in archive:
        content = archive.extractfile(member) if member.isfile() else None
        digest = hashlib.sha256(content.read()).hexdigest() if content else ""
        yield member.name, (member.mode, member.type, member.linkname, digest)


def test_log_is_utf_8_whatever_locale_the_workflow_sets(image: str) -> None:
    code = "import sys; print(sys.stdout.encoding, sys.getfilesystemencoding())"

    encodings = run_python(image, code, "-e", "LC_ALL=de_DE.ISO-8859-1", "-e", "PYTHONIOENCODING=latin-1")

    assert encodings.split() == ["utf-8", "utf-8"]


def test_image_has_all_modules_that_the_action_and_its_dependencies_need(image: str) -> None:
    assert run_python(image, f"import {NEEDED_MODULES}; print('imported')") == "imported\n"


def test_image_has_the_commands_that_start_it_elsewhere_no_package_manager_and_no_sandbox(image: str) -> None:
    files = run_python(image, LIST_FILES)

    assert "/usr/local/bin/python3" in files
    assert set(re.findall("^/usr/bin/(.*)", files, re.MULTILINE)) == COMMANDS
    assert re.findall(r".*bin/(?:pip|apt|dpkg)\b.*|.*onlineornot_sandbox.*", files, re.MULTILINE) == []


def test_image_starts_its_entry_point_as_root_without_a_shell_and_says_where_it_comes_from(image: str) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image).stdout)

    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert config["Entrypoint"] == ["/action/entrypoint.py"]
    assert (config.get("User", ""), config.get("Cmd")) == ("", None)
    assert labels.keys() >= {"source", "version", "revision", "licenses"}
    assert labels["source"].endswith("/onlineornot-incident-update")
    assert "created" not in labels


def test_image_has_bytecode_of_every_module(image: str) -> None:
    assert run_python(image, LIST_WITHOUT_BYTECODE).split() == []


def test_image_is_small_to_download(image: str) -> None:
    saved = subprocess.run([DOCKER, "save", image], stdout=subprocess.PIPE, timeout=STEP_SECONDS, check=True)

    assert len(gzip.compress(saved.stdout, 6)) <= MAX_DOWNLOAD


def test_syft_finds_every_distribution_and_what_comes_from_debian(image: str) -> None:
    found = scan(image)

    assert {(name, version) for kind, name, version in found if kind == "python"} == locked()
    assert {name for kind, name, _ in found if kind == "deb"} >= DEBIAN_PACKAGES


def test_two_builds_have_the_same_files(image: str) -> None:
    again = build_image("onlineornot-incident-update:again", "--no-cache")

    files = files_of(again)
    assert len(files) > MIN_FILES
    assert files == files_of(image)
