"""The text that customers read: which files it may come from, and which texts are refused."""

import io
import os
from pathlib import Path

import pytest

from onlineornot_action.inputs.description import MAX_LENGTH, check, find_escape, read_file, read_standard_input

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 41_024
SECRET = "token-1234567890"

OUTSIDE = r"^is outside the workspace and RUNNER_TEMP;"
RESERVED = r"^is a file of the runner or of a checkout"
IRREGULAR = r"^is not a regular file$"
UNREADABLE = r"^cannot be read \({}\); give a path relative to the workspace"

NOTES = "Zurückgerollt 🛠\r\n"
FILES = {
    **dict.fromkeys(("workspace/docs/notes.txt", "workspace/_posts/git-credentials.md"), NOTES),
    **dict.fromkeys(("temp/notes.txt", "temp/_notes.txt", "temp/a/b/notes.txt"), NOTES),
    **dict.fromkeys(("temp/git-credentials-1.config", "temp/_temp/x", "temp/a/_b/c/x"), "hush"),
    **dict.fromkeys(("secret.txt", "workspace-2"), "hush"),
}
LINKS = {
    "workspace/link": "docs/notes.txt",
    "workspace/loop": "loop",
    "workspace/up": "..",
    "workspace/out": "../secret.txt",
    "workspace/zero": "/dev/zero",
    "workspace/gone": "../nothing",
    "workspace/to-notes": "../temp/notes.txt",
    "workspace/to-credentials": "../temp/git-credentials-1.config",
    "temp/out": "../secret.txt",
    "temp/to-notes": "../workspace/docs/notes.txt",
    "temp/to-credentials": "git-credentials-1.config",
    "temp/to-runner": "_temp/x",
    "linked-workspace": "workspace",
    "linked-temp": "temp",
}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """A workspace and the runner's folder for temporary files, with texts, with secrets, and with links to both."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    for name, target in LINKS.items():
        (tmp_path / name).symlink_to(target)
    return {"workspace": tmp_path / "workspace", "runner_temp": tmp_path / "temp"}


def read(folders: dict[str, Path], name: str) -> str:
    """Read a file whose name may contain a folder in braces."""
    return read_file(name.format(**folders), workspace=folders["workspace"], runner_temp=folders["runner_temp"])


@pytest.mark.parametrize(
    "name",
    [
        *("docs/notes.txt", "docs/../docs//notes.txt", "{workspace}/docs/notes.txt", "link"),
        "_posts/git-credentials.md",
        *("{runner_temp}/notes.txt", "{runner_temp}/_notes.txt", "{runner_temp}/a/../a/b/notes.txt"),
    ],
)
def test_a_file_in_the_workspace_or_under_runner_temp_is_read_unchanged(folders: dict[str, Path], name: str) -> None:
    assert read_file(name.format(**folders), **folders) == NOTES  # type: ignore[arg-type]


def test_both_folders_may_be_links_and_the_workspace_relative_to_the_working_directory(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders["workspace"])
    temp = tmp_path / "linked-temp"

    assert read_file("docs/notes.txt", workspace=tmp_path / "linked-workspace") == NOTES
    assert read_file("docs/notes.txt", workspace=Path()) == NOTES
    assert read_file(f"{temp}/notes.txt", workspace=Path(), runner_temp=temp) == NOTES


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.txt", "docs/../../secret.txt", "/etc/passwd", "/", "..", "../workspace-2"),
        *("../temp/notes.txt", "{runner_temp}/../secret.txt", "{runner_temp}-2/x"),
        *("out", "zero", "gone", "up/secret.txt", "to-notes", "to-credentials"),
        *("{runner_temp}/out", "{runner_temp}/to-notes"),
    ],
)
def test_a_path_or_a_link_that_leads_out_of_its_folder_is_refused(folders: dict[str, Path], name: str) -> None:
    with pytest.raises(ValueError, match=OUTSIDE) as caught:
        read(folders, name)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("git-credentials-1.config", "_temp/x", "a/_b/c/x", "a/../_temp/x", "_temp/nothing"),
        *(".git-credentials", ".gitconfig", "a/.netrc", "git-credentials/x"),
        *("to-credentials", "to-runner"),
    ],
)
def test_what_may_hold_credentials_under_runner_temp_is_refused_whether_it_exists_or_not(
    folders: dict[str, Path], name: str
) -> None:
    with pytest.raises(ValueError, match=RESERVED):
        read(folders, f"{{runner_temp}}/{name}")


@pytest.mark.parametrize("name", ["_temp/_x/file", "_temp/git-credentials-1", "{}/_temp/_x/file"])
def test_files_of_the_runner_are_refused_also_where_its_folder_is_in_the_workspace(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=RESERVED):
        read_file(name.format(tmp_path), workspace=tmp_path, runner_temp=tmp_path / "_temp")


@pytest.mark.parametrize("name", ["_posts/x.md", "{}/_work/_posts/x.md"])
def test_a_workspace_in_runner_temp_is_a_workspace(tmp_path: Path, name: str) -> None:
    (tmp_path / "_work/_posts").mkdir(parents=True)
    (tmp_path / "_work/_posts/x.md").write_text("text", encoding="utf-8")

    assert read_file(name.format(tmp_path), workspace=tmp_path / "_work", runner_temp=tmp_path) == "text"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.txt", UNREADABLE.format("No such file or directory")),
        ("docs", UNREADABLE.format("Is a directory")),
        ("x" * 300, UNREADABLE.format("File name too long")),
        ("loop", UNREADABLE.format("Too many levels of symbolic links")),
        # An old runner does not share the folder.
        ("{runner_temp}/nothing", r"^cannot be read \(No such file or directory\); .* 2\.329\.0"),
        ("${{RUNNER_TEMP}}/x", r"^contains the shell's variable RUNNER_TEMP; write \${{ runner\.temp }} instead$"),
        ("$GITHUB_WORKSPACE/x", r"^contains .* GITHUB_WORKSPACE; write \${{ github\.workspace }} instead$"),
    ],
    ids=lambda text: text[:30],
)
def test_a_path_that_cannot_be_read_is_refused_with_the_reason(
    folders: dict[str, Path], name: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        read(folders, name)


@pytest.mark.parametrize("folder", ["workspace", "runner_temp"])
def test_a_named_pipe_is_refused_without_waiting_for_a_writer(folders: dict[str, Path], folder: str) -> None:
    os.mkfifo(folders[folder] / "pipe")

    with pytest.raises(ValueError, match=IRREGULAR):
        read(folders, f"{{{folder}}}/pipe")


def test_a_device_is_refused() -> None:
    with pytest.raises(ValueError, match=IRREGULAR):
        read_file("zero", workspace=Path("/dev"))


def test_a_file_may_be_as_large_as_the_longest_text_and_its_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BOM + "🛠".encode() * MAX_LENGTH + b"\r\n")

    assert read_file("file", workspace=tmp_path) == "🛠" * MAX_LENGTH + "\r\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x" * (MAX_BYTES + 1), "has more than 41,024 bytes, but at most 10,000 characters are allowed"),
        *((content, "is not UTF-8 text; save it in that encoding") for content in (b"caf\xe9", b"\xed\xa0\x80")),
    ],
    ids=["too large", "Latin-1", "a surrogate"],
)
def test_a_larger_file_or_one_in_another_encoding_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(ValueError, match=f"^{reason}$"):
        read_file("file", workspace=tmp_path)


@pytest.mark.parametrize("text", [".", "🛠", "\u200b|", "\u0627", " \n x", "🛠" * MAX_LENGTH])
def test_a_text_with_visible_characters_is_returned(text: str) -> None:
    assert check(text, secrets=()) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "contains no visible characters$") for text in ("", " \xa0", "\u200b", "\ufe0f\xad", "\u2800\u3164")),
        ("half a \udcff", "is not valid UTF-8$"),
        ("🛠" * (MAX_LENGTH + 1), "has 10,001 characters, but at most 10,000 are allowed;"),
        (
            f"It is {SECRET}, psst",
            "contains the API token or github-token in line 1; remove it, because this text is published$",
        ),
        ("Ours:\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "contains a private key in line 2;"),
        ("basic eC1hY2Nlc3MtdG9rZW46Z2hzX3NvbWVib2R5IGVsc2U=", "contains a credential of Git in line 1;"),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_a_text_that_cannot_be_published_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        check(text, secrets=[SECRET])


@pytest.mark.parametrize(
    "text",
    ["We restored the service.", "It is c2VydmljZQ==", "We have replaced the PRIVATE KEY of the x-access-token."],
)
def test_a_text_may_be_about_keys_and_contain_a_secret_shorter_than_eight_characters(text: str) -> None:
    assert check(text, secrets=["service"]) == text


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        *((text, r"\n") for text in (r"Down.\nWe are on it.", r"Down:\nall regions", r"a\\nb", r"\n")),
        (r"Down.\r\nWe are on it.", r"\r\n"),
        (r"Down:\tall regions", r"\t"),
        ("Down.%0AWe are on it.", "%0A"),
        ("Down.%0D%0AWe are on it.", "%0D%0A"),
        (r"See C:\new.log and\nwait", r"\n"),
        *((text, None) for text in ("Down.\nWe are on it.", "The pattern \\n\nmatched too much.", r"\d+ \s* \N \T")),
        *((text, None) for text in (r"C:\new\table.txt is missing", r"c:\temp", r"\\host\new\table")),
        *((text, None) for text in ("100 % of 0A", "%20", "a<br>b&#10;c", "/n")),
    ],
)
def test_what_was_meant_as_a_line_break_is_found_but_no_backslash_that_belongs_to_the_text(
    text: str, escape: str | None
) -> None:
    assert find_escape(text) == escape


def piped(content: bytes) -> io.TextIOWrapper:
    """Return a standard input that other text is piped into."""
    return io.TextIOWrapper(io.BytesIO(content))


def test_standard_input_is_a_text_whose_byte_order_mark_is_dropped() -> None:
    assert read_standard_input(piped(BOM + b"Rolled back.\r\n")) == "Rolled back.\r\n"


CLOSED = piped(b"")
CLOSED.close()


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        *((stdin, "standard input is closed") for stdin in (None, CLOSED)),
        (piped(b""), "standard input is empty; docker run needs the option -i"),
        (piped(b"\xff"), "is not UTF-8 text"),
        (piped(b"x" * 50_000), "has more than 41,024 bytes"),
    ],
)
def test_standard_input_without_a_text_is_refused(stdin: io.TextIOWrapper | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_standard_input(stdin)


def test_terminal_is_refused_without_waiting_for_a_text() -> None:
    terminal, other_end = os.openpty()

    with (
        os.fdopen(other_end, encoding="utf-8") as stdin,
        pytest.raises(ValueError, match="is a terminal; pipe the text"),
    ):
        read_standard_input(stdin)
    os.close(terminal)


@pytest.mark.parametrize("name", ["../x", "x", "$RUNNER_TEMP/x"])
def test_advice_outside_github_is_about_the_current_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"current folder.*or - for standard input") as caught:
        read_file(name, workspace=tmp_path, on_github=False)

    assert "{{" not in str(caught.value)
