"""The text that customers read: which files it may come from, and which texts are refused."""

import base64
import io
import os
import socket
from pathlib import Path

import pytest

from onlineornot_action.inputs.description import MAX_LENGTH, check, find_escape, read_file, read_standard_input

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 41_024
SECRET = "token-1234567890"


OUTSIDE = r"^is outside the workspace and RUNNER_TEMP;"
RESERVED = r"^is a file of the runner or of a checkout"
IRREGULAR = r"^is not a regular file$"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a text in `docs/notes.txt`, a link to it, and a secret beside the workspace."""
    workspace = tmp_path / "workspace"
    (workspace / "docs").mkdir(parents=True)
    (workspace / "docs/notes.txt").write_bytes("Zurückgerollt 🛠\r\n".encode())
    (workspace / "link").symlink_to("docs/notes.txt")
    for name in ("secret.txt", "workspace-2"):
        (tmp_path / name).write_text("hush", encoding="utf-8")
    return workspace


@pytest.fixture
def runner_temp(tmp_path: Path) -> Path:
    """The runner's folder for temporary files, with a text and with what the runner and a checkout keep there."""
    folder = tmp_path / "runner_temp"
    for name in ("notes.txt", "_notes.txt", "a/b/notes.txt", "git-credentials-1.config", "_temp/x", "a/_b/c/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"in {name}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "name", ["docs/notes.txt", "./docs//notes.txt", "docs/../docs/notes.txt", "{}/docs/notes.txt", "link"]
)
def test_a_file_in_the_workspace_is_read_unchanged(workspace: Path, name: str) -> None:
    assert read_file(name.format(workspace), workspace=workspace) == "Zurückgerollt 🛠\r\n"


def test_the_workspace_may_be_a_link_or_relative_to_the_working_directory(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(workspace)
    monkeypatch.chdir(workspace)

    assert [read_file("docs/notes.txt", workspace=path) for path in (tmp_path / "link", Path())] == [
        "Zurückgerollt 🛠\r\n"
    ] * 2


def test_a_byte_order_mark_is_dropped(workspace: Path) -> None:
    (workspace / "file").write_bytes(BOM + b"text")

    assert read_file("file", workspace=workspace) == "text"


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.txt", "docs/../../secret.txt", "/etc/passwd", "/", "..", "../workspace-2"),
        *("../runner_temp/notes.txt", "{temp}/../secret.txt", "{temp}-2/x"),
    ],
)
def test_a_path_that_is_in_neither_folder_is_refused(workspace: Path, runner_temp: Path, name: str) -> None:
    with pytest.raises(ValueError, match=OUTSIDE) as caught:
        read_file(name.format(temp=runner_temp), workspace=workspace, runner_temp=runner_temp)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        *((target, "out") for target in ("../secret.txt", "/etc/passwd", "/dev/zero", "../nothing")),
        ("..", "out/secret.txt"),
    ],
)
def test_a_link_that_leads_outside_is_refused(workspace: Path, target: str, name: str) -> None:
    (workspace / "out").symlink_to(target)

    with pytest.raises(ValueError, match=OUTSIDE):
        read_file(name, workspace=workspace)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.txt", "No such file or directory"),
        ("docs", "Is a directory"),
        ("x" * 300, "File name too long"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_with_the_reason(workspace: Path, name: str, reason: str) -> None:
    (workspace / "loop").symlink_to("loop")

    with pytest.raises(ValueError, match=rf"^cannot be read \({reason}\); give a path relative to the workspace"):
        read_file(name, workspace=workspace)


@pytest.mark.parametrize("name", ["notes.txt", "_notes.txt", "a/b/notes.txt", "a/../notes.txt"])
def test_a_file_under_runner_temp_is_read(workspace: Path, runner_temp: Path, name: str) -> None:
    assert read_file(f"{runner_temp}/{name}", workspace=workspace, runner_temp=runner_temp).startswith("in ")


def test_runner_temp_may_be_a_link_itself(workspace: Path, runner_temp: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(runner_temp)

    assert read_file(f"{link}/notes.txt", workspace=workspace, runner_temp=link) == "in notes.txt"


def test_the_workspace_is_read_as_before_where_there_is_a_runner_temp(workspace: Path, runner_temp: Path) -> None:
    (workspace / "_posts").mkdir()
    (workspace / "_posts/git-credentials.md").write_text("How to log in", encoding="utf-8")

    assert read_file("_posts/git-credentials.md", workspace=workspace, runner_temp=runner_temp) == "How to log in"


@pytest.mark.parametrize(
    "name",
    [
        *("git-credentials-1.config", "_temp/x", "a/_b/c/x", "a/../_temp/x", "_temp/nothing"),
        *(".git-credentials", ".gitconfig", "a/.netrc", "git-credentials/x"),
    ],
)
def test_what_may_hold_credentials_under_runner_temp_is_refused_whether_it_exists_or_not(
    workspace: Path, runner_temp: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=RESERVED):
        read_file(f"{runner_temp}/{name}", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        *((target, RESERVED) for target in ("git-credentials-1.config", "_temp/x", "a/_b/c/x")),
        *((target, OUTSIDE) for target in ("../secret.txt", "/etc/passwd", "../workspace/docs/notes.txt", "/dev/zero")),
    ],
)
def test_a_link_under_runner_temp_to_such_a_file_or_out_of_it_is_refused(
    workspace: Path, runner_temp: Path, target: str, reason: str
) -> None:
    (runner_temp / "link").symlink_to(target)

    with pytest.raises(ValueError, match=reason):
        read_file(f"{runner_temp}/link", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("target", ["notes.txt", "git-credentials-1.config"])
def test_a_link_from_the_workspace_to_runner_temp_is_refused(workspace: Path, runner_temp: Path, target: str) -> None:
    (workspace / "out").symlink_to(runner_temp / target)

    with pytest.raises(ValueError, match=OUTSIDE):
        read_file("out", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("name", ["_temp/_x/file", "_temp/git-credentials-1", "{}/_temp/_x/file"])
def test_files_of_the_runner_are_refused_also_where_its_folder_is_in_the_workspace(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=RESERVED):
        read_file(name.format(tmp_path), workspace=tmp_path, runner_temp=tmp_path / "_temp")


@pytest.mark.parametrize("name", ["_posts/x.md", "{}/_work/_posts/x.md"])
def test_a_workspace_in_runner_temp_is_a_workspace(tmp_path: Path, name: str) -> None:
    (tmp_path / "_work/_posts").mkdir(parents=True)
    (tmp_path / "_work/_posts/x.md").write_text("text", encoding="utf-8")

    assert read_file(name.format(tmp_path), workspace=tmp_path / "_work", runner_temp=tmp_path) == "text"


def test_a_missing_file_under_runner_temp_may_be_due_to_an_old_runner(workspace: Path, tmp_path: Path) -> None:
    temp = tmp_path / "unshared"

    with pytest.raises(ValueError, match=r"^cannot be read \(No such file or directory\); .* 2\.329\.0"):
        read_file(f"{temp}/notes.txt", workspace=workspace, runner_temp=temp)


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("$RUNNER_TEMP/x", "runner.temp"),
        ("${RUNNER_TEMP}/x", "runner.temp"),
        ("$GITHUB_WORKSPACE/x", "github.workspace"),
    ],
)
def test_a_variable_of_the_shell_is_refused_with_the_expression(workspace: Path, name: str, expression: str) -> None:
    with pytest.raises(ValueError, match=r"^contains the shell's variable [A-Z_]+; write (.*) instead$") as caught:
        read_file(name, workspace=workspace)

    assert f"write ${{{{ {expression} }}}} instead" in str(caught.value)


def test_a_named_pipe_is_refused_without_waiting_for_a_writer(workspace: Path, runner_temp: Path) -> None:
    for path in (workspace / "pipe", runner_temp / "pipe"):
        os.mkfifo(path)

        with pytest.raises(ValueError, match=IRREGULAR):
            read_file(str(path), workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("name", ["zero", "null"])
def test_a_device_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=IRREGULAR):
        read_file(name, workspace=Path("/dev"))


def test_a_socket_is_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        with pytest.raises(ValueError, match=r"^cannot be read"):
            read_file("socket", workspace=workspace)


def test_a_file_may_be_as_large_as_the_longest_text(workspace: Path) -> None:
    (workspace / "file").write_bytes(BOM + "🛠".encode() * MAX_LENGTH + b"\r\n")

    assert read_file("file", workspace=workspace) == "🛠" * MAX_LENGTH + "\r\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x" * (MAX_BYTES + 1), "has more than 41,024 bytes, but at most 10,000 characters are allowed"),
        (b"caf\xe9", "is not UTF-8 text; save it in that encoding"),
        ("text".encode("utf-16"), "is not UTF-8 text; save it in that encoding"),
        (b"\xed\xa0\x80", "is not UTF-8 text; save it in that encoding"),
    ],
    ids=["too large", "Latin-1", "UTF-16", "a surrogate"],
)
def test_a_larger_file_or_one_in_another_encoding_is_refused(workspace: Path, content: bytes, reason: str) -> None:
    (workspace / "file").write_bytes(content)

    with pytest.raises(ValueError, match=f"^{reason}$"):
        read_file("file", workspace=workspace)


