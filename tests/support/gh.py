"""A stand-in for GitHub's command line: keeps branches, tags, commits and releases in a file.

    gh api PATH [--method M] [--input -]
    gh release create TAG FILES… --verify-tag --title TITLE --notes-file -

It runs as a program of its own, found on PATH; the variable GH_STATE names the file.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("GH_STATE", ""))


def main() -> None:
    """Run one command."""
    state = json.loads(STATE.read_text(encoding="utf-8"))
    text = sys.stdin.read()
    result = _release(state, sys.argv[3:], text) if sys.argv[1] == "release" else _api(state, sys.argv[2:], text)
    STATE.write_text(json.dumps(state), encoding="utf-8")
    if result is None:
        sys.exit("gh: Not Found (HTTP 404)")
    sys.stdout.write(json.dumps(result))


def _release(state: dict[str, Any], arguments: list[str], text: str) -> dict[str, Any]:
    tag, *files = arguments[: arguments.index("--verify-tag")]
    state["releases"][tag] = {"notes": text, "files": [Path(file).name for file in files]}
    return {}


def _api(state: dict[str, Any], arguments: list[str], text: str) -> object:
    path = arguments[0].split("/", 3)[3]
    if text:
        return _write(state, path, json.loads(text))
    kind, _, name = path.removeprefix("git/").partition("/")
    if kind == "releases":
        return state["releases"].get(name.removeprefix("tags/"))
    if kind == "ref":
        return {"object": {"sha": state["refs"][name]}} if name in state["refs"] else None
    commit = state["commits"][name]
    return {"sha": name, "tree": {"sha": commit["tree"]}, "parents": [{"sha": each} for each in commit["parents"]]}


def _write(state: dict[str, Any], path: str, body: dict[str, Any]) -> object:
    kind, _, name = path.removeprefix("git/").partition("/")
    if kind == "refs":
        state["refs"][name or body["ref"].removeprefix("refs/")] = body["sha"]
        return {}
    sha = hashlib.sha1(json.dumps(body).encode(), usedforsecurity=False).hexdigest()
    state[kind][sha] = body
    return {"sha": sha}


if __name__ == "__main__":
    main()
