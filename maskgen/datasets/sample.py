"""The embedded sample: one portrait in three crops, for trying maskgen without a download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.samples import images, sample_at
from maskgen.records import Sample

SHIPS_IN = Path(__file__).parent / "sample"


def samples(root: Path) -> Iterator[Sample]:
    """The crops; all show the same person."""
    for relative in images(root):
        yield sample_at(root, relative, {"gender": "female"}, identity="Eileen Collins")


SAMPLE = FaceDataset(
    name="sample",
    title="Portrait of the astronaut Eileen Collins",
    homepage="https://images.nasa.gov/",
    licence="Public domain: a photograph by NASA, as scikit-image's data.astronaut() has it.",
    citation="NASA, portrait of Eileen Collins",
    expects=("the images that are installed with maskgen",),
    holds=lambda root: root.is_dir(),
    samples=samples,
    ships_in=SHIPS_IN,
)
