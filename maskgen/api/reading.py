"""Open datasets and results: samples, images, and the rows of a manifest."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from maskgen.api.pixels import ChannelOrder, from_bgr
from maskgen.datasets import find_root, get_dataset
from maskgen.errors import UsageError
from maskgen.files.remote import location
from maskgen.files.tar import read_sample
from maskgen.images.codec import decode
from maskgen.records import SPLITS, Image, ManifestRow, Sample, split_of
from maskgen.results import manifest


class Samples:
    """The samples of a dataset, listed anew in each loop over them, in the order of ``maskgen synth``.

    Attributes:
        name: The dataset's name, such as "celeba".
        root: Its folder.
        several_faces: Whether its images commonly show more than one face; give it to `Masker` as
            ``every_face`` for the masks of ``maskgen synth``.
    """

    def __init__(self, name: str, root: Path, split: str | None, limit: int | None) -> None:
        self._dataset = get_dataset(name)
        self._split, self._limit = split, limit
        self.name, self.root = self._dataset.name, root
        self.several_faces = self._dataset.several_faces

    def __iter__(self) -> Iterator[Sample]:
        samples = self._dataset.samples(self.root)
        chosen = (sample for sample in samples if self._split in (None, sample.split))
        return islice(chosen, self._limit)

    def __repr__(self) -> str:
        return f"<maskgen.Samples {self.name} in {self.root}>"


def open_dataset(
    name: str, root: str | Path | None = None, *, split: str | None = None, limit: int | None = None
) -> Samples:
    """Open one of the datasets that ``maskgen datasets`` lists.

    Args:
        name: As for ``--dataset``, in any case.
        root: Its folder; by default ``$MASKGEN_DATA/NAME``, ``data/NAME`` or ``NAME``.
        split: Yield only the samples of "train", "validation" or "test".
        limit: Yield at most this number of samples.

    Raises:
        MissingDataError: The dataset is not there; the message lists the folders and the files expected.

    Examples:
        >>> import maskgen
        >>> [sample.id for sample in maskgen.open_dataset("sample", limit=1)]
        ['eileen_collins_face.jpg']
    """
    if split is not None and split_of(split) is None:
        raise UsageError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    dataset = get_dataset(name)
    found = find_root(dataset, None if root is None else location(str(root)))
    return Samples(dataset.name, found, None if split is None else split_of(split), limit)


def read_image(source: Sample | str | Path, *, channel_order: ChannelOrder = "rgb") -> Image:
    """Read an image upright, with the pixels that ``maskgen synth`` sees.

    Args:
        source: A sample of `open_dataset`, or the path of an image file.
        channel_order: "rgb" or "bgr".

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableImageError: It is not there, no image, or damaged.
    """
    if not isinstance(source, Sample):
        path = Path(source)
        source = Sample(path.name, path, path.name)
    return from_bgr(decode_sample(source), channel_order)


def decode_sample(sample: Sample) -> Image:
    """(height, width, 3) uint8 BGR of a sample's image."""
    return decode(read_sample(sample)).bgr


def read_manifest(out: str | Path) -> Iterator[ManifestRow]:
    """The rows of a result, one for each input and variant, as a stream.

    Args:
        out: The output folder of ``maskgen synth``, or its ``manifest.jsonl``.

    Raises:
        MissingDataError: There is no manifest.
        ConfigurationError: A line is not a row; the message names file and line.
    """
    path = location(str(out))
    return manifest.read_manifest(path if path.suffix == ".jsonl" else path / "manifest.jsonl")
