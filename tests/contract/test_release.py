"""What a release relies on: the script, its refusals, and the order and permissions of the workflow's jobs."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import support.gh
import yaml
from tools.release import NAME, PLACEHOLDER

from onlineornot_action.onlineornot import __version__

ROOT = Path(__file__).parents[2]
GIT = shutil.which("git") or "git"
OWNER = re.findall(f"'(.+)/{NAME}'", (ROOT / ".github/zizmor.yml").read_text(encoding="utf-8"))[0]
"""Who owns this repository: the placeholder, until somebody publishes it."""
TEXT = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
REPOSITORY = "Example/onlineornot-incident-update"
DIGEST = f"sha256:{'0a' * 32}"
BRANCH, TAG = f"heads/release/v{__version__}", f"tags/v{__version__}"
MAJOR_TAG = f"tags/v{__version__.partition('.')[0]}"
BUILDKIT = r"image=moby/buildkit:v[0-9.]+@sha256:[0-9a-f]{64}"
IMAGE = f"ghcr.io/example/onlineornot-incident-update:{__version__}@{DIGEST}"


@dataclass(frozen=True)
class Checkout:
    """A copy of this repository, including uncommitted changes, with an origin of its own."""

    folder: Path

    def release(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run the release script; return its exit status and what it prints."""
        ended = subprocess.run(
            [sys.executable, "tools/release.py", *arguments],
            cwd=self.folder,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return ended.returncode, ended.stdout.strip()

    def git(self, *arguments: str) -> str:
        """Run git."""
        identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        ended = subprocess.run(
            [GIT, *identity, *arguments], cwd=self.folder, stdout=subprocess.PIPE, encoding="utf-8", check=True
        )
        return ended.stdout.strip()

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file, and commit that."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert old in text
        (self.folder / file).write_text(text.replace(old, new), encoding="utf-8")
        self.git("commit", "--quiet", "--all", "--message", "Change a file")


def begin(folder: Path) -> Checkout:
    """Create a repository of the files that git tracks here, with the owner still a placeholder, and push it."""
    listed = subprocess.run([GIT, "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    for file in filter(None, listed.stdout.split("\0")):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        content = (ROOT / file).read_bytes()
        (folder / file).write_bytes(content.replace(f"{OWNER}/{NAME}".encode(), f"{PLACEHOLDER}/{NAME}".encode()))
    made = Checkout(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "Begin")
    made.git("init", "--quiet", "--bare", "../origin.git")
    made.git("remote", "add", "origin", "../origin.git")
    made.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Begin a repository and name its owner."""
    made = begin(tmp_path_factory.mktemp("template") / "checkout")
    assert made.release("owner", "Example")[0] == 0
    made.git("commit", "--quiet", "--all", "--message", "Name the owner")
    made.git("push", "--quiet", "origin", "main")
    return made.folder.parent


@pytest.fixture
def owned(template: Path, tmp_path: Path) -> Checkout:
    """Copy a repository whose owner is named, with its origin."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def gh_state(tmp_path: Path, owned: Checkout) -> Path:
    """Put a stand-in for `gh` first on the PATH that `publish` gets; return the file with its state."""
    shutil.copytree(Path(support.gh.__file__).parent, tmp_path / "bin", ignore=lambda _, names: {*names} - {"gh.py"})
    program = (tmp_path / "bin/gh.py").rename(tmp_path / "bin/gh")
    program.write_text(f"#!{sys.executable}\n{program.read_text(encoding='utf-8')}", encoding="utf-8")
    program.chmod(0o755)
    (owned.folder / "sboms").mkdir()
    (owned.folder / "sboms/sbom-amd64.spdx.json").write_text("{}", encoding="utf-8")
    state = tmp_path / "state.json"
    state.write_text('{"refs": {}, "trees": {}, "commits": {}, "releases": {}}', encoding="utf-8")
    return state


def publish(checkout: Checkout, state: Path) -> tuple[int, str]:
    """Run `publish` as the workflow does, in a fresh checkout of the commit."""
    checkout.git("checkout", "--quiet", "--", "action.yml")
    path = f"{state.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return checkout.release("publish", IMAGE, PATH=path, GH_STATE=str(state), GITHUB_REPOSITORY=REPOSITORY)


def read(state: Path) -> Any:
    return json.loads(state.read_text(encoding="utf-8"))


def change(state: Path, **changes: Any) -> None:
    """Replace parts of the state."""
    state.write_text(json.dumps(read(state) | changes), encoding="utf-8")


def scripts_of(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_the_newest_section_of_the_changelog_is_about_the_version_of_the_code() -> None:
    sections = re.findall("^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sections[0] == __version__


def test_no_other_file_names_our_version() -> None:
    search = ("grep", "--files-with-matches", "--fixed-strings", __version__, "--", ":!requirements*.txt", ":!tests")
    found = subprocess.run([GIT, *search], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True)

    assert found.stdout.split() == ["CHANGELOG.md", "src/onlineornot_action/onlineornot/__init__.py"]


def test_each_job_needs_all_that_come_before_it() -> None:
    needed: dict[str, set[str]] = {}
    for name, job in JOBS.items():
        direct = {job["needs"]} if isinstance(job.get("needs"), str) else set(job.get("needs", ()))
        needed[name] = direct.union(*(needed[each] for each in direct))

    order = ["plan", "build", "test", "test-gitlab", "approve"]
    order += ["index", "sbom", "attest", "pull", "publish", "move-image-tag"]
    earlier = {name: set(order[:position]) for position, name in enumerate(order)}
    assert needed == earlier | {"test-gitlab": {"plan", "build"}}  # at the same time as the other tests


def holders(permission: str) -> list[str]:
    """Return the jobs that have write access to something."""
    return [name for name, job in JOBS.items() if job.get("permissions", {}).get(permission) == "write"]


def test_jobs_that_may_write_are_few_and_run_only_what_they_need() -> None:
    assert WORKFLOW["permissions"] == {}
    assert (holders("contents"), holders("id-token"), holders("attestations")) == (["publish"], ["attest"], ["attest"])
    assert JOBS["approve"]["environment"] == "release"
    assert scripts_of("attest") == []
    assert scripts_of("publish") == ['python3 tools/release.py publish "$IMAGE"']
    assert scripts_of("move-image-tag")[0] == "python3 tools/release.py check-newest"
    assert "imagetools create --tag" in scripts_of("move-image-tag")[1]


def test_npm_runs_no_install_script_and_its_job_passes_nothing_on() -> None:
    installs = re.findall("npm install.*", (ROOT / "Makefile").read_text(encoding="utf-8"))

    assert [name for name, job in JOBS.items() if "test-gitlab" in str(job.get("steps"))] == ["test-gitlab"]
    assert "outputs" not in JOBS["test-gitlab"]
    assert "write" not in JOBS["test-gitlab"]["permissions"].values()
    assert all("--ignore-scripts" in command for command in installs)


def uses_of(action: str) -> list[Any]:
    """Return the inputs of each step that uses an action."""
    return [step["with"] for job in JOBS.values() for step in job["steps"] if action in step.get("uses", "")]


def test_digests_and_sboms_come_from_the_job_that_made_them_and_buildkit_from_its_digest() -> None:
    (buildx,) = uses_of("setup-buildx-action")

    assert uses_of("download-artifact") == [{"artifact-ids": "${{ needs.sbom.outputs.artifact }}", "path": "sboms"}] * 2
    assert set(re.findall("subject-digest: (.*)", TEXT)) == {"${{ needs.index.outputs.digest }}"}
    assert re.findall('imagetools inspect (".*?")', TEXT) == ['"$IMAGE@$digest"']
    assert re.fullmatch(BUILDKIT, buildx["driver-opts"])


def test_the_release_is_started_by_hand_on_main_and_uses_no_cache() -> None:
    assert list(WORKFLOW[True]) == ["workflow_dispatch"]  # YAML 1.1 reads `on` as true
    assert JOBS["plan"]["if"] == "github.ref == 'refs/heads/main'"
    assert re.findall("actions/cache|cache-from|[^-]cache: ", TEXT) == []


def test_naming_the_owner_leaves_no_placeholder_anywhere_and_the_plan_passes(owned: Checkout) -> None:
    status, printed = owned.release("plan", REPOSITORY)

    left = subprocess.run([GIT, "grep", "-wn", "OWNER", "--", ":!tools", ":!tests"], cwd=owned.folder, check=False)
    assert (status, printed) == (0, f"version={__version__}\nimage=ghcr.io/{REPOSITORY.lower()}")
    assert left.returncode == 1
    assert "Example/onlineornot-incident-update" in (owned.folder / ".github/zizmor.yml").read_text(encoding="utf-8")
    assert "ghcr.io/example/onlineornot-incident-update:" in (owned.folder / "SECURITY.md").read_text(encoding="utf-8")
    assert "No release has been published" not in (owned.folder / "README.md").read_text(encoding="utf-8")


def test_the_owner_must_be_the_name_of_an_account_and_be_named_before_a_release(tmp_path: Path) -> None:
    checkout = begin(tmp_path / "checkout")

    wrong, planned = checkout.release("owner", "a/b"), checkout.release("plan", REPOSITORY)

    assert (wrong[0], "not the name of an account" in wrong[1]) == (1, True)
    assert (planned[0], "run make owner" in planned[1]) == (1, True)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("CHANGELOG.md", f"## {__version__}", "## Unreleased", "has no section"),
        ("src/onlineornot_action/onlineornot/__init__.py", __version__, "1.0", "has no version"),
        ("src/onlineornot_action/onlineornot/__init__.py", __version__, "9.9.9", "has no section '9.9.9'"),
        ("action.yml", "  image: Dockerfile", "  image: docker://x", "does not have exactly one line"),
        ("action.yml", "  image: Dockerfile", "  image: Dockerfile\n  image: x", "does not have exactly one line"),
    ],
)
def test_the_plan_refuses_a_version_without_changes_and_an_unexpected_line_for_the_image(
    owned: Checkout, file: str, old: str, new: str, reason: str
) -> None:
    owned.replace(file, old, new)

    status, printed = owned.release("plan", REPOSITORY)

    assert (status, reason in printed) == (1, True)
    assert owned.release("pin", IMAGE)[0] == int(file != "CHANGELOG.md")


def test_the_plan_refuses_if_the_workflows_on_main_have_changed(owned: Checkout) -> None:
    released = owned.git("rev-parse", "HEAD")
    owned.replace(".github/workflows/ci.yml", "name: CI", "name: Tests")
    owned.git("push", "--quiet", "origin", "main")
    owned.git("checkout", "--quiet", released)

    refused = [owned.release(*command) for command in (("plan", REPOSITORY), ("check-workflows",))]

    assert [(status, "other .github/workflows" in printed) for status, printed in refused] == [(1, True)] * 2


def version_beside(*, major: int = 0, patch: int = 0) -> str:
    """Return a version near ours."""
    numbers = [int(number) for number in __version__.split(".")]
    return f"{numbers[0] + major}.{numbers[1]}.{numbers[2] + patch}"


@pytest.mark.parametrize(
    ("tag", "command", "status", "reason"),
    [
        (__version__, ("plan", REPOSITORY), 1, "exists already"),
        (version_beside(patch=10), ("plan", REPOSITORY), 1, "does not move back"),
        (version_beside(patch=10), ("check-newest",), 1, "does not move back"),
        (version_beside(major=1), ("check-newest",), 0, f"no release is newer than v{__version__}"),
    ],
)
def test_a_release_is_refused_if_it_exists_or_a_newer_one_of_its_major_version(
    owned: Checkout, tag: str, command: tuple[str, ...], status: int, reason: str
) -> None:
    owned.git("push", "--quiet", "origin", f"HEAD:refs/tags/v{tag}")

    ended = owned.release(*command)

    assert (ended[0], reason in ended[1]) == (status, True)


INDEX = json.dumps(
    {
        "manifests": [
            {"digest": "sha256:aa", "platform": {"architecture": "amd64", "os": "linux"}},
            {"digest": "sha256:bb", "platform": {"architecture": "arm64", "os": "linux"}},
        ]
    }
)


@pytest.mark.parametrize(
    ("tested", "status", "printed"),
    [
        ("arm64=sha256:bb amd64=sha256:aa", 0, f"sha256:{hashlib.sha256(INDEX.encode()).hexdigest()}"),
        ("amd64=sha256:aa", 1, "were tested"),
        ("amd64=sha256:aa arm64=sha256:cc", 1, "were tested"),
        ("amd64=sha256:bb arm64=sha256:aa", 1, "were tested"),
        ("amd64=sha256:aa arm64=", 1, "were tested"),
    ],
)
def test_an_index_has_the_digest_of_its_content_and_is_refused_unless_it_names_the_tested_images(
    owned: Checkout, tested: str, status: int, printed: str
) -> None:
    (owned.folder / "index.json").write_text(f"{INDEX}\n", encoding="utf-8")  # as buildx prints it

    ended = owned.release("index", "index.json", *tested.split())

    assert (ended[0], printed in ended[1]) == (status, True)


def test_pin_changes_one_line(owned: Checkout) -> None:
    status, _ = owned.release("pin", IMAGE)

    changed = [line for line in owned.git("diff", "-U0").splitlines() if re.match("[+-] ", line)]
    assert status == 0
    assert changed == ["-  image: Dockerfile", f"+  image: docker://{IMAGE}"]


@pytest.mark.parametrize(
    "image",
    [
        IMAGE.replace("example", "Example"),
        IMAGE.replace("ghcr.io", "docker.io"),
        IMAGE.replace(__version__, "9.9.9"),
        IMAGE.replace(f":{__version__}", ""),
        IMAGE.removesuffix("a"),
        f"{IMAGE}\n",
    ],
)
def test_pin_refuses_any_other_image(owned: Checkout, image: str) -> None:
    status, _ = owned.release("pin", image)

    assert (status, owned.git("status", "--short")) == (1, "")


def test_publish_makes_the_commit_its_branch_its_tag_and_the_release_and_moves_the_major_tag(
    owned: Checkout, gh_state: Path
) -> None:
    change(gh_state, refs={MAJOR_TAG: "0" * 40})

    status, printed = publish(owned, gh_state)

    state = read(gh_state)
    (made,) = state["commits"]
    (entry,) = state["trees"][state["commits"][made]["tree"]]["tree"]
    assert (status, printed) == (0, f"v{__version__} is {made}")
    assert state["commits"][made]["parents"] == [owned.git("rev-parse", "HEAD")]
    assert (entry["path"], entry["content"].count(f"docker://{IMAGE}")) == ("action.yml", 1)
    assert state["refs"] == dict.fromkeys([BRANCH, TAG, MAJOR_TAG], made)
    release = state["releases"][f"v{__version__}"]
    assert release["notes"].startswith("### Added")
    assert "\n## " not in release["notes"]
    assert f"uses: {REPOSITORY}@{made} # v{__version__}" in release["notes"]
    assert f"gh attestation verify oci://{IMAGE} --repo {REPOSITORY}" in release["notes"]
    assert release["files"] == ["sbom-amd64.spdx.json"]


@pytest.mark.parametrize("lost", [{"releases": {}}, {}])
def test_publish_completes_what_an_earlier_attempt_left(
    owned: Checkout, gh_state: Path, lost: dict[str, dict[str, Any]]
) -> None:
    publish(owned, gh_state)
    complete = read(gh_state)
    change(gh_state, refs={BRANCH: complete["refs"][BRANCH]}, **lost)

    status, _ = publish(owned, gh_state)

    assert status == 0
    assert read(gh_state)["refs"] == complete["refs"]
    assert read(gh_state)["releases"] == complete["releases"]


def test_publish_of_an_older_release_leaves_everything_as_it_is(owned: Checkout, gh_state: Path) -> None:
    publish(owned, gh_state)
    owned.git("push", "--quiet", "origin", f"HEAD:refs/tags/v{version_beside(patch=1)}")
    change(gh_state, refs=read(gh_state)["refs"] | {MAJOR_TAG: "1" * 40})
    before = read(gh_state)

    status, printed = publish(owned, gh_state)

    assert (status, "does not move back" in printed) == (1, True)
    assert read(gh_state) == before


@pytest.mark.parametrize(("ref", "reason"), [(TAG, "already"), (BRANCH, "holds something else")])
def test_publish_moves_neither_the_tag_nor_the_branch_of_a_version(
    owned: Checkout, gh_state: Path, ref: str, reason: str
) -> None:
    other = {"tree": "1" * 40, "parents": ["2" * 40]}
    change(gh_state, refs={ref: "0" * 40}, commits={"0" * 40: other})

    status, printed = publish(owned, gh_state)

    assert (status, reason in printed) == (1, True)
    assert read(gh_state)["refs"][ref] == "0" * 40
    assert read(gh_state)["releases"] == {}
