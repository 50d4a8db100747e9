"""How fast the training's input pipeline feeds a model that does nothing, beside bare decoding and resizing.

    python examples/benchmark_train_input.py [--pictures 2000] [--side 250] [--size 224]

Both read the same JPEGs, made for the purpose, and bring them to the same size, on every core. "bare" is
OpenCV alone, in a pool of threads. A round runs each once, so that what else the machine does hits all alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from maskgen.train.augment import Augmentation
from maskgen.train.examples import Example
from maskgen.train.feed import Feed
from maskgen.train.model import build_model
from maskgen.train.runtime import tensorflow

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Run the comparison and print pictures per second, the median of all rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--side", type=int, default=250, help="of the JPEGs")
    parser.add_argument("--size", type=int, default=224, help="of what the model takes")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_pictures(Path(folder), given.pictures, given.side)
        region = (0, 0, given.side, given.side)
        examples = [
            Example(path.name, path, "ab"[index % 2], region=region, plain=True)
            for index, path in enumerate(paths)
        ]
        feed = Feed(examples, "ab", given.size, 32)
        found: dict[str, list[float]] = {}
        cpu: dict[str, list[float]] = {}
        for number in range(given.rounds + 1):
            for name, run in (
                ("bare", lambda: bare_opencv(paths, given.size)),
                ("pipeline, no-op", lambda: drained(feed.shuffled(0, 0))),
                ("augmented pipeline, no-op", lambda: drained(feed.shuffled(0, 0, Augmentation()))),
            ):
                worked = time.process_time()
                seconds = timed(run)
                worked = time.process_time() - worked
                if number:  # the first round warms caches up
                    found.setdefault(name, []).append(len(paths) / seconds)
                    cpu.setdefault(name, []).append(1000 * worked / len(paths))
        for name, speeds in found.items():
            told = [round(speed) for speed in speeds]
            print(
                f"{name}: {statistics.median(speeds):.0f} pictures/s of {told}, CPU {min(cpu[name]):.2f} ms"
            )
        for name in list(found)[1:]:
            ratios = [one / bare for one, bare in zip(found[name], found["bare"], strict=True)]
            print(f"{name} / bare: {statistics.median(ratios):.2f} of {[round(r, 2) for r in ratios]}")
        for name, size, count in (("tiny-cnn", 64, given.pictures), ("efficientnet_b0", 96, 192)):
            overhead(examples[:count], name, size, given.rounds)


def overhead(examples: list[Example], name: str, size: int, rounds: int) -> None:
    """`fit` on files beside `fit` on tensors that are there already, of a network as `train` trains it."""
    tf = tensorflow()
    feed = Feed(examples, "ab", size, 32)
    model = build_model(name, 2, size=size, weights="none")
    model.compile("adam", "sparse_categorical_crossentropy")
    first = next(iter(feed.shuffled(0, 0)))
    ready = tf.data.Dataset.from_tensors(first).repeat(feed.steps)
    model.fit(ready.take(2), verbose=0)
    ratios = []
    for epoch in range(rounds):
        without = timed(lambda: model.fit(ready, verbose=0))
        fed = timed(lambda epoch=epoch: model.fit(feed.shuffled(0, epoch, Augmentation()), verbose=0))
        ratios.append(fed / without)
    told = [round(ratio, 2) for ratio in ratios]
    print(f"{name} at {size}, fit on files / fit on tensors: {statistics.median(ratios):.2f} of {told}")


def write_pictures(folder: Path, count: int, side: int) -> list[Path]:
    """JPEGs with the detail of photographs, 90 kB of noise and edges being as wrong as a flat colour."""
    draws = np.random.default_rng(0)
    paths = []
    for index in range(count):
        coarse = draws.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture += draws.normal(0, 4, picture.shape)
        path = folder / f"{index}.jpg"
        path.write_bytes(cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8))[1].tobytes())
        paths.append(path)
    return paths


def bare_opencv(paths: list[Path], size: int) -> None:
    """Decode and resize in threads, a picture each; OpenCV lets go of the interpreter meanwhile."""
    cv2.setNumThreads(1)

    def one(path: Path) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)

    with ThreadPoolExecutor(CORES) as threads:
        for _ in threads.map(one, paths):
            pass


def drained(dataset) -> None:  # type: ignore[no-untyped-def]
    """Take every batch and do nothing with it."""
    for _ in dataset:
        pass


def timed(run: Callable[[], object]) -> float:
    """Seconds one call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
