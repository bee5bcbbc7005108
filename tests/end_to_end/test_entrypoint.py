"""The entry point as a process of its own, and what signals do to it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from support.fault_server import FAULTS, HEALTHY, Fault, FaultServer, Phase, Rule
from support.step import outputs_in

from onlineornot_sandbox.auth import EDIT_TOKEN
from onlineornot_sandbox.local_step import ROOT, as_variables
from onlineornot_sandbox.seed import INCIDENT_ID, PAGE_ID, UPDATE_ID

ENTRY_POINT = str(ROOT / "entrypoint.py")
TEXT = "The rollback is through."
CREATE = {"status": "RESOLVED", "description": TEXT}
AT_ONCE = 3.0
LATEST_END = 8.0
"""Seconds until a step has ended, on a busy machine: without a wait, and with the two waits of 2 s after a write."""

READ = replace(HEALTHY, method="GET")
LOST_POST = Rule(FAULTS["reset"], Phase.AFTER, "POST")
SLOW = Fault(lambda reply: [1.0, reply.wire()])
STUCK_RESOLVER = f"""
import runpy, socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
runpy.run_path({ENTRY_POINT!r}, run_name="__main__")
"""


class Step(NamedTuple):
    """A step that is still running, with the folder of its outputs."""

    process: subprocess.Popen[str]
    folder: Path

    def wait_until_it_catches(self, number: signal.Signals) -> None:
        """Wait until a signal has a handler: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html."""
        status = Path(f"/proc/{self.process.pid}/status")
        for _ in range(3_000):
            caught = re.search(r"SigCgt:\s*(\w+)", status.read_text(encoding="ascii"))
            if caught and int(caught[1], 16) & 1 << number - 1:
                return
            time.sleep(0.01)
        pytest.fail(f"{number!r} is not caught")

    def cancel(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal twice; return how many seconds the step took to end."""
        begin = time.monotonic()
        self.process.send_signal(number)
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - begin

    @property
    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        return outputs_in(self.folder)

    @property
    def end(self) -> tuple[int, str]:
        """Its exit status and its outcome."""
        return self.process.returncode, self.outputs["outcome"]


@contextlib.contextmanager
def running(
    folder: Path,
    url: str,
    inputs: Mapping[str, str],
    command: Sequence[str] = (ENTRY_POINT,),
    variables: Mapping[str, str] = {},
) -> Iterator[Step]:
    given = {"api-token": EDIT_TOKEN, "api-url": url, "status-page-id": PAGE_ID, "incident-id": INCIDENT_ID, **inputs}
    environ = {**as_variables(given), "GITHUB_OUTPUT": str(folder / "output"), **variables}
    process = subprocess.Popen(
        [sys.executable, "-I", *command], env=environ, cwd="/", stdout=subprocess.PIPE, encoding="utf-8"
    )
    with process:
        yield Step(process, folder)


