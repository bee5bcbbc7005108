"""The image, started as runners start it that go through a shell: GitHub's hook for Kubernetes, and GitLab's runner."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping

import pytest
from support.image import DOCKER, STEP_SECONDS, docker

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox

pytestmark = pytest.mark.container

TEXT = "Der Rollback ist durch: `id` $HOME \\ \"quoted\" 'so' ##[error]x\n\nMehr später 🛠"
OUTPUT = "/github/file_commands/set_output_1f0c"
LIST_FILES = "cd /__w && find . -type f -not -path '*/_runner_hook_responses*' -exec stat -c '%s %n' {} \\;"


@pytest.fixture
def pod(image: str) -> Iterator[str]:
    """Start a container that waits for what is to run in it, as the pod of a step does; its name."""
    volumes = ("--tmpfs", "/__w", "--tmpfs", "/github")
    started = docker(
        "run", "-d", "--network=host", *volumes, "--workdir=/__w", "--entrypoint=tail", image, "-f", "/dev/null"
    )
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    yield container
    docker("rm", "--force", container)


def execute(container: str, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command in a running container."""
    return subprocess.run(
        [DOCKER, "exec", "-i", container, *command], input=stdin, capture_output=True, timeout=STEP_SECONDS, check=False
    )


def archive_of(files: Mapping[str, str]) -> bytes:
    """Pack files as the hook packs the workspace and what the runner keeps beside it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content.encode())
            archive.addfile(about, io.BytesIO(content.encode()))
    return packed.getvalue()


def script_of(environ: Mapping[str, str]) -> str:
    """Write the script of a step as the hook does, with the entry point of `action.yml`.

    https://github.com/actions/runner-container-hooks/blob/v0.8.1/packages/k8s/src/k8s/utils.ts
    """
    escapes = str.maketrans({character: f"\\{character}" for character in '\\"$`'})
    variables = " ".join(f'"{name}={value.translate(escapes)}"' for name, value in environ.items())
    places = {
        "_temp/_github_home": "home",
        "_temp/_github_workflow": "workflow",
        "_temp/_runner_file_commands": "file_commands",
        "shop/shop": "workspace",
    }
    moves = "".join(f"mv /__w/{source} /github/{target}\n" for source, target in places.items())
    return f'rm "$0"\n{moves}cd /github/workspace && exec env {variables} /action/entrypoint.py \n'


def test_hook_for_kubernetes_copies_the_workspace_and_starts_the_step_through_a_shell(
    pod: str, sandbox: Sandbox
) -> None:
    inputs = {"api-token": EDIT_TOKEN, "api-url": sandbox.url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
    files = {"GITHUB_OUTPUT": OUTPUT, "GITHUB_WORKSPACE": "/github/workspace", "HOME": "/github/home"}
    step = as_variables({**inputs, "status": "MONITORING", "description": TEXT}) | files
    copied = {
        "_temp/step.sh": script_of(step),
        "_temp/_github_home/.keep": "",
        "_temp/_github_workflow/event.json": "{}",
        "_temp/_runner_file_commands/set_output_1f0c": "",
        "shop/shop/json.py": "raise SystemExit('imported from the workspace')",
    }

    execute(
        pod,
        "sh",
        "-c",
        "tar xf - --no-same-owner -C /__w; find /__w -type f -exec chmod u+rw {} \\;",
        stdin=archive_of(copied),
    )
    listed = execute(pod, "sh", "-c", LIST_FILES)
    ran = execute(pod, "sh", "-e", "/__w/_temp/step.sh")
    outputs = parse_outputs(execute(pod, "cat", OUTPUT).stdout.decode())
    returned = execute(pod, "tar", "cf", "-", "-C", "/", "__w")

    expected = {f"{len(content.encode())} ./{name}" for name, content in copied.items()}
    assert set(listed.stdout.decode().splitlines()) == expected, listed.stderr
    assert (ran.returncode, outputs["outcome"]) == (0, "created"), ran.stdout.decode() + ran.stderr.decode()
    assert sandbox.store.timeline()[-1].description == TEXT
    assert (returned.returncode, returned.stderr) == (0, b"")


def test_script_of_a_gitlab_job_runs_the_command(image: str, sandbox: Sandbox) -> None:
    script = f"""
if set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit
export INPUT_STATUS_PAGE_ID={PAGE_ID} INPUT_API_URL={sandbox.url} ONLINEORNOT_API_TOKEN={EDIT_TOKEN}
rm -r -f /builds/tmp && mkdir -p /builds/shop /builds/tmp && cd /builds/shop
echo text > /builds/tmp/a && cp /builds/tmp/a /builds/tmp/b && cat /builds/tmp/b
/action/entrypoint.py --incident-id {INCIDENT_ID} --status RESOLVED --description 'All is well.' --dotenv update.env
env cat update.env
"""

    ran = subprocess.run(
        [DOCKER, "run", "--rm", "-i", "--network=host", "--entrypoint=", image, "sh", "-c", "exec /bin/sh"],
        input=script,
        capture_output=True,
        encoding="utf-8",
        timeout=STEP_SECONDS,
        check=False,
    )

    text, outputs, *variables = ran.stdout.splitlines()
    assert (ran.returncode, text) == (0, "text"), ran.stderr
    assert json.loads(outputs)["outcome"] == "created"
    assert variables[0] == "ONLINEORNOT_OUTCOME=created"
    assert EDIT_TOKEN not in ran.stdout + ran.stderr
    assert sandbox.store.timeline()[-1].description == "All is well."
