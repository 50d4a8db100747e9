"""Runs the landmark model over a dataset and keeps what it finds, for `maskgen synth --landmarks FILE`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count
from pathlib import Path

from maskgen.datasets import FaceDataset
from maskgen.errors import MachineError, ModelError, output_errors
from maskgen.files.atomic import open_atomic
from maskgen.files.remote import check_workers
from maskgen.files.tar import read_sample
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker, LandmarkerSpec, open_landmarker
from maskgen.landmarks.landmark_file import landmark_line
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.output_files import check_apart
from maskgen.run.executors.executor import interruptible, run_tasks
from maskgen.run.remote_run_dir import fetched
from maskgen.run.shard_list import cut, list_samples

log = logging.getLogger("maskgen")

# Images that a worker takes at once.
_AT_ONCE = 64


@dataclass(frozen=True)
class Found:
    """What a run came to; ``a + b`` joins two.

    Attributes:
        inputs: Images that were looked at.
        with_face: Those in which there is at least one face.
        faces: All faces.
        unreadable: Images that could not be read; they have no line.
    """

    inputs: int = 0
    with_face: int = 0
    faces: int = 0
    unreadable: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.inputs + other.inputs,
            self.with_face + other.with_face,
            self.faces + other.faces,
            self.unreadable + other.unreadable,
        )


_Chunk = tuple[int, tuple[Sample, ...]]
_Lines = tuple[int, str, Found]


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
) -> Found:
    """Write a landmark file with a line for each readable image, in the order of the dataset.

    Args:
        dataset: Where the images come from.
        root: Where it lies.
        out: The file; it appears when it is complete. It must not lie in the source.
        options: Of these, the splits and the limit count.
        spec: What finds the faces.
        every_face: Keep all faces of an image, for `maskgen synth --faces all`.
        workers: Processes; -1 takes every core.
        progress: Show a bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    check_workers((root, out), workers == 1)
    for source in dataset.files(root) if dataset.files else [root]:
        check_apart(source, out)
    chunks: Iterator[_Chunk] = zip(
        count(), cut(list_samples(options, replace(dataset, always={}), root), _AT_ONCE)
    )
    total, waiting, following = Found(), dict[int, str](), 0
    with (
        interruptible(),
        output_errors(out),
        open_atomic(out) as file,
        tqdm(unit="image", file=sys.stderr, disable=not (progress and sys.stderr.isatty())) as bar,
        closing(run_tasks(partial(_find, spec, every_face), chunks, workers=workers)) as results,  # type: ignore[type-var]
    ):
        for index, lines, found in results:
            total += found
            bar.update(found.inputs)
            waiting[index] = lines
            while following in waiting:
                file.write(waiting.pop(following).encode())
                following += 1
    return total


def _find(spec: LandmarkerSpec, every_face: bool, chunk: _Chunk) -> _Lines:
    index, samples = chunk
    with fetched(samples) as here:
        return index, *_find_in(spec, every_face, here)


def _find_in(spec: LandmarkerSpec, every_face: bool, samples: Sequence[Sample]) -> tuple[str, Found]:
    lines, found = [], Found()
    for sample in samples:
        try:
            image = decode(read_sample(sample)).bgr
            faces = _landmarker(spec).find(
                image, boxes=sample.boxes, sample_id=sample.id, every_face=every_face
            )
        except ModelError:
            raise
        except (OSError, ImportError) as error:
            raise MachineError.of(error) from error
        # As in `maskgen synth`: no image, however odd, may end a run of a million others.
        except Exception as error:
            log.info("%s: %s", sample.id, " ".join(str(error).split()) or type(error).__name__)
            found += Found(inputs=1, unreadable=1)
            continue
        lines.append(landmark_line(sample.id, (image.shape[1], image.shape[0]), faces))
        found += Found(inputs=1, with_face=bool(faces), faces=len(faces))
    return "".join(lines), found


@lru_cache(maxsize=1)
def _landmarker(spec: LandmarkerSpec) -> FaceLandmarker:
    """Opened once per process: the models take most of a second to load."""
    return open_landmarker(spec)
