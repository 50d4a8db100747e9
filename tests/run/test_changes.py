"""A dataset, an output and jobs that change between two runs of one folder: never mixed without a word."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from click.testing import CliRunner
from small_runs import differing, job, masked, tree, write_dataset
from small_tars import write_tar

from maskgen.cli import cli
from maskgen.errors import ConfigurationError
from maskgen.files.remote import location
from maskgen.options import SynthOptions
from maskgen.run.job import Job, merge, run
from maskgen.run.remote_run_dir import run_folder
from maskgen.run.state import output_claim
from maskgen.run.state.run_dir import RunDir


@pytest.fixture
def begun(tmp_path):
    """(root, out) of a run of four shards of which the last is not done."""
    root, out = write_dataset(tmp_path / "faces"), tmp_path / "out"
    masked(root, out)
    RunDir(out).forget(3)
    return root, out


def accepted(root, out, **how):
    return run(replace(job(root, out), accept_changes=True), progress=False, **how)


def replace_source(root, name, like):
    shutil.copyfile(root / like, root / name)


# Sources.


@pytest.mark.parametrize("finished", [False, True])
def test_a_source_that_changed_stops_the_run_and_is_named(begun, finished):
    root, out = begun
    if finished:
        masked(root, out)
    before = tree(out)
    replace_source(root, "female/002.jpg", like="male/001.jpg")
    with pytest.raises(ConfigurationError, match=r"female/002\.jpg in shards 0\).*--accept-changes"):
        masked(root, out)
    assert differing(tree(out), before) == []


def test_accepted_changes_end_in_the_files_of_a_new_run(begun, tmp_path, caplog):
    root, out = begun
    replace_source(root, "female/002.jpg", like="male/001.jpg")
    accepted(root, out)
    assert "1 of 3 shards are processed again" in caplog.text
    masked(root, tmp_path / "new")
    assert differing(tree(out), tree(tmp_path / "new")) == []


def test_images_that_were_added_and_removed_are_accepted_too(begun, tmp_path):
    root, out = begun
    shutil.copyfile(root / "female/000.jpg", root / "female/0000.jpg")
    (root / "male/003.jpg").unlink()
    with pytest.raises(ConfigurationError, match="--accept-changes"):
        masked(root, out)
    accepted(root, out)
    masked(root, tmp_path / "new")
    assert differing(tree(out), tree(tmp_path / "new")) == []


def test_a_dataset_that_was_only_touched_has_not_changed(begun, tmp_path, caplog):
    root, out = begun
    for path in root.rglob("*.jpg"):
        os.utime(path, (1, 1))
    masked(root, out)
    assert caplog.text.count("their contents are compared") == 1
    masked(root, out)
    assert caplog.text.count("their contents are compared") == 1
    masked(root, tmp_path / "new")
    assert differing(tree(out), tree(tmp_path / "new")) == []


def test_a_share_looks_at_its_own_shards(begun):
    root, out = begun
    replace_source(root, "female/002.jpg", like="male/001.jpg")
    masked(root, out, running={"share": (2, 2)})
    with pytest.raises(ConfigurationError, match=r"female/002\.jpg"):
        masked(root, out, running={"share": (1, 2)})


def test_a_source_that_could_not_be_read_and_was_mended_is_no_change(tmp_path):
    root, out = write_dataset(tmp_path / "faces", count=3), tmp_path / "out"
    data = (root / "male/001.jpg").read_bytes()
    (root / "male/001.jpg").write_bytes(data[:500])
    masked(root, out)
    (root / "male/001.jpg").write_bytes(data)
    assert masked(root, out).statuses["unreadable"] == 1
    assert "unreadable" not in masked(root, out, running={"retry_failed": True}).statuses


@pytest.mark.parametrize("content", [b"", b"{", b'{"facts": "", "stamps": 3}', b"[]"])
def test_a_shard_of_whose_sources_nothing_is_known_is_done_again(begun, content):
    root, out = begun
    masked(root, out)
    before = tree(out)
    RunDir(out).sources_path(1).write_bytes(content)
    masked(root, out)
    assert differing(tree(out), before) == []


def test_a_tar_that_changed_is_named(tmp_path):
    root, out = tmp_path / "tars", tmp_path / "out"
    image = (write_dataset(tmp_path / "faces", count=1) / "female/000.jpg").read_bytes()
    write_tar(root / "a.tar", {"one.jpg": image})
    chosen = SynthOptions("webdataset", landmarks=job(tmp_path / "faces", out).options.landmarks)
    run(Job(chosen, root, out), progress=False)
    os.utime(root / "a.tar", (1, 1))
    with pytest.raises(ConfigurationError, match=r"a\.tar in shards 0"):
        run(Job(chosen, root, out), progress=False)


# What the sources are now, against the manifest.


def found(out, *options):
    """(exit code, first two columns of each line) of `maskgen verify`."""
    done = CliRunner().invoke(cli, ["verify", str(out), *options], standalone_mode=False)
    return done.return_value, [tuple(line.split("\t")[:2]) for line in done.stdout.splitlines()]


def test_verify_sources_names_those_that_are_others_now(begun, tmp_path):
    root, out = begun
    masked(root, out)
    assert found(out, "--sources") == (0, [])
    replace_source(root, "female/002.jpg", like="male/001.jpg")
    (root / "male/003.jpg").unlink()
    shutil.move(root, tmp_path / "moved")
    expected = [("changed", "female/002.jpg"), ("missing", "male/003.jpg")]
    assert found(out) == (0, [])
    assert found(out, "--sources", "--root", str(tmp_path / "moved")) == (1, expected)


def test_verify_sources_reads_members_of_tars(tmp_path):
    root, out = tmp_path / "tars", tmp_path / "out"
    images = {path.name: path.read_bytes() for path in write_dataset(tmp_path / "faces").rglob("*.jpg")}
    write_tar(root / "a.tar", images)
    chosen = SynthOptions("webdataset", landmarks=job(tmp_path / "faces", out).options.landmarks)
    run(Job(chosen, root, out), progress=False)
    assert found(out, "--sources") == (0, [])
    write_tar(root / "a.tar", {**images, "001.jpg": images["003.jpg"]})
    assert found(out, "--sources") == (1, [("changed", "a.tar/001.jpg")])


# Label files.


@pytest.fixture
def labelled(tmp_path):
    """(options, root, out) of a finished run over a table."""
    root, out = write_dataset(tmp_path / "faces", count=6), tmp_path / "out"
    rows = [f"{path.relative_to(root).as_posix()},{path.parent.name}" for path in sorted(root.rglob("*.jpg"))]
    (root / "table.csv").write_text("\n".join(("path,gender", *rows, "")))
    options = replace(job(root, out).options, dataset="table")
    run(Job(options, root, out), progress=False)
    return options, root, out


def swap_label(root):
    table = root / "table.csv"
    table.write_text(table.read_text().replace("004.jpg,female", "004.jpg,male"))


def test_a_label_file_that_changed_stops_the_run_and_is_named(labelled):
    options, root, out = labelled
    swap_label(root)
    with pytest.raises(ConfigurationError, match=r"label file table\.csv"):
        run(Job(options, root, out), progress=False)


def test_accepted_labels_do_the_shards_again_whose_samples_they_change(labelled, tmp_path, caplog):
    options, root, out = labelled
    swap_label(root)
    run(Job(options, root, out, accept_changes=True), progress=False)
    assert "1 of 2 shards are processed again" in caplog.text
    run(Job(options, root, tmp_path / "new"), progress=False)
    assert differing(tree(out), tree(tmp_path / "new")) == []


def test_a_label_file_that_was_only_touched_has_not_changed(labelled):
    options, root, out = labelled
    before = tree(out)
    os.utime(root / "table.csv", (1, 1))
    run(Job(options, root, out), progress=False)
    assert differing(tree(out), before) == []


def test_the_sources_of_many_shards_are_looked_at_within_seconds(tmp_path):
    """64,000 here; the bar is 200,000 within 5 s."""
    from finished_run import write_finished_run

    from maskgen.run.resume import changed_sources
    from maskgen.run.state.shard_records import ShardSources

    root, out, options = tmp_path / "faces", tmp_path / "out", SynthOptions("folder", label="folder")
    root.mkdir()
    write_finished_run(root, out, options, shards=1000)
    for number in range(64):
        (root / f"{number}.jpg").touch()
    info = (root / "0.jpg").stat()
    stamps = {f"{number}.jpg": [0, (root / f"{number}.jpg").stat().st_mtime_ns] for number in range(64)}
    assert info.st_size == 0
    for index in range(1000):
        RunDir(out).sources_path(index).write_bytes(ShardSources("", stamps).as_json())
    began = time.process_time()
    assert list(changed_sources(RunDir(out), root, range(1000))) == []
    assert time.process_time() - began < 1.6


# Jobs with different options that begin at once.


@pytest.mark.parametrize("place", ["local", "memory"])
def test_of_jobs_that_claim_a_folder_at_once_one_succeeds(tmp_path, place):
    for turn in range(20):
        out = tmp_path / f"{turn}" if place == "local" else location(f"memory://claims/{turn}")
        folder, barrier = run_folder(out), Barrier(8)
        folder.make_folders()

        def create(who, folder=folder, barrier=barrier):
            barrier.wait()
            return folder.create("config.json", {"who": who})

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(create, range(8)))
        assert created.count(True) == 1 or place == "memory"
        assert created[folder.read("config.json")["who"]]


def test_a_file_system_without_hard_links_is_claimed_too(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    folder = RunDir(tmp_path / "out")
    assert folder.create("config.json", {"seed": 0})
    assert not folder.create("config.json", {"seed": 1})
    assert folder.read("config.json") == {"seed": 0}


def test_a_job_that_claims_between_anothers_look_and_its_claim_wins(tmp_path, monkeypatch):
    root, out = write_dataset(tmp_path / "faces", count=6), tmp_path / "out"
    real, begun = output_claim.check_claim, []

    def look(folder, config, overwrite):
        real(folder, config, overwrite)
        if not begun:
            begun.append(True)
            masked(root, out, seed=0, running={"share": (1, 2)})

    monkeypatch.setattr(output_claim, "check_claim", look)
    with pytest.raises(ConfigurationError, match=r"options\.seed was 0, now 1"):
        masked(root, out, seed=1, running={"share": (2, 2)})


def test_shards_of_another_configuration_are_refused_by_number(tmp_path):
    """As left by two jobs in a store that cannot create a file exclusively."""
    root, out = write_dataset(tmp_path / "faces", count=6), tmp_path / "out"
    masked(root, out, seed=0, running={"share": (1, 2)})
    masked(root, tmp_path / "other", seed=1, running={"share": (2, 2)})
    shutil.copytree(tmp_path / "other", out, dirs_exist_ok=True)
    for once_more in (merge, lambda out: masked(root, out, seed=1)):
        with pytest.raises(ConfigurationError, match=r"shards 0 of .* another configuration"):
            once_more(out)
    run(replace(job(root, out, seed=1), accept_changes=True), progress=False)
    masked(root, tmp_path / "new", seed=1)
    assert differing(tree(out), tree(tmp_path / "new")) == []
