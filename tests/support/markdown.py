"""Markdown as a parser reads it: the tokens of a text, the cells of its tables, and the page that it becomes."""

import re
from html.parser import HTMLParser
from itertools import pairwise

from markdown_it import MarkdownIt

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

FILTERS = re.compile(
    r"""
    (?:^|\W)@[a-z0-9]             # a user or a team
    | [a-z0-9.+_-]+@[a-z0-9_-]    # an e-mail address, or a commit of a user
    | (?:https?|ftp)://           # an address
    | www\.
    | :[\w+-]+:                   # an emoji
    | \#[0-9]                     # an issue
    | \bGH-[0-9]
    | \bGHSA-[a-z0-9]
    | [0-9a-f]{7}                 # a commit
    | ^\[!                        # an alert
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII | re.MULTILINE,
)
"""What GitHub looks for in the text of a page, or a little more than that.

- https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/mention_filter.rb
- https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/emoji_filter.rb
- https://github.github.com/gfm/#autolinks-extension-
- https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
- https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
"""


class Page(HTMLParser):
    """The page that a Markdown text becomes.

    Attributes:
        tags: The elements in their order.
        links: Where its links lead.
        text: Its text outside of code, with its line breaks.
    """

    def __init__(self, markdown: str) -> None:
        """Render and read the text."""
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""
        self._in_code = False
        self.feed(COMMONMARK.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        self.text += "\n" if tag == "br" else ""
        self._in_code = tag == "code"

    def handle_endtag(self, tag: str) -> None:
        """Leave the code."""
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += "" if self._in_code else data

    def handle_comment(self, data: str) -> None:
        """Keep a comment, a declaration or an instruction as an element."""
        self.tags.append(f"!{data}")

    unknown_decl = handle_pi = handle_comment

    @property
    def markup(self) -> list[str]:
        """Return the elements except those with which a text is escaped."""
        return [tag for tag in self.tags if tag not in ("br", "span")]


def tokens(markdown: str) -> list[tuple[str, str]]:
    """Return the tokens of a Markdown text in order: kind and content, or the address of a link."""
    parsed = COMMONMARK.parse(markdown)
    flat = [each for token in parsed for each in (token.children if token.type == "inline" else [token]) or ()]
    return [(token.type, str(token.attrs.get("href", token.content))) for token in flat]


def rows(markdown: str) -> list[list[str]]:
    """Return the cells of all rows of all tables; the parser gives every row as many as the header has."""
    found: list[list[str]] = []
    for before, token in pairwise(COMMONMARK.parse(markdown)):
        if token.type == "tr_open":
            found.append([])
        elif before.type in ("th_open", "td_open"):
            found[-1].append(token.content)
    return found
