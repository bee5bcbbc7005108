"""The action's packages, as pip installs them into a folder of the job: the versions and hashes of a lock file."""

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

POLL_SECONDS = 0.1
TERMINATION_SECONDS = 5.0
"""How long pip may take to end once it is asked to; then it is killed."""

OPTIONS = (
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-compile",
    "--no-user",
    "--disable-pip-version-check",
    "--no-input",
    "--quiet",
    "--retries=1",
    "--timeout=10",
)
"""Nothing but the wheels of the lock file, and no long waits. Python compiles what it uses of them."""

_SOURCES = frozenset(
    {
        "PIP_CACHE_DIR",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_CONFIG_FILE",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_INDEX_URL",
        "PIP_KEYRING_PROVIDER",
        "PIP_NO_CACHE_DIR",
        "PIP_NO_INDEX",
        "PIP_PROXY",
        "PIP_TRUSTED_HOST",
    }
)
"""The variables that say where pip gets packages from. The others would change what it does with them.

https://pip.pypa.io/en/stable/topics/configuration/#environment-variables
"""

_TOKEN_VARIABLES = frozenset(
    {"ONLINEORNOT_API_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}
)

_MISMATCH = "DO NOT MATCH THE HASHES"

_REASONS = {
    _MISMATCH: (
        "The package index delivered a file that the action's lock file does not know, so it was not installed. "
        "Usually a mirror or a proxy has changed it; find out which before you go on. PIP_INDEX_URL in env:, or the "
        "runner's configuration of pip, says where packages come from."
    ),
    "CERTIFICATE_VERIFY_FAILED": (
        "pip does not trust the certificate of the package index. Usually a proxy inspects the traffic; name a file "
        "with its certificate in PIP_CERT, in env: of the step or the job."
    ),
    "connection broken by|Could not fetch URL|Max retries exceeded|HTTP error|timed out": (
        "pip could not reach the package index. Usually the runner has no way out but a proxy or a mirror; name it in "
        "HTTPS_PROXY or PIP_INDEX_URL, in env: of the step or the job."
    ),
    "No matching distribution found|from versions:": (
        f"The package index has no wheel that this Python ({platform.python_version()}) can use. Usually Python is too "
        "new or its platform is rare; choose another version with actions/setup-python in an earlier step of this job. "
        "If PIP_INDEX_URL names a mirror, it may lack the newest packages."
    ),
}
"""What in pip's output says that it happened; then what happened, what that usually means, and what to change."""

_UNKNOWN_REASON = (
    "pip could not install the action's packages; its output is in the log. Another Python may help: run "
    "actions/setup-python in an earlier step of this job."
)


class CancelledError(Exception):
    """The job was cancelled."""


class InstallationError(Exception):
    """The packages cannot be had; the message says why and what to do.

    Attributes:
        output: What pip wrote.
        suspicious: Whether a package is not what it should be.
    """

    def __init__(self, message: str, output: str = "", *, suspicious: bool = False) -> None:
        super().__init__(message)
        self.output = output
        self.suspicious = suspicious


@dataclass(frozen=True)
class Installer:
    """Installs packages once for all steps of a job.

    Attributes:
        environ: The step's environment.
        secrets: What pip has no use for.
        cancelled: Tells whether the job was cancelled.
    """

    environ: Mapping[str, str]
    secrets: Sequence[str]
    cancelled: Callable[[], bool]

    def install(self, lock: Path, end: float) -> Path:
        """Return the folder with the packages of a lock file, which an earlier step of the job may have filled.

        Args:
            lock: The lock file.
            end: When pip has to be done, on the monotonic clock.

        Raises:
            CancelledError: The job was cancelled.
            InstallationError: The packages cannot be had.
        """
        try:
            folder = self._find_temporary_folder() / name_folder(lock.read_bytes())
            return folder if folder.is_dir() else self._fill(folder, lock, end)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InstallationError(
                f"The action's packages cannot be installed into RUNNER_TEMP: {reason}. Check the runner's disk."
            ) from error

    def _find_temporary_folder(self) -> Path:
        """Return the runner's folder, which it empties for each job; or else one that no other user can write to."""
        return Path(self.environ.get("RUNNER_TEMP") or tempfile.mkdtemp())

    def _fill(self, folder: Path, lock: Path, end: float) -> Path:
        beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        try:
            self._run_pip(lock, beside, end)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return move_into_place(beside, folder)

    def _run_pip(self, lock: Path, folder: Path, end: float) -> None:
        # UTF-8 also on Windows, where Python writes in the code page of the system.
        pip = [sys.executable, "-I", "-X", "utf8", "-m", "pip", "install", *OPTIONS]
        with tempfile.TemporaryFile() as output:
            with subprocess.Popen(  # noqa: S603 - the interpreter that runs this
                [*pip, f"--target={folder}", f"--requirement={lock}"],
                env=dict(self._variables_for_pip()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process:
                in_time = self._wait(process, end)
            output.seek(0)
            written = output.read().decode(errors="replace")
        if self.cancelled():
            raise CancelledError
        if not in_time:
            raise InstallationError(
                "pip took too long to install the action's packages. Usually the package index is slow or out of "
                "reach; name a proxy or a mirror in HTTPS_PROXY or PIP_INDEX_URL, in env: of the step or the job.",
                written,
            )
        if process.returncode != 0:
            raise InstallationError(explain(written), written, suspicious=_MISMATCH in written)

    def _wait(self, process: subprocess.Popen[bytes], end: float) -> bool:
        """Wait until pip has ended; have it end when the time is up or the job is cancelled, and return False."""
        while not self.cancelled() and time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
                return True
        process.terminate()
        try:
            process.wait(TERMINATION_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        return False

    def _variables_for_pip(self) -> Iterator[tuple[str, str]]:
        """Yield what pip may know: where packages are, but neither inputs nor tokens."""
        for name, value in self.environ.items():
            is_option = name.startswith("PIP_") and name not in _SOURCES
            is_ours = name.startswith("INPUT_") or name in _TOKEN_VARIABLES
            if not is_option and not is_ours and not any(secret in value for secret in self.secrets):
                yield name, value
        yield "PIP_REQUIRE_VIRTUALENV", "0"  # a file could say otherwise, and no environment is touched here


def name_folder(lock: bytes) -> str:
    """Name the folder for a lock file and this Python: the suffix has its version, its platform and its C library."""
    return f"onlineornot-{sha256(lock).hexdigest()[:16]}{EXTENSION_SUFFIXES[0]}"


def explain(output: str) -> str:
    """Say what pip's output means."""
    return next((reason for pattern, reason in _REASONS.items() if re.search(pattern, output)), _UNKNOWN_REASON)


def move_into_place(beside: Path, folder: Path) -> Path:
    """Give a filled folder its name, and return where it is."""
    try:
        os.rename(beside, folder)  # noqa: PTH104 - unlike Path, it does nothing else
    except OSError:
        if not folder.is_dir():
            return beside  # Windows does not rename a folder while a virus scanner reads in it
        shutil.rmtree(beside, ignore_errors=True)  # another step of the job was faster
    return folder
