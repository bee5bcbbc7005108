"""Markdown as a parser reads it, and text that tries to be more than text."""

from itertools import pairwise

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.runner_model import texts

BAITS = (
    *("|", "||", "\\|", "| x |", "\n| --- |\n", "`", "``", "```", "\\`", "\\", "\\\\", "` | `", "~~~", "\n```\n"),
    *("<!-- -->", "<!--", "-->", "<script>", "</script>", "</td>", "</table>", "<br>", "<b>", "<?php", "<![CDATA["),
    *("<!-- onlineornot-incident-update page=page1234 incident=incident1234 -->",),
    *("@octocat", "@org/team", "#1", "org/repository#1", "GH-1", ":smile:", "$x$", "$$", "[^1]", "&lt;", "&#64;"),
    *("https://example.com/", "www.example.com", "me@example.com", "<https://example.com>"),
    *("[x](https://example.com)", "![x](https://example.com)", "[x][y]", "\n[y]: https://example.com\n"),
    *("\n# x\n", "\n> x\n", "\n- [ ] x\n", "\n1. x\n", "\n---\n", "\n===\n", "**", "__", "~~", "\n    x\n", "\n\n"),
    *("\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\u2029", "\t", " ", "\xa0", "\x00", "\x1b[2K", "\x1b"),
    *("\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\ud800", "\udc00", "🛠", "👩‍💻", "é"),
)
"""Pieces that GitHub or a reader might take for more than text."""

untrusted = st.lists(st.sampled_from(BAITS) | texts, max_size=8).map("".join)
"""Untrusted text, which may be blank."""

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
