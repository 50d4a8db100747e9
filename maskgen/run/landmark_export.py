"""Write the landmarks of a dataset to a file, for `maskgen synth --landmarks FILE`."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

from maskgen.datasets import FaceDataset
from maskgen.errors import MachineError, ModelError, output_errors
from maskgen.files.atomic import open_atomic
from maskgen.files.remote import check_workers
from maskgen.files.tar import read_sample
from maskgen.images.codec import decode
from maskgen.landmarks import LandmarkerSpec
from maskgen.landmarks.landmark_file import landmark_line
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.output_files import check_apart
from maskgen.run.executors.executor import interruptible, run_tasks
from maskgen.run.pipeline import open_once
from maskgen.run.remote_run_dir import fetched
from maskgen.run.shard_list import cut, list_samples

log = logging.getLogger("maskgen")

# Images per task.
_CHUNK = 64


@dataclass(frozen=True)
class FaceCounts:
    """Counts of images and faces; ``a + b`` adds two.

    Attributes:
        inputs: Images processed.
        with_face: Images with at least one face.
        faces: Faces in all images.
        unreadable: Images that cannot be read; they get no line.
    """

    inputs: int = 0
    with_face: int = 0
    faces: int = 0
    unreadable: int = 0

    def __add__(self, other: FaceCounts) -> FaceCounts:
        return FaceCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def write_landmarks(
    dataset: FaceDataset,
    root: Path,
    out: Path,
    *,
    options: SynthOptions,
    spec: LandmarkerSpec,
    every_face: bool = False,
    workers: int = 1,
    progress: bool = True,
) -> FaceCounts:
    """Write a landmark file with a line for each readable image, in the order of the dataset.

    Args:
        dataset: The adapter that lists the images.
        root: The dataset's folder or file.
        out: The landmark file, outside the dataset; it appears when it is complete.
        options: Only the splits and the limit are used.
        spec: The landmark engine.
        every_face: Keep all faces of an image, for `maskgen synth --faces all`.
        workers: Processes; -1 takes every core.
        progress: Show a bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    check_workers((root, out), workers == 1)
    for source in dataset.files(root) if dataset.files else [root]:
        check_apart(source, out)
    chunks = enumerate(cut(list_samples(options, replace(dataset, always={}), root), _CHUNK))
    find = partial(_find_chunk, spec, every_face)
    total, pending, next_index = FaceCounts(), dict[int, str](), 0
    show = progress and sys.stderr.isatty()
    # Listing first costs little beside the models, and tells the remaining time.
    images = sum(1 for _ in list_samples(options, replace(dataset, always={}), root)) if show else None
    with (
        interruptible(),
        output_errors(out),
        open_atomic(out) as file,
        tqdm(total=images, unit="image", file=sys.stderr, disable=not show) as bar,
        closing(run_tasks(find, chunks, workers=workers)) as results,  # type: ignore[type-var]
    ):
        for index, lines, counts in results:
            total += counts
            bar.set_postfix({"with a face": total.with_face, "unreadable": total.unreadable}, refresh=False)
            bar.update(counts.inputs)
            pending[index] = lines
            while next_index in pending:
                file.write(pending.pop(next_index).encode())
                next_index += 1
    return total


def _find_chunk(
    spec: LandmarkerSpec, every_face: bool, chunk: tuple[int, tuple[Sample, ...]]
) -> tuple[int, str, FaceCounts]:
    """(index of the chunk, its lines, its counts)."""
    lines, counts = [], FaceCounts()
    with fetched(chunk[1]) as samples:
        for sample in samples:
            try:
                image = decode(read_sample(sample)).bgr
                faces = open_once(spec).find(
                    image, boxes=sample.boxes, sample_id=sample.id, every_face=every_face
                )
            except ModelError:
                raise
            except (OSError, ImportError) as error:
                raise MachineError.of(error) from error
            # A bad image must not stop the run, as in `maskgen.run.pipeline`.
            except Exception as error:
                log.info("%s: %s", sample.id, " ".join(str(error).split()) or type(error).__name__)
                counts += FaceCounts(inputs=1, unreadable=1)
                continue
            lines.append(landmark_line(sample.id, (image.shape[1], image.shape[0]), faces))
            counts += FaceCounts(inputs=1, with_face=bool(faces), faces=len(faces))
    return chunk[0], "".join(lines), counts
