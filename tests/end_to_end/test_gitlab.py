"""The jobs in docs/elsewhere.md are valid, and gitlab-ci-local runs them against the sandbox.

https://github.com/firecow/gitlab-ci-local
"""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which

import pytest
from support.documents import gitlab_jobs
from support.image import base_image, skip_unless_required

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT
from onlineornot_sandbox.seed import API_ID, PAGE_ID
from onlineornot_sandbox.server import Sandbox

GITLAB_CI_LOCAL = ROOT / ".node-tools/node_modules/.bin/gitlab-ci-local"
RUN_SECONDS = 120
PIPELINE = """
stages: [test, deploy]
default: {{image: "{base}"}}
variables: {{GIT_STRATEGY: none}}

test:
  stage: test
  script: {test}

deploy:
  stage: deploy
  rules: [if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH]
  script: {deploy}

{jobs}

rollback:
  stage: deploy
  rules: [if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH]
  script: {rollback}

follow-up:
  stage: .post
  needs: [{{job: tell-customers, optional: true}}]
  when: always
  script: 'echo "Later: $ONLINEORNOT_OUTCOME $ONLINEORNOT_UPDATE_ID"'
"""
BRANCH_PIPELINE = ("--variable=CI_COMMIT_BRANCH=main", "--variable=CI_DEFAULT_BRANCH=main")
OTHER_BRANCH_PIPELINE = ("--variable=CI_COMMIT_BRANCH=feature", "--variable=CI_DEFAULT_BRANCH=main")
MERGE_REQUEST_PIPELINE = ("--unset-variable=CI_COMMIT_BRANCH", "--variable=CI_PIPELINE_SOURCE=merge_request_event")
"""GitLab sets no branch there: https://docs.gitlab.com/ci/variables/predefined_variables/"""


Run = Callable[..., str]
"""Runs a pipeline; the arguments are the last of `run_pipeline`."""


@pytest.fixture
def helper_image() -> str:
    """Build the image with rsync that gitlab-ci-local copies artifacts with."""
    dockerfile = f"FROM {base_image()}\nRUN apt-get -qq update && apt-get -qq install --no-install-recommends rsync\n"
    tag = "onlineornot-incident-update:gitlab-ci-local"
    built = subprocess.run(
        [which("docker") or "docker", "build", "--network=host", "--tag", tag, "-"],
        input=dockerfile,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return tag


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Create the repository that gitlab-ci-local needs."""
    if not GITLAB_CI_LOCAL.exists() or not which("rsync"):
        skip_unless_required("gitlab-ci-local or rsync is not installed; see CONTRIBUTING.md")
    for command in (["init", "--quiet"], ["remote", "add", "origin", "https://gitlab.example.com/shop/shop.git"]):
        subprocess.run([which("git") or "git", *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def run(image: str, helper_image: str, project: Path, sandbox: Sandbox) -> Run:
    """Run a pipeline with the documented jobs, and return its output."""
    return partial(run_pipeline, project, image, helper_image, sandbox.url)


def run_pipeline(
    project: Path,
    image: str,
    helper_image: str,
    url: str,
    options: tuple[str, ...] = BRANCH_PIPELINE,
    **scripts: str,
) -> str:
    """Run a pipeline whose jobs run these scripts, and return its log without colors."""
    jobs = re.sub("ghcr[.]io/.*", image, gitlab_jobs())
    scripts = {"test": "exit 0", "deploy": "exit 0", "rollback": "exit 1"} | scripts
    text = PIPELINE.format(base=base_image(), jobs=jobs, **scripts)
    (project / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
    variables = {"ONLINEORNOT_API_TOKEN": EDIT_TOKEN, "ONLINEORNOT_STATUS_PAGE_ID": PAGE_ID, "INPUT_API_URL": url}
    ended = subprocess.run(
        [
            str(GITLAB_CI_LOCAL),
            "--network=host",
            "--pull-policy=if-not-present",
            f"--helper-image={helper_image}",
            f"--home={project}/home",
            *options,
            *(f"--variable={name}={value}" for name, value in variables.items()),
        ],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )
    return re.sub("\x1b\\[[0-9;]*m", "", ended.stdout)


def test_documented_jobs_are_valid(tmp_path: Path) -> None:
    path = tmp_path / "gitlab-ci.yml"
    path.write_text(gitlab_jobs(), encoding="utf-8")
    checker = Path(sys.executable).with_name("check-jsonschema")

    checked = subprocess.run(
        [checker, "--builtin-schema", "vendor.gitlab-ci", path], capture_output=True, encoding="utf-8", check=False
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.container
def test_failed_deploy_is_one_update_that_later_jobs_know_until_a_rollback_succeeds(run: Run, sandbox: Sandbox) -> None:
    logs = [run(deploy="exit 1") for _ in range(2)]
    during = sandbox.store.components[API_ID].status
    run(rollback="exit 0")

    *_, incident = sandbox.store.incidents.values()
    assert f"Later: opened {incident.updates[0].id}" in logs[0]
    assert f"Later: unchanged {incident.updates[0].id}" in logs[1]
    assert [update.status for update in incident.updates] == ["INVESTIGATING", "RESOLVED"]
    assert len(sandbox.store.incidents) == 2
    assert (during, sandbox.store.components[API_ID].status) == ("MAJOR_OUTAGE", "OPERATIONAL")
    assert EDIT_TOKEN not in "".join(logs)


@pytest.mark.container
def test_deploy_that_succeeds_posts_nothing(run: Run, sandbox: Sandbox) -> None:
    log = run(rollback="exit 0")

    assert "PASS  deploy" in log
    assert {request.method for request in sandbox.store.requests} == {"GET"}


@pytest.mark.container
@pytest.mark.parametrize("options", [MERGE_REQUEST_PIPELINE, OTHER_BRANCH_PIPELINE])
@pytest.mark.parametrize("test", ["exit 0", "exit 1"])
def test_pipeline_without_a_deploy_is_valid_and_posts_nothing(
    run: Run, sandbox: Sandbox, test: str, options: tuple[str, ...]
) -> None:
    log = run(options, test=test)

    assert f"{'PASS' if test == 'exit 0' else 'FAIL'}  test" in log
    assert "rollback" not in log
    assert sandbox.store.requests == []
