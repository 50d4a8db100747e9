"""A real run over the whole corpus: a row for every input, the right exit code, and no word too many.

``pytest -s tests/test_corpus.py`` prints what became of each kind.
"""

import json
import os
import shutil
import subprocess
from collections import Counter

import pytest
from broken_files import IGNORED, forbid, make_corpus, wrong
from PIL import Image
from processes import arguments, environment, heed_permissions, skip_unless_permissions_are_heeded

from maskgen.errors import EXIT_TOO_MANY_ERRORS, EXIT_USAGE
from maskgen.files.path_text import from_text, to_text
from maskgen.run.state.output_claim import remove_run
from maskgen.run.state.run_dir import RunDir


def run(root, out, **options):
    return subprocess.run(
        arguments(root, out, 2, label="none", **options),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=heed_permissions,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(kinds, rows by name, folder, the finished process) of a run over all of them."""
    root = tmp_path_factory.mktemp("corpus") / "faces"
    kinds = make_corpus(root)
    try:
        skip_unless_permissions_are_heeded(root.parent)
        kinds |= forbid(root)
    except pytest.skip.Exception:
        print("forbidden files are left out: permissions are not heeded here")
    out = root.with_name("out")
    finished = run(root, out, **{"shard-size": 16})
    assert finished.returncode == 0, finished.stderr
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()]
    return kinds, rows, out, finished


def test_every_kind_has_the_status_and_reason_that_it_should(done):
    kinds, rows, _, _ = done
    by_name = {from_text(row["id"]): row for row in rows}
    report = [
        (kind, by_name.get(each.name), wrong(each, by_name.get(each.name))) for kind, each in kinds.items()
    ]
    print()
    for kind, row, _ in report:
        print(f"{kind:45} {row and row['status']:11} {(row and row['reason']) or ''}")
    print(f"{len(kinds)} kinds: {dict(Counter(row['status'] for row in rows))}")
    assert len(kinds) >= 60
    assert [(kind, why) for kind, _, why in report if why] == []


def test_every_input_has_one_row_and_nothing_else_has(done):
    kinds, rows, _, _ = done
    assert sorted(from_text(row["id"]) for row in rows) == sorted(each.name for each in kinds.values())
    assert not any(name in to_text(row["id"]) for name in IGNORED for row in rows if "/" not in row["id"])


def test_masked_pictures_are_there_and_others_are_not(done):
    _, rows, out, _ = done
    for row in rows:
        if row["status"] != "masked":
            assert row["file_name"] is row["sha256"] is row["width"] is None
            continue
        with Image.open(out / from_text(row["file_name"])) as picture:
            picture.load()
            assert picture.size == (row["width"], row["height"])


def test_nothing_but_counts_is_said(done):
    *_, finished = done
    assert "Traceback" not in finished.stderr and "Warning" not in finished.stderr
    said = [line for line in finished.stderr.splitlines() if "tiff" not in line.lower()]
    assert len(said) <= 3, finished.stderr  # libtiff alone speaks for itself


def test_more_errors_than_allowed_are_told_by_the_exit_code(done):
    kinds, _, out, _ = done
    root = out.with_name("faces")
    failed = sum(each.status == "unreadable" for each in kinds.values())
    options = {"shard-size": 16}
    assert run(root, out, **options, **{"max-errors": failed}).returncode == 0
    assert run(root, out, **options, **{"max-errors": failed - 1}).returncode == EXIT_TOO_MANY_ERRORS


def test_what_was_written_can_be_removed_again(done, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done[2], out)
    remove_run(RunDir(out))
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("kind", ["a link out of the root", "a folder that is a link out", "no permission"])
def test_what_ends_the_run_says_where(done, tmp_path, kind):
    """A link that leads out is refused, and so is a folder that cannot be listed: its files are unknown."""
    root = tmp_path / "faces"
    root.mkdir()
    for path in done[2].parent.glob("*.*"):
        os.link(path, tmp_path / path.name)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.jpg").touch()
    if kind == "a link out of the root":
        (root / "a.jpg").symlink_to("../elsewhere/secret.jpg")
    elif kind == "a folder that is a link out":
        (root / "a").symlink_to("../elsewhere")
    else:
        skip_unless_permissions_are_heeded(tmp_path)
        (root / "a").mkdir(mode=0)
    finished = run(root, tmp_path / "out")
    (root / "a").chmod(0o700) if kind == "no permission" else None
    assert finished.returncode == EXIT_USAGE
    assert "Traceback" not in finished.stderr
    assert "a link out of" in finished.stderr or "cannot list it: Permission denied" in finished.stderr
