"""Markdown as a parser reads it: the tokens of a text, and the cells of its tables."""

from itertools import pairwise

from markdown_it import MarkdownIt

_COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable("table")


def tokens(markdown: str) -> list[tuple[str, str]]:
    """Return the tokens of a Markdown text in order: kind and content, or the address of a link."""
    parsed = _COMMONMARK.parse(markdown)
    flat = [each for token in parsed for each in (token.children if token.type == "inline" else [token]) or ()]
    return [(token.type, str(token.attrs.get("href", token.content))) for token in flat]


def skeleton(markdown: str) -> list[tuple[str, str]]:
    """Return the tokens without the content of inline code."""
    return [(kind, "" if kind == "code_inline" else content) for kind, content in tokens(markdown)]


def words_outside_of_code(markdown: str) -> set[str]:
    """Return all words but those in inline code."""
    return {word for kind, content in skeleton(markdown) if content for word in content.split()}


def rows(markdown: str) -> list[list[str]]:
    """Return the cells of all rows of all tables; the parser gives every row as many as the header has."""
    found: list[list[str]] = []
    for before, token in pairwise(_COMMONMARK.parse(markdown)):
        if token.type == "tr_open":
            found.append([])
        elif before.type in ("th_open", "td_open"):
            found[-1].append(token.content)
    return found


def borders(markdown: str) -> list[int]:
    """Return the number of borders in each line of a table, which the parser does not tell."""
    return [line.count("|") for line in markdown.split("\n") if line.startswith("|")]
