"""The text that customers read: which files it may come from, and which texts are refused."""

import base64
import os
import socket
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from onlineornot_action.inputs.description import MAX_LENGTH, check, find_escape, read_file

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 41_024
SECRET = "token-1234567890"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a text in `docs/notes.txt`, and a secret beside the workspace."""
    workspace = tmp_path / "workspace"
    (workspace / "docs").mkdir(parents=True)
    (workspace / "docs/notes.txt").write_bytes("Zurückgerollt 🛠\r\n".encode())
    (tmp_path / "secret.txt").write_text("hush", encoding="utf-8")
    return workspace


@pytest.mark.parametrize("name", ["docs/notes.txt", "./docs//notes.txt", "docs/../docs/notes.txt"])
def test_a_file_in_the_workspace_is_read_unchanged(workspace: Path, name: str) -> None:
    assert read_file(name, workspace=workspace) == "Zurückgerollt 🛠\r\n"


def test_a_file_may_be_given_by_its_absolute_path(workspace: Path) -> None:
    assert read_file(str(workspace / "docs/notes.txt"), workspace=workspace) == "Zurückgerollt 🛠\r\n"


def test_a_link_may_stay_inside_the_workspace(workspace: Path) -> None:
    (workspace / "link").symlink_to("docs/notes.txt")

    assert read_file("link", workspace=workspace) == "Zurückgerollt 🛠\r\n"


def test_the_workspace_may_be_a_link_itself(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(workspace)

    assert read_file("docs/notes.txt", workspace=tmp_path / "link") == "Zurückgerollt 🛠\r\n"


def test_a_relative_workspace_is_relative_to_the_working_directory(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)

    assert read_file("docs/notes.txt", workspace=Path()) == "Zurückgerollt 🛠\r\n"


@pytest.mark.parametrize("content", [BOM + b"text", b"text"], ids=["with a mark", "without one"])
def test_a_byte_order_mark_is_dropped(workspace: Path, content: bytes) -> None:
    (workspace / "file").write_bytes(content)

    assert read_file("file", workspace=workspace) == "text"


@pytest.mark.parametrize("name", ["../secret.txt", "docs/../../secret.txt", "/etc/passwd", "/", ".."])
def test_a_path_that_leaves_the_workspace_is_refused(workspace: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;") as caught:
        read_file(name, workspace=workspace)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("target", ["../secret.txt", "/etc/passwd", "/dev/zero", "../nothing"])
def test_a_link_that_leads_outside_is_refused(workspace: Path, target: str) -> None:
    (workspace / "link").symlink_to(target)

    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file("link", workspace=workspace)


def test_a_folder_that_is_a_link_to_the_outside_is_refused(workspace: Path) -> None:
    (workspace / "folder").symlink_to("..")

    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file("folder/secret.txt", workspace=workspace)


def test_a_folder_whose_name_begins_like_the_workspace_is_outside(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "workspace-2").write_text("hush", encoding="utf-8")

    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file("../workspace-2", workspace=workspace)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.txt", "No such file or directory"),
        ("docs", "Is a directory"),
        (".", "Is a directory"),
        ("docs/notes.txt/x", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_with_the_reason(workspace: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"^cannot be read \({reason}\); give a path relative to the workspace"):
        read_file(name, workspace=workspace)


def test_links_in_a_loop_are_refused(workspace: Path) -> None:
    (workspace / "one").symlink_to("two")
    (workspace / "two").symlink_to("one")

    with pytest.raises(ValueError, match=r"^cannot be read \(Too many levels of symbolic links\)"):
        read_file("one", workspace=workspace)


@pytest.fixture
def runner_temp(tmp_path: Path) -> Path:
    """The runner's folder for temporary files, with a text and with what the runner and a checkout keep there."""
    folder = tmp_path / "runner_temp"
    for name in ("notes.txt", "_notes.txt", "a/b/notes.txt", "git-credentials-1.config", "_temp/x", "a/_b/c/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"in {name}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["notes.txt", "_notes.txt", "a/b/notes.txt", "a/../notes.txt"])
def test_a_file_under_runner_temp_is_read(workspace: Path, runner_temp: Path, name: str) -> None:
    assert read_file(f"{runner_temp}/{name}", workspace=workspace, runner_temp=runner_temp).startswith("in ")


