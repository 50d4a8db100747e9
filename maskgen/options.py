"""The options that determine a run's output bytes.

Other options (workers, backend, share, output folder, verbosity) are not here, and therefore not in the
fingerprint or the run record.
"""

from dataclasses import asdict, dataclass
from typing import Any

from maskgen.errors import UsageError
from maskgen.records import SPLITS, WEARS

BLENDS = ("overlay", "poisson", "flatten")
# Option -> its allowed values.
CHOICES = {
    "blend": BLENDS,
    "fit": ("half-split", "mesh"),
    "faces": ("largest", "all", "center"),
    "layout": ("mirror", "folders", "webdataset"),
    "format": ("source", "jpeg", "png", "webp"),
    "occlusion": ("on", "off"),
    "wear": WEARS,
    "split": SPLITS,
    "masked_faces": ("skip", "mask", "flag"),
}
# Default samples in a shard with the layout "webdataset": a tar of 64 samples is small.
SAMPLES_IN_TAR = 1000

Weighted = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class SynthOptions:
    """The resolved options of one `maskgen synth` run; the command's help explains each of them."""

    dataset: str  # name of the adapter
    blend: str = "overlay"  # "flatten" uses neither template nor fit
    fit: str = "mesh"
    templates: Weighted = (("surgical_blue", 1.0),)  # names or paths; kinds, tones and "all" are resolved
    colors: tuple[str, ...] = ()  # "#rrggbb" or "random", equal weights; empty recolours nothing
    patterns: tuple[str, ...] = ()  # names or "random"; empty prints no pattern
    wears: Weighted = (("correct", 1.0),)
    variants: int = 1  # masked copies of each input
    jitter: bool = True
    occlusion: str = "on"
    harmonise: bool = True
    faces: str = "largest"
    label: str | None = "gender"  # attribute that becomes the class label
    splits: tuple[str, ...] = ()  # empty reads all
    limit: int | None = None  # number of samples to read
    files: str | None = None  # sha256 of the list of images to read; None reads all
    min_face: float = 10.0  # distance of the outer eye corners in pixels
    masked_faces: str = "skip"  # what becomes of faces that wear a mask already
    keep_unsure: bool = False  # also mask faces whose mesh does not look right
    layout: str = "mirror"
    pairs: bool = False  # also write the unmasked images
    alpha: bool = False  # also write the composited alphas
    format: str = "source"
    quality: int | None = None  # None keeps the source's JPEG tables
    landmarks: str = "litert"  # engine, or path of a landmark file
    detector: str = "mediapipe"  # or "haar"
    seed: int = 0
    shard_size: int = 64  # samples in a shard, the unit of work and of resuming

    def __post_init__(self) -> None:
        values: dict[str, tuple[Any, ...]] = {name: (value,) for name, value in vars(self).items()}
        values |= {"wear": tuple(wear for wear, _ in self.wears), "split": self.splits}
        for name, allowed in CHOICES.items():
            for value in values[name]:
                if value not in allowed:
                    raise UsageError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        for name, weighted in (("template", self.templates), ("wear", self.wears)):
            if not weighted or any(weight < 0 for _, weight in weighted) or sum(w for _, w in weighted) <= 0:
                raise UsageError(f"--{name} needs at least one choice with a weight above 0, got {weighted}")
        if self.variants < 1 or self.shard_size < 1:
            numbers = f"{self.variants}, {self.shard_size}"
            raise UsageError(f"variants and shard size must be at least 1, got {numbers}")

    def as_dict(self) -> dict[str, Any]:
        """The options as JSON values, in the order of the fields."""
        return asdict(self)
