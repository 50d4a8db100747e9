"""The options that determine a run's output bytes.

Other options (workers, backend, share, output folder, verbosity) are not here, and therefore not in the
fingerprint or the run record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from maskgen.errors import UsageError
from maskgen.records import SPLITS, WEARS

BLENDS = ("overlay", "poisson", "flatten")
FITS = ("half-split", "mesh")
FACES = ("largest", "all", "center")
LAYOUTS = ("mirror", "folders", "webdataset")
# Default samples in a shard with the layout "webdataset": a tar of 64 samples is small.
SAMPLES_IN_TAR = 1000
OCCLUSION = ("on", "off")
FORMATS = ("source", "jpeg", "png", "webp")

Weighted = tuple[tuple[str, float], ...]

_CHOICES = {
    "blend": BLENDS,
    "fit": FITS,
    "faces": FACES,
    "layout": LAYOUTS,
    "format": FORMATS,
    "occlusion": OCCLUSION,
}


@dataclass(frozen=True)
class SynthOptions:
    """The resolved options of one `maskgen synth` run.

    Attributes:
        dataset: Name of the dataset adapter.
        blend: One of `BLENDS`; "flatten" uses neither template nor fit.
        fit: One of `FITS`.
        templates: (name or path, weight) pairs; kinds, tones and "all" are already resolved.
        colors: ``#rrggbb`` values and "random", drawn with equal weights; empty keeps the template's colours.
        patterns: Names of patterns and "random"; empty prints no pattern.
        wears: (wear, weight) pairs.
        variants: Number of masked copies of each input.
        jitter: Vary the height, tilt, size and slack of each mask slightly.
        occlusion: "on" draws the mask behind hair, eyeglasses and other objects in front of the face.
        harmonise: Match the layer to the photograph's light, sharpness and grain, and add a contact shadow.
        faces: Which faces of an image are masked, one of `FACES`.
        label: Attribute that becomes the class label; None for no label.
        splits: Read only these splits; empty reads all.
        limit: Read only this number of samples; None reads all.
        files: sha256 of the list of images to read; None reads all.
        min_face: Skip faces whose outer eye corners are closer than this, in pixels.
        layout: One of `LAYOUTS`.
        pairs: Also write the unmasked image, encoded the same way.
        alpha: Also write the composited alpha as a PNG.
        format: One of `FORMATS`; "source" keeps the format of each source.
        quality: JPEG or WebP quality; None keeps the source's JPEG tables.
        landmarks: Name of the landmark engine, or path of a landmark file.
        detector: "mediapipe" or "haar".
        seed: Seed of all random choices.
        shard_size: Number of samples in a shard, the unit of work and of resuming.
    """

    dataset: str
    blend: str = "overlay"
    fit: str = "mesh"
    templates: Weighted = (("surgical_blue", 1.0),)
    colors: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    wears: Weighted = (("correct", 1.0),)
    variants: int = 1
    jitter: bool = True
    occlusion: str = "on"
    harmonise: bool = True
    faces: str = "largest"
    label: str | None = "gender"
    splits: tuple[str, ...] = ()
    limit: int | None = None
    files: str | None = None
    min_face: float = 10.0
    layout: str = "mirror"
    pairs: bool = False
    alpha: bool = False
    format: str = "source"
    quality: int | None = None
    landmarks: str = "litert"
    detector: str = "mediapipe"
    seed: int = 0
    shard_size: int = 64

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        for wear, _ in self.wears:
            if wear not in WEARS:
                raise UsageError(f"wear must be one of {', '.join(WEARS)}, got {wear!r}")
        for split in self.splits:
            if split not in SPLITS:
                raise UsageError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
        for name, weighted in (("template", self.templates), ("wear", self.wears)):
            if not weighted or any(weight < 0 for _, weight in weighted) or sum(w for _, w in weighted) <= 0:
                raise UsageError(f"--{name} needs at least one choice with a weight above 0, got {weighted}")
        if self.variants < 1 or self.shard_size < 1:
            raise UsageError(
                f"variants and shard size must be at least 1, got {self.variants}, {self.shard_size}"
            )

    def as_dict(self) -> dict[str, Any]:
        """The options as JSON values, in the order of the fields."""
        return asdict(self)
