"""Option groups of `synth`, `apply` and `landmarks`; `synth_options` builds a `SynthOptions` from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.parameters import COUNT, SPLIT, Decorated, stacked
from maskgen.datasets import DATASETS
from maskgen.errors import UsageError
from maskgen.landmarks import DETECTORS
from maskgen.options import CHOICES, SAMPLES_IN_TAR, SynthOptions
from maskgen.records import WEARS

DEFAULTS = SynthOptions(dataset="")


def field_option(flag: str, text: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option named after a field of `SynthOptions`, with the field's default and allowed values."""
    name = flag.split("/", maxsplit=1)[0].lstrip("-").replace("-", "_")
    if name in CHOICES:
        settings["type"] = click.Choice(CHOICES[name])
    return click.option(flag, default=getattr(DEFAULTS, name), help=text, **settings)


def _dataset(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """The dataset's name; "folder" if ``--files-from`` is given without ``--dataset``."""
    if value is None and not ctx.params.get("files"):
        raise click.MissingParameter(ctx=ctx, param=param)
    return value or "folder"


dataset_options = stacked(
    click.option(
        "--dataset",
        type=parameters.DatasetName(tuple(DATASETS)),
        metavar="NAME",
        callback=_dataset,
        help=f"Dataset to read: {', '.join(DATASETS)}.",
    ),
    click.option(
        "--root",
        type=parameters.ANY_PATH,
        help="Location of the dataset: a path, a URL such as s3://bucket/faces, or for webdataset also a "
        "pattern such as 'shards/*.tar'.  [default: $MASKGEN_DATA/NAME, ./data/NAME or ./NAME]",
    ),
    parameters.links_option,
    click.option(
        "--image-root",
        type=parameters.FOLDER,
        help="Image folder for --dataset table. Paths in the table are relative to this folder, or absolute "
        "and inside it.  [default: the table's folder]",
    ),
    click.option(
        "--split", type=SPLIT, multiple=True, help="Read only this split. Can be repeated.  [default: all]"
    ),
    click.option("--limit", type=COUNT, metavar="N", help="Read only the first N images.  [default: all]"),
)

mask_options = stacked(
    field_option(
        "--blend",
        "How the mask is composited: overlay is alpha blending, poisson is Poisson cloning, which takes "
        "on the face's light, and flatten is a texture-flattening baseline without a template.",
    ),
    field_option(
        "--fit",
        "How the template is warped to the face: mesh is a thin-plate spline over the face mesh, half-split "
        "is one affine map for each half of the face.",
    ),
    click.option(
        "--template",
        multiple=True,
        metavar="WHAT[=WEIGHT]",
        help="Mask templates to draw from: a name, a kind (surgical, n95, cloth, ...), a tone (light, dark, "
        "patterned), the path of your own template, or all. Can be repeated; WEIGHT sets relative "
        f"frequencies.  [default: {DEFAULTS.templates[0][0]}]",
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
    field_option("--jitter/--no-jitter", "Vary the height, tilt, size and slack of each mask slightly."),
    field_option(
        "--occlusion",
        "on draws the mask behind hair, eyeglasses and other objects that are clearly in front of the face.",
    ),
    field_option(
        "--harmonise/--no-harmonise",
        "Match the mask to the photograph's light, sharpness and grain, and add a contact shadow.",
    ),
    field_option("--faces", "Which faces to mask: the largest, all, or the one closest to the image centre."),
    field_option(
        "--min-face",
        "Skip faces whose outer eye corners are closer together than this.",
        type=click.FloatRange(min=0),
        metavar="PIXELS",
    ),
    field_option(
        "--format",
        "Format of the written images; source keeps the input's format. Exceptions: GIF, HEIC, AVIF and JPEG "
        "XL inputs become JPEG if they are opaque and lossy, otherwise PNG. The same holds for formats that "
        "the layout's loaders skip: WebP, TIFF and PNM in folders, WebP, TIFF and BMP in tars.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        help="JPEG or WebP quality.  [default: the source's JPEG quantization tables]",
    ),
    field_option("--seed", "Seed of all random choices."),
)

landmark_options = stacked(
    click.option(
        "--landmark-model",
        type=parameters.FILE,
        help="face_landmarker.task file for mediapipe Tasks.  [default: the models in the mediapipe wheel]",
    ),
    click.option(
        "--detector",
        type=click.Choice(DETECTORS),
        default=DETECTORS[0],
        help="Face detector: mediapipe's own, or OpenCV's Haar cascades.",
    ),
)


def synth_options(dataset: str, label: str | None, **given: Any) -> SynthOptions:
    """Build `SynthOptions` from command-line values.

    ``dataset`` is empty for a single image. ``given`` holds other fields of `SynthOptions`; of repeatable
    options (``template``, ``color``, ``pattern``, ``wear``, ``split``) the unparsed texts, empty by default.

    Raises:
        UsageError: A name does not exist, or options contradict each other.
    """
    from maskgen.masking.templates.library import resolve_selection, split_weight
    from maskgen.masking.templates.recolor import PATTERNS, parse_color

    if given.get("shard_size", 0) is None:
        in_tars = given.get("layout") == "webdataset"
        given["shard_size"] = SAMPLES_IN_TAR if in_tars else DEFAULTS.shard_size
    colors, patterns = given.pop("color"), given.pop("pattern")
    for pattern in patterns:
        if pattern not in (*PATTERNS, "random"):
            raise UsageError(f"--pattern must be one of {', '.join(PATTERNS)} or random, got {pattern!r}")
    return SynthOptions(
        dataset=dataset,
        label=label,
        templates=tuple(resolve_selection(given.pop("template") or (DEFAULTS.templates[0][0],))),
        colors=tuple(color if color == "random" else parse_color(color) for color in colors),
        patterns=patterns,
        wears=tuple(map(split_weight, given.pop("wear"))) or DEFAULTS.wears,
        splits=given.pop("split", ()),
        **given,
    )
