"""Whole runs: the same bytes however the work is divided, and nothing of others touched."""

import hashlib
import json
import shutil

import pytest
from small_runs import (
    differing,
    job,
    landmark_file,
    masked,
    template_file,
    tree,
    write_dataset,
    write_template,
)

from maskgen.errors import ConfigurationError, MissingDataError, TooManyErrorsError, UsageError
from maskgen.results.counts import Counts
from maskgen.results.layout import OWN_FILES
from maskgen.run import pipeline
from maskgen.run.job import merge, run
from maskgen.run.state.run_dir import RunDir


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


def test_the_hash_of_what_finds_the_faces_is_recorded(source, tmp_path):
    masked(source, tmp_path / "out")
    recorded = json.loads((tmp_path / "out" / "maskgen.json").read_text())["landmark_model"]
    hashed = hashlib.sha256(landmark_file(source).read_bytes()).hexdigest()
    assert recorded == {"member": "file", "sha256": hashed}


# The same bytes, however the work is divided.


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """What one process leaves: (counts, tree)."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return masked(source, out, variants=2, pairs=True, alpha=True), tree(out)


def test_two_processes_leave_the_tree_of_one(source, tmp_path, whole):
    counts = masked(source, tmp_path / "out", variants=2, pairs=True, alpha=True, running={"workers": 2})
    assert counts == whole[0]
    assert differing(tree(tmp_path / "out"), whole[1]) == []


def test_shares_and_merge_leave_the_tree_of_one_run(source, tmp_path, whole):
    out = tmp_path / "out"
    for share in (3, 1, 2):
        masked(source, out, variants=2, pairs=True, alpha=True, running={"share": (share, 3)})
        assert not (out / "manifest.jsonl").exists()
    assert merge(out) == whole[0]
    assert differing(tree(out), whole[1]) == []


def test_counts_add_up_to_the_rows(whole):
    counts, files = whole
    rows = [json.loads(line) for line in files["manifest.jsonl"].splitlines()]
    assert (counts.samples, counts.rows, counts.shards) == (10, 20, 4)
    assert counts.statuses == {"masked": 16, "no_face": 4}
    assert counts.labels == {"female": 10, "male": 10}
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    for row in rows:
        named = [row["file_name"], row["unmasked_file"], *(face["alpha_file"] for face in row["faces"])]
        assert all((name is None) != (row["status"] == "masked") for name in named)
        assert all(name in files for name in named if name)


def test_merge_names_the_missing_shards(source, tmp_path):
    out = tmp_path / "out"
    masked(source, out, running={"share": (2, 3)})
    with pytest.raises(ConfigurationError, match=r"3 shards of .* are not done: 0, 2, 3\."):
        merge(out)


@pytest.mark.parametrize("made", [False, True])
def test_merge_of_no_run_says_so(tmp_path, made):
    if made:
        (tmp_path / "out").mkdir()
    with pytest.raises(ConfigurationError, match="holds no run"):
        merge(tmp_path / "out")


# Going on, and beginning anew.


def test_a_finished_run_is_left_alone_without_a_look_at_its_source(tmp_path):
    root, out = write_dataset(tmp_path / "faces", count=4), tmp_path / "out"
    counts = masked(root, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    shutil.rmtree(root)
    assert masked(root, out) == counts
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


@pytest.mark.parametrize("lost", ["manifest.jsonl", "maskgen.json", "metadata.jsonl"])
def test_a_final_file_that_has_gone_is_written_again(source, tmp_path, lost):
    out = tmp_path / "out"
    masked(source, out)
    before = tree(out)
    (out / lost).unlink()
    masked(source, out)
    assert differing(tree(out), before) == []


def test_the_report_is_drawn_last_and_once(source, tmp_path):
    out, seen = tmp_path / "out", []

    def report(folder):
        seen.append(sorted(path.name for path in folder.iterdir() if path.name in OWN_FILES))
        (folder / "README.md").write_text("card")

    masked(source, out)
    for _ in range(2):
        masked(source, out, running={"report": report})
    assert seen == [[".maskgen", "manifest.jsonl", "maskgen.json", "metadata.jsonl"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": 8}, "options.seed was 0, now 8"),
        ({"blend": "flatten"}, 'options.blend was "overlay", now "flatten"'),
        ({"limit": 4}, "options.limit was null, now 4"),
    ],
)
def test_another_configuration_is_refused_with_the_difference(source, tmp_path, options, said):
    out = tmp_path / "out"
    masked(source, out)
    before = tree(out)
    with pytest.raises(ConfigurationError, match=f"(?s){said}.*--overwrite"):
        masked(source, out, **options)
    assert differing(tree(out), before) == []


def test_another_landmark_file_of_the_same_name_is_another_configuration(tmp_path):
    root, out = write_dataset(tmp_path / "faces", count=3), tmp_path / "out"
    masked(root, out)
    landmark_file(root).write_bytes(landmark_file(root).read_bytes() + b"\n")
    with pytest.raises(ConfigurationError, match=r"landmark_model\.sha256"):
        masked(root, out)


def test_overwrite_removes_what_the_run_wrote_and_nothing_else(source, tmp_path):
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    masked(source, out, variants=2, pairs=True, alpha=True)
    (out / "variant-0" / "female" / "mine.txt").write_text("mine")
    masked(source, out, layout="folders", running={"overwrite": True})
    masked(source, fresh, layout="folders")
    assert differing(tree(out), tree(fresh)) == ["variant-0/female/mine.txt"]
    assert not (out / "alpha").exists()


def test_overwrite_does_not_follow_a_link_out_of_the_output(source, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    masked(source, out)
    shutil.move(out / "female", elsewhere)
    (out / "female").symlink_to(elsewhere)
    kept = tree(elsewhere)
    masked(source, out, layout="folders", running={"overwrite": True})
    assert tree(elsewhere) == kept


def test_overwrite_with_a_share_is_refused(source, tmp_path):
    with pytest.raises(UsageError, match="other shares"):
        masked(source, tmp_path / "out", running={"overwrite": True, "share": (1, 2)})


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_files_is_refused(source, tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ConfigurationError, match=r"thesis\.tex"):
        masked(source, tmp_path, running={"overwrite": overwrite})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_dataset_that_changed_under_a_run_is_noticed(tmp_path, change):
    root, out = write_dataset(tmp_path / "faces", count=8), tmp_path / "out"
    masked(root, out, running={"share": (1, 2)})
    (out / ".maskgen" / "listing.json").unlink()
    if change == "added":
        shutil.copy(root / "female" / "000.jpg", root / "female" / "0.jpg")
    else:
        (root / "female" / "000.jpg").unlink()
    with pytest.raises(ConfigurationError, match="have changed since"):
        masked(root, out)


def test_a_source_that_lies_in_the_output_is_refused(source, tmp_path):
    with pytest.raises(UsageError):
        masked(source, source / "out")


def test_a_dataset_without_pictures_is_missing_data(tmp_path):
    (tmp_path / "faces").mkdir()
    landmark_file(tmp_path / "faces").write_text("")
    write_template(template_file(tmp_path / "faces"))
    with pytest.raises(MissingDataError, match="holds no image"):
        masked(tmp_path / "faces", tmp_path / "out")


# Errors: how many are too many, and doing them again.


def with_broken(root, count):
    """A dataset of nine images, the first few of them broken."""
    write_dataset(root, count=9)
    for path in sorted(root.rglob("*.jpg"))[:count]:
        path.write_bytes(b"")
    return root


@pytest.mark.parametrize(("allowed", "stops"), [(0, True), (3, True), (4, False), (None, False)])
def test_max_errors(tmp_path, allowed, stops):
    root, out = with_broken(tmp_path / "faces", 4), tmp_path / "out"
    if not stops:
        assert masked(root, out, max_errors=allowed).failed == 4
        return
    with pytest.raises(TooManyErrorsError, match=f"more than --max-errors {allowed}"):
        masked(root, out, max_errors=allowed)
    # It stopped with the shard that was one too many, and goes on from there.
    assert sorted(RunDir(out).done()) == ([0] if allowed == 0 else [0, 1])
    assert masked(root, out).failed == 4
    with pytest.raises(TooManyErrorsError, match=r"manifest\.jsonl"):
        masked(root, out, max_errors=allowed)


def test_retry_failed_does_the_failed_again_and_only_their_shards(tmp_path):
    root, out, good = tmp_path / "faces", tmp_path / "out", tmp_path / "good"
    write_dataset(root, count=9)
    broken = root / "male" / "003.jpg"
    data = broken.read_bytes()
    broken.write_bytes(data[:500])
    assert masked(root, out).statuses["unreadable"] == 1
    broken.write_bytes(data)
    masked(root, good)
    assert masked(root, out).statuses["unreadable"] == 1
    untouched = (out / "female" / "000.jpg").stat().st_mtime_ns
    assert "unreadable" not in masked(root, out, running={"retry_failed": True}).statuses
    assert (out / "female" / "000.jpg").stat().st_mtime_ns == untouched
    assert differing(tree(out), tree(good)) == []


def test_a_picture_that_is_written_no_more_goes_when_its_shard_is_done_again(tmp_path):
    root, out = write_dataset(tmp_path / "faces", count=3), tmp_path / "out"
    masked(root, out)
    (root / "male" / "001.jpg").write_bytes(b"")
    RunDir(out).forget(0)
    masked(root, out)
    assert not (out / "male" / "001.jpg").exists()
    assert (out / "female" / "000.jpg").exists()


# What would be done.


@pytest.mark.parametrize(("limit", "said"), [(1, "1 picture in 1 shard would give 1 row"), (0, "0 pictures")])
def test_a_dry_run_speaks_of_one_and_of_none(source, tmp_path, capsys, limit, said):
    assert run(job(source, tmp_path / "out", limit=limit), dry_run=True).samples == limit
    assert said in capsys.readouterr().err


def test_a_dry_run_names_no_more_than_the_first_labels(tmp_path, capsys):
    root = write_dataset(tmp_path / "faces", count=1)
    for number in range(30):
        (root / f"person-{number:02}").mkdir()
        (root / f"person-{number:02}" / "1.jpg").touch()
    assert len(run(job(root, tmp_path / "out", label="folder"), dry_run=True).labels) == 31
    assert "and 11 more labels" in capsys.readouterr().err


def test_a_dry_run_counts_and_writes_nothing(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pipeline, "open_once", None)
    counts = run(job(source, tmp_path / "out", variants=2, limit=7), dry_run=True)
    assert counts == Counts(
        samples=7, rows=14, labels={"female": 10, "male": 4}, splits={"none": 14}, shards=3
    )
    printed = capsys.readouterr()
    assert "7 pictures in 3 shards" in printed.err and "-> variant-0/female/000.jpg" in printed.err
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []
