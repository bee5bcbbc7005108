"""No link in the README or in the documents is dead, and `docs/comparison.md` names what exists."""

import re
from pathlib import Path

import pytest
from support.documents import PATHS

from onlineornot_sandbox.local_step import ROOT


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall("^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    texts = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w -]", "", text.casefold()).replace(" ", "-") for text in texts}


def links_of(path: Path) -> list[str]:
    """Return what a page links to in this repository, pictures included."""
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    return [link for link in links if not re.match("https?:", link)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_within_the_repository_is_dead(path: Path) -> None:
    targets = [(link, *link.partition("#")[::2]) for link in links_of(path)]
    files = {link: (path.parent / name if name else path).resolve() for link, name, _ in targets}

    assert [link for link, file in files.items() if not file.exists()] == []
    assert [link for link, _, anchor in targets if anchor and anchor not in anchors_of(files[link])] == []


COMPARISON = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")


def test_every_test_that_the_comparison_names_exists() -> None:
    named = set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", COMPARISON))

    assert named
    missing = [name for file, name in named if f"\ndef {name}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert missing == []


def test_every_link_to_third_party_code_has_a_commit_and_a_line() -> None:
    links = re.findall(r"https://github\.com/\S+/(?:blob|tree|raw)/\S+", COMPARISON)
    exact = r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/[\w./@-]+#L\d+(-L\d+)?"

    assert links
    assert [link for link in links if not re.fullmatch(exact, link)] == []


def test_every_reference_of_the_comparison_is_defined_and_every_definition_used() -> None:
    references = set(re.findall(r"\]\[([\w-]+)\]", COMPARISON))

    assert sorted(re.findall(r"^\[([\w-]+)\]: ", COMPARISON, re.MULTILINE)) == sorted(references)
