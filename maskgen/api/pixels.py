"""A caller's images as BGR arrays, and back; landmarks of a caller's own model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.errors import UsageError
from maskgen.face_mesh import Landmarks
from maskgen.images.to_bgr import to_planes
from maskgen.records import Image

ChannelOrder = Literal["rgb", "bgr"]
AnyImage = NDArray[np.uint8] | PillowImage.Image
# A face mesh as a `Landmarks` or as a (468, 3) array of x, y, z in pixels; 478 points hold the irises too.
AnyLandmarks = Landmarks | NDArray[Any]
CHANNEL_ORDERS = ("rgb", "bgr")
_MESH, _MESH_WITH_IRISES = 468, 478


def to_bgr(image: AnyImage, channel_order: ChannelOrder) -> Image:
    """(height, width, 3) uint8 BGR of a caller's image; a Pillow image says its own channels."""
    if isinstance(image, PillowImage.Image):
        return to_planes(image, image.info.get("icc_profile"), [])[0]
    if not isinstance(image, np.ndarray):
        raise UsageError(f"an image must be a numpy array or a Pillow image, got {type(image).__name__}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        got = f"{image.dtype} of shape {image.shape}"
        is_float = image.dtype.kind == "f"
        hint = "; convert floats from 0 to 1 by (image * 255).round().astype('uint8')" if is_float else ""
        raise UsageError(f"an image must be uint8 of shape (height, width, 3), got {got}{hint}")
    return np.ascontiguousarray(image) if channel_order == "bgr" else _swapped(image)


def from_bgr(bgr: Image, channel_order: ChannelOrder) -> Image:
    """BGR pixels in the caller's channel order."""
    return bgr if channel_order == "bgr" else _swapped(bgr)


def _swapped(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def to_landmarks(given: AnyLandmarks | Sequence[AnyLandmarks], image: Image) -> list[Landmarks]:
    """The faces that a caller gives for an image: one mesh, or several of them; the largest first."""
    height, width = image.shape[:2]
    several = isinstance(given, (list, tuple)) or (isinstance(given, np.ndarray) and given.ndim == 3)
    faces = [_one_face(each, (width, height)) for each in (given if several else (given,))]  # type: ignore[union-attr]
    return sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _one_face(given: Any, image_size: tuple[int, int]) -> Landmarks:
    if isinstance(given, Landmarks):
        if given.image_size != image_size:
            raise UsageError(
                f"landmarks of an image of {given.image_size} pixels, the image has {image_size}"
            )
        return given
    points = np.asarray(given, np.float32)
    if points.ndim != 2 or points.shape[0] not in (_MESH, _MESH_WITH_IRISES) or points.shape[1] != 3:
        expected = f"landmarks must be x, y, z in pixels of the {_MESH} points of a face mesh"
        raise UsageError(f"{expected}, got shape {points.shape}")
    points = points[:_MESH]
    if not np.isfinite(points).all():
        raise UsageError("landmarks hold a number that is not finite")
    if np.ptp(points[:, :2]) <= 2.0:
        raise UsageError("landmarks must be in pixels of the image; these seem to be shares of its size")
    # Masking allocates planes of the size of the face; a huge face would exhaust the memory.
    apart = np.abs(points[:, :2] - np.array(image_size) / 2).max(axis=0)
    if (apart > 1.5 * np.array(image_size)).any():
        raise UsageError("landmarks lie further outside the image than its own size")
    return Landmarks(points, image_size, "given")


@contextmanager
def opencv_as_in_synth() -> Iterator[None]:
    """Without Intel's IPP in this thread, as in `maskgen synth`: its results differ by grey levels."""
    before = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    try:
        yield
    finally:
        cv2.ipp.setUseIPP(before)
