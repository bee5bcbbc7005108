"""Rehearse a release on this machine: everything except what only GitHub can do.

    make rehearse

Needs a Docker engine, act and syft (`make .venv-tools/installed`), and Debian's `docker-registry`. Nothing outside a
temporary folder changes, except images in the engine. The steps are those of `.github/workflows/release.yml`.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from support.act import Act
from tools.release import NAME

from onlineornot_sandbox.server import Sandbox

ROOT = Path(__file__).parents[1]
OWNER = "rehearsal"
REPOSITORY = f"{OWNER}/{NAME}"
TESTS = ("tests/end_to_end/test_container.py", "tests/end_to_end/test_image.py")
START_SECONDS = 20
COMMAND_SECONDS = 1_200

REGISTRY_CONFIG = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: 127.0.0.1:{port}
"""

WORKFLOW = """\
name: Rehearsal
on: workflow_dispatch
jobs:
  announce:
    runs-on: ubuntu-24.04
    steps:
      - uses: {repository}@{commit} # v{version}
        with:
          api-token: ${{{{ secrets.ONLINEORNOT_API_TOKEN }}}}
          status-page-id: ${{{{ vars.ONLINEORNOT_STATUS_PAGE_ID }}}}
          incident-title: A release is rehearsed
          if-no-incident: create
          status: INVESTIGATING
          description: Nothing is wrong.
"""


