"""What must not grow with the dataset: the memory of listing it, and what a finished run is known by."""

import json
import os
import subprocess
import sys

import pytest
from clusters import environment
from finished_run import write_finished_run
from PIL import Image

from maskgen.options import SynthOptions
from maskgen.run import shard_list
from maskgen.run.job import Job, run
from maskgen.run.state.run_dir import RunDir

# Links to one file: file systems allow some tens of thousands.
EACH = 20_000

LISTING = """\
import resource, sys
from pathlib import Path
from maskgen.run.job import Job, run
from maskgen.options import SynthOptions
root = Path(sys.argv[1])
job = Job(SynthOptions("folder", label="folder"), root, root.with_name("out"))
counts = run(job, dry_run=True, progress=False)
print(counts.samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def tree_of_links(root, folders, each):
    """``folders`` of ``each`` images, each folder of one image under many names."""
    for folder in range(folders):
        (root / f"{folder:02}").mkdir(parents=True)
        first = root / f"{folder:02}" / "first.jpg"
        Image.new("RGB", (8, 8)).save(first)
        for number in range(1, each):
            os.link(first, root / f"{folder:02}" / f"{number:06}.jpg")
    return root


def megabytes_to_list(root):
    """(images, peak memory of a process that lists them)."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING, root], env=environment(), capture_output=True, text=True, check=True
    )
    return tuple(map(int, done.stdout.split()))


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is told in other units elsewhere")
def test_a_large_tree_is_listed_in_the_memory_of_a_small_one(tmp_path):
    samples, small = megabytes_to_list(tree_of_links(tmp_path / "small", 1, 1000))
    assert samples == 1000
    samples, large = megabytes_to_list(tree_of_links(tmp_path / "large", 3, EACH))
    assert samples == 3 * EACH
    # Were all samples held, these would be 60 megabytes and more.
    assert large - small < 12


def test_a_finished_run_is_taken_up_without_listing_its_source(tmp_path, monkeypatch):
    root, out = tmp_path / "faces", tmp_path / "out"
    options = SynthOptions("folder", label="folder")
    root.mkdir()
    write_finished_run(root, out, options, shards=200)
    opened = []
    real = RunDir.done
    monkeypatch.setattr(RunDir, "done", lambda folder: opened.append(folder) or real(folder))
    monkeypatch.setattr(shard_list, "list_samples", None)
    counts = run(Job(options, root, out), progress=False)
    assert (counts.samples, counts.shards, len(opened)) == (200 * 64, 200, 1)
    assert counts.labels["person 7"] == 64
    assert json.loads((out / "maskgen.json").read_text())["counts"] == counts.as_dict()
