"""Appearance of a face under its mesh: does it look like a face there, and does it wear a mask already?

image, mesh -upright view of 96 px-> channels at mesh points -mean of each patch-> features -logistic-> scores

The scores are logistic regressions on the same features, and independent of the model that placed the mesh.
``appearance.csv`` has their coefficients: a line for each score and row of the features, a column for each
channel. They were fitted by scikit-learn (L2, C = 0.01 on standardised features), rounded to three digits, on
8,000 training images of FairFace and every other one of 168 photographs of people who wear masks:

- ``mask``: 7,205 faces, and 901 of them with sunglasses painted on, against 78 faces of the photographs
  (weight 16) and 1,608 faces with masks drawn by maskgen, worn correctly or below the nose, 414 of them also
  with sunglasses (weight .5). The intercept was moved until .45 % of the 7,205 were above 0.
- ``mesh``: 13,706 meshes of these faces against wrong ones. A mesh is right if its nose, mouth corners and
  eyes lie within .2 eye distances of those that YuNet (another detector, not used here) finds, and wrong
  from .27 on; 31 profiles were sorted by eye. There are only 176 wrong ones, so 5,027 right meshes were
  shifted, scaled, rolled or turned, 1,914 were squeezed towards the nose, as the model's failures on profiles
  are, and the model fitted 1,946 meshes the wrong way up to faces turned by 90 to 270 degrees (weight 4).
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import bounds
from maskgen.landmarks.crops import Points
from maskgen.records import Image

Floats = NDArray[np.float64]

# Side of the view, and the distance of the outer eye corners in it, in pixels.
VIEW, EYES = 96, 40.0
# Patch -> its mesh points, on both sides of the face.
PATCHES: dict[str, tuple[int, ...]] = {
    "forehead": (151, 108, 337, 10),
    "forehead_sides": (103, 332, 69, 299),
    "glabella": (9, 8),
    "brows": (105, 66, 334, 296, 52, 282),
    "upper_lids": (27, 257, 56, 286),
    "eyes": (159, 145, 386, 374, 160, 387),
    "eye_corners": (33, 263, 133, 362),
    "under_eyes": (119, 348, 118, 347),
    "temples": (21, 251, 127, 356),
    "cheekbones": (117, 346, 116, 345),
    "nose_ridge": (197, 195),
    "nose_tip": (4, 1, 5),
    "nose_wings": (48, 278, 64, 294),
    "nostrils": (98, 327, 97, 326),
    "inner_cheeks": (36, 266, 203, 423, 142, 371),
    "cheeks": (50, 280, 205, 425, 187, 411),
    "outer_cheeks": (123, 352, 147, 376, 213, 433),
    "above_lip": (164, 167, 393),
    "upper_lip": (0, 37, 267),
    "mouth": (13, 14, 82, 312),
    "lower_lip": (17, 84, 314),
    "mouth_corners": (61, 291),
    "beside_mouth": (57, 287, 212, 432, 186, 410),
    "under_lip": (18, 83, 313, 200),
    "chin": (199, 175, 171, 396),
    "jaw": (136, 365, 150, 379, 169, 394),
    "jaw_sides": (58, 288, 172, 397, 138, 367),
}
_SKIN = [list(PATCHES).index(name) for name in ("forehead", "glabella", "under_eyes", "cheekbones")]
_LOWER = list(PATCHES).index("nose_tip")  # the first patch of the lower face
_SIZES = [len(points) for points in PATCHES.values()]
# (patches + 1, points) matrix: mean over the points of each patch, then over the patches of the lower face.
_PATCH_MEANS = np.repeat(np.eye(len(PATCHES)) / _SIZES, _SIZES, axis=1)
_MEANS = np.vstack([_PATCH_MEANS, _PATCH_MEANS[_LOWER:].mean(axis=0)])
# Points in front of the profile: nose bridge and tip, lips and chin. A mesh that is not turned far enough has
# skin before it there, a right one the background.
PROFILE = {"bridge": 6, "tip": 4, "upper": 0, "lower": 17, "chin": 199}
# The points of the patches, those of the profile, and these again for the places before them.
_POINTS = sum(_SIZES)
_INDICES = np.array(
    [*(index for points in PATCHES.values() for index in points), *PROFILE.values(), *PROFILE.values()]
)
_PROFILE_STEP = 0.3  # in eye distances, for a face in full profile
CHANNELS = (
    "light",  # mean of the log levels, relative to the skin of the upper face, as red and blue
    "red",  # log of red to green
    "blue",  # log of blue to green
    "abs_light",
    "abs_red",
    "abs_blue",
    "chroma",  # length of (red, blue)
    "light2",  # square of light, at most 2
    "texture",  # log of the contrast around the points
    "spread",  # standard deviation of the log levels between the points
    "down",  # change of the log level down the face
    "across",  # magnitude of its change across the face
)
# The channels that `_sample` measures; the others follow from them.
_SAMPLED = [CHANNELS.index(name) for name in ("light", "red", "blue", "texture", "down", "across")]
_SPREAD = CHANNELS.index("spread")
ROWS = (*PATCHES, *(f"before_{name}" for name in PROFILE), "lower_face", "skin")


@dataclass(frozen=True)
class Appearance:
    """What a face looks like under its mesh, as logits: above 0 the answer is yes."""

    mesh: float  # does the image show a face there?
    mask: float  # does the face wear a mask, veil or scarf?


def appearance(image: Image, points: Points) -> Appearance:
    """Judge a (468, 3) mesh in a (height, width, 3) uint8 BGR image."""
    values = features(image, points)
    scores = map(_coefficients, ("mesh", "mask"))
    return Appearance(*(float(np.vdot(weights, values)) + intercept for weights, intercept in scores))


def probability(logit: float) -> float:
    """The logistic function, from 0 to 1."""
    return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))


@cache
def _coefficients(score: str) -> tuple[Floats, float]:
    """The (rows, channels) weights of a score, and its intercept."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        lines = {line["row"]: line for line in csv.DictReader(file) if line["score"] == score}
    weights = np.array([[float(lines[row][channel]) for channel in CHANNELS] for row in ROWS])
    return weights, float(lines["intercept"][CHANNELS[0]])


