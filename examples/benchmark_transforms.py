"""How many masks a second one core makes inside a program, and how much memory a loader's worker takes.

Images of 224 pixels with their landmarks given, as after the first epoch. The time is the processor's time of
one process, so that other programs on the machine disturb it little.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

# As in the workers of torch's loader: idle threads of numpy's BLAS would count as the masks' time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import click
import cv2
import numpy as np

import maskgen

Image = np.ndarray
Faces = list[tuple[Image, np.ndarray]]


def read_faces(root: Path | None, count: int, size: int) -> Faces:
    """Square images of ``size`` pixels with a face each, and its landmarks."""
    masker = maskgen.Masker()
    found = []
    for sample in maskgen.open_dataset("sample" if root is None else "folder", root):
        image = cv2.resize(maskgen.read_image(sample), (size, size), interpolation=cv2.INTER_AREA)
        if faces := masker.find(image):
            found.append((image, faces[0].points))
        if len(found) == count:
            break
    if not found:
        raise click.ClickException(f"no face was found in the images below {root}")
    return found


def transforms() -> Iterator[tuple[str, Callable[[Image, np.ndarray], Any]]]:
    """Name -> a function that masks an image with its landmarks."""
    for blend in ("overlay", "poisson"):
        masker = maskgen.Masker(blend=blend)
        keys = iter(range(1 << 62))
        yield (
            f"Masker, {blend}",
            lambda image, mesh, masker=masker, keys=keys: masker(image, key=str(next(keys)), landmarks=mesh),
        )
    if find_spec("albumentations"):
        import albumentations

        from maskgen.integrations.albumentations import RandomMask as ForAlbumentations

        pipeline = albumentations.Compose([ForAlbumentations(p=1.0)], seed=1)
        yield "albumentations", lambda image, mesh: pipeline(image=image, landmarks=mesh)
    if find_spec("torchvision"):
        import torch

        from maskgen.integrations.torchvision import RandomMask as ForTorchvision

        torch.set_num_threads(1)
        mask = ForTorchvision(p=1.0)
        yield (
            "torchvision",
            lambda image, mesh: mask({"image": torch.from_numpy(image).permute(2, 0, 1), "landmarks": mesh}),
        )


def measure(mask: Callable[[Image, np.ndarray], Any], faces: Faces, rounds: int) -> dict[str, float]:
    """Milliseconds of processor time for each image: the least and the median of the rounds."""
    for image, mesh in faces:  # compiles, loads templates
        mask(image, mesh)
    costs = []
    for _ in range(rounds):
        began = time.process_time()
        for image, mesh in faces:
            mask(image, mesh)
        costs.append(1e3 * (time.process_time() - began) / len(faces))
    middle = float(np.median(costs))
    return {"cpu_ms": middle, "least_cpu_ms": min(costs), "masks_per_cpu_second": 1e3 / middle}


def _work(faces: Faces, template: str, pipe: Any) -> None:
    masker = maskgen.Masker(template)
    for image, mesh in faces:
        masker(image, landmarks=mesh)
    pipe.send(_most_megabytes())


def _most_megabytes() -> float:
    """The most memory that this process held; a process inherits that of its parent in ``ru_maxrss``."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    kilobytes = [float(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return (kilobytes or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0] / 1024


def worker_megabytes(faces: Faces, template: str) -> float:
    """The most memory that a fresh process with a `Masker` held, in megabytes."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(faces, template, there))
    process.start()
    megabytes: float = here.recv()
    process.join()
    return megabytes


@click.command()
@click.option(
    "--folder", type=click.Path(exists=True, path_type=Path), help="Images; else the portraits of maskgen."
)
@click.option("--images", default=50, show_default=True)
@click.option("--size", default=224, show_default=True, help="Pixels a side.")
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here."
)
def main(folder: Path | None, images: int, size: int, rounds: int, file: Path | None) -> None:
    """Measure `maskgen.Masker` and the transforms of the libraries that are installed."""
    cv2.setNumThreads(1)
    faces = read_faces(folder, images, size)
    faces = list(islice((face for _ in range(images) for face in faces), images))
    rows = {name: measure(mask, faces, rounds) for name, mask in transforms()}
    for name, row in rows.items():
        click.echo(
            f"{name:16} {row['cpu_ms']:5.2f} ms of CPU, {row['masks_per_cpu_second']:4.0f} masks a second"
        )
    memory = {template: worker_megabytes(faces, template) for template in ("surgical_blue", "street")}
    for template, megabytes in memory.items():
        click.echo(f"worker with {template}: {megabytes:.0f} MB")
    if file is not None:
        file.write_text(json.dumps({"rows": rows, "worker_megabytes": memory}, indent=1) + "\n")


if __name__ == "__main__":
    main()
