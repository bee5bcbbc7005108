"""The environment, read once: the inputs, the secrets among them, and what the runner says about itself.

Imports only the standard library, since the composite action needs this module before it has packages.

Sources:
    The runner's variables: https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    Those of inputs: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputs
    Those of certificates: https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification,
        https://docs.openssl.org/master/man3/X509_get_default_cert_file/ and
        https://nodejs.org/api/cli.html#node_extra_ca_certsfile
"""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from onlineornot_action.masking import MIN_SECRET_LENGTH

PREFIX = "INPUT_"
TOKEN_VARIABLE = "ONLINEORNOT_API_TOKEN"  # noqa: S105 - the name of a variable
EXTRA_CA_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""Node ignores this variable if its file does not exist, so workflows may name one that does not."""
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", EXTRA_CA_VARIABLE)

_MISSING = (
    "names a path that does not exist where the action runs; put the certificates into the workspace, which is "
    "/github/workspace where the action runs in a container, or unset the variable."
)
_EMPTY = "names a file without a valid certificate; it must be a text file in PEM format."
_BEARER = "Bearer "


class Certificates(NamedTuple):
    """The files and folders with certificates that the environment names, and what is wrong with them."""

    paths: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Certificates":
        """Read the variables, which other programs read as well."""
        named = {variable: path for variable in CA_VARIABLES if (path := environ.get(variable))}
        # Unlike Path.exists, os.path.exists accepts any text.
        existing = {variable: path for variable, path in named.items() if os.path.exists(path)}  # noqa: PTH110
        missing = {variable: f"{variable} {_MISSING}" for variable in named.keys() - existing}
        warning = missing.pop(EXTRA_CA_VARIABLE, "")
        empty = [f"{variable} {_EMPTY}" for variable, path in existing.items() if not _has_certificate(path)]
        problems = (*sorted(missing.values()), *empty)
        return cls(tuple(dict.fromkeys(existing.values())), problems, (warning,) if warning else ())


class GitHubVariables(NamedTuple):
    """The runner's variables `GITHUB_*`, named without that prefix; empty when not set."""

    api_url: str
    event_name: str
    event_path: str
    output: str
    repository: str
    run_attempt: str
    run_id: str
    server_url: str
    sha: str
    step_summary: str
    workspace: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "GitHubVariables":
        """Read the variables."""
        return cls(**{name: environ.get(f"GITHUB_{name.upper()}", "") for name in cls._fields})

    @property
    def is_rerun(self) -> bool:
        """Whether the job is run again, so that an earlier attempt may have posted already."""
        return re.fullmatch("[0-9]{1,9}", self.run_attempt) is not None and int(self.run_attempt) > 1

    @property
    def run_url(self) -> str:
        """The address of the workflow run; empty when unknown."""
        url = f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"
        return url if re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/[0-9]+", url, re.ASCII) else ""


class Environment(NamedTuple):
    """What the environment says."""

    inputs: Mapping[str, str]  # the text of each input that has a variable, known or not, by its name
    ambiguous: frozenset[str]  # the inputs that have two variables with different values
    api_token: str  # valid or not, without the word Bearer, which the request adds
    has_bearer_prefix: bool
    secrets: tuple[str, ...]  # every token, valid or not, except expressions that GitHub has not evaluated
    allow_http: bool
    certificates: Certificates
    proxy_variables: tuple[str, ...]  # the names of the variables that set proxies, as they are written
    github: GitHubVariables
    on_github: bool  # whether GitHub's runner, or a compatible one, has started the process
    runner_temp: Path | None
    wants_color: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Environment":
        """Read the variables of a process."""
        on_github = environ.get("GITHUB_ACTIONS") == "true"
        inputs = _read_inputs(environ, on_github=on_github)
        api_tokens = [*inputs.get("api-token", ()), environ.get(TOKEN_VARIABLE, "").strip()]
        api_token = next(filter(None, api_tokens), "")
        runner_temp = Path(environ.get("RUNNER_TEMP", ""))
        return cls(
            inputs={name: next(iter(values), "") for name, values in inputs.items()},
            ambiguous=frozenset(name for name, values in inputs.items() if len(values) > 1),
            api_token=_without_bearer(api_token),
            has_bearer_prefix=api_token.startswith(_BEARER),
            secrets=_find_secrets(environ),
            allow_http=environ.get("ONLINEORNOT_ALLOW_HTTP") == "true",
            certificates=Certificates.of(environ),
            proxy_variables=tuple(name for name, value in environ.items() if value and name.lower().endswith("_proxy")),
            github=GitHubVariables.of(environ),
            on_github=on_github,
            runner_temp=runner_temp if runner_temp.is_absolute() else None,
            # https://no-color.org; TERM is set wherever the sequences of ANSI are understood
            wants_color=not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb",
        )

    def name_of(self, name: str) -> str:
        """Name an input as it is written where the action runs: in a workflow, or on a command line."""
        return name if self.on_github else f"--{name}"

    def assign(self, name: str, value: str) -> str:
        """Write an input with its value in the same way."""
        return f"{name}: {value}" if self.on_github else f"--{name} {value}"

    def with_inputs(self, inputs: Mapping[str, str]) -> "Environment":
        """Return the environment with these inputs in place of its own."""
        return self._replace(inputs={**self.inputs, **inputs}, ambiguous=self.ambiguous - inputs.keys())


def variable_of(name: str) -> str:
    """Return the variable that the runner sets for an input."""
    return f"{PREFIX}{name.upper()}"


def _read_inputs(environ: Mapping[str, str], *, on_github: bool) -> dict[str, list[str]]:
    """Return the distinct texts of each input, from the runner's variable, then from the same one with underscores.

    GitLab can set only the latter. On GitHub it does not count, since an earlier step may have left it behind.
    """
    inputs: dict[str, list[str]] = {}
    for variable in sorted(environ):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX).lower()
            values = inputs.setdefault(name if on_github else name.replace("_", "-"), [])
            if (value := environ[variable].strip()) and value not in values:
                values.append(value)
    return inputs


def _without_bearer(token: str) -> str:
    # Bearer alone is what remains of "Bearer ${{ secrets.X }}" where the secret is empty.
    return "" if token == _BEARER.strip() else token.removeprefix(_BEARER).strip()


def _find_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    inputs = _read_inputs(environ, on_github=False)
    api_tokens = (*inputs.get("api-token", ()), environ.get(TOKEN_VARIABLE, "").strip())
    tokens = (*map(_without_bearer, api_tokens), *inputs.get("github-token", ()))
    return tuple(token for token in dict.fromkeys(tokens) if len(token) >= MIN_SECRET_LENGTH and "${{" not in token)


def _has_certificate(path: str) -> bool:
    """Tell whether OpenSSL finds a certificate in a file. Folders are not checked."""
    if not Path(path).is_file():
        return Path(path).is_dir()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except OSError:
        return False
    return context.cert_store_stats()["x509"] > 0