def features(image: Image, points: Points) -> Floats:
    """(rows, channels) float64 features of a (468, 3) mesh in a BGR image, by `ROWS` and `CHANNELS`."""
    (a, b, c), (x, y, z) = (points[454] - points[234]).tolist(), (points[152] - points[10]).tolist()
    eye = math.dist(points[263].tolist(), points[33].tolist())
    left, top, right, bottom = bounds(points)
    center = np.array((left + right, top + bottom)) / 2
    view, matrix = _upright_view(image, center, VIEW / EYES * eye, math.atan2(b, a))
    # Down x right: out of the face, towards the camera if it is frontal.
    out = (y * c - z * b, z * a - x * c, x * b - y * a)
    forward = np.array(out[:2]) / max(math.hypot(*out), 1e-9)
    places = points.take(_INDICES, axis=0)[:, :2]
    places[-len(PROFILE) :] += forward * (_PROFILE_STEP * eye)
    sampled = _sample(view, places @ matrix[:, :2].T + matrix[:, 2])
    own, before = sampled[:_POINTS], sampled[-len(PROFILE) :]
    before[:, :3] -= sampled[_POINTS : -len(PROFILE), :3]
    means = _MEANS @ own
    # The median of four.
    skin = np.sort(means[_SKIN, :3], axis=0)[1:3].mean(axis=0)
    variances = _MEANS @ own[:, :3] ** 2 - means[:, :3] ** 2
    means[:, :3] -= skin

    values = np.zeros((len(ROWS), len(CHANNELS)))
    values[:, _SAMPLED] = np.concatenate([means[:-1], before, means[-1:], np.zeros((1, 6))])
    values[-1, :3] = skin
    spread = np.sqrt(np.maximum(variances, 0)).mean(axis=1)
    values[: len(PATCHES), _SPREAD], values[-2, _SPREAD] = spread[:-1], spread[-1]
    values[:, 3:6] = abs(values[:, :3])
    values[:, 6] = np.hypot(values[:, 1], values[:, 2])
    values[:, 7] = np.minimum(values[:, 0] ** 2, 2)
    return values


def _upright_view(image: Image, center: Points, side: float, angle: float) -> tuple[Image, Floats]:
    """A square of the image around ``center`` without a roll in radians, at `VIEW` px, and its (2, 3) matrix.

    It is `maskgen.landmarks.crops.close_up` at a third of the cost: the image is first reduced by a whole
    factor, which OpenCV averages fast.
    """
    factor = max(int(side / VIEW), 1)
    reach = side * 0.75
    height, width = image.shape[:2]
    left, top = (
        int(min(max(at - reach, 0), last - 1)) for at, last in zip(center, (width, height), strict=True)
    )
    part = image[top : int(max(center[1] + reach, 0)) + 1, left : int(max(center[0] + reach, 0)) + 1]
    if factor > 1 and min(part.shape[:2]) >= factor:
        columns, rows = part.shape[1] // factor, part.shape[0] // factor
        part = part[: rows * factor, : columns * factor]
        part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    else:
        factor = 1
    cosine, sine = math.cos(angle) * VIEW / side, math.sin(angle) * VIEW / side
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    matrix[:, 2] = (VIEW - 1) / 2 - matrix[:, :2] @ center
    # The part's pixel (x, y) is the image's (x, y) * factor + corner.
    corner = (left + (factor - 1) / 2, top + (factor - 1) / 2, 1.0)
    of_part = matrix * factor
    of_part[:, 2] = matrix @ corner
    view = cv2.warpAffine(
        part, of_part, (VIEW, VIEW), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return view.astype(np.uint8, copy=False), matrix


def _sample(view: Image, places: Points) -> Floats:
    """(places, 6): the channels light, red, blue, texture, down and across, none relative to the skin."""
    x, y = np.rint(places).clip(0, VIEW - 1).T
    at = (y * VIEW + x).astype(np.intp)
    colors = cv2.blur(view, (5, 5)).reshape(-1, 3).take(at, axis=0)
    blue, green, red = np.log(colors.astype(np.float64) + 8).T
    grey = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean, square = (cv2.blur(plane, (7, 7)).take(at) for plane in (grey, grey * grey))
    texture = np.log(np.sqrt(np.maximum(square - mean**2, 0)) / (mean + 8) + 0.01)
    smooth = np.log(cv2.GaussianBlur(grey, (0, 0), 1.5) + 8)
    down, across = (cv2.Sobel(smooth, -1, *order).take(at) for order in ((0, 1), (1, 0)))
    return np.stack(((blue + green + red) / 3, red - green, blue - green, texture, down, abs(across)), axis=1)
