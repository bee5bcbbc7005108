"""The image, started as GitHub's hook for Kubernetes, GitLab, Woodpecker, Drone, Jenkins, and a person start it."""

import base64
import io
import json
import re
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from support.documents import block
from support.image import DOCKER, STEP_SECONDS, docker

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import as_variables
from onlineornot_sandbox.output_file import parse_outputs
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox

pytestmark = pytest.mark.container

TEXT = "Der Rollback ist durch: `id` $HOME \\ \"quoted\" 'so' ##[error]x\n\nMehr später 🛠"
OUTPUT = "/github/file_commands/set_output_1f0c"
SECTION = "Woodpecker, Drone, Jenkins"
DOCUMENTED_TEXT = "A deploy went wrong. Checkout may fail; we are rolling it back."
JENKINS_USER = "1000:1000"
LIST_FILES = "cd /__w && find . -type f -not -path '*/_runner_hook_responses*' -exec stat -c '%s %n' {} \\;"


def background_container(*arguments: str) -> Iterator[str]:
    """Start a container, yield its name, and remove it."""
    started = docker("run", "-d", "--network=host", *arguments)
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    yield container
    docker("rm", "--force", container)


@pytest.fixture
def pod(image: str) -> Iterator[str]:
    """Start a container that waits for commands, as the pod of a step does; return its name."""
    options = ("--tmpfs=/__w", "--tmpfs=/github", "--workdir=/__w", "--entrypoint=tail")
    yield from background_container(*options, image, "-f", "/dev/null")


def texts_of_newest_incident(sandbox: Sandbox) -> list[str]:
    *_, newest = sandbox.store.incidents.values()
    return [update.description for update in newest.updates]


