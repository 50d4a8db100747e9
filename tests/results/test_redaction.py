"""Neither credentials nor a user's folders stand in messages, records and files that are published."""

import json
import shutil
from functools import partial

import pytest
from small_runs import masked, write_dataset

from maskgen.__main__ import main
from maskgen.files.redaction import public_command, public_path, public_text, redact
from maskgen.results.card import write_report


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://key:secret@bucket/a is not there", "s3://***@bucket/a is not there"),
        ("ftp://me:p@ss@host/x", "ftp://***@host/x"),
        ("abfs://box@account.dfs.core.windows.net/a", "abfs://box@account.dfs.core.windows.net/a"),
        ("sftp://host:22/a@b.jpg", "sftp://host:22/a@b.jpg"),
        ("https://token@host/a?sig=abc&x=1 failed", "https://***@host/a?*** failed"),
        ("s3://bucket/a@b.jpg and me@example.org", "s3://bucket/a@b.jpg and me@example.org"),
    ],
)
def test_credentials_are_taken_out_of_urls(text, said):
    assert redact(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/alice/t.png", "t.png"),
        ("../t.png", "../t.png"),
        ("mediapipe", "mediapipe"),
        ("s3://key:secret@bucket/t.png", "s3://***@bucket/t.png"),
    ],
)
def test_of_an_absolute_path_the_last_name_is_published(text, said):
    assert public_path(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "landmark file /home/alice/l.jsonl has no line for 'a/b.jpg'",
            "landmark file l.jsonl has no line for 'a/b.jpg'",
        ),
        (r"C:\Users\alice\l.jsonl is damaged", "l.jsonl is damaged"),
        ("broken JPEG: 1/2 of it", "broken JPEG: 1/2 of it"),
    ],
)
def test_folders_are_taken_out_of_reasons(text, said):
    assert public_text(text) == said


def test_a_command_is_published_with_the_names_of_what_it_was_given():
    words = ["maskgen", "train", "/home/alice/masked", "--weights=/home/alice/b.keras", "-q"]
    assert public_command(words) == "maskgen train masked --weights=b.keras -q"


@pytest.mark.parametrize(
    "arguments",
    [
        ["synth", "--dataset", "lfw", "--root", "ftp://alice:geheim@host/lfw"],
        ["synth", "--dataset", "lfw", "--out", "s3://alice:geheim@bucket/lfw"],
        ["synth", "--dataset", "lfw", "--landmarks", "https://alice:geheim@host/l.jsonl"],
        ["verify", "s3://alice:geheim@bucket/lfw"],
        ["predict", "m.keras", "https://alice:geheim@host/a.jpg"],
    ],
)
def test_no_message_says_the_user_or_password_of_a_url(arguments, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capfd.readouterr()
    assert "geheim" not in said.err + said.out
    assert "alice" not in said.err
    assert not list(tmp_path.iterdir())


def test_no_published_file_says_where_the_sources_or_templates_lie(tmp_path):
    root = write_dataset(tmp_path / "faces", count=3)
    # Its row says that the landmark file, an absolute path, does not know it.
    shutil.copy(next(root.rglob("*.jpg")), root / "new.jpg")
    out = tmp_path / "out"
    masked(root, out, alpha=True, pairs=True, running={"report": partial(write_report, root=root)})
    record = json.loads((out / "maskgen.json").read_text())
    assert record["options"]["landmarks"] == "faces_landmarks.jsonl"
    for path in out.rglob("*"):
        if path.is_file() and ".maskgen" not in path.parts:
            assert str(tmp_path).encode() not in path.read_bytes(), path
    assert str(tmp_path) in (out / ".maskgen/config.json").read_text(), "which `maskgen report` reads"