@pytest.mark.parametrize(("number", "exit_status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_updates_are_read_prevents_the_post(
    tmp_path: Path, number: signal.Signals, exit_status: int
) -> None:
    with FaultServer([Rule(FAULTS["silence"])]) as server, running(tmp_path, server.url, CREATE) as step:
        server.wait_for("GET")
        seconds = step.cancel(number)

        assert step.end == (exit_status, "cancelled")
        assert "nothing was written" in step.outputs["error"]
        assert len(server.requests) == 1
        assert seconds < AT_ONCE


def test_a_signal_before_the_first_request_prevents_all_requests(tmp_path: Path) -> None:
    with FaultServer() as server, running(tmp_path, server.url, CREATE) as step:
        step.wait_until_it_catches(signal.SIGTERM)  # long before all modules are imported
        step.cancel()

        assert step.end == (143, "cancelled")
        assert server.requests == []


SILENT_POST = Rule(FAULTS["silence"], Phase.AFTER, "POST")
SILENT_READS = Rule(FAULTS["silence"], method="GET", times=99)
PATCH = {"operation": "update", "update-id": UPDATE_ID, "description": TEXT}
DELETE = {"operation": "delete", "update-id": UPDATE_ID}


@pytest.mark.parametrize(
    ("inputs", "script", "pause", "outcome", "is_found"),
    [
        pytest.param(CREATE, [Rule(SLOW, Phase.AFTER, "POST")], 0, "created", True, id="the response comes in time"),
        pytest.param(CREATE, [SILENT_POST], 0, "cancelled", True, id="the response does not come"),
        pytest.param(CREATE, [READ, SILENT_POST, SILENT_READS], 0, "cancelled", False, id="the list does not come"),
        pytest.param(CREATE, [READ, LOST_POST, replace(SILENT_READS, times=1)], 1, "cancelled", True, id="looked for"),
        pytest.param(PATCH, [Rule(FAULTS["silence"])], 0, "cancelled", False, id="a patch"),
        pytest.param(DELETE, [Rule(FAULTS["silence"])], 0, "cancelled", False, id="a deletion"),
    ],
)
def test_a_write_counts_or_is_looked_for_once_despite_a_signal(
    tmp_path: Path, inputs: dict[str, str], script: list[Rule], pause: float, outcome: str, *, is_found: bool
) -> None:
    method = {"update": "PATCH", "delete": "DELETE"}.get(inputs.get("operation", ""), "POST")
    with FaultServer(script) as server, running(tmp_path, server.url, inputs) as step:
        server.wait_for(method)
        time.sleep(pause)
        seconds = step.cancel()

        posted = server.store.timeline()[-1].id if is_found else inputs.get("update-id", "")
        assert step.end == ((0 if outcome == "created" else 143), outcome)
        assert (step.outputs["update-id"], step.outputs["notified"]) == (posted, "true" if is_found else "")
        assert ("it may be there" in step.outputs["error"]) is not is_found
        assert sum(request.method == method for request in server.requests) == 1
        assert seconds < LATEST_END


def test_a_signal_during_the_handshake_prevents_the_request(tmp_path: Path) -> None:
    with FaultServer(handshakes=[60.0]) as server:
        with running(tmp_path, server.url.replace("http:", "https:"), CREATE) as step:
            time.sleep(1)
            seconds = step.cancel()

        assert step.end == (143, "cancelled")
        assert "nothing was written" in step.outputs["error"]
        assert seconds < AT_ONCE


def test_a_signal_during_name_resolution_ends_the_step(tmp_path: Path) -> None:
    command = ("-c", STUCK_RESOLVER)
    with running(tmp_path, "https://api.invalid", CREATE, command) as step:
        time.sleep(1)
        seconds = step.cancel()

        assert step.end == (143, "cancelled")
        assert seconds < AT_ONCE


COMMAND = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from onlineornot_action.process import main; main()"


@pytest.mark.parametrize("command", [(ENTRY_POINT,), ("-c", COMMAND)], ids=["image", "installed"])
@pytest.mark.parametrize("text", [None, "openssl_conf = x\n[x]\nengines = y\n[y]\nz = z\n[z]\ndynamic_path = /z.so\n"])
def test_a_file_for_openssl_changes_nothing(tmp_path: Path, command: tuple[str, ...], text: str | None) -> None:
    file = tmp_path / "openssl"
    if text is None:
        os.mkfifo(file)  # opening it blocks forever
    else:
        file.write_text(text, encoding="utf-8")
    variables = dict.fromkeys(("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES"), str(file))
    with FaultServer() as server, running(tmp_path, server.url, CREATE, command, variables) as step:
        step.process.wait(30)

        assert step.end == (0, "created")


def test_the_deadline_holds_in_real_time_against_a_server_that_sends_byte_by_byte(tmp_path: Path) -> None:
    begin = time.monotonic()
    with FaultServer([Rule(FAULTS["headers drip"], times=99)]) as server:
        with running(tmp_path, server.url, CREATE | {"timeout-seconds": "10"}) as step:
            step.process.wait(30)

        assert step.end == (1, "unknown")
    assert 8 < time.monotonic() - begin < 20
