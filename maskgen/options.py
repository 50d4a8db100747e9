"""Every option that decides the bytes of a run.

What does not decide them (workers, backend, shard share, output folder, verbosity) is not here, and so
enters neither the fingerprint nor the run record.
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
# Samples in a shard of "webdataset" unless the command line says otherwise: a tar of 64 would be small.
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
        dataset: Name of the adapter.
        blend: One of `BLENDS`; flatten uses neither template nor fit.
        fit: One of `FITS`.
        templates: (name or path, weight) pairs, already resolved from kinds, tones and ``all``.
        colors: ``#rrggbb`` values and ``random``, drawn with equal weights; empty leaves templates as drawn.
        patterns: Names of patterns and ``random``; empty prints none.
        wears: (wear, weight) pairs.
        variants: Masked copies of each input.
        jitter: Let every mask sit a little otherwise: height, tilt, size and slack.
        occlusion: "on" lets the mask go behind hair, spectacles and other things before the face.
        harmonise: Give the layer the photograph's light, sharpness, grain and contact shadow.
        faces: Which faces of an image are masked.
        label: Attribute that becomes the class; None for no label.
        splits: Only these splits; empty takes all.
        limit: Only the first so many samples; None takes all.
        files: sha256 of the list of images that are taken; None takes all.
        min_face: Faces with less than this distance of the outer eye corners, in pixels, are left alone.
        layout: One of `LAYOUTS`.
        pairs: Write the unmasked image too, through the same encoder.
        alpha: Write the composited alpha as a PNG.
        format: One of `FORMATS`; "source" keeps each source's own.
        quality: JPEG or WebP quality; None keeps the source's tables.
        landmarks: Name of the landmark model, or path of a landmark file.
        detector: "mediapipe" or "haar".
        seed: Where every draw starts.
        shard_size: Samples in a shard, the unit of work and of resuming.
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
    landmarks: str = "mediapipe"
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
                raise UsageError(f"--{name} needs at least one choice of a weight above 0, got {weighted}")
        if self.variants < 1 or self.shard_size < 1:
            raise UsageError(
                f"variants and shard size must be at least 1, got {self.variants}, {self.shard_size}"
            )

    def as_dict(self) -> dict[str, Any]:
        """The options as JSON values, in the order above."""
        return asdict(self)