def test_runner_temp_may_be_a_link_itself(workspace: Path, runner_temp: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(runner_temp)

    text = read_file(f"{tmp_path}/link/notes.txt", workspace=workspace, runner_temp=tmp_path / "link")

    assert text == "in notes.txt"


def test_the_workspace_is_read_as_before_where_there_is_a_runner_temp(workspace: Path, runner_temp: Path) -> None:
    (workspace / "_posts").mkdir()
    (workspace / "_posts/git-credentials.md").write_text("How to log in", encoding="utf-8")

    assert read_file("_posts/git-credentials.md", workspace=workspace, runner_temp=runner_temp) == "How to log in"


@pytest.mark.parametrize("name", ["git-credentials-1.config", "_temp/x", "a/_b/c/x", "a/../_temp/x", "_temp/nothing"])
def test_what_the_runner_and_a_checkout_keep_under_runner_temp_is_refused(
    workspace: Path, runner_temp: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=r"^is a file of the runner or of a checkout"):
        read_file(f"{runner_temp}/{name}", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("name", [".git-credentials", ".gitconfig", "a/.netrc", "git-credentials/x"])
def test_other_files_with_credentials_are_refused_whether_they_exist_or_not(
    workspace: Path, runner_temp: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=r"^is a file of the runner or of a checkout"):
        read_file(f"{runner_temp}/{name}", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("target", ["git-credentials-1.config", "_temp/x", "a/_b/c/x"])
def test_a_link_to_such_a_file_is_refused(workspace: Path, runner_temp: Path, target: str) -> None:
    (runner_temp / "link").symlink_to(target)

    with pytest.raises(ValueError, match=r"^is a file of the runner or of a checkout"):
        read_file(f"{runner_temp}/link", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("target", ["../secret.txt", "/etc/passwd", "../workspace/docs/notes.txt", "/dev/zero"])
def test_a_link_that_leads_out_of_runner_temp_is_refused(workspace: Path, runner_temp: Path, target: str) -> None:
    (runner_temp / "link").symlink_to(target)

    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file(f"{runner_temp}/link", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("target", ["notes.txt", "git-credentials-1.config"])
def test_a_link_from_the_workspace_to_runner_temp_is_refused(workspace: Path, runner_temp: Path, target: str) -> None:
    (workspace / "link").symlink_to(runner_temp / target)

    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file("link", workspace=workspace, runner_temp=runner_temp)


@pytest.mark.parametrize("name", ["../runner_temp/notes.txt", "{temp}/../secret.txt", "{temp}-2/x", "/etc/passwd"])
def test_a_path_that_is_in_neither_folder_is_refused(workspace: Path, runner_temp: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^is outside the workspace and RUNNER_TEMP;"):
        read_file(name.format(temp=runner_temp), workspace=workspace, runner_temp=runner_temp)


def test_a_pipe_under_runner_temp_is_refused(workspace: Path, runner_temp: Path) -> None:
    os.mkfifo(runner_temp / "pipe")

    with pytest.raises(ValueError, match=r"^is not a regular file$"):
        read_file(f"{runner_temp}/pipe", workspace=workspace, runner_temp=runner_temp)


def test_files_of_the_runner_are_refused_also_where_its_folder_is_in_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "_temp/_x").mkdir(parents=True)

    for name in ("_temp/_x/file", "_temp/git-credentials-1", f"{tmp_path}/_temp/_x/file"):
        with pytest.raises(ValueError, match=r"^is a file of the runner or of a checkout"):
            read_file(name, workspace=tmp_path, runner_temp=tmp_path / "_temp")


def test_a_workspace_in_runner_temp_is_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "_work/_posts").mkdir(parents=True)
    (tmp_path / "_work/_posts/x.md").write_text("text", encoding="utf-8")

    for name in ("_posts/x.md", f"{tmp_path}/_work/_posts/x.md"):
        assert read_file(name, workspace=tmp_path / "_work", runner_temp=tmp_path) == "text"


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
    with pytest.raises(ValueError, match=r"^contains the shell's variable [A-Z_]+; write ") as caught:
        read_file(name, workspace=workspace)

    assert f"${{{{ {expression} }}}}" in str(caught.value)


def test_a_named_pipe_is_refused_without_waiting_for_a_writer(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")

    with pytest.raises(ValueError, match=r"^is not a regular file$"):
        read_file("pipe", workspace=workspace)


@pytest.mark.parametrize("name", ["zero", "null"])
def test_a_device_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a regular file$"):
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


def test_a_larger_file_is_refused(workspace: Path) -> None:
    (workspace / "file").write_bytes(b"x" * (MAX_BYTES + 1))

    with pytest.raises(ValueError, match=r"^has more than 41,024 bytes, but at most 10,000 characters are allowed$"):
        read_file("file", workspace=workspace)


@pytest.mark.parametrize(
    "content", [b"caf\xe9", "text".encode("utf-16"), b"\xed\xa0\x80"], ids=["Latin-1", "UTF-16", "a surrogate"]
)
def test_a_file_in_another_encoding_is_refused(workspace: Path, content: bytes) -> None:
    (workspace / "file").write_bytes(content)

    with pytest.raises(ValueError, match=r"^is not UTF-8 text; save it in that encoding$"):
        read_file("file", workspace=workspace)


@pytest.mark.parametrize("text", [".", "🛠", "\u200b|", "\u0627", " \n x", "x" * MAX_LENGTH, "🛠" * MAX_LENGTH])
def test_a_text_with_visible_characters_is_returned(text: str) -> None:
    assert check(text, secrets=()) == text


@pytest.mark.parametrize(
    "text",
    ["", " \t\n", "\xa0\u3000", "\u200b\u2060\ufeff", "\ufe0f\u0301", "\xad", "\u2800\u3164", "\u115f\u1160\uffa0"],
)
def test_a_text_without_visible_characters_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^contains no visible characters$"):
        check(text, secrets=())


@pytest.mark.parametrize("character", ["x", "🛠"])
def test_a_text_that_is_too_long_is_refused_with_both_numbers(character: str) -> None:
    with pytest.raises(ValueError, match=r"^has 10,001 characters, but at most 10,000 are allowed;"):
        check(character * (MAX_LENGTH + 1), secrets=())


def test_a_text_with_the_secret_in_it_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match=r"^contains the API token") as caught:
        check("It is token-1234567890, psst", secrets=["token-1234567890"])

    assert "token-1234567890" not in str(caught.value)


def test_a_secret_shorter_than_eight_characters_does_not_refuse_a_text() -> None:
    assert check("We restored the service.", secrets=["service"]) == "We restored the service."


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "URL-safe"])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "x-access-token:", "user:"])
@pytest.mark.parametrize("after", ["", "a", "\n", ":x"])
@pytest.mark.parametrize("secret", [SECRET, "ghs_>>>???~~~", "12345678", "ghp_\xe9\xff\xfe\xfb~?>"])
def test_a_text_with_the_secret_in_base64_is_refused(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{secret}{after}".encode()).decode()

    for text in (encoded, f"Basic {encoded.rstrip('=')}.", "\n".join(textwrap.wrap(encoded, 7))):
        with pytest.raises(ValueError, match=r"^contains the API token or github-token"):
            check(text, secrets=[secret])


@pytest.mark.parametrize("other", ["token-0234567890", "Token-1234567890", "token", ""])
def test_the_base64_of_something_else_is_no_secret(other: str) -> None:
    text = f"The key is {base64.b64encode(other.encode()).decode()}"

    assert check(text, secrets=[SECRET]) == text


def test_the_base64_of_a_secret_shorter_than_eight_characters_does_not_refuse_a_text() -> None:
    assert check("It is c2VydmljZQ==", secrets=["service"]) == "It is c2VydmljZQ=="


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46Z2hzX3NvbWVib2R5IGVsc2U=",
    ],
)
def test_a_text_with_a_credential_that_the_action_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^contains a private key or a credential of Git"):
        check(text, secrets=[])


