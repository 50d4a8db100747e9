"""Option groups of `synth`, `apply` and `landmarks`; `synth_options` builds a `SynthOptions` from them."""

from typing import Any

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.parameters import links_option, option_table, stacked
from maskgen.datasets import DATASETS
from maskgen.errors import UsageError
from maskgen.landmarks import DETECTORS, ENGINES
from maskgen.options import CHOICES, SAMPLES_IN_TAR, SynthOptions
from maskgen.records import SPLITS, WEARS, split_of

DEFAULTS = SynthOptions(dataset="")


class DatasetName(click.Choice[str]):
    """A dataset's name in any case; "_" is read as "-"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read "CelebA" as "celeba"."""
        return super().convert(str(value).lower().replace("_", "-"), param, ctx)


class SplitName(click.Choice[str]):
    """A split, by any of its synonyms."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read "Val" or "dev" as "validation"."""
        return super().convert(split_of(str(value)) or value, param, ctx)


def _dataset(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """The dataset's name; "folder" if ``--files-from`` is given without ``--dataset``."""
    if value is None and not ctx.params.get("files"):
        raise click.MissingParameter(ctx=ctx, param=param)
    return value or "folder"


_DATASET_HELP = {
    "--dataset": f"Dataset to read: {', '.join(DATASETS)}.",
    "--root": "Location of the dataset: a path, a URL such as s3://bucket/faces, or for webdataset also a "
    "pattern such as 'shards/*.tar'.  [default: $MASKGEN_DATA/NAME, ./data/NAME or ./NAME]",
    "--image-root": "Image folder for --dataset table. Paths in the table are relative to this folder, or "
    "absolute and inside it.  [default: the table's folder]",
    "--split": "Read only this split. Can be repeated.  [default: all]",
    "--limit": "Read only the first N images.  [default: all]",
}
dataset_options = stacked(
    option_table(
        _DATASET_HELP,
        dataset={"type": DatasetName(tuple(DATASETS)), "metavar": "NAME", "callback": _dataset},
        root={"type": parameters.ANY_PATH},
        image_root={"type": parameters.FOLDER},
        split={"type": SplitName(SPLITS), "multiple": True},
        limit={"type": parameters.COUNT, "metavar": "N"},
    ),
    links_option,
)

_MASK_HELP = {
    "--blend": "How the mask is composited: overlay is alpha blending, poisson is Poisson cloning, which "
    "takes on the face's light, and flatten is a texture-flattening baseline without a template.",
    "--fit": "How the mask is laid on the face: mesh drapes it over the face mesh, half-split draws it flat "
    "and maps each half by one affine map.",
    "--template": "Mask templates to draw from: a name, a kind (surgical, n95, cloth, ...), a tone (light, "
    "dark, patterned), the path of your own template, all, or street, a mix as in photographs of people in "
    "masks. Can be repeated; WEIGHT sets relative frequencies, and a group divides its weight among its "
    "templates.  [default: street]",
    "--color": "Recolour the templates that allow it: #rrggbb, a colour name, or random. Can be repeated.",
    "--pattern": "Print a pattern on the templates that allow it: stripes, checks, dots, camouflage, ..., "
    "noise (blocks of random colours), or random, which is any but noise. Can be repeated.",
    "--wear": f"How the mask is worn: {', '.join(WEARS)}. Can be repeated; WEIGHT sets relative "
    "frequencies.  [default: correct]",
    "--jitter/--no-jitter": "Vary the height, tilt, size and slack of each mask, as worn masks do.",
    "--occlusion": "on draws the mask behind hair, eyeglasses and other objects that are clearly in front of "
    "the face.",
    "--harmonise/--no-harmonise": "Match the mask to the photograph's light, sharpness and grain, and add a "
    "contact shadow.",
    "--faces": "Which faces of an image to mask: the largest, all, or the one closest to the image centre.",
    "--min-face": "Skip faces whose outer eye corners are closer together than this.",
    "--masked-faces": "Faces that wear a mask, veil or scarf already: skip leaves them alone (status "
    "already_masked), mask masks them too, and flag masks them and says so in the row's reason.",
    "--keep-unsure": "Also mask faces whose landmarks do not look right, instead of the status unsure; the "
    "row's reason and mesh_score tell them.",
    "--format": "Format of the written images; source keeps the input's format. Exceptions: GIF, HEIC, AVIF "
    "and JPEG XL inputs become JPEG if they are opaque and lossy, otherwise PNG. The same holds for formats "
    "that the layout's loaders skip: WebP, TIFF and PNM in folders, WebP, TIFF and BMP in tars.",
    "--quality": "JPEG or WebP quality.  [default: the source's JPEG quantization tables]",
    "--seed": "Seed of all random choices.",
}
mask_options = option_table(
    _MASK_HELP,
    vars(DEFAULTS),
    CHOICES,
    template={"multiple": True, "metavar": "WHAT[=WEIGHT]"},
    color={"multiple": True, "metavar": "COLOR"},
    pattern={"multiple": True, "metavar": "NAME"},
    wear={"type": str, "multiple": True, "metavar": "HOW[=WEIGHT]"},
    min_face={"type": click.FloatRange(min=0), "metavar": "PIXELS"},
    quality={"type": click.IntRange(1, 100)},
)

landmark_options = stacked(
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default=ENGINES[0],
        help="What runs the landmark models: LiteRT, or mediapipe's Tasks or old graph, if it is installed.",
    ),
    click.option(
        "--models",
        "--landmark-model",
        "landmark_model",
        type=parameters.EXISTING_PATH,
        metavar="PATH",
        help="Folder of the model files (see `maskgen models`), or face_landmarker.task file for Tasks.  "
        "[default: $MASKGEN_MODELS, the installed mediapipe, or the cache, to which they are fetched once]",
    ),
    click.option(
        "--detector",
        type=click.Choice(DETECTORS),
        default=DETECTORS[0],
        help="Face detector: that of the models, or OpenCV's Haar cascades.",
    ),
)


def synth_options(dataset: str, label: str | None, **given: Any) -> SynthOptions:
    """Build `SynthOptions` from command-line values.

    ``dataset`` is empty for a single image. ``given`` holds other fields of `SynthOptions`; of repeatable
    options (``template``, ``color``, ``pattern``, ``wear``, ``split``) the unparsed texts, empty by default.
    """
    from maskgen.masking.materials.prints import MOTIFS
    from maskgen.masking.templates.library import resolve_selection, split_weight
    from maskgen.masking.templates.recolor import parse_color

    if given.get("shard_size", 0) is None:
        in_tars = given.get("layout") == "webdataset"
        given["shard_size"] = SAMPLES_IN_TAR if in_tars else DEFAULTS.shard_size
    colors, patterns = given.pop("color"), given.pop("pattern")
    for pattern in patterns:
        if pattern not in (*MOTIFS, "random"):
            raise UsageError(f"--pattern must be one of {', '.join(MOTIFS)} or random, got {pattern!r}")
    return SynthOptions(
        dataset=dataset,
        label=label,
        templates=tuple(resolve_selection(given.pop("template") or ("street",))),
        colors=tuple(color if color == "random" else parse_color(color) for color in colors),
        patterns=patterns,
        wears=tuple(map(split_weight, given.pop("wear"))) or DEFAULTS.wears,
        splits=given.pop("split", ()),
        **given,
    )
