"""docs/troubleshooting.md quotes messages as the code has them."""

import ast
import re
from collections.abc import Iterator

import pytest

from onlineornot_sandbox.local_step import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [
    message
    for cell in re.findall(r"^\| (`.*?`) \| (?!.*\|.*\|.*\|)", PAGE, re.MULTILINE)
    for message in re.findall("`(.*?)`", cell)
]


def texts() -> Iterator[str]:
    """Yield the strings of the code, with `…` for each inserted value."""
    for folder in ("src/onlineornot_action", "composite"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                if isinstance(node, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


CODE = "\n".join(texts())


@pytest.mark.parametrize("message", MESSAGES)
def test_every_part_of_a_quoted_message_is_in_the_code(message: str) -> None:
    parts = [part.strip(" :;,.") for part in message.split("…")]

    assert any(parts)
    assert [part for part in parts if part not in CODE] == []
