"""Write the images of a shard: as loose files, or into one tar for ``--layout webdataset``.

::

    OUT/shards/000012.tar       the masked images of shard 12, with these members for each
        KEY.jpg                 the image; all images of a run have one suffix: see `tar_suffix`
        KEY.json                its row of the manifest: see `member_json`
        KEY.unmasked.jpg        the unmasked image, with --pairs
        KEY.alpha.png           the alpha, with --alpha

A shard without masked images has no tar. The tar is uncompressed, with PAX headers for long and non-ASCII
names. The same members give the same bytes: owner, times and modes are constant.
"""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.files.json_text import json_line
from maskgen.files.path_text import from_text
from maskgen.files.remote import is_remote, lies_in
from maskgen.files.suffixes import KEPT, SUFFIXES
from maskgen.records import ManifestRow, Sample
from maskgen.results.layout import Places, tar_place
from maskgen.results.manifest import row_to_json


def check_apart(root: Path, out: Path) -> None:
    """Raise `UsageError` if source and output are the same, or one lies in the other.

    Resolves links and ``..``, also on file systems that ignore case.
    """
    if is_remote(root) or is_remote(out):
        if is_remote(root) and is_remote(out) and (lies_in(root, out) or lies_in(out, root)):
            raise UsageError(f"{out} and the source {root} lie in one another; give another --out")
        return
    source, target = root.resolve(), out.resolve()
    if source == target:
        raise UsageError(f"the output folder {out} is the source itself; give another --out")
    for inner, outer, words in (
        (target, source, f"the output folder {out} lies in the source {root}"),
        (source, target, f"the source {root} lies in the output folder {out}"),
    ):
        for folder in (inner, *inner.parents):
            if folder == outer or (folder.exists() and outer.exists() and folder.samefile(outer)):
                raise UsageError(f"{words}; give an --out outside of it")


def write_outputs(
    out: Path,
    scratch: Path | None,
    places: Places,
    image: bytes,
    unmasked: bytes | None = None,
    alpha: bytes | None = None,
) -> None:
    """Write the encoded files of one sample and variant that have a place, each atomically.

    ``scratch`` is a folder below ``out`` for unfinished files; None uses the folders of the files.
    """
    for place, data in ((places.unmasked, unmasked), (places.alpha, alpha), (places.image, image)):
        if place is not None and data is not None:
            write_atomic(out / from_text(place), data, scratch)


def tar_suffix(first: Sample, format: str) -> str:
    """The suffix of all images in a run's tars, whatever their formats.

    The webdataset library and Hugging Face turn each suffix of the first samples into a column, and would
    lose a PNG among JPEGs. Both detect the format of an image by its content. With the format "source", all
    images get the suffix of the first sample.
    """
    if format != "source":
        return SUFFIXES[format.upper()][0]
    suffix = PurePosixPath(first.id).suffix.lower()
    source = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes), "JPEG")
    if source not in KEPT["webdataset"]:
        # Such an image becomes a JPEG or PNG, depending on its content; these are the likely ones.
        source = "PNG" if source in ("GIF", "BMP", "TIFF") else "JPEG"
    return SUFFIXES[source][0]


def member_of(place: str) -> str:
    """The JSON member of an image, both by their manifest names, ``shards/000012.tar/KEY.jpg``."""
    tar, end, member = place.partition(".tar/")
    folder, slash, name = member.rpartition("/")
    return f"{tar}{end}{folder}{slash}{name.partition('.')[0]}.json"


def member_json(row: ManifestRow) -> bytes:
    """The content of the JSON member of a masked row, with the same types in every member.

    Hugging Face's `datasets` infers the types from the first five members, and refuses others after a null or
    after objects with differing keys. A missing text is therefore empty, and ``attributes`` is JSON text.
    """
    values = json.loads(row_to_json(row), object_hook=_without_null)
    return json_line(values | {"attributes": json_line(row.attributes)}).encode()


def _without_null(values: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in values.items()}


@dataclass
class TarShard:
    """The tar of one shard, created with its first image: its unfinished file and its manifest name."""

    path: Path
    place: str
    tar: tarfile.TarFile | None = None

    def add(
        self, places: Places, row: bytes, image: bytes, unmasked: bytes | None, alpha: bytes | None
    ) -> None:
        """Append the files of one sample and variant that have a place, and ``row`` as the JSON member."""
        images = ((places.unmasked, unmasked), (places.alpha, alpha))
        for place, data in ((places.image, image), (member_of(places.image), row), *images):
            if place is None or data is None:
                continue
            if self.tar is None:
                self.tar = tarfile.open(self.path, "x:", format=tarfile.PAX_FORMAT, encoding="utf-8")  # noqa: SIM115
            member = tarfile.TarInfo(place.removeprefix(f"{self.place}/"))
            member.size, member.mode, member.mtime = len(data), 0o644, 0
            self.tar.addfile(member, BytesIO(data))
            # Do not let `tarfile` collect the written members.
            self.tar.members.clear()  # type: ignore[attr-defined]


@contextmanager
def open_tar_shard(out: Path, scratch: Path, shard: int) -> Iterator[TarShard]:
    """Open the tar of a shard; it moves into ``out`` when the block ends without an exception.

    ``scratch`` is the shard's scratch folder, on the same file system.
    """
    shard_tar = TarShard(scratch / "shard.tar", tar_place(shard))
    try:
        yield shard_tar
    finally:
        if shard_tar.tar:
            shard_tar.tar.close()
    if shard_tar.tar:
        path = out / shard_tar.place
        path.parent.mkdir(parents=True, exist_ok=True)
        shard_tar.path.replace(path)
