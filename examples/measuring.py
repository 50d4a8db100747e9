"""What `benchmark.py` measures with: calls in this process, and `maskgen` in processes of its own."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import click

import maskgen

MASKGEN = Path(maskgen.__file__).parents[1]
DECODE, ENCODE, MODELS = "OpenCV decode", "OpenCV encode", "the two models alone"


def has_face_mesh() -> bool:
    """Whether the installed mediapipe has ``solutions.face_mesh``."""
    try:
        parts = metadata.version("mediapipe").split(".")
    except metadata.PackageNotFoundError:
        return False
    return [int(part) for part in parts if part.isdigit()] <= [0, 10, 21]


# What the whole is compared to: mediapipe's own call, or else the bare calls of the model files.
BARE = "FaceMesh.process" if has_face_mesh() else MODELS
T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one image."""

    cpu: float
    wall: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall)

    def over(self, number: float) -> Cost:
        """A share of it."""
        return Cost(self.cpu / number, self.wall / number)


NOTHING = Cost(0.0, 0.0)


@dataclass(frozen=True)
class Ran:
    """One finished process with its children: seconds, and the most megabytes that one of them held."""

    cpu: float
    wall: float
    megabytes: float | None


def clocked(call: Callable[..., T], *arguments: Any) -> tuple[T, Cost]:
    """A call's result and its cost in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call(*arguments)
    return result, Cost(1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall))


def mean(costs: Sequence[Cost]) -> Cost:
    """The mean of both times."""
    return sum(costs, NOTHING).over(len(costs))


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each time."""
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


class InOneProcess:
    """The landmark models as they come, and maskgen's stages, called one by one."""

    def __init__(self) -> None:
        import cv2
        import numpy as np
        from ai_edge_litert.interpreter import Interpreter

        from maskgen.landmarks import open_landmarker
        from maskgen.landmarks.engine import quiet_stderr
        from maskgen.landmarks.model_files import find_models
        from maskgen.masking.templates.library import load_template

        cv2.setNumThreads(1)  # as in maskgen's workers
        self.landmarker = open_landmarker()
        self.templates = {"surgical_blue": load_template("surgical_blue")}
        with quiet_stderr():
            self.models = [
                Interpreter(model_path=str(path), num_threads=1)
                for name, path in find_models().items()
                if "full_range" not in name
            ]
            for model in self.models:
                model.allocate_tensors()
            self.face_mesh = None
            if has_face_mesh():
                from mediapipe import solutions

                self.face_mesh = solutions.face_mesh.FaceMesh(static_image_mode=True)
                # The first call writes to the log.
                self.face_mesh.process(np.zeros((64, 64, 3), np.uint8))

    def plainly(self, path: Path) -> dict[str, Cost]:
        """The bare calls, and reading and writing the image as a plain program would."""
        import cv2
        import numpy as np

        data = np.frombuffer(path.read_bytes(), np.uint8)
        bgr, decoding = clocked(cv2.imdecode, data, cv2.IMREAD_COLOR)
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        costs = {DECODE: decoding}
        if self.face_mesh is not None:
            _, costs[BARE] = clocked(self.face_mesh.process, rgb)
        _, costs[MODELS] = clocked(lambda: [model.invoke() for model in self.models])
        _, costs[ENCODE] = clocked(cv2.imencode, ".jpg", bgr)
        return costs

    def pass_over(self, pictures: Iterable[Path]) -> dict[str, Cost]:
        """What `plainly` costs for the mean image."""
        costs = [self.plainly(path) for path in pictures]
        return {name: mean([cost[name] for cost in costs]) for name in costs[0]}

    def stages(self, path: Path, repeats: int) -> tuple[dict[str, Cost], int]:
        """The cost of each stage for one image, and its longer side."""
        from maskgen.images.codec import decode, encode
        from maskgen.masking.mask_face import mask_image
        from maskgen.masking.plan import plan
        from maskgen.options import SynthOptions

        taken: list[dict[str, Cost]] = []
        for _ in range(repeats):
            costs = self.plainly(path)
            data = path.read_bytes()
            decoded, costs["decode"] = clocked(decode, data)
            image = decoded.bgr
            found, costs["find"] = clocked(self.landmarker.find, image)
            made = image
            for blend in ("overlay", "poisson"):
                options = SynthOptions("folder", blend=blend)
                plans = [plan(options, path.name, 0)] if found else []
                # New ones, so that nothing is kept from the blend before.
                faces = [replace(face) for face in found[:1]]
                outcome, costs[f"mask {blend}"] = clocked(
                    mask_image, image, faces, plans, self.templates, options
                )
                made = image if outcome.image is None else outcome.image
            _, costs["encode"] = clocked(encode, made, decoded)
            if made is image:
                costs["encode"] = NOTHING  # an image without a face is not written
            taken.append(costs)
        return {name: least([costs[name] for costs in taken]) for name in taken[0]}, max(image.shape[:2])


def run_maskgen(arguments: Sequence[str], folder: Path) -> Ran:
    """Run a command to its end, with what it costs, its children included."""
    paths = os.pathsep.join([str(MASKGEN), os.environ.get("PYTHONPATH", "")])
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with (folder / "said.txt").open("w+") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "maskgen", *arguments],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=said,
            stderr=said,
        )
        peaks: dict[int, float] = {}
        watcher = threading.Thread(target=watch, args=(child, peaks))
        watcher.start()
        code = child.wait()
        wall = time.perf_counter() - started
        watcher.join()
        if code:
            said.seek(0)
            raise click.ClickException(f"maskgen {' '.join(arguments)}: exit code {code}\n{said.read()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(cpu, wall, max(peaks.values(), default=None))


def watch(child: subprocess.Popen[Any], peaks: dict[int, float]) -> None:
    """Note each process's peak in megabytes until the child has ended; Linux alone tells it."""
    while child.returncode is None:
        for pid in family(child.pid):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:  # it has ended, or this is no Linux
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM"):
                    peaks[pid] = int(line.split()[1]) / 1024
        time.sleep(0.2)


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    below: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below += map(int, children.read_text().split())
        except OSError:
            continue
    return [pid, *itertools.chain.from_iterable(map(family, below))]


def lay_out(root: Path, number: int, folder: Path) -> tuple[list[Path], dict[str, int]]:
    """Copies of images below a root, repeated under other names in ``few`` and ``many``.

    Returns:
        The copies, and how many images there are in ``few`` and in ``many``.
    """
    from maskgen.datasets.readers.root import images

    names = list(images(root))
    if not names:
        raise click.ClickException(f"{root}: no images")
    wanted = min(len(names), max(1, number // 4))
    names = [names[index * len(names) // wanted] for index in range(wanted)]
    (folder / "once").mkdir()
    once = [folder / "once" / f"{index:05}{Path(name).suffix}" for index, name in enumerate(names)]
    for name, copy in zip(names, once, strict=True):
        shutil.copyfile(root / name, copy)
    times = max(2, round(number / wanted))
    repeats = {"few": max(1, times // 4), "many": times}
    for part, times in repeats.items():
        for repeat in range(times):
            (folder / part / f"{repeat:04}").mkdir(parents=True)
            for copy in once:
                os.link(copy, folder / part / f"{repeat:04}" / copy.name)
    return once, {part: times * wanted for part, times in repeats.items()}
