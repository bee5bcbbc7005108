"""Third-party actions are pinned to a commit that was looked up, the same everywhere.

The table of commits lies beside the checkout and is not part of it. Where it is missing, the test against it is
skipped; it fails if the environment has REQUIRE_CONTRACT=1.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT.parent / "shared" / "release.md"
WORKFLOWS = [*(ROOT / ".github" / "workflows").glob("*.yml"), *(ROOT / "examples").glob("*.yml")]
FILES = sorted([*WORKFLOWS, ROOT / "action.yml", ROOT / "composite" / "action.yml", ROOT / "README.md"])
Use = tuple[str, str, str]
"""An action of somebody else, as a line of a file uses it: file, action, and the rest of the line."""
USES = re.compile(r"^\s*(?:- )?uses:\s*(?P<action>[^\s@]+)(?P<pin>.*)$", re.MULTILINE)
ROW = re.compile(r"^\| (\S+) \| `([0-9a-f]{40})` \| (\S+) \|$", re.MULTILINE)
OUR_ACTIONS = ("/onlineornot-incident-update", "/onlineornot-incident-update/composite")


def uses_in(path: Path) -> Iterator[Use]:
    for found in USES.finditer(path.read_text(encoding="utf-8")):
        if not found["action"].startswith("./") and not found["action"].endswith(OUR_ACTIONS):
            yield path.name, found["action"], found["pin"]


ALL_USES = [use for path in FILES for use in uses_in(path)]


def pins() -> dict[str, set[str]]:
    """Return how each repository is pinned."""
    found = defaultdict(set)
    for _, action, pin in ALL_USES:
        found["/".join(action.split("/")[:2])].add(pin)
    return found


def pins_looked_up() -> dict[str, str]:
    """Read the table, or skip the test."""
    if TABLE.exists():
        rows = ROW.findall(TABLE.read_text(encoding="utf-8"))
        return {repository: f"@{commit} # {version}" for repository, commit, version in rows}
    if os.environ.get("REQUIRE_CONTRACT") == "1":
        raise FileNotFoundError(f"REQUIRE_CONTRACT=1, but there is no {TABLE}")
    pytest.skip("the table of commits is not there: ../shared/release.md")


def test_a_third_party_action_is_pinned_to_the_same_full_commit_with_its_version_everywhere() -> None:
    assert {"ci.yml", "deploy.yml"} <= {file for file, _, _ in ALL_USES}
    assert [use for use in ALL_USES if not re.fullmatch(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+", use[2])] == []
    assert {repository: found for repository, found in pins().items() if len(found) > 1} == {}


def test_every_commit_is_one_that_was_looked_up() -> None:
    known = pins_looked_up()

    assert {repository: found for repository, found in pins().items() if found != {known.get(repository)}} == {}
