"""Where people see the workflow run."""

import re
from collections.abc import Mapping


def find_run_url(environ: Mapping[str, str]) -> str:
    """Return the address of the workflow run; empty when the runner's variables do not say it.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run_id = (environ.get(name, "") for name in names)
    url = f"{server}/{repository}/actions/runs/{run_id}"
    return url if re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/[0-9]+", url, re.ASCII) else ""