def main() -> None:
    """Go through the release, and stop at the first step that fails."""
    for tool in ("docker", "docker-registry", "git"):
        if not shutil.which(tool):
            sys.exit(f"rehearse.py: {tool} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        rehearse(Path(folder))


def rehearse(folder: Path) -> None:
    """Go through the release in an empty folder."""
    step("Plan: a clone with an owner's name, and its preconditions")
    clone = prepare_clone(folder)
    version = release(clone, "version")
    plan = release(clone, "plan", REPOSITORY)
    say(plan)

    step("Build")
    image = f"{NAME}:rehearsal"
    labels = (f"--build-arg=VERSION={version}", f"--build-arg=REVISION={git(clone, 'rev-parse', 'HEAD')}")
    run("docker", "build", "--quiet", *labels, "--tag", image, str(clone))

    step("Container tests against that image")
    pytest = ("-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-k", "not two_builds", *TESTS)
    say(run(sys.executable, *pytest, cwd=ROOT, IMAGE=image, REQUIRE_ENGINE="1"))

    with serve_registry(folder) as registry:
        commit = publish_and_use(folder, clone, image, registry)

    step(f"Notes of v{version}")
    say(release(clone, "notes", version))
    say(f"\nuses: {REPOSITORY}@{commit} # v{version}\n\nCONTRIBUTING.md lists what only GitHub can show.")


def publish_and_use(folder: Path, clone: Path, image: str, registry: str) -> str:
    """Release the image through a registry, and run a workflow that uses it; return the commit of the release."""
    version = release(clone, "version")
    step("Push, and the index with its tag")
    published = f"{registry}/{REPOSITORY}"
    built, digest = publish(image, published, version)
    check_index(clone, published, built, digest, folder / "index.json")
    say(f"{published}:{version}@{digest}")

    step("SBOM")
    sbom = folder / "sbom.spdx.json"
    syft = str(ROOT / ".venv-tools/bin/syft")
    run(syft, "--quiet", "--output", f"spdx-json={sbom}", f"docker:{image}", SYFT_CHECK_FOR_APP_UPDATE="false")
    say(f"{sbom.stat().st_size} bytes")

    step("The release commit, its branch and its tags")
    commit = commit_release(clone, version, f"ghcr.io/{REPOSITORY}:{version}@{digest}")
    say(git(clone, "show", "--format=%h %s", "--unified=0", commit))

    step("A workflow that uses it, run by act, which pulls the image by its digest")
    use(folder, version, commit, registry, digest)
    run("docker", "image", "rm", f"{published}@{digest}")
    return commit


def prepare_clone(folder: Path) -> Path:
    """Clone what is committed, name an owner, and push that to a bare repository that takes GitHub's place."""
    origin, clone = folder / "origin.git", folder / "clone"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(origin, "config", "receive.shallowUpdate", "true")  # CI checks out one commit without its history
    run("git", "clone", "--quiet", str(ROOT), str(clone))
    git(clone, "remote", "set-url", "origin", str(origin))
    git(clone, "checkout", "--quiet", "-B", "main")
    release(clone, "owner", OWNER)
    commit_all(clone, "Name the owner")
    git(clone, "push", "--quiet", "origin", "main")
    return clone


@contextlib.contextmanager
def serve_registry(folder: Path) -> Iterator[str]:
    """Serve an image registry on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "registry.yml"
    config.write_text(REGISTRY_CONFIG.format(folder=folder / "registry", port=port), encoding="utf-8")
    log = (folder / "registry.log").open("wb")
    serve = ("docker-registry", "serve", str(config))
    with log, subprocess.Popen(serve, stdout=log, stderr=subprocess.STDOUT) as process:  # noqa: S603 - from this file
        try:
            wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    """Wait until something listens on a port."""
    for _ in range(10 * START_SECONDS):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    sys.exit("rehearse.py: the registry did not start")


def publish(image: str, published: str, version: str) -> tuple[str, str]:
    """Push the image, then an index of it with the version as its tag; return the digests of both."""
    pushed = f"{published}:amd64"
    run("docker", "tag", image, pushed)
    run("docker", "push", "--quiet", pushed)
    by_digest = run("docker", "image", "inspect", "--format", "{{index .RepoDigests 0}}", pushed)
    run("docker", "manifest", "create", "--insecure", f"{published}:{version}", by_digest)
    digest = run("docker", "manifest", "push", "--purge", "--insecure", f"{published}:{version}")
    run("docker", "image", "rm", pushed)
    return by_digest.partition("@")[2], digest.splitlines()[-1]


def check_index(clone: Path, published: str, built: str, digest: str, file: Path) -> None:
    """Check that the index names the image that was built, and has the digest that its content gives."""
    registry, _, repository = published.partition("/")
    accept = {"Accept": "application/vnd.docker.distribution.manifest.list.v2+json"}
    url = f"http://{registry}/v2/{repository}/manifests/{digest}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=accept)) as response:
        file.write_bytes(response.read())
    if release(clone, "index", str(file), f"amd64={built}") != digest:
        sys.exit("rehearse.py: the index has another digest than the registry says")


def commit_release(clone: Path, version: str, image: str) -> str:
    """Commit the one line that differs from main, and push it with its branch and its tags; return the commit."""
    release(clone, "pin", image)
    made = commit_all(clone, f"Release v{version}")
    for ref in (f"heads/release/v{version}", f"tags/v{version}", f"tags/v{version.partition('.')[0]}"):
        git(clone, "push", "--quiet", "origin", f"HEAD:refs/{ref}")
    return made


def use(folder: Path, version: str, commit: str, registry: str, digest: str) -> None:
    """Run a workflow that names the release by its commit, as users do, against the sandbox.

    The only change to the release is the host of the registry, as ghcr.io does not have the image.
    """
    released = folder / "released"
    git(folder, "clone", "--quiet", "--branch", f"v{version}", "origin.git", "released")
    action = released / "action.yml"
    action.write_text(action.read_text(encoding="utf-8").replace("ghcr.io", registry), encoding="utf-8")
    (folder / "act").mkdir()
    with Sandbox() as sandbox:
        act = Act("", folder / "act", sandbox.url, action=released)
        workflow = WORKFLOW.format(repository=REPOSITORY, commit=commit, version=version)
        result = act.run(workflow, "workflow_dispatch")
        posted = [update.description for update in sandbox.store.timeline(result.outputs[0]["incident-id"])]
    if result.outcomes != ["opened"] or posted != ["Nothing is wrong."]:
        sys.exit(f"rehearse.py: the released action did not post:\n{result.log}")
    log = (folder / "registry.log").read_text(encoding="utf-8")
    if f"GET /v2/{REPOSITORY}/manifests/{digest}" not in log:
        sys.exit("rehearse.py: the image was not pulled by its digest")
    say(f"{result.outcomes[0]}: {posted[0]}")


def commit_all(clone: Path, message: str) -> str:
    """Commit all changes, if there are any, and return the commit."""
    identity = ("-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost")
    git(clone, *identity, "commit", "--quiet", "--allow-empty", "--all", "--message", message)
    return git(clone, "rev-parse", "HEAD")


def release(clone: Path, *arguments: str) -> str:
    """Run the release script of the clone."""
    return run(sys.executable, "tools/release.py", *arguments, cwd=clone)


def git(clone: Path, *arguments: str) -> str:
    """Run git in the clone."""
    return run("git", *arguments, cwd=clone)


def run(*command: str, cwd: Path | None = None, **variables: str) -> str:
    """Run a command and return what it prints; end the rehearsal when it fails."""
    ended = subprocess.run(  # noqa: S603 - all commands are from this file
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"rehearse.py: {' '.join(command[:3])} failed with exit status {ended.returncode}\n{ended.stdout}")
    return ended.stdout.strip()


def step(title: str) -> None:
    """Print a heading."""
    say(f"\n== {title}")


def say(text: str) -> None:
    """Print at once, so that what commands print stays in order."""
    print(text, flush=True)  # noqa: T201 - what the rehearsal says


if __name__ == "__main__":
    main()
