"""What a training says where stderr is no terminal: a line at the start, one an epoch, one a phase."""

import re
import subprocess
import sys

from clusters import environment
from small_runs import write_dataset
from train_data import needs_train

from maskgen.train.loop.checkpoint import Progress
from maskgen.train.loop.run_log import epoch_line, phase_line
from maskgen.train.options import Phase, TrainOptions

pytestmark = needs_train


def epoch(number, phase="head", auc=0.7):
    figures = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), 0.5)
    times = {"seconds": 60.0, "feed_seconds": 1.0, "validation_seconds": 2.0}
    return {"phase": phase, "epoch": number, "learning_rate": 1e-3, **figures, "val_auc": auc, **times}


def test_an_epoch_says_how_good_it_was_which_is_best_and_how_long_it_may_take():
    phase = Phase("fine-tune", "fine-tune", 12, 1e-3)
    state = Progress("val_auc", (epoch(1, auc=0.8), epoch(1, "fine-tune", 0.75), epoch(2, "fine-tune", 0.7)))
    line = epoch_line(phase, state, state.history[-1])
    assert line.startswith("fine-tune 2/12: rate 1.0e-03, loss 0.500, val_loss 0.500")
    assert "val_auc 0.7000; best head 1; 60 s, at most 10 min left of fine-tune" in line


def test_a_phase_says_why_it_ends():
    phase = Phase("head", "head", 3, 1e-3)
    whole = Progress("val_auc", tuple(epoch(number) for number in (1, 2, 3)))
    assert "all 3 epochs are done" in phase_line(phase, whole, 5)
    early = Progress("val_auc", (epoch(1, auc=0.9), epoch(2)))
    assert "no better val_auc in 1 epochs; best so far val_auc 0.9000 after head 1" in phase_line(
        phase, early, 1
    )


def test_recipes_choose_epochs_and_each_can_be_given():
    def epochs(**options):
        return [(phase.name, phase.epochs) for phase in TrainOptions(data=("a",), **options).phases]

    assert epochs() == [("head", 8), ("fine-tune", 12)]
    assert epochs(recipe="fast") == [("head", 5), ("fine-tune", 4)]
    assert epochs(recipe="long", epochs=3) == [("head", 3), ("fine-tune", 40)]
    assert epochs(recipe="fast", weights="none") == [("scratch", 9)]
    assert epochs(weights="none", epochs=2, fine_tune_epochs=1, more=(4,)) == [
        *(("scratch", 2), ("fine-tune", 1), ("more-1", 4)),
    ]


def test_a_run_without_a_terminal_has_a_log(tmp_path):
    tree = write_dataset(tmp_path / "faces", count=10)
    small = ("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--epochs", "2")
    program = [sys.executable, "-m", "maskgen", "train", tree, "--out", "run", *small]
    done = subprocess.run(
        program, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall("^(?:train|scratch).*", done.stderr, re.MULTILINE)
    assert re.search(r"train \d \(female \d, male \d\).*tiny-cnn at 32 px, weights none", lines[0])
    assert [line[:12] for line in lines[1:3]] == ["scratch 1/2:", "scratch 2/2:"]
    assert lines[3].startswith("scratch ends: all 2 epochs are done")
    assert re.match(
        r"scratch: [\d,]+ images a second; of .* waiting for images, .* validation, .* steps", lines[4]
    )
    quiet = subprocess.run(
        [*program, "--overwrite", "-q"], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert quiet.returncode == 0
    assert b"scratch" not in quiet.stderr
