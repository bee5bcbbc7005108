"""Untrusted text made safe to show and to compare: control characters, quoting, truncation, Markdown; and names."""

import re
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_QUOTE_LENGTH = 60
"""Characters of a value that a message quotes."""

MAX_NAME_LENGTH = 256
"""Characters of a name that a message quotes: as many as a title may have."""

MAX_NORMALIZED_LENGTH = 512
"""Characters of a name that are compared. Normalising a text takes quadratic time if it is full of combining marks."""

MAX_CELL_LENGTH = 200
"""Characters of a text that a cell of a table shows."""

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and line feed, DEL, C1, and the bidirectional controls, which make a text look like another one.

Why the last are dangerous: https://trojansource.codes
"""

_TERMINAL_SEQUENCES = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)")
"""CSI sequences, such as colors, and OSC sequences, such as titles: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html"""

_HTML_ESCAPE = re.compile("&(?:#[0-9]{1,10}|#[xX][0-9A-Fa-f]{1,10}|[A-Za-z][A-Za-z0-9]{1,40});")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})

_LOOKALIKES = str.maketrans("`|", "'¦")
"""A backtick ends a code span, and a pipe ends a cell even inside one: https://github.github.com/gfm/#tables-extension-"""

JOINER = "\u2060"
"""A word joiner: invisible, neither a letter nor white space, and no place for a line to break."""

_LINKED = re.compile(
    r"[@#:](?=\S)|\[(?=!)|www(?=\.)|[a-z]-(?=[0-9])|GHSA-|(?!cceeded)[0-9a-f]{6}(?=[0-9a-f])", re.IGNORECASE | re.ASCII
)
"""Where GitHub might begin a link, a mention, an emoji or an alert, up to where a joiner prevents it.

GitHub looks for these in the rendered text, so escaping a character in the Markdown does not help, as GitHub itself
says of e-mail addresses: https://github.com/github/cmark-gfm/issues/278. A joiner, which Dependabot also puts into
mentions, stays in the rendered text and prevents a match.

- `@`: users, teams, e-mail addresses, `user@commit`:
  https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/mention_filter.rb
- `#1`, `GH-1`, `GHSA-…`, and 7 to 40 hexadecimal digits, of which at most six stay together, except the end of
  "succeeded". `JIRA-1` may be one, too:
  https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
- `https://…` and `www.…`: https://github.github.com/gfm/#autolinks-extension-
- `:smile:`: https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/emoji_filter.rb
- `[!NOTE]` at the beginning of a block quote:
  https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
"""

_MARKUP = re.compile(r"[\\`*_\[\]<>&~#|]|^[-+=]|(?<=[0-9])[.)](?=\s|$)")
"""What Markdown may take for markup, at the beginning of a line or anywhere, unless a backslash precedes it:
https://github.github.com/gfm/#backslash-escapes
"""

_DOLLAR = "<span>$</span>"
"""A dollar sign that begins no formula, and cannot be escaped with a backslash:
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions#writing-dollar-signs-in-line-with-and-within-mathematical-expressions
"""

_DOTS = {
    "OPERATIONAL": "🟢",
    "DEGRADED_PERFORMANCE": "🟡",
    "PARTIAL_OUTAGE": "🟠",
    "MAJOR_OUTAGE": "🔴",
    "MAINTENANCE": "🔵",
}


def normalize_newlines(text: str) -> str:
    """End every line with LF."""
    return re.sub("\r\n?", "\n", text)


def strip_controls(text: str) -> str:
    """Remove whole terminal escape sequences, and every other control character."""
    return CONTROL_CHARACTERS.sub("", _TERMINAL_SEQUENCES.sub("", text))


def sanitize(text: str) -> str:
    """Prepare an untrusted text for display: LF at the end of lines, no control characters."""
    return strip_controls(normalize_newlines(text))


def shorten(text: str, length: int) -> str:
    """Cut a text that is longer than `length` characters, and add an ellipsis."""
    return text if len(text) <= length else f"{text[:length]}…"


