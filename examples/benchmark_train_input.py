"""How fast the training's input pipeline reads images, and what it adds to a model's time.

    python examples/benchmark_train_input.py [--pictures 2000] [--side 250 | --folder FACES] [--size 224]

Two bars, both measured in one run:

- *feed*: the batches of an epoch of JPEGs, beside "bare": OpenCV decoding the same files and bringing them to
  the same size in a pool of threads, to be thrown away. At least 0.8 of its speed.
- *overhead*: an epoch of a real network over the JPEGs, augmented, beside one over a batch that is in memory
  already. At most 1.15 of its time.

What else the machine does would decide such figures, so everything is paired: what is measured runs between
two runs of what it is measured by, and the median of these ratios is told. CPU seconds, which a loaded
machine changes little, are told beside the wall's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskgen.keras_runtime import compiles
from maskgen.train.data.augment import NONE, Augmentation
from maskgen.train.data.examples import Example
from maskgen.train.data.feed import Feed
from maskgen.train.data.model_input import inspect
from maskgen.train.loop.epoch import train_epoch
from maskgen.train.model.build import build_model

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCH = 32
FEED_BAR, OVERHEAD_BAR = 0.8, 1.15


@dataclass(frozen=True)
class Spent:
    """What a run took."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Pairs:
    """Runs of one thing, each with the mean of the two runs of another around it."""

    own: list[Spent]
    other: list[Spent]

    def ratio(self, what: str) -> float:
        """The median of own / other, in "wall" or "cpu"."""
        both = zip(self.own, self.other, strict=True)
        return statistics.median(getattr(a, what) / getattr(b, what) for a, b in both)


def main() -> None:
    """Run both comparisons and print their ratios; with ``--json``, as a line of JSON on stdout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--side", type=int, default=250, help="of the JPEGs that are made")
    parser.add_argument("--folder", type=Path, help="take the JPEGs below this folder instead")
    parser.add_argument("--size", type=int, default=224, help="of the model's input")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME=SIZE=PICTURES",
        help="a network for the overhead; may be repeated  [default: efficientnet_b0=224=96, "
        "efficientnet_b0=96=256 and tiny-cnn=64=2000]",
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    networks = given.model or ["efficientnet_b0=224=96", "efficientnet_b0=96=256", "tiny-cnn=64=2000"]
    with tempfile.TemporaryDirectory() as folder:
        if given.folder:
            examples = found_pictures(given.folder, given.pictures)
        else:
            examples = write_pictures(Path(folder), given.pictures, given.side)
        told = feed_ratios(examples, given.size, given.rounds)
        for network in networks:
            name, size, count = network.split("=")
            told |= overhead(examples[: int(count)], name, int(size), given.rounds)
    if given.json:
        print(json.dumps(told))


def feed_ratios(examples: list[Example], size: int, rounds: int) -> dict[str, float]:
    """Read the batches of an epoch, beside bare decoding and resizing."""
    feed = Feed(examples, "ab", size, BATCH)
    paths = [example.path for example in examples]
    told: dict[str, float] = {}
    for name, how in (("feed", NONE), ("feed, augmented", Augmentation())):
        pairs = paired(
            lambda how=how: deque(feed.shuffled(0, 0, how), maxlen=0),
            lambda: bare_opencv(paths, size),
            rounds,
        )
        fast = statistics.median(len(paths) / spent.wall for spent in pairs.other)
        each = min(spent.cpu for spent in pairs.other) * 1000 / len(paths)
        print(f"bare: {fast:.0f} images/s, {each:.2f} ms of CPU each")
        fed = statistics.median(feed.steps * BATCH / spent.wall for spent in pairs.own)
        # An epoch leaves out what fills no batch.
        whole = feed.steps * BATCH / len(paths)
        speed, cpu = whole / pairs.ratio("wall"), whole / pairs.ratio("cpu")
        bar = f" (bar: at least {FEED_BAR})" if how is NONE else ""
        print(f"{name}: {fed:.0f} images/s, {speed:.2f} of bare{bar}; by CPU {cpu:.2f}")
        told |= {name: speed, f"{name}, by CPU": cpu}
    return told


def overhead(examples: list[Example], name: str, size: int, rounds: int) -> dict[str, float]:
    """Train on files beside training on batches that are there already, of a network as `train` trains it."""
    feed = Feed(examples, "ab", size, BATCH)
    model = build_model(name, 2, size=size, weights="none")
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], jit_compile=compiles())
    ready = [next(iter(feed.shuffled(0, 0, Augmentation())))] * feed.steps
    epochs = iter(range(2 * rounds + 2))
    pairs = paired(
        lambda: train_epoch(model, 2, feed.shuffled(0, next(epochs), Augmentation()), lambda: None),
        lambda: train_epoch(model, 2, ready, lambda: None),
        rounds,
    )
    what = f"{name} at {size}"
    each = statistics.median(spent.wall for spent in pairs.other) * 1000 / (feed.steps * BATCH)
    wall, cpu = pairs.ratio("wall"), pairs.ratio("cpu")
    print(
        f"{what}: {each:.1f} ms an image on batches, {wall:.2f} times that on files (bar: at most "
        f"{OVERHEAD_BAR}); by CPU {cpu:.2f}"
    )
    return {f"overhead, {what}": wall, f"overhead, {what}, by CPU": cpu}


def paired(own: Callable[[], object], other: Callable[[], object], rounds: int) -> Pairs:
    """Run `own` between two runs of `other`, so many times; a round before them warms caches up."""
    found = Pairs([], [])
    own()
    other()
    for _ in range(rounds):
        before, between, after = spent(other), spent(own), spent(other)
        found.own.append(between)
        found.other.append(Spent((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2))
    return found


def spent(run: Callable[[], object]) -> Spent:
    """What one call takes, of the clock and of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def write_pictures(folder: Path, count: int, side: int) -> list[Example]:
    """JPEGs as heavy as photographs of faces: 9 kB for 250 pixels; those of LFW have 8.8 on average."""
    draws = np.random.default_rng(0)
    examples = []
    for index in range(count):
        coarse = draws.integers(0, 256, (side // 16, side // 16, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture += draws.normal(0, 3, picture.shape)
        pixels = picture.clip(0, 255).astype(np.uint8)
        path = folder / f"{index}.jpg"
        path.write_bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes())
        examples.append(Example(path.name, path, "ab"[index % 2], region=(0, 0, side, side), plain=True))
    return examples


def found_pictures(folder: Path, count: int) -> list[Example]:
    """Real ones, one after the other and from the beginning again until they are so many."""
    looked = []
    for path in sorted(folder.rglob("*.jpg"))[:count]:
        seen = inspect(path)
        if seen.plain:
            looked.append((path, (0, 0, *seen.size)))
    if not looked:
        raise SystemExit(f"{folder}: no JPEG that can be decoded")
    return [
        Example(f"{index}", path, "ab"[index % 2], region=region, plain=True)
        for index, (path, region) in zip(range(count), itertools.cycle(looked), strict=False)
    ]


def bare_opencv(paths: list[Path], size: int) -> None:
    """Decode and resize in threads, an image each; OpenCV lets go of the interpreter meanwhile."""
    cv2.setNumThreads(1)

    def one(path: Path) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)

    with ThreadPoolExecutor(CORES) as threads:
        for _ in threads.map(one, paths):
            pass


if __name__ == "__main__":
    main()
