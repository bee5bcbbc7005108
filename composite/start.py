"""Install the locked packages with pip, then run the action; `composite/action.yml` starts this script."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is slow to import
sys.path.insert(0, os.path.join(ROOT, "src"))  # noqa: PTH118 - likewise

from onlineornot_action.process import as_utf_8, catch_signals, drop_openssl_variables, run

SIGNAL_RECEIVED = catch_signals()  # before the other imports: the job can be cancelled meanwhile
drop_openssl_variables()

import ast
import json
import re
import shutil
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from onlineornot_action.inputs.variables import PREFIX, Environment, variable_of
from onlineornot_action.masking import masker
from onlineornot_action.outputs import Outcome, Outputs, Result
from onlineornot_action.report.actions import ActionsReporter, Level
from onlineornot_action.text import escape_markdown, locate_defect

# On Windows, Python would use the system's code page.
PYTHON = (sys.executable, "-I", "-X", "utf8")
PIP = (*PYTHON, "-B", "-m", "pip", "--disable-pip-version-check")
OPTIONS = "--no-deps --require-hashes --only-binary=:all: --no-compile --no-input --quiet --retries=1 --timeout=10"
# Patterns of the variables that pip gets, in upper case: those it needs to run, and those that name package sources.
NEEDED = "PATH|(DY)?LD_LIBRARY_PATH|HOME|XDG_.*|NETRC|(HTTPS?|ALL|NO)_PROXY|SYSTEMROOT|USERPROFILE|(LOCAL)?APPDATA"
SOURCES = "PIP_(CERT|CLIENT_CERT|(EXTRA_)?INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|PROXY|KEYRING_PROVIDER)"

HASH_MISMATCH = "DO NOT MATCH THE HASHES"
REASONS = {
    HASH_MISMATCH: "The package index delivered a file that the action's lock file does not know, so it was not "
    "installed. Usually a mirror or a proxy has changed it; find out which before you go on.",
    r"(?:Could not fetch URL \S+|HTTP error) (40[13])": "pip could not install the action's packages: the index "
    "refused ({}). Check the user and the password in PIP_INDEX_URL, or in the runner's pip configuration.",
    "CERTIFICATE_VERIFY_FAILED": "pip does not trust the certificate of the package index. Usually a proxy inspects "
    "the traffic; name a file with its certificate in PIP_CERT, in env: of the step or the job.",
    "connection broken by|Could not fetch URL|HTTP error|timed out": "pip could not reach the package index in time. "
    "Usually it needs a proxy or a mirror; name that in HTTPS_PROXY or PIP_INDEX_URL, in env: of the step or the job.",
    "": "pip could not install the action's packages; its output is in the log. Usually the index has no wheels for "
    "this Python; choose another version with actions/setup-python in an earlier step of this job.",
}
"""A pattern of pip's output, and the message for it: what happened, what that usually means, and what to change."""


class PackagesError(Exception):
    """The packages cannot be installed or loaded: the first argument says why, the second has the details."""


def main() -> NoReturn:
    """Run the action with the packages, or report why nothing was sent; then exit."""
    variables = set_inputs(dict(os.environ))
    environment = Environment.of(variables)
    reporter = ActionsReporter(environment.github, as_utf_8(sys.stdout), masker(environment.secrets))
    try:
        run([], prepare(variables, environment, reporter), SIGNAL_RECEIVED)
    except KeyboardInterrupt:
        error = "The job was cancelled while the action's packages were installed; nothing was sent."
        result = Result(Outcome.CANCELLED, error=error)
    except PackagesError as failure:
        reporter.mask_log(environment.secrets)
        reporter.log_group("Details", failure.args[1])
        is_forged = HASH_MISMATCH in failure.args[1]
        tolerated = not is_forged and environment.inputs.get("fail-on-error", "").lower() == "false"
        result = Result(Outcome.NOT_SENT, error=f"{failure.args[0]} Nothing was sent.", tolerated=tolerated)
    except Exception as defect:  # noqa: BLE001 - whatever it is, the outputs and the exit status have to report it
        result = Result(Outcome.NOT_SENT, error=f"Internal error: {locate_defect(defect)}. Nothing was sent.")
    reporter.set_outputs(Outputs.of(result).by_name())
    reporter.annotate(Level.WARNING if result.tolerated else Level.ERROR, result.error)
    reporter.add_summary(f"### ❌ Nothing was sent\n\n{escape_markdown(result.error)}\n\n")
    number = SIGNAL_RECEIVED()
    sys.exit(128 + number if number else int(not result.tolerated))


