"""The code blocks of the README and the documents, completed where they show only part of a workflow."""

import re
import shlex
from pathlib import Path
from textwrap import dedent, indent
from typing import NamedTuple

from onlineornot_sandbox.local_step import ROOT

PATHS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md")]
PATHS += sorted((ROOT / "docs").glob("*.md"))

_BEGINNING = "name: Documents\n\non: deployment\n\npermissions: {}\n\n"
_ON_A_RUNNER = "    runs-on: ubuntu-24.04\n    timeout-minutes: 10\n    steps:\n"
_OMITTED = "    # …\n"


class Block(NamedTuple):
    """A code block below a heading; the language is the word after the opening fence."""

    heading: str
    language: str
    text: str


def blocks_of(path: Path) -> list[Block]:
    """Return the code blocks of a page."""
    found = []
    for section in re.split("^#+ ", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        heading = section.partition("\n")[0]
        for space, language, text in re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", section, re.DOTALL | re.MULTILINE):
            found.append(Block(heading, language, dedent(space + text)))
    return found


def block(page: str, heading: str, language: str = "yaml") -> str:
    """Return the first code block below a heading."""
    path = next(path for path in PATHS if path.name == page)
    return next(text for *where, text in blocks_of(path) if where == [heading, language])


def documented_workflows() -> dict[str, str]:
    """Return the documented workflows that have no file of their own, by topic."""
    first = block("README.md", "First update").removeprefix("jobs:\n")
    outputs = block("inputs.md", "Outputs in later jobs")
    posting = first.partition("    steps:\n")[2].replace("- uses:", "- id: update\n        uses:")
    posting = posting.replace("${{ needs.deploy.result }}", "failure")
    assert outputs.count(_OMITTED) == 1
    return {
        "first update": _after_deploy(block("README.md", "First update"), "exit 1"),
        "first update that succeeds": _after_deploy(block("README.md", "First update"), "exit 0"),
        "change": _BEGINNING + _changing(block("README.md", "First update"), block("README.md", "Change it, close it")),
        "outputs": _BEGINNING + outputs.replace(_OMITTED, f"{_ON_A_RUNNER}{posting}"),
        "comment": _after_deploy(block("comment.md", "The comment on the pull request"), "exit 1"),
        "forks": _after_deploy(block("troubleshooting.md", "Forks and Dependabot"), "exit 1"),
        "composite": _after_deploy(block("elsewhere.md", "GitHub without Docker"), "exit 1"),
    }


def _changing(job: str, inputs: str) -> str:
    """Give the step of a job other inputs, and let the job need no other job."""
    alone = re.sub("^    (?:needs|if): .*\n", "", job, flags=re.MULTILINE)
    return alone.partition("          result:")[0] + indent(inputs, " " * 10)


def _after_deploy(jobs: str, does: str) -> str:
    """Add the job that the others need."""
    needed = f"  deploy:\n{_ON_A_RUNNER}      - run: {does}\n\n"
    return "".join([_BEGINNING, "jobs:\n", needed, jobs.removeprefix("jobs:\n")])


def gitlab_jobs() -> str:
    return "\n".join(text for *where, text in blocks_of(ROOT / "docs/elsewhere.md") if where == ["GitLab", "yaml"])


def command_lines() -> list[list[str]]:
    """Return the options of each documented shell command, up to a pipe."""
    shown = [each.text for each in blocks_of(ROOT / "docs/elsewhere.md") if each.language == "sh"]
    options = [re.split(r"onlineornot-incident-update(?::v1)? ", command)[-1].split(" | ")[0] for command in shown]
    return [shlex.split(each.replace("\\\n", "")) for each in options]
