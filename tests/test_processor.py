"""Two processors of one kind give the same bytes."""

import logging
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from small_runs import landmark_file, masked, template_file, tree, write_dataset

from maskgen.process import processor_kind
from maskgen.run.remote_run_dir import run_folder

AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL"
PROCESSORS = {
    "without AVX-512 in numpy": {"NPY_DISABLE_CPU_FEATURES": AVX512},
    "with fewer threads and features in OpenCV": {"OPENCV_CPU_DISABLE": "AVX512-SKX"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("faces") / "src", 6)


def run_apart(root, out, **environment):
    """The files of a run in a process of its own."""
    options = ("--blend", "poisson", "--template", str(template_file(root)), "--landmarks")
    command = [sys.executable, "-m", "maskgen", "synth", "--dataset", "folder", "--root", str(root)]
    command += ["--out", str(out), "-q", *options, str(landmark_file(root))]
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)
    return {name: data for name, data in tree(out).items() if str(name).endswith((".jpg", ".jsonl"))}


@pytest.mark.parametrize("name", PROCESSORS)
def test_the_bytes_do_not_depend_on_the_instruction_set(root, tmp_path, name):
    assert run_apart(root, tmp_path / "here") == run_apart(root, tmp_path / "there", **PROCESSORS[name])


def test_the_tables_of_logarithms_do_not_depend_on_it():
    program = (
        "from maskgen.masking.face import skin_reference, skin_weights; import hashlib; "
        "print(*(hashlib.sha256(m._LOGARITHM.tobytes()).hexdigest() for m in (skin_reference, skin_weights)))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **more}, check=True, capture_output=True
        ).stdout
        for more in ({}, {"NPY_DISABLE_CPU_FEATURES": AVX512})
    }
    assert len(said) == 1


def test_a_run_names_the_kinds_of_processor_and_warns_of_several(root, tmp_path, caplog):
    from maskgen.run.job import merge

    masked(root, tmp_path / "out", label=None)
    folder = run_folder(tmp_path / "out")
    done = folder.done()
    assert {stats.processor for stats in done.values()} == {processor_kind()}
    assert f'"{processor_kind()}"' in (tmp_path / "out" / "maskgen.json").read_text()
    folder.stats_path(0).write_bytes(replace(done[0], processor="Linux aarch64").as_json())
    with caplog.at_level(logging.WARNING, "maskgen"):
        merge(tmp_path / "out")
    assert "different kinds of processor (Linux aarch64, " in caplog.text
    assert '"Linux aarch64"' in (tmp_path / "out" / "maskgen.json").read_text()