def test_a_text_may_be_about_keys() -> None:
    assert check("We have replaced the PRIVATE KEY of the x-access-token.", secrets=[])


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        (r"Down.\nWe are on it.", r"\n"),
        (r"Down.\r\nWe are on it.", r"\r\n"),
        (r"Down:\tall regions", r"\t"),
        (r"Down:\nall regions", r"\n"),
        (r"a\\nb", r"\n"),
        (r"\n", r"\n"),
        ("Down.%0AWe are on it.", "%0A"),
        ("Down.%0aWe are on it.", "%0a"),
        ("Down.%0D%0AWe are on it.", "%0D%0A"),
        ("Down.%0A\nWe are on it.", "%0A"),
        (r"See C:\new.log and\nwait", r"\n"),
    ],
)
def test_what_was_meant_as_a_line_break_is_found(text: str, escape: str) -> None:
    assert find_escape(text) == escape


@pytest.mark.parametrize(
    "text",
    [
        "Down.\nWe are on it.",
        "The pattern \\n\nmatched too much.",
        r"C:\new\table.txt is missing",
        r"c:\temp",
        r"\\host\new\table",
        r"\d+ \s* \N \T",
        "100 % of 0A",
        "%20",
        "a<br>b&#10;c",
        "/n",
    ],
)
def test_a_backslash_that_belongs_to_the_text_is_no_line_break(text: str) -> None:
    assert find_escape(text) is None
