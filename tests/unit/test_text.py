"""GitHub's Markdown around untrusted text, read by a parser: the text is nothing but text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.markdown import FILTERS, Page, rows, tokens
from support.untrusted_text import MARKDOWN_BAITS, untrusted

from onlineornot_action.onlineornot.models import ComponentStatus
from onlineornot_action.text import (
    JOINER,
    MAX_CELL_LENGTH,
    code,
    dot,
    escape_markdown,
    fence,
    normalize,
    normalize_newlines,
    one_line,
    quote_name,
    sanitize,
    strip_controls,
    table,
)

always = settings(deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The cause is found.", "`The cause is found.`"),
        ("a\nb\r\n\r\n  c\rd\te", "`a b c d e`"),
        (" \n a ", "`a`"),
        ("a `b` c", "`a 'b' c`"),
        ("a | b", "`a ¦ b`"),
        ("a\\", "`a\\`"),
        ("<b>&lt;@octocat #1 :smile:", "`<b>&lt;@octocat #1 :smile:`"),
        ("a\x00b\x1b[31mc\x1b[0m\u202ed\u2066e", "`abcde`"),
        ("Zurückgerollt 🛠", "`Zurückgerollt 🛠`"),
        ("🛠" * 200, f"`{'🛠' * 200}`"),
        ("🛠" * 201, f"`{'🛠' * 200}…`"),
        ("\n".join(["a"] * 100) + "\n" * 1000 + "\x00" * 1000, f"`{'a ' * 99}a`"),
        *((text, "") for text in ("", " ", "\n\r\n", "\x00", "\u202e\u2066", "\x1b[2K", "\u2028\u3000")),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_code_is_one_short_line_without_characters_that_could_end_it_or_nothing(text: str, shown: str) -> None:
    assert code(text) == shown


@always
@given(text=untrusted | st.sampled_from(MARKDOWN_BAITS).map("x{}".format), other=untrusted)
def test_code_shows_the_beginning_of_the_text_in_one_span_or_nothing_and_stays_in_its_cell(
    text: str, other: str
) -> None:
    markdown, said = code(text), re.sub(r"[\W_]", "", sanitize(text))
    row = [markdown, code(other), "c"]

    shown, in_table = re.sub(r"[\W_]", "", markdown), table([("A", "B", "C"), row, row])
    assert [kind for kind, _ in tokens(markdown)] in ([], ["paragraph_open", "code_inline", "paragraph_close"])
    assert not set(markdown[1:-1]) & set("`|\n\r\x00\u202e")
    assert said == shown or (len(markdown) == MAX_CELL_LENGTH + len("``…") and said.startswith(shown))
    assert rows(in_table) == [["A", "B", "C"], row, row]
    assert [line.count("|") for line in in_table.split("\n")] == [4] * 4
    assert {content for kind, content in tokens(in_table) if kind != "code_inline"} == {"", "A", "B", "C", "c"}


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Some payments fail. We look into it, e.g. at 2.5 %!", "Some payments fail. We look into it, e.g. at 2.5 %!"),
        ("a\nb\r\n\r\n  c\rd\te", "a<br>b<br><br>c<br>d e"),
        (" \n    a \n", "a"),
        ("*a* _b_ `c` ~d~ [e] \\", r"\*a\* \_b\_ \`c\` \~d\~ \[e\] \\"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        ("- a\n+ b\n= c\n# d\n1. e\n2) f\n> g", r"\- a<br>\+ b<br>\= c<br>\# d<br>1\. e<br>2\) f<br>\> g"),
        ("$x$", "<span>$</span>x<span>$</span>"),
        ("a\x00b\x1b[31mc\x1b[0m\u202ed\u2066e\ud800", "abcde?"),
        ("Zurückgerollt 🛠", "Zurückgerollt 🛠"),
        ("", ""),
        (" \u3000\n\x00", ""),
    ],
    ids=ascii,
)
def test_escaped_markdown_shows_the_text_on_one_line(text: str, markdown: str) -> None:
    assert escape_markdown(text) == markdown


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("@octocat @org/team", ["@", "octocat @", "org/team"]),
        ("me@example.com", ["me@", "example.com"]),
        ("https://x.de ftp://x.de", ["https:", "//x.de ftp:", "//x.de"]),
        ("www.x.de WWW.x.de", ["www", ".x.de WWW", ".x.de"]),
        (":+1: 14:30: x", [":", "+1: 14:", "30: x"]),
        ("GH-1 gh-2 JIRA-3", ["GH-", "1 gh-", "2 JIRA-", "3"]),
        ("GHSA-2345-6789", ["GHSA-", "2345-6789"]),
        ("a5c3785", ["a5c378", "5"]),
        ("A5C3785ED8D6A35868", ["A5C378", "5ED8D6", "A35868"]),
        ("well-known @ x # y", ["well-known @ x \\# y"]),
        ("#1 a/b#2", ["\\#", "1 a/b\\#", "2"]),
        ("[!NOTE]", ["\\[", "!NOTE\\]"]),
    ],
)
def test_a_joiner_separates_what_github_would_link(text: str, parts: list[str]) -> None:
    assert escape_markdown(text).split(JOINER) == parts


CONTEXTS = {"> {}": ["blockquote", "p"], "**{}** · x": ["p", "strong"], "### x: {}": ["h3"], "x {}, x": ["p"]}
"""Places for a text, and the elements that they consist of."""


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_a_bait_is_nothing_but_text_once_it_is_escaped(bait: str, context: str) -> None:
    pages = [Page(context.format(escape_markdown(text))) for text in (f"{bait}x", f"x{bait}")]

    assert [page.markup for page in pages] == [CONTEXTS[context]] * 2
    assert [FILTERS.search(page.text) for page in pages] == [None] * 2


@always
@given(text=untrusted.map("{}x".format), context=st.sampled_from(sorted(CONTEXTS)))
def test_escaped_markdown_shows_the_whole_text_and_is_nothing_but_text(text: str, context: str) -> None:
    markdown = escape_markdown(text)

    lines = map(one_line, sanitize(text).strip().encode(errors="replace").decode().split("\n"))
    page, shown = Page(context.format(markdown)), Page(f"> {markdown}").text.strip("\n")
    assert page.markup == CONTEXTS[context]
    assert FILTERS.search(page.text) is None
    assert not set(markdown) & set("\n\r\x00\u202e")
    assert shown.replace(JOINER, "") == "\n".join(lines).replace(JOINER, "")


@pytest.mark.parametrize(
    ("cells", "markdown"),
    [
        ([["A", "B"], ["", ""], ["c", "`d`<br>`e`"]], "| A | B |\n| --- | --- |\n|  |  |\n| c | `d`<br>`e` |"),
        ([["A", "B", "C"]], "| A | B | C |\n| --- | --- | --- |"),
    ],
    ids=["rows", "only a header"],
)
def test_a_table_has_one_line_for_the_header_and_for_each_row(cells: list[list[str]], markdown: str) -> None:
    assert table(iter(cells)) == markdown
    assert rows(markdown) == cells


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc", "```json\na\nb\nc\n```"),
        ("a\x00\x1b[31mb\u202e", "```json\nab\n```"),
        ("a`b", "```json\na`b\n```"),
        ("```", "````json\n```\n````"),
        ("a\n   `````  \nb", "``````json\na\n   `````  \nb\n``````"),
        ("```` ```\n````", "`````json\n```` ```\n````\n`````"),
        ("~~~\n~~~", "```json\n~~~\n~~~\n```"),
    ],
)
def test_a_fence_is_longer_than_any_run_of_backticks_in_the_text(text: str, shown: str) -> None:
    assert fence(text) == shown


@always
@given(text=untrusted)
def test_a_text_cannot_leave_its_fence(text: str) -> None:
    assert tokens(fence(text)) == [("fence", f"{sanitize(text)}\n")]


def test_every_line_end_becomes_a_line_feed() -> None:
    assert normalize_newlines("a\r\nb\rc\nd\n\r\r\n\ne") == "a\nb\nc\nd\n\n\n\ne"


def test_control_characters_and_bidirectional_controls_are_removed() -> None:
    codes = (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))

    assert strip_controls("".join(f"{chr(code)}a{chr(code)}{chr(code)}b" for code in codes)) == "ab" * len(codes)


@pytest.mark.parametrize(
    "text", ["tab\tand\nline", "👩\u200d💻", "क्\u200dष", "\u200ea\u200f", "e\u0301", "\xa0", "ü🛠", "\u2028"]
)
def test_invisible_characters_that_writing_systems_need_stay(text: str) -> None:
    assert strip_controls(text) == text


@pytest.mark.parametrize(
    ("written", "normalized"),
    [
        (" Payments \u00a0\t(card)\n", "payments (card)"),
        ("A\u3000B\u2009\u202fC", "a b c"),
        ("Caf\u00e9", "caf\u00e9"),
        ("CAFE\u0301", "caf\u00e9"),
        ("A &amp; B", "a & b"),
        ("A &#38; B &#x26; C &#X26; D", "a & b & c & d"),
        ("e&#769;", "\u00e9"),
        ("&nbsp;A&nbsp; B", "a b"),
        ("A &amp;amp; B", "a &amp; b"),
        ("&amp;nbsp;", "&nbsp;"),
        ("A &amp B &notit; &unknown; &; &#; &#x; & C", "a &amp b &notit; &unknown; &; &#; &#x; & c"),
        (f"&#{'9' * 5000};", None),
        ("", ""),
    ],
    ids=ascii,
)
def test_names_are_compared_without_complete_html_escapes_case_and_white_space(
    written: str, normalized: str | None
) -> None:
    assert normalized in (None, normalize(written))


def test_a_name_full_of_combining_marks_is_compared_quickly() -> None:
    assert len(normalize("a" + "\u0316\u0301" * 1_000_000)) < 600


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Payments  (card)", "'Payments  (card)'"),
        ("Payments\u00a0(card)", "'Payments\\xa0(card)'"),
        ("A\u200b\u00ad\U000e0020", "'A\\u200b\\xad\\U000e0020'"),
        ("A\n\tB\x1b[0m\r::error::", "'A\\n\\tB\\x1b[0m\\r::error::'"),
        ("A\ud800", "'A\\ud800'"),
        (" \N{FIRE} \u00c9t\u00e9 ", "' \N{FIRE} \u00c9t\u00e9 '"),
        ("x" * 300, f"'{'x' * 256}\u2026'"),
    ],
    ids=ascii,
)
def test_names_that_differ_are_quoted_differently(name: str, shown: str) -> None:
    assert quote_name(name) == shown


def test_every_status_of_a_component_has_a_color() -> None:
    assert "".join(map(dot, [*ComponentStatus, "ON_FIRE", None])) == "🟢🟡🟠🔴🔵⚪⚪⚪"
