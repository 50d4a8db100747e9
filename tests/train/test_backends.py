"""Training, resuming and judging under each backend of Keras; models open under all of them."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from clusters import environment
from small_runs import write_dataset

pytest.importorskip("keras")

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"))
    for name in ("tensorflow", "jax", "torch")
]
SMALL = ("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--epochs", "2", "--deterministic")

KILLED = """
import os, signal, sys
from maskgen.__main__ import main
from maskgen.train.loop import fit
written = fit.write_history
def end(path, history):
    written(path, history)
    if len(history) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
fit.write_history = end
main(sys.argv[1:])
"""


def python(folder, backend, *arguments):
    own = {**environment(), "KERAS_BACKEND": backend}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        check=False,
    )


def maskgen(folder, backend, *arguments):
    done = python(folder, backend, "-m", "maskgen", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    write_dataset(folder / "faces", count=12)
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_killed_run_is_resumed_and_its_model_judged(desk, backend):
    run = f"run-{backend}"
    killed = python(desk, backend, "-c", KILLED, "train", "faces", "--out", run, *SMALL, "-q")
    assert killed.returncode < 0, killed.stderr
    maskgen(desk, backend, "train", "--resume", run, "-q")
    (figures,) = json.loads(maskgen(desk, backend, "evaluate", run, "--on", "faces", "--json", "-q"))
    assert figures["n"] > 0
    record = json.loads((desk / run / "run.json").read_text())
    assert backend in record["versions"] and record["versions"]["keras"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_of_one_backend_says_the_same_under_every_other(desk, backend):
    maskgen(desk, backend, "train", "faces", "--out", f"own-{backend}", *SMALL, "--overwrite", "-q")
    said = {}
    for parameter in BACKENDS:
        (other,) = parameter.values
        if find_spec(other):
            lines = maskgen(desk, other, "predict", f"own-{backend}", "faces/male", "--no-detect", "--json")
            said[other] = [json.loads(line)["faces"][0]["probabilities"] for line in lines.splitlines()]
    first = said.pop(backend)
    assert len(first) == 6
    for other, faces in said.items():
        for own, face in zip(first, faces, strict=True):
            assert face == pytest.approx(own, abs=1e-4), other


def test_an_unknown_backend_is_refused(desk):
    done = python(desk, "caffe", "-m", "maskgen", "train", "faces", "--out", "x", *SMALL)
    assert done.returncode == 2
    assert "KERAS_BACKEND is 'caffe': set it to one of tensorflow, jax, torch" in done.stderr


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="tensorflow is not installed")
def test_devices_need_jax_and_a_batch_that_they_can_divide(desk):
    several = ("-m", "maskgen", "train", "faces", "--out", "y", *SMALL, "--devices")
    done = python(desk, "tensorflow", *several, "2")
    assert done.returncode == 2 and "KERAS_BACKEND=jax" in done.stderr
    done = python(desk, "tensorflow", *several, "3")
    assert done.returncode == 2 and "cannot divide --batch-size 32" in done.stderr


@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_devices_of_jax_share_a_batch(desk, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    several = ("faces", "--out", "two", *SMALL, "--batch-size", "4", "--devices", "2", "-q")
    maskgen(desk, "jax", "train", *several)
    assert (desk / "two" / "best.keras").is_file()
