"""GitHub's Markdown around untrusted text, read by a parser: the text is nothing but text."""

import re

import pytest
from hypothesis import given, settings
from support.markdown import borders, rows, skeleton, tokens, words_outside_of_code
from support.untrusted_text import MARKDOWN_BAITS, untrusted

from onlineornot_action.text import (
    MAX_CELL_LENGTH,
    code,
    fence,
    kebab,
    normalize_newlines,
    plain,
    strip_controls,
    table,
)

always = settings(deadline=None, derandomize=True)


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The cause is found.", "`The cause is found.`"),
        ("a\nb\r\n\r\n  c\rd\te", "`a b c d e`"),
        (" \n a ", "`a`"),
        ("a `b` c", "`a 'b' c`"),
        ("``a", "`''a`"),
        ("a | b", "`a ¦ b`"),
        ("a\\|b", "`a\\¦b`"),
        ("a\\", "`a\\`"),
        ("\\`", "`\\'`"),
        ("<b>&lt;@octocat #1 :smile:", "`<b>&lt;@octocat #1 :smile:`"),
        ("a\x00b\x1b[31mc\x1b[0m\u202ed\u2066e", "`abcde`"),
        ("Zurückgerollt 🛠", "`Zurückgerollt 🛠`"),
    ],
)
def test_code_is_one_line_without_characters_that_could_end_it(text: str, shown: str) -> None:
    assert code(text) == shown


@pytest.mark.parametrize("text", ["", " ", "\n\r\n", "\x00", "\u202e\u2066", "\x1b[2K", "\u2028\u3000"])
def test_a_text_that_shows_nothing_yields_no_code(text: str) -> None:
    assert code(text) == ""


def test_a_text_of_200_characters_is_not_cut() -> None:
    assert code("🛠" * 200) == f"`{'🛠' * 200}`"


def test_a_longer_text_is_cut_and_ends_with_an_ellipsis() -> None:
    assert code("🛠" * 201) == f"`{'🛠' * 200}…`"


def test_characters_are_counted_as_they_are_shown() -> None:
    assert code("\n".join(["a"] * 100) + "\n" * 1000 + "\x00" * 1000) == f"`{'a ' * 99}a`"


def test_the_length_of_code_can_be_limited() -> None:
    assert code("abcdef", 5) == "`abcde…`"


@pytest.mark.parametrize("bait", MARKDOWN_BAITS)
def test_a_bait_is_one_span_of_code(bait: str) -> None:
    shown = skeleton(code(f"x{bait}"))

    assert shown == [("paragraph_open", ""), ("code_inline", ""), ("paragraph_close", "")]


@always
@given(text=untrusted)
def test_code_is_one_span_or_nothing(text: str) -> None:
    markdown = code(text)

    assert skeleton(markdown) in ([], [("paragraph_open", ""), ("code_inline", ""), ("paragraph_close", "")])
    assert not set(markdown[1:-1]) & set("`|\n\r\x00\u202e")
    assert len(markdown) <= MAX_CELL_LENGTH + len("``…")


@always
@given(text=untrusted)
def test_code_shows_the_beginning_of_the_text(text: str) -> None:
    said = letters(plain(text))

    shown = letters(code(text, 50))

    assert said == shown or (len(code(text, 50)) == 50 + len("``…") and said.startswith(shown))


def test_a_table_has_one_line_for_the_header_and_for_each_row() -> None:
    markdown = table([("Time", "Text"), ("14:00", "`a`"), ("", "`b`<br>`c`")])

    assert markdown == "| Time | Text |\n| --- | --- |\n| 14:00 | `a` |\n|  | `b`<br>`c` |"
    assert rows(markdown) == [["Time", "Text"], ["14:00", "`a`"], ["", "`b`<br>`c`"]]


def test_a_table_can_be_made_from_an_iterator() -> None:
    assert table(iter([("A",), ("b",)])) == "| A |\n| --- |\n| b |"


def test_a_table_may_have_a_header_only() -> None:
    assert rows(table([("A", "B", "C")])) == [["A", "B", "C"]]


def test_a_row_of_empty_cells_does_not_end_a_table() -> None:
    assert rows(table([("A", "B"), ("", ""), ("c", "d")])) == [["A", "B"], ["", ""], ["c", "d"]]


@always
@given(text=untrusted, other=untrusted)
def test_untrusted_text_as_code_stays_in_its_cell(text: str, other: str) -> None:
    row = [code(text), code(other), "c"]

    markdown = table([("A", "B", "C"), row, row])

    assert rows(markdown) == [["A", "B", "C"], row, row]
    assert borders(markdown) == [4] * 4
    assert words_outside_of_code(markdown) == {"A", "B", "C", "c"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("text", "```text\ntext\n```"),
        ("a\r\nb\rc", "```text\na\nb\nc\n```"),
        ("a\x00\x1b[31mb\u202e", "```text\nab\n```"),
        ("a`b", "```text\na`b\n```"),
        ("```", "````text\n```\n````"),
        ("a\n   `````  \nb", "``````text\na\n   `````  \nb\n``````"),
        ("```` ```\n````", "`````text\n```` ```\n````\n`````"),
        ("~~~\n~~~", "```text\n~~~\n~~~\n```"),
    ],
)
def test_a_fence_is_longer_than_any_run_of_backticks_in_the_text(text: str, shown: str) -> None:
    assert fence(text) == shown


def test_a_fence_names_the_language() -> None:
    assert fence("{}", "json") == "```json\n{}\n```"


@always
@given(text=untrusted)
def test_a_text_cannot_leave_its_fence(text: str) -> None:
    assert tokens(fence(text)) == [("fence", f"{plain(text)}\n")]


@pytest.mark.parametrize(
    ("text", "normalized"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\n\r\r\n\nb", "a\n\n\n\nb"), ("a\nb", "a\nb")]
)
def test_every_line_end_becomes_a_line_feed(text: str, normalized: str) -> None:
    assert normalize_newlines(text) == normalized


@pytest.mark.parametrize(
    "character",
    [*map(chr, (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))],
    ids=ascii,
)
def test_control_characters_and_bidirectional_controls_are_removed(character: str) -> None:
    assert strip_controls(f"{character}a{character}{character}b") == "ab"


@pytest.mark.parametrize(
    "text", ["tab\tand\nline", "👩\u200d💻", "क्\u200dष", "\u200ea\u200f", "e\u0301", "\xa0", "ü🛠", "\u2028"]
)
def test_invisible_characters_that_writing_systems_need_stay(text: str) -> None:
    assert strip_controls(text) == text


@pytest.mark.parametrize(("field", "name"), [("update_id", "update-id"), ("status", "status")])
def test_inputs_and_outputs_are_named_in_kebab_case(field: str, name: str) -> None:
    assert kebab(field) == name
