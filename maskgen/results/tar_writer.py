"""Write the images of a shard into one tar, for ``--layout webdataset``.

::

    OUT/shards/000012.tar       the masked images of shard 12, with these members for each
        KEY.jpg                 the image; all images of a run have one suffix: see `tar_suffix`
        KEY.json                its row of the manifest, as `maskgen.results.tar_rows` writes it
        KEY.unmasked.jpg        the unmasked image, with --pairs
        KEY.alpha.png           the alpha, with --alpha

The manifest names a member by a path through the tar, ``shards/000012.tar/KEY.jpg``. A shard without masked
images has no tar. The tar is uncompressed, with PAX headers for long and non-ASCII names. The same members
give the same bytes: owner, times and modes are constant.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

from maskgen.files.suffixes import KEPT, SUFFIXES
from maskgen.records import Sample
from maskgen.results.layout import Places, tar_place
from maskgen.results.tar_rows import member_of

# The unfinished tar in the scratch folder of its shard.
_UNFINISHED = "shard.tar"


def tar_suffix(first: Sample, format: str) -> str:
    """The suffix of all images in a run's tars, whatever their formats.

    The webdataset library and Hugging Face turn each suffix of the first samples into a column, and would
    lose a PNG among JPEGs. Both detect the format of an image by its content.

    Args:
        first: The first sample of the dataset, whose suffix all images get.
        format: "source", or the format of all images.
    """
    if format != "source":
        return SUFFIXES[format.upper()][0]
    suffix = PurePosixPath(first.id).suffix.lower()
    source = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes), "JPEG")
    if source not in KEPT["webdataset"]:
        # Such an image becomes a JPEG or PNG, depending on its content; these are the likely ones.
        source = "PNG" if source in ("GIF", "BMP", "TIFF") else "JPEG"
    return SUFFIXES[source][0]


class TarShard:
    """The tar of one shard, created with its first image; keeps no image in memory.

    Args:
        path: The unfinished file.
        place: Its name in the manifest.
    """

    def __init__(self, path: Path, place: str) -> None:
        self._path, self._place = path, place
        self._tar: tarfile.TarFile | None = None

    def add(
        self,
        places: Places,
        row: bytes,
        image: bytes,
        unmasked: bytes | None = None,
        alpha: bytes | None = None,
    ) -> None:
        """Append the files of one sample and variant.

        Args:
            places: The paths of the files, all in this tar.
            row: The JSON member, from `maskgen.results.tar_rows.member_json`.
            image: The masked image, encoded.
            unmasked: The unmasked image, encoded; written if it has a place.
            alpha: The alpha as PNG; written if it has a place.
        """
        files = (
            *((places.image, image), (member_of(places.image), row)),
            *((places.unmasked, unmasked), (places.alpha, alpha)),
        )
        for place, data in files:
            if place is not None and data is not None:
                self._append(place.removeprefix(f"{self._place}/"), data)

    def _append(self, name: str, data: bytes) -> None:
        if self._tar is None:
            self._tar = tarfile.open(self._path, "x:", format=tarfile.PAX_FORMAT, encoding="utf-8")  # noqa: SIM115
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(data), 0o644, 0
        self._tar.addfile(member, BytesIO(data))
        # Do not let `tarfile` collect the written members.
        self._tar.members.clear()  # type: ignore[attr-defined]

    def close(self) -> bool:
        """Write the end of the tar; False if it is empty and has no file."""
        if self._tar is None:
            return False
        self._tar.close()
        return True


@contextmanager
def open_tar_shard(out: Path, scratch: Path, shard: int) -> Iterator[TarShard]:
    """Open the tar of a shard; it moves into ``out`` when the block ends without an exception.

    Args:
        out: The output folder.
        scratch: The shard's scratch folder, on the same file system.
        shard: The index of the shard.
    """
    unfinished, place = scratch / _UNFINISHED, tar_place(shard)
    tar = TarShard(unfinished, place)
    try:
        yield tar
    except BaseException:
        tar.close()
        raise
    if tar.close():
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        unfinished.replace(out / place)
