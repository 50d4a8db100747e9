"""maskgen turns public face datasets into masked-face datasets, and masks faces inside a data loader.

The way through the house::

    FaceDataset -> Sample -read-> image -FaceLandmarker-> Landmarks
                                                            |
                          MaskTemplate --fit--> Layer (BGR + alpha, in image space)
                                                  |
                                   image + Layer -Compositor-> Composite -Writer-> file + manifest row

`maskgen.records` defines the nouns. A *fit* puts a template into image space, a *compositor* only blends
a layer into an image, and `maskgen.masking.mask_face` joins them: `plan` draws every random choice, and
`mask_face` is a pure function of the image and the plan.

The names of `__all__` are the public Python interface; `maskgen.api` holds them. They are imported when they
are first used: importing this module imports nothing heavy.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskgen.api.masker import Masker, MaskResult
    from maskgen.api.reading import Samples, open_dataset, read_image, read_manifest
    from maskgen.errors import MaskgenError
    from maskgen.face_mesh import Landmarks
    from maskgen.records import FaceRecord, ManifestRow, Sample

__version__ = "0.1.0"

__all__ = [
    "FaceRecord",
    "Landmarks",
    "ManifestRow",
    "MaskResult",
    "Masker",
    "MaskgenError",
    "Sample",
    "Samples",
    "__version__",
    "open_dataset",
    "read_image",
    "read_manifest",
]

# Public name -> the module that defines it.
_HOMES = {
    **dict.fromkeys(("Masker", "MaskResult"), "maskgen.api.masker"),
    **dict.fromkeys(("Samples", "open_dataset", "read_image", "read_manifest"), "maskgen.api.reading"),
    **dict.fromkeys(("FaceRecord", "ManifestRow", "Sample"), "maskgen.records"),
    "Landmarks": "maskgen.face_mesh",
    "MaskgenError": "maskgen.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
