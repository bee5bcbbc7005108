"""The action without Docker: `composite/action.yml` as act runs it on this machine, and its script as a process."""

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from flask import Flask, Response, abort, request
from support.act import ACT, Act
from support.certificates import Authority
from support.documents import documented_workflows
from support.fault_server import FAULTS, FOREVER, FaultServer, Rule, response
from support.github_app import HEAD, REPOSITORY, SERVER_URL, TOKEN, GitHub, create_github_app, pull, texts
from support.listeners import refusing_address
from support.runner_model import commands
from support.step import files_of_step, outputs_in

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, StepResult
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox
from onlineornot_sandbox.store import Store

Once = Callable[[str, Callable[[Path], object]], Path]
STEP_SECONDS = 120
TEXT = "The rollback is through."
INPUTS = {"api-token": EDIT_TOKEN, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID}
INPUTS |= {"status": "RESOLVED", "description": TEXT}
PUSH = {"GITHUB_EVENT_NAME": "push", "GITHUB_RUN_ID": "1658821493", "GITHUB_SHA": HEAD}
PUSH |= {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_SERVER_URL": SERVER_URL}
JOB = """
name: Composite
on: push
permissions: {}
jobs:
  post:
    runs-on: ubuntu-24.04
    steps:
"""
STEP = """
      - uses: OWNER/onlineornot-incident-update/composite@v1
        with:
          api-token: ${{ secrets.ONLINEORNOT_API_TOKEN }}
          status-page-id: ${{ vars.ONLINEORNOT_STATUS_PAGE_ID }}
          incident-id: incident0001
          status: IDENTIFIED
          description: The cause has been identified.
"""
MODULES = (
    *("ast", "hashlib", "http", "json", "onlineornot_action", "pathlib", "pip", "pydantic", "re", "requests", "ssl"),
    *("subprocess", "typing"),
)
OLD_PYTHON = f"""#!/bin/sh
while [ "$1" != -c ]; do shift; done
exec '{sys.executable}' -I -c 'import sys; sys.version_info = (3, 10, 12, "final", 0); exec(sys.argv[1])' "$2"
"""
PYTHON = f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n"
SHIM = f"""#!/bin/sh
[ ! -e .python-version ] || exit 1
'{sys.executable}' "$@" | sed 's/$/\r/'
"""
"""A version manager's, which obeys a file of the checkout; its lines end as they do on Windows."""


@dataclass(frozen=True)
class Job:
    """A job on this machine that runs the action's script as its steps; `temporary` is its RUNNER_TEMP."""

    action: Path
    temporary: Path
    workspace: Path
    environ: Mapping[str, str]

    @property
    def packages(self) -> list[Path]:
        """The folders that steps have filled with packages."""
        return list(self.temporary.glob("onlineornot-*/packages"))

    def start(self, folder: Path, inputs: Mapping[str, str], environ: Mapping[str, str]) -> "subprocess.Popen[str]":
        """Start a step that writes its files into a folder."""
        (step,) = yaml.safe_load((self.action / "composite/action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
        (folder / "script").write_text(step["run"], encoding="utf-8")
        for file in files_of_step(folder).values():
            Path(file).write_bytes(b"")
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action / "composite"),
            "ONLINEORNOT_INPUTS": json.dumps({**INPUTS, **inputs}, indent=2),
            "RUNNER_TEMP": str(self.temporary),
        }
        return subprocess.Popen(
            shlex.split(step["shell"].format(folder / "script")),
            env={**self.environ, **runner, **files_of_step(folder), **environ},
            cwd=self.workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def run(
        self, inputs: Mapping[str, str], environ: Mapping[str, str] | None = None, name: str = "step"
    ) -> StepResult:
        """Run a step."""
        folder = self.workspace.parent / name
        folder.mkdir(exist_ok=True)
        with self.start(folder, inputs, environ or {}) as process:
            log, _ = process.communicate(timeout=STEP_SECONDS)
        return StepResult(process.returncode, log, outputs_in(folder), (folder / "summary").read_text("utf-8"))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Fill a folder once for all workers."""
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder_with(name: str, fill: Callable[[Path], object]) -> Path:
        folder = common / name
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                fill(folder)
        return folder

    return folder_with


@pytest.fixture(scope="session")
def python(once: Once) -> Path:
    """Make a Python that has pip and nothing else."""
    return once("python", partial(venv.create, with_pip=True)) / "bin" / "python"


@pytest.fixture(scope="session")
def wheels(once: Once) -> Path:
    """Download the packages of the lock file."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    what = f"--requirement={ROOT / 'requirements.txt'}"
    return once("wheels", lambda to: subprocess.run([*command, what, f"--dest={to}"], capture_output=True, check=True))


@pytest.fixture
def action(tmp_path: Path) -> Path:
    """Copy the part of the action's repository that a step gets into a folder with an awkward name."""
    folder = tmp_path / "l'action d\u00e9ploy\u00e9e [1]"
    for name in ("composite", "src/onlineornot_action"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, folder)
    return folder


@pytest.fixture
def job(action: Path, python: Path, wheels: Path, tmp_path: Path) -> Job:
    """Begin a job whose workspace has modules that break whatever imports them."""
    temporary, workspace = tmp_path / "fichiers temporaires \u00e9", tmp_path / "workspace"
    temporary.mkdir()
    workspace.mkdir()
    for module in MODULES:
        (workspace / f"{module}.py").write_text("raise SystemExit('the workspace')", encoding="utf-8")
    path = f"{python.parent}{os.pathsep}{os.defpath}"
    return Job(action, temporary, workspace, {"PATH": path, "HOME": str(tmp_path), **pip_variables(wheels)})


@pytest.fixture(scope="session")
def filled(once: Once, python: Path, wheels: Path) -> Path:
    """Fill a RUNNER_TEMP with the core packages, as the first step of a job does."""

    def fill(folder: Path) -> None:
        (folder / "workspace").mkdir(parents=True)
        (folder / "temporary").mkdir()
        environ = {"PATH": f"{python.parent}{os.pathsep}{os.defpath}", **pip_variables(wheels)}
        Job(ROOT, folder / "temporary", folder / "workspace", environ).run({"status": "FIXED"})

    return once("filled", fill) / "temporary"


@pytest.fixture
def second(job: Job, filled: Path) -> Job:
    """Begin a job whose first step has installed the core packages."""
    shutil.copytree(filled, job.temporary, dirs_exist_ok=True)
    assert len(job.packages) == 1
    return job


@pytest.fixture
def act(sandbox: Sandbox, action: Path, python: Path, wheels: Path, tmp_path: Path) -> Act:
    """Run workflows on this machine, without a Docker engine, against the sandbox."""
    if not ACT.exists():
        reason = "act is not installed; `make .venv-tools/installed` does it"
        (pytest.fail if os.environ.get("REQUIRE_ENGINE") == "1" else pytest.skip)(reason)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"DOCKER_HOST": "unix:///nonexistent", "PATH": path, **pip_variables(wheels)}
    return Act("", tmp_path, sandbox.url, action=action, in_containers=False, environ=environ)


@pytest.fixture
def no_index() -> Iterator[dict[str, str]]:
    """Point pip at an index that refuses connections."""
    with refusing_address() as (_, (host, port)):
        yield index_at(f"http://{host}:{port}")


def pip_variables(wheels: Path) -> dict[str, str]:
    """Make pip take wheels from a folder, whatever the configuration of this machine says."""
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def index_at(url: str, user: str = "") -> dict[str, str]:
    """Make pip look for packages in one index, and nowhere else."""
    with_user = url.replace("//", f"//{user}@") if user else url
    return {"PIP_INDEX_URL": f"{with_user}/simple/", "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": ""}


def create_index(wheels: Path, password: str = "") -> Flask:
    """Serve wheels to clients with the password: https://packaging.python.org/en/latest/specifications/simple-repository-api/."""
    app = Flask(__name__)

    @app.before_request
    def authenticate() -> None:
        if password and (not request.authorization or request.authorization.password != password):
            abort(401)

    @app.get("/simple/<_name>/")
    def show(_name: str) -> str:
        return "".join(f'<a href="/wheels/{path.name}">{path.name}</a>' for path in wheels.glob("*.whl"))

    @app.get("/wheels/<name>")
    def send(name: str) -> Response:
        return Response((wheels / name).read_bytes(), content_type="application/octet-stream")

    return app


def annotations(log: str) -> list[tuple[str, str]]:
    return [(each.name, each.data) for each in commands(log) if each.name in ("notice", "warning", "error")]


def only(folder: Path, **programs: str) -> dict[str, str]:
    """Return a PATH with these scripts and the system commands that a script needs."""
    folder.mkdir()
    for name in ("bash", "mkdir", "sed"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, script in programs.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def test_everything_that_runs_before_packages_are_installed_needs_only_the_standard_library(action: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(action / 'composite')!r}); import start"

    # -S leaves out the folders that packages are in.
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_steps_of_a_job_share_what_the_first_installs(act: Act, store: Store) -> None:
    without_wheels = "\n        env:\n          PIP_FIND_LINKS: /nonexistent\n"
    second = STEP.replace("IDENTIFIED", "MONITORING").rstrip() + without_wheels

    result = act.run(JOB + STEP + second, "push")

    assert (result.jobs, result.outcomes) == ({"post": "success"}, ["created", "created"])
    assert [update.status for update in store.timeline()[1:]] == ["IDENTIFIED", "MONITORING"]
    assert result.outputs[0]["update-id"] == store.timeline()[1].id
    assert result.annotations == ["notice", "notice"]


def test_the_documented_job_posts(act: Act, store: Store) -> None:
    workflow = documented_workflows()["composite"].replace("ubuntu-slim", "ubuntu-24.04")

    result = act.run(workflow, "deployment")

    assert (result.jobs["tell-customers"], result.outcomes) == ("success", ["opened"])
    assert len(store.incidents) == 2


@pytest.mark.parametrize(
    ("fail_on_error", "end", "level"), [("true", (1, "not-sent"), "error"), ("false", (0, "not-sent"), "warning")]
)
def test_an_interpreter_that_is_too_old_or_lacks_pip_is_not_used(
    job: Job, tmp_path: Path, fail_on_error: str, end: tuple[int, str], level: str
) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    without_pip = PYTHON.replace(sys.executable, str(tmp_path / "venv/bin/python"))
    programs = {"python3": OLD_PYTHON, "python": without_pip, "python3.11": "#!/bin/sh\nexit 127\n"}

    step = job.run({"fail-on-error": fail_on_error}, only(tmp_path / "bin", **programs))

    assert (step.end, annotations(step.log)) == (end, [(level, step.outputs["error"])])
    assert "actions/setup-python" in step.outputs["error"]
    assert step.summary == f"### ❌ Nothing was sent\n\n{step.outputs['error']}\n\n"


@pytest.mark.parametrize(
    "programs",
    [
        {"python3": OLD_PYTHON, "python": PYTHON},
        {"python3": OLD_PYTHON, "python3.12": PYTHON},
        {"python3": "#!/bin/sh\necho /nonexistent/python\n", "python3.15": PYTHON},
        {"python3": SHIM},
    ],
    ids=["by its other name", "by its version", "after one that says nonsense", "behind a shim"],
)
def test_python_is_found(second: Job, sandbox: Sandbox, tmp_path: Path, programs: dict[str, str]) -> None:
    (second.workspace / ".python-version").write_text("3.6.15")

    step = second.run({"api-url": sandbox.url}, only(tmp_path / "bin", **programs))

    assert (step.end, len(sandbox.store.timeline())) == ((0, "created"), 2)


def test_a_step_posts_what_was_written_whatever_the_environment_holds(
    second: Job, sandbox: Sandbox, tmp_path: Path
) -> None:
    text = 'She said "it\'s {fine}" \\o/\n\n##[error]no\n::error::no\n$HOME `id` ${{ x }} — ünïcode 🎉'
    (tmp_path / "startup").write_text("exit 0", encoding="utf-8")
    hostile = {
        "BASH_ENV": str(tmp_path / "startup"),
        "BASH_FUNC_exec%%": "() { exit 0; }",
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": str(second.workspace),
        "SHELLOPTS": "noexec",
    }
    of_an_enclosing_action = {"INPUT_DRY-RUN": "true", "INPUT_STATUS": "MONITORING"}

    step = second.run({"api-url": sandbox.url, "description": text}, hostile | of_an_enclosing_action)

    posted = [(update.status, update.description) for update in sandbox.store.timeline()[1:]]
    assert (step.end, posted) == ((0, "created"), [(INPUTS["status"], text)])
    assert [level for level, _ in annotations(step.log)] == ["notice"]


def test_nothing_is_left_in_the_folder_of_the_action(job: Job, sandbox: Sandbox) -> None:
    before = sorted(job.action.rglob("*"))

    step = job.run({"api-url": sandbox.url})

    compiled = {path.name.split(".")[0] for path in job.temporary.rglob("*.pyc")}
    assert step.end == (0, "created")
    assert sorted(job.action.rglob("*")) == before
    assert compiled >= {"process", "main", "json_schema", "sessions"}
    assert list(job.packages[0].rglob("*.pyc")) == []


def test_two_steps_at_once_post_both(job: Job, sandbox: Sandbox) -> None:
    def run(number: int) -> StepResult:
        return job.run({"api-url": sandbox.url, "description": f"Step {number}"}, name=f"step {number}")

    with ThreadPoolExecutor() as executor:
        steps = list(executor.map(run, range(2)))

    assert [step.end for step in steps] == [(0, "created")] * 2
    assert len(sandbox.store.timeline()) == 3


def test_folders_that_no_earlier_step_has_filled_or_that_somebody_has_changed_are_not_used(
    second: Job, sandbox: Sandbox
) -> None:
    filled = second.packages[0].parent
    names = ("foreign", "empty", "half filled", "truncated", "unfinished")
    foreign, empty, half_filled, truncated, unfinished = (
        shutil.copytree(filled, filled.with_name(f"{filled.name}-{name}")) for name in names
    )
    if os.geteuid() == 0:
        os.chown(foreign, 65534, 65534)
    shutil.rmtree(empty)
    empty.mkdir()
    shutil.rmtree(half_filled / "packages" / "urllib3")
    (library,) = truncated.glob("packages/pydantic_core/*.so")
    os.truncate(library, library.stat().st_size // 2)
    (unfinished / "complete").unlink()
    (filled.with_name(f"{filled.name}-link")).symlink_to(filled.rename(second.temporary / "elsewhere"))
    before = set(second.temporary.glob("onlineornot-*"))

    # The interpreter of the tests has these packages, too.
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"}
    step = second.run({"api-url": sandbox.url}, path)
    again = second.run({"api-url": sandbox.url, "description": "Again."}, {**path, "PIP_FIND_LINKS": "/nonexistent"})

    assert (step.end, again.end, len(sandbox.store.timeline())) == ((0, "created"), (0, "created"), 3)
    assert len(set(second.temporary.glob("onlineornot-*")) - before) == (1 if os.geteuid() == 0 else 0)


def test_packages_that_cannot_be_loaded_are_reported_and_those_of_the_interpreter_do_not_count(
    job: Job, wheels: Path, tmp_path: Path
) -> None:
    (wheel,) = wheels.glob("pydantic_core-*")
    damaged = tmp_path / wheel.name
    with ZipFile(wheel) as original, ZipFile(damaged, "w") as archive:
        for name in original.namelist():
            archive.writestr(name, b"no library" if name.endswith(".so") else original.read(name))
    lock = job.action / "requirements-core.txt"
    digest = sha256(damaged.read_bytes()).hexdigest()
    hashes = r"(pydantic-core==\S+) (\\\n +--hash=\S+ )+"
    lock.write_text(re.sub(hashes, rf"\1 --hash=sha256:{digest} ", lock.read_text("utf-8")), encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"

    step = job.run({"fail-on-error": "false"}, {"PATH": path, "PIP_FIND_LINKS": f"{tmp_path} {wheels}"})

    assert (step.end, annotations(step.log)) == ((0, "not-sent"), [("warning", step.outputs["error"])])
    assert re.match(r"Python cannot load the packages in RUNNER_TEMP: .*_pydantic_core", step.outputs["error"])
    assert "cannot load the packages" in step.summary


def test_only_settings_and_variables_about_the_source_of_packages_take_effect(
    job: Job, sandbox: Sandbox, wheels: Path, tmp_path: Path
) -> None:
    further = job.workspace / "requirements.txt"
    further.write_text("pynacl\n", encoding="utf-8")
    paths = dict.fromkeys(("constraint", "log", "prefix", "python", "requirement", "root"), str(further))
    options = {**paths, **dict.fromkeys(("dry-run", "require-virtualenv", "user"), "true"), "quiet": "3"}
    hostile = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in options.items()}
    hostile["OPENSSL_CONF"] = str(tmp_path / "openssl")
    os.mkfifo(hostile["OPENSSL_CONF"])  # opening it blocks forever
    unset = {"PIP_CONFIG_FILE": "../pip.conf", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": ""}

    with FaultServer(app=create_index(wheels)) as index:
        lines = ["[global]", *(f"{name} = {value}" for name, value in options.items())]
        lines += ["[install]", f"index-url = {index.url}/simple/"]
        (tmp_path / "pip.conf").write_text("\n".join(lines), encoding="utf-8")
        step = job.run({"api-url": sandbox.url}, hostile | unset)

    assert (step.end, len(index.requests)) == ((0, "created"), 20)
    assert further.read_text("utf-8") == "pynacl\n"
    assert {path.name for path in job.workspace.iterdir()} == {f"{name}.py" for name in MODULES} | {further.name}
    assert not [path for path in job.packages[0].iterdir() if "nacl" in path.name]


def test_an_index_whose_password_is_the_token_of_the_job_is_used(job: Job, tmp_path: Path) -> None:
    with FaultServer(app=create_index(tmp_path, TOKEN)) as index:
        step = job.run({"github-token": TOKEN}, index_at(index.url, f"octocat:{TOKEN}"))

    assert "no wheels" in step.outputs["error"]
    assert {request.path for request in index.requests} == {"/simple/annotated-types/"}


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_is_named_with_its_status_and_shows_no_token(job: Job, status: int) -> None:
    inputs = {"github-token": TOKEN, "fail-on-error": "false"}

    with FaultServer([Rule(response(status), times=FOREVER)]) as index:
        step = job.run(inputs, index_at(index.url, f"octocat:{TOKEN}"))

    found = [(command.name, command.data) for command in commands(step.log)]
    assert step.end == (0, "not-sent")
    assert f"the index refused ({status})" in step.outputs["error"]
    assert found[:3] == [("add-mask", EDIT_TOKEN), ("add-mask", TOKEN), ("group", "Details")]
    assert found[3:] == [("endgroup", ""), ("warning", step.outputs["error"])]
    assert f"Could not fetch URL {index.url.replace('//', '//octocat:****@')}" in step.log
    assert (step.log.count(EDIT_TOKEN), step.log.count(TOKEN)) == (1, 1)


def test_without_an_index_one_annotation_says_what_to_set(job: Job, no_index: dict[str, str]) -> None:
    step = job.run({}, no_index)

    assert (step.end, annotations(step.log)) == ((1, "not-sent"), [("error", step.outputs["error"])])
    assert "PIP_INDEX_URL" in step.outputs["error"]
    assert job.packages == []


def test_an_index_that_trickles_is_abandoned_at_the_limit_of_the_step(job: Job) -> None:
    with FaultServer([Rule(FAULTS["body drips"], times=FOREVER)]) as index:
        step = job.run({"timeout-seconds": "10"}, index_at(index.url))

    assert step.end == (1, "not-sent")
    assert "could not reach the package index in time" in step.outputs["error"]


def test_the_time_that_pip_takes_is_deducted_from_the_limit_of_the_step(second: Job) -> None:
    later = response(429, "{}", {"Retry-After": "12"})
    inputs = {"timeout-seconds": "20", "comment": "true"}

    with FaultServer([Rule(FAULTS["silence"])]) as index, FaultServer([Rule(later, times=FOREVER)]) as api:
        step = second.run({**inputs, "api-url": api.url}, index_at(index.url))

    assert (step.end, len(api.requests)) == ((1, "not-sent"), 1)


@pytest.mark.parametrize("limit", ["601", "soon", "9"])
def test_a_limit_that_is_invalid_is_quoted_as_it_was_written(second: Job, limit: str) -> None:
    step = second.run({"timeout-seconds": limit})

    assert step.end == (1, "invalid")
    assert f"'{limit}'" in step.outputs["error"]


@pytest.mark.parametrize(
    ("signer", "error"), [("of pip", "no wheels"), ("of the company", "no wheels"), ("of nobody", "PIP_CERT")]
)
def test_authorities_that_the_environment_names_are_trusted_in_addition_to_those_of_pip(
    job: Job, python: Path, tmp_path: Path, signer: str, error: str
) -> None:
    authorities = {name: Authority(name=name) for name in ("of pip", "of the company", "of nobody")}
    copied = shutil.copytree(python.parents[1], tmp_path / "python", symlinks=True)
    (certificates,) = copied.glob("lib/*/site-packages/pip/_vendor/certifi/cacert.pem")
    authorities["of pip"].write_to(certificates)
    bundle = authorities["of the company"].write_to(tmp_path / "company.pem")
    environ = {"PATH": f"{copied / 'bin'}{os.pathsep}{os.defpath}", "REQUESTS_CA_BUNDLE": bundle}

    with FaultServer(app=create_index(tmp_path), ssl_context=authorities[signer].server_context()) as index:
        step = job.run({}, environ | index_at(index.url))

    assert (step.end, error in step.outputs["error"]) == ((1, "not-sent"), True)


def test_a_package_with_an_unexpected_hash_is_not_installed(job: Job) -> None:
    lock = job.action / "requirements-core.txt"
    lock.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", lock.read_text("utf-8")), encoding="utf-8")

    step = job.run({"fail-on-error": "false"})

    assert (step.end, [level for level, _ in annotations(step.log)]) == ((1, "not-sent"), ["error"])
    assert "lock file does not know" in step.outputs["error"]


def test_a_folder_that_cannot_be_written_is_reported(job: Job, tmp_path: Path) -> None:
    step = job.run({}, {"RUNNER_TEMP": str(tmp_path / "missing")})

    assert (step.end, annotations(step.log)) == ((1, "not-sent"), [("error", step.outputs["error"])])
    assert step.summary.startswith("### ❌ Nothing was sent\n\nThe packages cannot be installed into RUNNER\\_TEMP")


def test_a_defect_is_reported_in_the_outputs_with_its_location(second: Job) -> None:
    (second.action / "src/onlineornot_action/main.py").write_text("raise RuntimeError('x')", encoding="utf-8")

    step = second.run({})

    assert step.end == (1, "not-sent")
    assert step.outputs["error"] == "Internal error: RuntimeError in main.py, line 1. Nothing was sent."


def test_a_comment_whose_packages_cannot_be_installed_is_a_warning_and_the_update_is_posted(
    second: Job, sandbox: Sandbox, no_index: dict[str, str]
) -> None:
    inputs = {"api-url": sandbox.url, "comment": "true", "github-token": "github-token-1"}

    step = second.run(inputs, no_index)

    assert (step.end, len(sandbox.store.timeline())) == ((0, "created"), 2)
    assert [level for level, _ in annotations(step.log)] == ["notice", "warning"]
    assert "PyGithub is not installed" in annotations(step.log)[1][1]


def test_a_comment_is_written_with_the_packages_of_its_lock(job: Job, sandbox: Sandbox) -> None:
    github = GitHub(pulls={HEAD: [pull(7)]})
    inputs = {"api-url": sandbox.url, "comment": "true", "github-token": TOKEN}

    with FaultServer(app=create_github_app(github)) as server:
        step = job.run(inputs, {"GITHUB_API_URL": server.url, **PUSH})

    assert step.end == (0, "created")
    assert [level for level, _ in annotations(step.log)] == ["notice"]
    assert [TEXT in text for text in texts(github)] == [True]


@pytest.mark.parametrize(
    ("number", "exit_status", "outcome"), [(signal.SIGINT, 130, "cancelled"), (signal.SIGKILL, -9, None)]
)
def test_a_signal_while_pip_waits_ends_both_and_pip_never_sees_a_token(
    job: Job, tmp_path: Path, number: signal.Signals, exit_status: int, outcome: str | None
) -> None:
    environ = {"ACTIONS_RUNTIME_TOKEN": "runtime-token", "ONLINEORNOT_API_TOKEN": EDIT_TOKEN}

    with (
        FaultServer([Rule(FAULTS["silence"], times=FOREVER)]) as index,
        job.start(tmp_path, {}, environ | index_at(index.url)) as process,
    ):
        index.wait_for("GET")
        (pip,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        pip_knows = Path("/proc", pip, "environ").read_text(encoding="utf-8")
        process.send_signal(number)
        process.wait(STEP_SECONDS)

    outputs = outputs_in(tmp_path)
    assert (process.returncode, outputs.get("outcome")) == (exit_status, outcome)
    assert ("token" in pip_knows, "PIP_INDEX_URL" in pip_knows) == (False, True)
    assert len(list(job.temporary.glob("onlineornot-*/log"))) == (outcome is None)
