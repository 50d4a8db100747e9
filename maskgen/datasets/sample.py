"""The embedded sample: one portrait in three crops, for trying maskgen without a download."""

from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.root import labelled_by_path

SHIPS_IN = Path(__file__).parent / "sample"

SAMPLE = FaceDataset(
    name="sample",
    title="Portrait of the astronaut Eileen Collins",
    homepage="https://images.nasa.gov/",
    licence="Public domain: a photograph by NASA, as scikit-image's data.astronaut() has it.",
    citation="NASA, portrait of Eileen Collins",
    expects=("the images that are installed with maskgen",),
    holds=lambda root: root.is_dir(),
    samples=labelled_by_path(lambda relative: {"gender": "female", "identity": "Eileen Collins"}),
    ships_in=SHIPS_IN,
)