def set_inputs(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment that a container action would have, without inputs of an enclosing composite action."""
    given = json.loads(environ.get("ONLINEORNOT_INPUTS") or "{}")
    others = {name: value for name, value in environ.items() if not name.startswith((PREFIX, "ONLINEORNOT_INPUTS"))}
    return others | {variable_of(name): str(value) for name, value in given.items()}


def prepare(variables: dict[str, str], environment: Environment, reporter: ActionsReporter) -> dict[str, str]:
    """Make the packages importable, and return the environment with `timeout-seconds` less the time that this took."""
    begin = time.monotonic()
    written = environment.inputs.get("timeout-seconds", "")
    seconds = int(written) if re.fullmatch("[0-9]{1,9}", written) else 0
    end = begin + min(max(seconds or 60, 10), 60)
    sys.path.insert(0, str(find_packages(variables, environment, reporter, end)))
    try:
        from onlineornot_action.inputs.parsers import TIMEOUT_SECONDS  # noqa: PLC0415 - it needs the packages
    except ImportError as error:
        message = f"Python cannot load the packages in RUNNER_TEMP: {error}."
        raise PackagesError(message, str(error)) from error
    if seconds not in TIMEOUT_SECONDS:
        return variables
    left = max(TIMEOUT_SECONDS[0], int(seconds - (time.monotonic() - begin)))
    return {**variables, variable_of("timeout-seconds"): str(left)}


def find_packages(variables: dict[str, str], environment: Environment, reporter: ActionsReporter, end: float) -> Path:
    """Return the folder of the packages, without those for the comment if they cannot be installed."""
    if environment.inputs.get("comment", "").lower() == "true":
        halfway = (time.monotonic() + end) / 2
        try:
            return find_or_install("requirements.txt", variables, halfway)
        except PackagesError as error:
            reporter.mask_log(environment.secrets)
            reporter.log_group("Details", error.args[1])
            reporter.log(f"{error.args[0]} The action continues without the comment on the pull request.")
    return find_or_install("requirements-core.txt", variables, end)


def find_or_install(lock: str, variables: dict[str, str], end: float) -> Path:
    """Return the folder with the packages of a lock file, which an earlier step of the job may have filled."""
    prefix = f"onlineornot-{sha256(Path(ROOT, lock).read_bytes()).hexdigest()[:16]}-"
    environ = {name: value for name, value in variables.items() if re.fullmatch(NEEDED, name.upper())}
    user = getattr(os, "geteuid", lambda: 0)()  # on Windows, the owner of every file has the number 0
    try:
        temporary = Path(variables.get("RUNNER_TEMP") or tempfile.mkdtemp())
        for folder in temporary.glob(f"{prefix}*"):
            is_filled = os.access(folder / "complete", os.R_OK) and not folder.is_symlink()
            if is_filled and folder.stat().st_uid == user and can_load(folder, environ, end):
                return folder / "packages"
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=temporary))
        try:
            install(lock, folder, environ | find_sources(folder, variables, environ, end), end)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        message = f"The packages cannot be installed into RUNNER_TEMP: {error.strerror or type(error).__name__}."
        raise PackagesError(message, str(error)) from error
    return folder / "packages"


def find_sources(folder: Path, variables: dict[str, str], environ: dict[str, str], end: float) -> dict[str, str]:
    """Return only the package sources from pip's configuration and the job's variables, which take precedence."""
    # Options in the configuration would change this call too; variables override them.
    own = dict.fromkeys(("PIP_GLOBAL", "PIP_USER", "PIP_SITE", "PIP_QUIET", "_PIP_RUNNING_IN_SUBPROCESS"), "0")
    own["PIP_CONFIG_FILE"] = variables.get("PIP_CONFIG_FILE", "")
    _, output = run_child((*PIP, f"--log={folder / 'log'}", "config", "list"), {**environ, **own}, end)
    listed = re.findall(r"^(?:global|install)\.([a-z-]+)=(.*?)\r?$", output, re.MULTILINE)
    values = {f"PIP_{name.upper().replace('-', '_')}": str(ast.literal_eval(value)) for name, value in listed}
    values |= {name: value for name, value in variables.items() if value}
    sources = {name: value for name, value in values.items() if re.fullmatch(SOURCES, name)}
    named = map(Path, Environment.of(variables).certificates.paths)
    files = [file for path in named for file in (path, *path.glob("*")) if file.is_file()]
    if files and "PIP_CERT" not in sources:  # before 24.2, pip trusts what REQUESTS_CA_BUNDLE names instead of its own
        from pip._vendor.certifi import contents  # noqa: PLC0415 - seldom needed

        bundle = folder / "certificates.pem"
        bundle.write_bytes(b"\n".join((contents().encode(), *map(Path.read_bytes, files))))
        sources["PIP_CERT"] = str(bundle)
    return sources


def install(lock: str, folder: Path, environ: dict[str, str], end: float) -> None:
    """Install the packages of a lock file into a folder."""
    log, what = folder / "log", (f"--target={folder / 'packages'}", f"--requirement={Path(ROOT, lock)}")
    own = {"PIP_CONFIG_FILE": os.devnull, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    status, output = run_child((*PIP, "install", *OPTIONS.split(), *what), environ | own, end)
    if status:  # only the log says why an index refuses, but writing one would cost every job a second
        own["PIP_LOG"] = str(log)
        status, output = run_child((*PIP, "install", *OPTIONS.split(), *what), environ | own, end)
    if status:
        logged = log.read_text("utf-8", "replace") if log.exists() else ""
        output = "\n".join((output, *re.findall(".*Could not fetch URL.*", logged)))
        found = ((re.search(pattern, output), reason) for pattern, reason in REASONS.items())
        raise PackagesError(next(reason.format(*match.groups()) for match, reason in found if match), output)
    (folder / "complete").touch()


def can_load(folder: Path, environ: dict[str, str], end: float) -> bool:
    """Tell whether packages can be loaded, in a separate process, since a damaged library can crash it."""
    load = f"import sys; sys.path.insert(0, {str(folder / 'packages')!r}); import pydantic, pydantic_core, requests"
    python = (*PYTHON, "-S", "-X", f"pycache_prefix={sys.pycache_prefix}", "-c", load)
    return run_child(python, environ, end)[0] == 0


def run_child(command: tuple[str, ...], environ: dict[str, str], end: float) -> tuple[int, str]:
    """Run a command until the time is up; return its exit status and output, or raise KeyboardInterrupt on a signal."""
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file)  # noqa: S603 - the interpreter that runs this
        while process.poll() is None:
            if SIGNAL_RECEIVED() or time.monotonic() > end:
                process.kill()
            time.sleep(0.02)
        file.seek(0)
        output = file.read().decode(errors="replace")
    if SIGNAL_RECEIVED():
        raise KeyboardInterrupt
    if process.returncode and time.monotonic() > end:
        output += "\npip timed out"
    return process.returncode, output


if __name__ == "__main__":
    main()