@pytest.mark.parametrize("text", [".", "🛠", "\u200b|", "\u0627", " \n x", "x" * MAX_LENGTH, "🛠" * MAX_LENGTH])
def test_a_text_with_visible_characters_is_returned(text: str) -> None:
    assert check(text, secrets=()) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "contains no visible characters$") for text in ("", " \xa0", "\u200b", "\ufe0f\xad", "\u2800\u3164")),
        ("x" * (MAX_LENGTH + 1), "has 10,001 characters, but at most 10,000 are allowed;"),
        ("🛠" * (MAX_LENGTH + 1), "has 10,001 characters, but at most 10,000 are allowed;"),
        (f"It is {SECRET}, psst", "contains the API token or github-token; remove it, because this text is published$"),
        ("Ours:\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "contains a private key in line 2;"),
        ("-----BEGIN PRIVATE KEY-----", "contains a private key in line 1;"),
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


def test_the_base64_of_a_secret_that_is_broken_into_lines_is_refused() -> None:
    encoded = base64.encodebytes(f"x-access-token:{SECRET * 4}".encode()).decode()

    with pytest.raises(ValueError, match=r"^contains the API token or github-token"):
        check(f"Basic {encoded}", secrets=[SECRET])


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


@pytest.mark.parametrize("content", [b"Rolled back.\r\n", b"\xef\xbb\xbfRolled back.\r\n"])
def test_standard_input_is_a_text(content: bytes) -> None:
    assert read_standard_input(piped(content)) == "Rolled back.\r\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "standard input is empty; docker run needs the option -i"),
        (b"\xff", "is not UTF-8 text"),
        (b"x" * 50_000, "has more than 41,024 bytes"),
    ],
)
def test_standard_input_that_cannot_be_published_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_standard_input(piped(content))


def test_closed_standard_input_is_refused() -> None:
    closed = piped(b"")
    closed.close()

    for stdin in (None, closed):
        with pytest.raises(ValueError, match="standard input is closed"):
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
