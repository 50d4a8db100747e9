"""Options that several commands share, as decorators; `synth_options` makes `SynthOptions` of them."""

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
    """A list of files needs none: it is one of any images."""
    if value is None and not ctx.params.get("files"):
        raise click.MissingParameter(ctx=ctx, param=param)
    return value or "folder"


dataset_options = stacked(
    click.option(
        "--dataset",
        type=DatasetName(tuple(DATASETS)),
        metavar="NAME",
        callback=_dataset,
        help=f"Which dataset: {', '.join(DATASETS)}.",
    ),
    click.option(
        "--root",
        type=ANY_PATH,
        help="Where the dataset lies: a path, a URL such as s3://bucket/faces, or for webdataset a pattern, "
        "such as 'shards/*.tar'.  [default: $MASKGEN_DATA/NAME, ./data/NAME or ./NAME]",
    ),
    links_option,
    click.option(
        "--image-root",
        type=FOLDER,
        help="Where the images of --dataset table lie: its paths are relative to this folder, or absolute "
        "and below it.  [default: the table's folder]",
    ),
    click.option(
        "--split",
        type=SplitName(SPLITS),
        multiple=True,
        help="Only this split; may be repeated.  [default: all]",
    ),
    click.option(
        "--limit", type=click.IntRange(min=0), help="Only the first so many images.  [default: all]"
    ),
)

mask_options = stacked(
    _choice(
        "--blend",
        BLENDS,
        _DEFAULTS.blend,
        "How the mask goes into the image: laid over it, by Poisson cloning, which takes the face's light, "
        "or the texture-flattening baseline, which uses no template.",
    ),
    _choice("--fit", FITS, _DEFAULTS.fit, "How the template is laid over the face."),
    click.option(
        "--template",
        multiple=True,
        metavar="WHAT[=WEIGHT]",
        help="A template's name, a kind (surgical, n95, cloth, ...), a tone (light, dark, patterned), the "
        f"path of one of your own, or all; may be repeated.  [default: {_DEFAULTS.templates[0][0]}]",
    ),
    click.option(
        "--color",
        multiple=True,
        metavar="COLOR",
        help="Recolour templates that allow it: #rrggbb, a name, or random; may be repeated.",
    ),
    click.option(
        "--pattern",
        multiple=True,
        metavar="NAME",
        help="Print a pattern on templates that allow it: stripes, checks, dots, ... or random; may be "
        "repeated.",
    ),
    click.option(
        "--wear",
        multiple=True,
        metavar="HOW[=WEIGHT]",
        help=f"How the mask is worn: {', '.join(WEARS)}; may be repeated.  [default: correct]",
    ),
    click.option(
        "--jitter/--no-jitter",
        default=_DEFAULTS.jitter,
        show_default=True,
        help="Let every mask sit a little otherwise: height, tilt, size and slack.",
    ),
    _choice(
        "--occlusion",
        OCCLUSION,
        _DEFAULTS.occlusion,
        "Whether the mask goes behind hair and other things that clearly lie in front of the face.",
    ),
    click.option(
        "--harmonise/--no-harmonise",
        default=_DEFAULTS.harmonise,
        show_default=True,
        help="Give the mask the photograph's light, sharpness and grain, and a contact shadow.",
    ),
    _choice("--faces", FACES, _DEFAULTS.faces, "Which faces of an image are masked."),
    click.option(
        "--min-face",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.min_face,
        show_default=True,
        metavar="PIXELS",
        help="Leave faces alone whose outer eye corners lie closer together than this.",
    ),
    _choice(
        "--format",
        FORMATS,
        _DEFAULTS.format,
        "Format of the written images. An image in GIF, HEIC, AVIF or JPEG XL becomes a JPEG if it is opaque "
        "and compressed with loss, else a PNG. So does one that the loaders of the layout leave out: WebP, "
        "TIFF or PNM in folders, WebP, TIFF or BMP in tars.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        help="JPEG or WebP quality.  [default: the source's own JPEG tables]",
    ),
    click.option(
        "--seed",
        type=int,
        default=_DEFAULTS.seed,
        show_default=True,
        help="Where every random choice starts.",
    ),
)

landmark_options = stacked(
    click.option(
        "--landmark-model",
        type=FILE,
        help="A face_landmarker.task file for mediapipe Tasks.  [default: the models in the mediapipe wheel]",
    ),
    _choice("--detector", DETECTORS, _DEFAULTS.detector, "What finds the faces."),
)

list_options = stacked(
    click.option(
        "--files-from",
        "files",
        type=OpenedFile("rb"),
        is_eager=True,
        metavar="LIST",
        help="Take only the images that this file names, one a line; - reads stdin. Without --dataset they "
        "are any images below --root, or where you are.",
    ),
    click.option("-0", "--null", is_flag=True, help="Names in LIST end in NUL, as from `find -print0`."),
)

dataset_writing_options = stacked(
    click.option(
        "--variants",
        type=click.IntRange(min=1),
        default=_DEFAULTS.variants,
        show_default=True,
        help="Masked copies of each image.",
    ),
    click.option(
        "--label",
        metavar="ATTRIBUTE",
        help="What becomes the class: an attribute of the dataset, or wear, kind, template, identity, split, "
        "none.  [default: gender where the dataset has it]",
    ),
    _choice(
        "--layout",
        LAYOUTS,
        _DEFAULTS.layout,
        "The source's own tree and names, split/label folders, or tars for the webdataset library.",
    ),
    click.option("--pairs", is_flag=True, help="Write the unmasked images too, through the same encoder."),
    click.option("--alpha", is_flag=True, help="Write each mask's alpha as a PNG."),
    click.option(
        "--shard-size",
        type=click.IntRange(min=1),
        help="Images in a shard, the unit of work and of resuming, and a tar of --layout webdataset.  "
        f"[default: {_DEFAULTS.shard_size}, and {SAMPLES_IN_TAR:,} with that layout]",
    ),
)


def synth_options(dataset: str, label: str | None, **given: Any) -> SynthOptions:
    """Resolve what was given on the command line.

    Args:
        dataset: Name of the adapter; empty for an image that is part of none.
        label: The attribute that becomes the class, or None.
        **given: Further fields of `SynthOptions`; those that may be repeated under the name of their option
            and as they were typed. What was left empty takes its default.

    Raises:
        UsageError: A name that does not exist, or options that contradict each other.
    """
    from maskgen.masking.templates.library import resolve_selection, split_weight
    from maskgen.masking.templates.recolor import PATTERNS, parse_color

    if given.get("shard_size", 0) is None:
        packs = given.get("layout") == "webdataset"
        given["shard_size"] = SAMPLES_IN_TAR if packs else _DEFAULTS.shard_size
    colors, patterns = given.pop("color"), given.pop("pattern")
    for pattern in patterns:
        if pattern not in (*PATTERNS, "random"):
            known = ", ".join(PATTERNS)
            raise UsageError(f"--pattern must be one of {known} or random, got {pattern!r}")
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