def execute(container: str, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command in a running container."""
    return subprocess.run(
        [DOCKER, "exec", "-i", container, *command], input=stdin, capture_output=True, timeout=STEP_SECONDS, check=False
    )


def archive_of(files: Mapping[str, str]) -> bytes:
    """Pack files as the hook packs the workspace and what the runner keeps next to it."""
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

    unpack = "tar xf - --no-same-owner -C /__w; find /__w -type f -exec chmod u+rw {} \\;"
    execute(pod, "sh", "-c", unpack, stdin=archive_of(copied))
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


def test_image_that_is_run_by_hand_takes_options(image: str, sandbox: Sandbox) -> None:
    options = ["--status-page-id", PAGE_ID, "--incident-title", "Search is slow", "--if-no-incident", "create"]
    text = ["--status", "INVESTIGATING", "--description", "We are looking into it.", "--api-url", sandbox.url]

    ended = docker(
        *("run", "--rm", "--network=host", "-e", "ONLINEORNOT_API_TOKEN", image, *options, *text),
        environ={"ONLINEORNOT_API_TOKEN": EDIT_TOKEN},
    )

    assert '"outcome": "opened"' in ended.stdout, ended.stderr
    assert EDIT_TOKEN not in ended.stdout + ended.stderr


WOODPECKER = """
if [ -n "$CI_NETRC_MACHINE" ]; then
cat <<EOF > $HOME/.netrc
machine $CI_NETRC_MACHINE
login $CI_NETRC_USERNAME
password $CI_NETRC_PASSWORD
EOF
chmod 0600 $HOME/.netrc
fi
unset CI_NETRC_USERNAME CI_NETRC_PASSWORD CI_SCRIPT
mkdir -p /woodpecker/src
cd /woodpecker/src
"""
"""After https://github.com/woodpecker-ci/woodpecker/blob/main/pipeline/backend/common/script_posix.go."""
DRONE = """
if [ ! -z "${DRONE_NETRC_FILE}" ]; then
    echo $DRONE_NETRC_FILE > $HOME/.netrc
    chmod 600 $HOME/.netrc
fi
unset DRONE_SCRIPT DRONE_NETRC_FILE
set -e
"""
"""After https://github.com/drone-runners/drone-runner-docker/blob/master/engine/compiler/shell/shell.go."""


@pytest.mark.parametrize(
    ("beginning", "encode", "start"),
    [
        (WOODPECKER, base64.b64encode, "echo $SCRIPT | base64 -d | /bin/sh -e"),
        (DRONE, bytes, 'echo "$SCRIPT" | /bin/sh'),
    ],
)
def test_woodpecker_and_drone_pipe_the_script_of_a_step_to_a_shell(
    image: str, sandbox: Sandbox, beginning: str, encode: Callable[[bytes], bytes], start: str
) -> None:
    (step,) = yaml.safe_load(block("elsewhere.md", SECTION))
    (command,) = step["commands"]
    command = command.replace("abcdefgh", PAGE_ID)
    script = f"{beginning}\necho + {json.dumps(command)}\n{command}\n"
    netrc = {"CI_NETRC_MACHINE": "git.example.com", "DRONE_NETRC_FILE": "machine git.example.com"}
    runner = {"SCRIPT": encode(script.encode()).decode(), "SHELL": "/bin/sh", "HOME": "/root", **netrc}
    environ = {"ONLINEORNOT_API_TOKEN": EDIT_TOKEN, "INPUT_API_URL": sandbox.url, **runner}
    names = [option for name in environ for option in ("--env", name)]
    shell = ("--entrypoint=/bin/sh", "--network=host", "--workdir=/tmp")

    ran = docker("run", "--rm", *shell, *names, image, "-c", start, environ=environ)

    assert (ran.returncode, '"outcome": "opened"' in ran.stdout) == (0, True), ran.stderr
    assert texts_of_newest_incident(sandbox) == [DOCUMENTED_TEXT]


@pytest.fixture
def jenkins_agent(image: str, tmp_path: Path) -> Iterator[str]:
    """Start the container of a `docker` agent, which waits in cat, with the workspace of a user who is not root."""
    tmp_path.chmod(0o777)
    volume = f"{tmp_path}:{tmp_path}:rw,z"
    options = ("-t", "-u", JENKINS_USER, "--entrypoint=", "-w", str(tmp_path), "-v", volume)
    yield from background_container(*options, image, "cat")


def test_jenkins_runs_a_script_in_the_background(jenkins_agent: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """As in https://github.com/jenkinsci/durable-task-plugin, BourneShellScript.java."""
    (script,) = re.findall("'''(.*)'''", block("elsewhere.md", SECTION, "groovy"), re.DOTALL)
    at, log, result = (tmp_path / name for name in ("script.sh", "jenkins-log.txt", "jenkins-result.txt"))
    at.write_text(script.replace("abcdefgh", PAGE_ID), encoding="utf-8")
    running = f"[ -d '{tmp_path}' -a \\! -f '{result}' ]"
    wrapper = (
        f"(cp '{at}' '{at}.copy'; {{ while {running}; do touch '{log}'; sleep 3; done }} & "
        f"jsc=durable-1; JENKINS_SERVER_COOKIE=$jsc 'sh' -xe '{at}.copy' > '{log}' 2>&1; "
        f"echo $? > '{result}.tmp'; mv '{result}.tmp' '{result}'; wait) >&- 2>&- &"
    )
    environ = ("--env", f"ONLINEORNOT_API_TOKEN={EDIT_TOKEN}", "--env", f"INPUT_API_URL={sandbox.url}")

    processes = docker("top", jenkins_agent, "-eo", "pid,comm").stdout.split()
    started = docker("exec", *environ, jenkins_agent, "nohup", "sh", "-c", wrapper)
    wait_for(result)

    printed = log.read_text(encoding="utf-8")
    assert "cat" in processes
    assert (started.returncode, result.read_text(encoding="utf-8")) == (0, "0\n"), started.stderr + printed
    assert '"outcome": "opened"' in printed
    assert texts_of_newest_incident(sandbox) == [DOCUMENTED_TEXT]


def wait_for(path: Path) -> None:
    """Wait until a file exists."""
    deadline = time.monotonic() + STEP_SECONDS
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
