"""`docs/comparison.md` names only tests that exist, and lines of third-party code at a commit."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", PAGE)))
LINKS = sorted(set(re.findall(r"https://github\.com/\S+/(?:blob|tree|raw)/\S+", PAGE)))


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_every_test_that_the_comparison_names_exists(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("link", LINKS)
def test_every_link_to_third_party_code_has_a_commit_and_a_line(link: str) -> None:
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/[\w./@-]+#L\d+(-L\d+)?", link)


def test_every_reference_of_the_comparison_is_defined_and_every_definition_used() -> None:
    references = set(re.findall(r"\]\[([\w-]+)\]", PAGE))

    assert sorted(re.findall(r"^\[([\w-]+)\]: ", PAGE, re.MULTILINE)) == sorted(references)
