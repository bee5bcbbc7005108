"""The text that customers read: which files it may come from, and which texts are refused."""

import os
import socket
from pathlib import Path

import pytest

from onlineornot_action.inputs.description import MAX_LENGTH, check, read_file

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 41_024


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
