"""Workflows, run by nektos/act, with real job containers and the action's own image.

https://nektosact.com/
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from support.github_app import REPOSITORY, TOKEN
from support.image import base_image

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT
from onlineornot_sandbox.seed import PAGE_ID

ACT = ROOT / ".venv-tools" / "bin" / "act"
RUN_SECONDS = 300
SUCCEEDS, FAILS = "exit 0", "exit 1"
NO_GITHUB = "http://127.0.0.1:9"
_COMPOSITE = "/composite@"
_UNKNOWN_TO_ACT = re.compile(r"^ *queue: max\n", re.MULTILINE)
"""What act refuses a workflow for; in its runs no two jobs wait for each other."""
_CALLED = re.compile(r"uses: \./\.github/workflows/(\S+)")
_STEP = re.compile(rf"uses: (\S+/onlineornot-incident-update(?:{_COMPOSITE}|@)\S+)(?: # \S+)?\n( *)with:\n")


@dataclass(frozen=True)
class WorkflowResult:
    """What a workflow did.

    Attributes:
        jobs: The result of each job that ran, by its id; a failure if any job of a matrix, or of a workflow that is
            called twice, fails.
        outputs: The outputs of each step that used the action, in the order in which they ran.
        log: Everything that act wrote.
    """

    jobs: Mapping[str, str]
    outputs: tuple[Mapping[str, str], ...]
    log: str

    @property
    def outcomes(self) -> list[str]:
        """The outcome of each step that used the action."""
        return [outputs["outcome"] for outputs in self.outputs]

    @property
    def annotations(self) -> list[str]:
        """The level of each annotation."""
        commands = [entry.get("command") for entry in _entries(self.log)]
        return [command for command in commands if command in ("notice", "warning", "error")]


@dataclass(frozen=True)
class Act:
    """Runs workflows in a folder of its own, as if it were a checkout of the repository with the deploy scripts.

    Attributes:
        image: The action's image; not used with an `action`.
        folder: An empty folder.
        api_url: Where the API is.
        github_url: Where GitHub's API is.
        secret: The API token, as the repository's secret.
        page_id: The status page, as the repository's variable.
        action: The action's repository; by default this checkout's `action.yml` with that image.
        in_containers: Whether the jobs run in containers; otherwise, on this machine.
        environ: Variables added to this process's environment for jobs that run on this machine.
    """

    image: str
    folder: Path
    api_url: str
    github_url: str = NO_GITHUB
    secret: str = EDIT_TOKEN
    page_id: str = PAGE_ID
    action: Path | None = None
    in_containers: bool = True
    environ: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        workflow: str,
        event: str,
        payload: Mapping[str, Any] | None = None,
        *,
        scripts: Mapping[str, str] | None = None,
        results: Mapping[str, str] | None = None,
    ) -> WorkflowResult:
        """Run a workflow. It is an error if act fails although no job did.

        Args:
            workflow: Its text.
            event: The event that starts it.
            payload: What that event says.
            scripts: What the scripts of the repository do, by their names.
            results: The results of jobs that act cannot produce, such as `cancelled`, by the ids of the jobs.
        """
        checkout = self._check_out(scripts or {})
        called = {f".github/workflows/{file}": _example(file) for file in _CALLED.findall(workflow)}
        workflows = {"workflow.yml": workflow, **called}
        for file, text in workflows.items():
            (checkout / file).parent.mkdir(parents=True, exist_ok=True)
            (checkout / file).write_text(self._adapt(text, results or {}), encoding="utf-8")
        (checkout / "event.json").write_text(json.dumps(payload or {}), encoding="utf-8")
        return self._run(checkout, [event, *self._options(workflows.values())])

    def run_command(self, command: str, workflow: str) -> WorkflowResult:
        """Run act as a document shows it, for a workflow that is in the file it names."""
        _, event, *options = shlex.split(command.replace("\\\n", "").replace("http://127.0.0.1:8787", self.api_url))
        checkout = self._check_out({})
        file = checkout / options[options.index("--workflows") + 1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_UNKNOWN_TO_ACT.sub("", workflow), encoding="utf-8")
        action = str(self._make_action())
        options = [each.replace("../onlineornot-incident-update", action) for each in options]
        return self._run(checkout, [event, *options, *self._local_options()])

    def _run(self, checkout: Path, arguments: list[str]) -> WorkflowResult:
        ended = subprocess.run(
            [str(ACT), *arguments],
            cwd=checkout,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=RUN_SECONDS,
            check=False,
        )
        result = _read(ended.stdout)
        assert (ended.returncode != 0) == ("failure" in result.jobs.values()), result.log
        return result

    def _check_out(self, scripts: Mapping[str, str]) -> Path:
        checkout = self.folder / "checkout"
        checkout.mkdir(exist_ok=True)
        for name, does in scripts.items():
            (checkout / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
            (checkout / name).chmod(0o755)
        return checkout

    def _adapt(self, workflow: str, results: Mapping[str, str]) -> str:
        """Send the steps to the sandbox, drop what act does not know, and set results that act cannot produce.

        act names a job's containers by workflow and job. To keep two runs of an example at the same time from
        removing each other's, each gets a name of its own.
        """
        text = _STEP.sub(rf"\g<0>\2  api-url: {self.api_url}\n", _UNKNOWN_TO_ACT.sub("", workflow))
        text = re.sub(r"^name: .*", rf"\g<0> {token_hex(8)}", text, flags=re.MULTILINE)
        for job, result in results.items():
            text = text.replace(f"needs.{job}.result", f"('{result}')")  # in YAML, quotes must not come first
        return text

    def _options(self, workflows: Iterable[str]) -> list[str]:
        """Return act's command line.

        The host's network lets the containers reach the sandbox on 127.0.0.1. The engine's socket is not mounted.
        """
        action = self.action or self._make_action()
        names = {step[1].replace(_COMPOSITE, "@") for text in workflows for step in _STEP.finditer(text)}
        return [
            *self._local_options(),
            "--container-daemon-socket=-",
            "--workflows=workflow.yml",
            "--eventpath=event.json",
            f"--secret=ONLINEORNOT_API_TOKEN={self.secret}",
            f"--secret=GITHUB_TOKEN={TOKEN}",
            f"--var=ONLINEORNOT_STATUS_PAGE_ID={self.page_id}",
            f"--env=GITHUB_API_URL={self.github_url}",
            f"--env=GITHUB_REPOSITORY={REPOSITORY}",
            *(f"--local-repository={name}={action}" for name in names),
        ]

    def _local_options(self) -> list[str]:
        """Return the options that pull no image and leave nothing behind.

        Without --rm, the container of a job that fails would stay.
        """
        platform = base_image() if self.in_containers else "-self-hosted"
        return [
            *("--json", "--rm", "--no-cache-server", "--pull=false"),
            f"--action-cache-path={self.folder / 'cache'}",
            f"--platform=ubuntu-24.04={platform}",
        ]

    def _make_action(self) -> Path:
        """Make the folder that takes the place of the action's repository.

        It has this checkout's `action.yml`, but names the existing image, as a release does: act would otherwise
        build it again for each run.
        """
        folder = self.folder / "action"
        folder.mkdir(exist_ok=True)
        text = (ROOT / "action.yml").read_text(encoding="utf-8")
        released = re.sub("^  image: .*", f"  image: docker://{self.image}", text, flags=re.MULTILINE)
        (folder / "action.yml").write_text(released, encoding="utf-8")
        return folder


def _example(file: str) -> str:
    return (ROOT / "examples" / file).read_text(encoding="utf-8")


def _entries(log: str) -> Iterator[dict[str, Any]]:
    return map(json.loads, (line for line in log.splitlines() if line.startswith("{")))


def _read(log: str) -> WorkflowResult:
    """Read act's log, one JSON object a line."""
    jobs: dict[str, str] = {}
    outputs: dict[tuple[str, ...], dict[str, str]] = {}
    for entry in _entries(log):
        if (result := entry.get("jobResult")) and jobs.get(entry["jobID"]) != "failure":
            jobs[entry["jobID"]] = result
        is_step_of_job = len(entry.get("stepID", ())) == 1  # within a composite action, its step's id comes first
        if entry.get("command") == "set-output" and is_step_of_job:
            outputs.setdefault((entry["job"], *entry["stepID"]), {})[entry["name"]] = entry["arg"]
    return WorkflowResult(jobs, tuple(outputs.values()), log)
