"""Output layouts: the file names of masked images, unmasked images and alphas.

Each layout of loose files is a function in `LAYOUTS`. The layout "webdataset" packs images into tars
(`maskgen.results.output_files`), with paths such as ``shards/000012.tar/KEY.jpg``.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from maskgen.errors import UsageError
from maskgen.files.path_text import to_text
from maskgen.files.suffixes import CONVERTED_SUFFIXES, FOLDERS_SUFFIXES, SUFFIXES, is_image_name, suffix_of
from maskgen.images.codec import EncodedImage
from maskgen.records import Sample
from maskgen.results.manifest import UNTIDY

UNMASKED, ALPHA, UNLABELLED = "unmasked", "alpha", "unlabelled"
PACKED = "webdataset"  # the layout that packs images into tars
BROWSE_PAGE = "browse.html"

# Files that maskgen writes at the top of an output folder.
OWN_FILES = frozenset(
    ("manifest.jsonl", "metadata.jsonl", "maskgen.json", "README.md", "preview.jpg", BROWSE_PAGE, ".maskgen")
)

LONGEST_NAME = 255  # bytes, on common file systems
LONGEST_PART_OF_KEY = 200  # leaves room for ".unmasked.jpg" where a tar is unpacked

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%\ud800-\udfff]|^\.|[. ]$')

# The webdataset library ends a key at the first dot and skips names that begin with "__".
_UNSAFE_IN_KEY = re.compile(rf"[.~]|^__|{_UNSAFE.pattern}")


@dataclass(frozen=True)
class Places:
    """The files of one sample and variant: paths below the output folder, as in the manifest.

    `maskgen.files.path_text.from_text` gives the name on disk. An image that is not written has None.
    """

    image: str
    unmasked: str | None = None
    alpha: str | None = None


@dataclass(frozen=True)
class Layout:
    """The output layout of a run.

    "mirror" keeps the source's tree and names, for loaders of the original dataset; "folders" has
    ``split/label/name``; "webdataset" has tars for the webdataset library.
    """

    name: str = "mirror"
    variants: int = 1  # masked images of each sample; with more than one, names hold the variant
    pairs: bool = False  # whether the unmasked image is written too
    alpha: bool = False  # whether the alpha is written
    converts: bool = False  # whether images may change their format
    tar_suffix: str | None = None  # of all images in tars; None for that of each image's format

    @property
    def packs(self) -> bool:
        """Whether images go into tars instead of loose files."""
        return self.name == PACKED

    def place(
        self, sample: Sample, label: str | None, variant: int, encoded: EncodedImage, shard: int = 0
    ) -> Places:
        """The places of the files of a sample and variant (from 0); two samples never share one.

        An image that keeps its format keeps its name; another format appends its suffix to the old one,
        because ``a.jpg`` may exist beside ``a.gif``. Only "folders" uses the label, "webdataset" the shard.
        """
        if self.packs:
            top = f"variant-{variant}/" if self.variants > 1 else ""
            key = f"{tar_place(shard)}/{top}{_key(sample)}"
            suffix = self.tar_suffix or encoded.suffix
            image, unmasked, alpha = f"{key}{suffix}", f"{key}.{UNMASKED}{suffix}", f"{key}.{ALPHA}.png"
        else:
            if sample.relative.startswith("/") or ".." in sample.relative.split("/"):
                raise UsageError(f"{to_text(sample.relative)!r} leads out of the output folder")
            path = LAYOUTS[self.name](self, sample, label, variant, encoded)
            folder, slash, name = path.rpartition("/")
            name = shortened(name, sample.id, suffix_of(name))
            image = to_text(f"{folder}{slash}{name}")
            unmasked = f"{UNMASKED}/{image}"
            alpha = to_text(f"{ALPHA}/{folder}{slash}{shortened(f'{name}.png', sample.id, '.png')}")
        return Places(image, unmasked if self.pairs else None, alpha if self.alpha else None)


def _mirror(layout: Layout, sample: Sample, label: str | None, variant: int, encoded: EncodedImage) -> str:
    folder, slash, name = _tidy(sample.relative).rpartition("/")
    stem = name.removesuffix(suffix_of(name))
    # Without --format only a few formats change, and only names with their suffixes can collide.
    converted = suffix_of(stem).lower() in CONVERTED_SUFFIXES
    may_collide = converted or (layout.converts and is_image_name(stem))
    path = f"{folder}{slash}{_output_name(name, sample.id, encoded, may_collide)}"
    if layout.variants > 1:
        return f"variant-{variant}/{path}"
    top = path.partition("/")[0].lstrip("_")
    own = top in OWN_FILES or (layout.pairs and top == UNMASKED) or (layout.alpha and top == ALPHA)
    # A name with a "_" gets one more, to keep "_alpha" and "alpha" apart.
    return f"_{path}" if own else path


def _folders(layout: Layout, sample: Sample, label: str | None, variant: int, encoded: EncodedImage) -> str:
    flat = sample.id.replace("/", "__")
    name = _UNSAFE.sub("_", flat)
    reversible = name == flat and not re.search("__|_/|/_", sample.id)
    # Loaders of class folders rely on the suffix: replace one that they do not read, or of another format.
    current = suffix_of(name)
    of_format = next((each for each in SUFFIXES.values() if encoded.suffix in each), ())
    fits = current.lower() in {encoded.suffix, *FOLDERS_SUFFIXES.intersection(of_format)}
    encoded = replace(encoded, same_format=fits)
    name = _output_name(name, sample.id, encoded, is_image_name(name.removesuffix(current)))
    suffix = suffix_of(name)
    stem = name.removesuffix(suffix) + ("" if reversible else f"~{_short_hash(sample.id)}")
    ending = f"-v{variant}{suffix}" if layout.variants > 1 else suffix
    # Leave room for the ".png" of the alpha, whose name must keep the variant.
    short = shortened(stem + ending, sample.id, ending, LONGEST_NAME - len(".png"))
    folder = UNLABELLED if label is None else _UNSAFE.sub("_", label)
    if label is not None and (folder != label or folder in ("", UNLABELLED)):
        folder = f"{folder}~{_short_hash(label)}"
    return f"{sample.split or 'all'}/{shortened(folder, label or '', '')}/{short}"


# Layout -> function from a sample to its path below the output folder.
LAYOUTS: dict[str, Callable[[Layout, Sample, str | None, int, EncodedImage], str]] = {
    "mirror": _mirror,
    "folders": _folders,
}


def tar_place(shard: int) -> str:
    """The tar of a shard, as a path below the output folder."""
    return f"shards/{shard:06}.tar"


def _key(sample: Sample) -> str:
    """The key of a sample: its member names in the tar up to the first dot.

    It is the id without ``.jpg``; another suffix becomes ``~png``, because ``a.png`` may exist beside
    ``a.jpg``. An id with more dots, or with parts that file systems or tar readers refuse, gets a hash.
    """
    *folders, name = _tidy(sample.id).split("/")
    suffix = suffix_of(name)
    parts = [_UNSAFE_IN_KEY.sub("_", part) for part in (*folders, name.removesuffix(suffix))]
    ending = "" if suffix == ".jpg" else f"~{suffix[1:]}"
    if "/".join(parts) + suffix != sample.id or not is_image_name(name):
        ending = f"~{_short_hash(sample.id)}"
    parts[-1] += ending
    return "/".join(shortened(part, sample.id, "", LONGEST_PART_OF_KEY) for part in parts)


def _output_name(name: str, key: str, encoded: EncodedImage, may_collide: bool) -> str:
    """The output name of an image, which may have changed its format, by the source's name and id.

    ``may_collide``: a converted image may get this name too. If ``a.jpg`` may become ``a.jpg.png``, then a
    source ``a.jpg.png`` becomes ``a.jpg.png.png``.
    """
    if encoded.same_format and not may_collide:
        return name
    if is_image_name(name):
        return name + encoded.suffix
    return f"{name}~{_short_hash(key)}{encoded.suffix}"


def _tidy(path: str) -> str:
    """The path without empty parts and single dots; `PurePosixPath` alone is slow."""
    return str(PurePosixPath(path)) if UNTIDY.search(path) else path


def shortened(name: str, key: str, ending: str, limit: int = LONGEST_NAME) -> str:
    """The name; if too long for a file system, its start, a hash of the key, and its ending."""
    if len(os.fsencode(name)) <= limit:
        return name
    ending = f"~{_short_hash(key)}{ending if len(os.fsencode(ending)) < 32 else ''}"
    while len(os.fsencode(name + ending)) > limit:
        name = name[:-1]
    return name + ending


def _short_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]