def one_line(text: str) -> str:
    """Replace each run of white space, line breaks included, with one space."""
    return " ".join(text.split())


def quote(value: str) -> str:
    """Quote a value for a message: on one line, without lone surrogates, and shortened."""
    return f"'{shorten(one_line(value).encode(errors='replace').decode(), MAX_QUOTE_LENGTH)}'"


def quote_name(name: str) -> str:
    """Quote a name so that two names that differ also look different: invisible characters show as their codes."""
    return f"'{shorten(''.join(map(_visible, name)), MAX_NAME_LENGTH)}'"


def _visible(character: str) -> str:
    if character == " " or unicodedata.category(character) not in _INVISIBLE_CATEGORIES:
        return character
    return character.encode("ascii", "backslashreplace").decode() if character > "\x7f" else repr(character)[1:-1]


def normalize(name: str) -> str:
    """Return the form in which names and titles are compared.

    HTML escapes are undone, the text is brought to NFC and case-folded, and each run of white space, no-break spaces
    included, becomes one space, or nothing at the ends.
    """
    text = unescape_html(name[: 8 * MAX_NORMALIZED_LENGTH])[:MAX_NORMALIZED_LENGTH]
    return one_line(unicodedata.normalize("NFC", text).casefold())


def unescape_html(text: str) -> str:
    """Undo HTML escapes once, but only complete ones: `html.unescape` takes even the `&not` in `&notice` for one."""
    if "&" not in text:
        return text
    import html  # noqa: PLC0415 - two thousand names that few texts need
    from html.entities import html5  # noqa: PLC0415 - likewise

    def character(match: re.Match[str]) -> str:
        escape = match[0]
        return html.unescape(escape) if escape[1] == "#" else html5.get(escape[1:], escape)

    return _HTML_ESCAPE.sub(character, text)


def kebab(field_name: str) -> str:
    """Return the name of an input or output, as a workflow writes it, from the name of its field."""
    return field_name.replace("_", "-")


def code(text: str) -> str:
    """Format a text as one line of inline code, without characters that could end the code or its table cell."""
    line = one_line(sanitize(text)).translate(_LOOKALIKES)
    return f"`{shorten(line, MAX_CELL_LENGTH)}`" if line else ""


def escape_markdown(text: str) -> str:
    """Turn a text into one line of GitHub's Markdown that shows it and nothing else: no markup, mention, link or emoji.

    Its lines end with `<br>`, so that only the first one could begin a block. Runs of white space become one space, as
    HTML shows them.
    """
    shown = sanitize(text).strip().encode(errors="replace").decode()
    return "<br>".join(_escape_line(one_line(line)) for line in shown.split("\n"))


def _escape_line(line: str) -> str:
    joined = _LINKED.sub(rf"\g<0>{JOINER}", line)
    return _MARKUP.sub(r"\\\g<0>", joined).replace("$", _DOLLAR)


def component_line(name: str | None, before: str | None, after: str | None) -> str:
    """Format a component and its status, before and after, as a line of Markdown; without `before`, only the latter."""

    def shown(text: str | None) -> str:
        return escape_markdown(shorten(one_line(text or ""), MAX_NAME_LENGTH)) or "?"

    change = f"{shown(before)} → {shown(after)}" if before else shown(after)
    return f"{dot(after)} {shown(name)}: {change}"


def dot(status: str | None) -> str:
    """Return the color of a component's status."""
    return _DOTS.get(status or "", "⚪")


def table(rows: Iterable[Sequence[str]]) -> str:
    """Format rows of Markdown cells as a table; the first row is the header."""
    head, *others = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *others))


def fence(json: str) -> str:
    """Format JSON as a code block, whose fence is longer than any run of backticks in it.

    Only a fence at least as long ends the block: https://github.github.com/gfm/#fenced-code-blocks
    """
    shown = sanitize(json)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}json\n{shown}\n{marks}"


def locate_defect(error: Exception) -> str:
    """Name an unexpected exception and where it was raised; its message is left out, since it could hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"
