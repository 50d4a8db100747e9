"""Option groups of `synth`, `apply` and `landmarks`; `synth_options` builds a `SynthOptions` from them."""

from __future__ import annotations

from typing import Any

import click

from maskgen.commands.shared.parameters import (
    ANY_PATH,
    FILE,
    FOLDER,
    DatasetName,
    OpenedFile,
    SplitName,
    links_option,
    stacked,
)
from maskgen.datasets import DATASETS
from maskgen.errors import UsageError
from maskgen.landmarks import DETECTORS
from maskgen.options import BLENDS, FACES, FITS, FORMATS, LAYOUTS, OCCLUSION, SAMPLES_IN_TAR, SynthOptions
from maskgen.records import SPLITS, WEARS

_DEFAULTS = SynthOptions(dataset="")


def _choice(flag: str, values: tuple[str, ...], default: str, text: str) -> Any:
    return click.option(flag, type=click.Choice(values), default=default, show_default=True, help=text)


def _dataset(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """The dataset's name; "folder" if ``--files-from`` is given without ``--dataset``."""
    if value is None and not ctx.params.get("files"):
        raise click.MissingParameter(ctx=ctx, param=param)
    return value or "folder"


dataset_options = stacked(
    click.option(
        "--dataset",
        type=DatasetName(tuple(DATASETS)),
        metavar="NAME",
        callback=_dataset,
        help=f"Dataset to read: {', '.join(DATASETS)}.",
    ),
    click.option(
        "--root",
        type=ANY_PATH,
        help="Location of the dataset: a path, a URL such as s3://bucket/faces, or for webdataset also a "
        "pattern such as 'shards/*.tar'.  [default: $MASKGEN_DATA/NAME, ./data/NAME or ./NAME]",
    ),
    links_option,
    click.option(
        "--image-root",
        type=FOLDER,
        help="Image folder for --dataset table. Paths in the table are relative to this folder, or absolute "
        "and inside it.  [default: the table's folder]",
    ),
    click.option(
        "--split",
        type=SplitName(SPLITS),
        multiple=True,
        help="Read only this split. Can be repeated.  [default: all]",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=0),
        metavar="N",
        help="Read only the first N images.  [default: all]",
    ),
)

