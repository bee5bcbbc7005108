"""Text that is meant to be mistaken for markup or commands, for property tests."""

from hypothesis import strategies as st

RUNNER_BAITS = (
    *("::", "::error::x", " ::error::x", "\u3000::error::x", "::add-mask::", "::notice title=x::"),
    *("::stop-commands::x", "##[", "##[error]x", "##", "[", "##vso[task.complete]x", "vso[", "##teamcity[x]"),
    *("\r", "\n", "\r\n", "\x0b", "\x1c", "\x85", "\u2028", " ", "\t", "\u3000", "\x00", "\x1b[2K", "\x9b", "\u202e"),
    *("%", "%0A", "%0D", "%25", "%3A", "=", "<<", "x=y", "a<<b", "`", "```", "|", "\\", "<b>", "\ud800", "\U0001f6e0"),
)
"""What GitHub's runner, or another CI system, might take for a command or an output."""

MARKDOWN_BAITS = (
    *("|", "||", "\\|", "| x |", "\n| --- |\n", "`", "``", "```", "\\`", "\\", "\\\\", "` | `", "~~~", "\n```\n"),
    *("<!-- -->", "<!--", "-->", "<script>", "</script>", "</td>", "</table>", "<br>", "<b>", "<?php", "<![CDATA["),
    *("<!-- onlineornot-incident-update page=page1234 incident=incident1234 -->",),
    *("@octocat", "@org/team", "#1", "org/repository#1", "GH-1", ":smile:", "$x$", "$$", "[^1]", "&lt;", "&#64;"),
    *(":+1:", "user@deadbeef", "a5c3785ed8d6a35868bc169f07e40e889087fd2e", "GHSA-2345-6789-cfgh"),
    *("[!NOTE]", "[!NOTE]\n"),
    *("ftp://example.com", "mailto:me@example.com", "$`x`$", "x\n===", "+ x", "1) x", "x #", "x  \ny"),
    *("https://example.com/", "www.example.com", "me@example.com", "<https://example.com>"),
    *("[x](https://example.com)", "![x](https://example.com)", "[x][y]", "\n[y]: https://example.com\n"),
    *("\n# x\n", "\n> x\n", "\n- [ ] x\n", "\n1. x\n", "\n---\n", "\n===\n", "**", "__", "~~", "\n    x\n", "\n\n"),
    *("\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\u2029", "\t", " ", "\xa0", "\x00", "\x1b[2K", "\x1b"),
    *("\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\ud800", "\udc00", "🛠", "👩‍💻", "é"),
)
"""What GitHub's Markdown or a reader might take for more than text."""

texts = st.lists(st.sampled_from(RUNNER_BAITS) | st.characters(exclude_categories=()), max_size=12).map("".join)
"""Any text, lone surrogates included, full of what the runner knows."""

untrusted = st.lists(st.sampled_from(MARKDOWN_BAITS) | texts, max_size=8).map("".join)
"""Any text, full of what Markdown knows as well; it may be blank."""
