"""What the README and docs/elsewhere.md show without a file of its own, made complete where they show a part."""

import re
import shlex
from textwrap import indent

from onlineornot_sandbox.local_step import ROOT

ELSEWHERE = (ROOT / "docs/elsewhere.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BEGINNING = "name: README\n\non: deployment\n\npermissions: {}\n\n"
WHOLE_JOBS = ("The pull request behind the deploy", "Forks and Dependabot")
_OMITTED = "    # …\n"


def readme_workflows() -> dict[str, str]:
    """Return the workflows by the heading that they stand below."""
    step = indent(_block_below("OnlineOrNot incident update").replace("- uses:", "- id: update\n  uses:"), "      ")
    job = f"    runs-on: ubuntu-24.04\n    steps:\n{step}"
    parts = _block_below("Outputs")
    assert parts.count(_OMITTED) == 1
    whole = {heading: BEGINNING + _block_below(heading) for heading in WHOLE_JOBS}
    return {"Outputs": BEGINNING + parts.replace(_OMITTED, job), **whole}


def jobs_without_a_file() -> list[str]:
    """Return the README's jobs, but for the copies of examples."""
    return re.findall(r"(?<! -->\n)```yaml\n(jobs:\n.*?)```", README, re.DOTALL)


def composite_workflow() -> str:
    """Return the job without Docker, as a workflow."""
    (job,) = re.findall(r"```yaml\n(jobs:\n.*?)```", ELSEWHERE, re.DOTALL)
    return BEGINNING + str(job)


def gitlab_job() -> str:
    """Return the job for GitLab."""
    (job,) = re.findall(r"<!-- \.gitlab-ci\.yml -->\n```yaml\n(.*?)```", ELSEWHERE, re.DOTALL)
    return str(job)


def command_lines() -> list[list[str]]:
    """Return the options of each command that a shell is shown with, up to a pipe."""
    commands = re.findall(r"```sh\n(.*?)```", ELSEWHERE, re.DOTALL)
    options = [re.split(r"onlineornot-incident-update(?::v1)? ", command)[-1].split(" | ")[0] for command in commands]
    return [shlex.split(each.replace("\\\n", "")) for each in options]


def _block_below(heading: str) -> str:
    """Return the first YAML below a heading."""
    (section,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", README, re.DOTALL | re.MULTILINE)
    block = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1]