mask_options = stacked(
    _choice(
        "--blend",
        BLENDS,
        _DEFAULTS.blend,
        "How the mask is composited: overlay is alpha blending, poisson is Poisson cloning, which takes "
        "on the face's light, and flatten is a texture-flattening baseline without a template.",
    ),
    _choice(
        "--fit",
        FITS,
        _DEFAULTS.fit,
        "How the template is warped to the face: mesh is a thin-plate spline over the face mesh, half-split "
        "is one affine map for each half of the face.",
    ),
    click.option(
        "--template",
        multiple=True,
        metavar="WHAT[=WEIGHT]",
        help="Mask templates to draw from: a name, a kind (surgical, n95, cloth, ...), a tone (light, dark, "
        "patterned), the path of your own template, or all. Can be repeated; WEIGHT sets relative "
        f"frequencies.  [default: {_DEFAULTS.templates[0][0]}]",
    ),
    click.option(
        "--color",
        multiple=True,
        metavar="COLOR",
        help="Recolour the templates that allow it: #rrggbb, a colour name, or random. Can be repeated.",
    ),
    click.option(
        "--pattern",
        multiple=True,
        metavar="NAME",
        help="Print a pattern on the templates that allow it: stripes, checks, dots, ... or random. Can be "
        "repeated.",
    ),
    click.option(
        "--wear",
        multiple=True,
        metavar="HOW[=WEIGHT]",
        help=f"How the mask is worn: {', '.join(WEARS)}. Can be repeated; WEIGHT sets relative frequencies.  "
        "[default: correct]",
    ),
    click.option(
        "--jitter/--no-jitter",
        default=_DEFAULTS.jitter,
        show_default=True,
        help="Vary the height, tilt, size and slack of each mask slightly.",
    ),
    _choice(
        "--occlusion",
        OCCLUSION,
        _DEFAULTS.occlusion,
        "on draws the mask behind hair, eyeglasses and other objects that are clearly in front of the face.",
    ),
    click.option(
        "--harmonise/--no-harmonise",
        default=_DEFAULTS.harmonise,
        show_default=True,
        help="Match the mask to the photograph's light, sharpness and grain, and add a contact shadow.",
    ),
    _choice(
        "--faces",
        FACES,
        _DEFAULTS.faces,
        "Which faces of an image to mask: the largest, all, or the one closest to the image centre.",
    ),
    click.option(
        "--min-face",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.min_face,
        show_default=True,
        metavar="PIXELS",
        help="Skip faces whose outer eye corners are closer together than this.",
    ),
    _choice(
        "--format",
        FORMATS,
        _DEFAULTS.format,
        "Format of the written images; source keeps the input's format. Exceptions: GIF, HEIC, AVIF and JPEG "
        "XL inputs become JPEG if they are opaque and lossy, otherwise PNG. The same holds for formats that "
        "the layout's loaders skip: WebP, TIFF and PNM in folders, WebP, TIFF and BMP in tars.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        help="JPEG or WebP quality.  [default: the source's JPEG quantization tables]",
    ),
    click.option(
        "--seed",
        type=int,
        default=_DEFAULTS.seed,
        show_default=True,
        help="Seed of all random choices.",
    ),
)

landmark_options = stacked(
    click.option(
        "--landmark-model",
        type=FILE,
        help="face_landmarker.task file for mediapipe Tasks.  [default: the models in the mediapipe wheel]",
    ),
    _choice(
        "--detector",
        DETECTORS,
        _DEFAULTS.detector,
        "Face detector: mediapipe's own, or OpenCV's Haar cascades.",
    ),
)

list_options = stacked(
    click.option(
        "--files-from",
        "files",
        type=OpenedFile("rb"),
        is_eager=True,
        metavar="LIST",
        help="Process only the images that this file names, one per line; - reads stdin. Without --dataset "
        "these can be any images below --root, by default the current folder.",
    ),
    click.option(
        "-0",
        "--null",
        is_flag=True,
        help="Names in LIST are separated by NUL, as `find -print0` writes them.",
    ),
)

dataset_writing_options = stacked(
    click.option(
        "--variants",
        type=click.IntRange(min=1),
        default=_DEFAULTS.variants,
        show_default=True,
        help="Number of masked copies of each image.",
    ),
    click.option(
        "--label",
        metavar="ATTRIBUTE",
        help="Class label of each image: an attribute of the dataset, or wear, kind, template, identity, "
        "split or none.  [default: gender if the dataset has it]",
    ),
    _choice(
        "--layout",
        LAYOUTS,
        _DEFAULTS.layout,
        "Layout of the output: mirror keeps the source's folders and file names, folders uses split/label/ "
        "folders, webdataset writes tar shards.",
    ),
    click.option("--pairs", is_flag=True, help="Also write the unmasked images, encoded the same way."),
    click.option("--alpha", is_flag=True, help="Also write the alpha of each mask as a PNG."),
    click.option(
        "--shard-size",
        type=click.IntRange(min=1),
        help="Number of images in a shard. A shard is the unit of work and of resuming, and with --layout "
        f"webdataset one tar.  [default: {_DEFAULTS.shard_size}, or {SAMPLES_IN_TAR:,} with webdataset]",
    ),
)


def synth_options(dataset: str, label: str | None, **given: Any) -> SynthOptions:
    """Build `SynthOptions` from command-line values.

    Args:
        dataset: Name of the adapter; empty for a single image without a dataset.
        label: The attribute that becomes the class label, or None.
        **given: Other fields of `SynthOptions`. Repeatable options are unparsed and have their option's name
            (``template``, ``color``, ``pattern``, ``wear``, ``split``). Empty ones take their default.

    Raises:
        UsageError: A name does not exist, or options contradict each other.
    """
    from maskgen.masking.templates.library import resolve_selection, split_weight
    from maskgen.masking.templates.recolor import PATTERNS, parse_color

    if given.get("shard_size", 0) is None:
        in_tars = given.get("layout") == "webdataset"
        given["shard_size"] = SAMPLES_IN_TAR if in_tars else _DEFAULTS.shard_size
    colors, patterns = given.pop("color"), given.pop("pattern")
    for pattern in patterns:
        if pattern not in (*PATTERNS, "random"):
            raise UsageError(f"--pattern must be one of {', '.join(PATTERNS)} or random, got {pattern!r}")
    return SynthOptions(
        dataset=dataset,
        label=label,
        templates=tuple(resolve_selection(given.pop("template") or (_DEFAULTS.templates[0][0],))),
        colors=tuple(color if color == "random" else parse_color(color) for color in colors),
        patterns=patterns,
        wears=tuple(map(split_weight, given.pop("wear"))) or _DEFAULTS.wears,
        splits=given.pop("split", ()),
        **given,
    )
