"""The variables of the environment as they are written: which there are for an input, and which texts are secrets.

Without pydantic, so that this can be asked before that is installed.
"""

import re
from collections.abc import Iterable, Mapping

from onlineornot_action.text import MIN_SECRET_LENGTH

TOKEN_VARIABLE = "ONLINEORNOT_API_TOKEN"  # noqa: S105 - the name of a variable
PREFIX = "INPUT_"

_BEARER = "Bearer "


def is_on_github(environ: Mapping[str, str]) -> bool:
    """Tell whether GitHub's runner, or one that is compatible with it, has started the process.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    return environ.get("GITHUB_ACTIONS") == "true"


def variable_of(name: str) -> str:
    """Return the variable that the runner sets for an input.

    https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputs
    """
    return f"{PREFIX}{name.upper()}"


def has_inputs(environ: Mapping[str, str]) -> bool:
    """Tell whether there is a variable for any input."""
    return any(variable.startswith(PREFIX) for variable in environ)


def find_value(environ: Mapping[str, str], name: str) -> str:
    """Return what a variable says of an input; empty when none does."""
    return next(iter(find_values(environ, name)), "")


def find_values(environ: Mapping[str, str], name: str) -> list[str]:
    """Return what the variables say of an input: the runner's, and the one that a shell and GitLab can set as well."""
    variable = variable_of(name)
    values = (environ.get(spelling, "").strip() for spelling in (variable, variable.replace("-", "_")))
    return list(dict.fromkeys(filter(None, values)))


def find_token(environ: Mapping[str, str]) -> str:
    """Return the API token, valid or not, without the word Bearer; empty when there is none."""
    return _without_bearer(_token_as_written(environ))


def has_bearer_prefix(environ: Mapping[str, str]) -> bool:
    """Tell whether the API token was given with the word Bearer, which the request adds by itself."""
    return _token_as_written(environ).startswith(_BEARER)


def find_secrets(environ: Mapping[str, str]) -> list[str]:
    """Return every token that was given, valid or not, except expressions that GitHub has not evaluated."""
    written = (_token_as_written(environ), *find_values(environ, "api-token"), environ.get(TOKEN_VARIABLE, "").strip())
    api_tokens = map(_without_bearer, written)
    tokens = dict.fromkeys((*api_tokens, *find_values(environ, "github-token")))
    return [token for token in tokens if len(token) >= MIN_SECRET_LENGTH and "${{" not in token]


def find_proxy_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the variables that set proxies, as they are written."""
    return tuple(name for name, value in environ.items() if value and name.lower().endswith("_proxy"))


def find_run_url(environ: Mapping[str, str]) -> str:
    """Return the address of the workflow run; empty when the runner's variables do not say it.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run_id = (environ.get(name, "") for name in names)
    url = f"{server}/{repository}/actions/runs/{run_id}"
    return url if re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/[0-9]+", url, re.ASCII) else ""


def redact(value: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a value that a message may quote, before it is shortened."""
    for secret in secrets:
        value = value.replace(secret, "***")
    return value


def _token_as_written(environ: Mapping[str, str]) -> str:
    return find_value(environ, "api-token") or environ.get(TOKEN_VARIABLE, "").strip()


def _without_bearer(token: str) -> str:
    # Bearer alone is what remains of "Bearer ${{ secrets.X }}" where the secret is empty.
    return "" if token == _BEARER.strip() else token.removeprefix(_BEARER).strip()
