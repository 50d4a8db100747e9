"""Decoding of mediapipe's face detectors: anchors, boxes and key points, weighted non-maximum suppression.

Sources: SsdAnchorsCalculator, TensorsToDetectionsCalculator and NonMaxSuppressionCalculator in
``mediapipe/calculators``, with the options of ``mediapipe/modules/face_detection``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Floats = NDArray[np.float32]
# Detections that overlap by more than this share of their union show the same face.
SAME_FACE = 0.3


@dataclass(frozen=True, eq=False)
class Detector:
    """The geometry of one detection model.

    Attributes:
        file_name: Name of the model file.
        side: Side of its square input in pixels.
        anchors: (n, 2) x, y of the anchors as shares of the side.
    """

    file_name: str
    side: int
    anchors: Floats


@dataclass(frozen=True, eq=False)
class Detection:
    """A detected face.

    Attributes:
        score: Probability of a face, 0 to 1.
        points: (8, 2) float64: two opposite corners of the box, then the person's right eye, left eye, nose
            tip, mouth, right ear and left ear, as shares of the model's input.
    """

    score: float
    points: NDArray[np.float64]


def _anchors(cells: tuple[int, ...], per_cell: tuple[int, ...]) -> Floats:
    """Centres of grids of cells, row by row, each repeated ``per_cell`` times."""
    grids = []
    for count, repeats in zip(cells, per_cell, strict=True):
        middles = (np.arange(count, dtype=np.float32) + 0.5) / count
        centers = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
        grids.append(centers.repeat(repeats, axis=0))
    return np.asarray(np.concatenate(grids), np.float32)


SHORT_RANGE = Detector("face_detection_short_range.tflite", 128, _anchors((16, 8), (2, 6)))
FULL_RANGE = Detector("face_detection_full_range_sparse.tflite", 192, _anchors((48,), (1,)))


def decode(
    detector: Detector, boxes: Floats, logits: Floats, least_score: float, most: int
) -> list[Detection]:
    """The faces in the output of a detection model, the most probable first.

    Args:
        detector: The model.
        boxes: (n, 16) for each anchor: centre, size and six key points in pixels, relative to the anchor.
        logits: (n,) of the scores.
        least_score: Least probability of a face.
        most: Greatest number of faces.
    """
    scores, points = np.empty(most), np.empty((most, 8, 2))
    least_logit = math.log(least_score / (1 - least_score))
    raw = boxes.reshape(-1, 8, 2)
    count = _decode(raw, logits, detector.anchors, detector.side, least_logit, scores, points)
    return [Detection(float(scores[face]), points[face]) for face in range(count)]


@compiled
def _decode(
    raw: Floats,
    logits: Floats,
    anchors: Floats,
    side: int,
    least_logit: float,
    scores: NDArray[np.float64],
    points: NDArray[np.float64],
) -> int:
    """Fill ``scores`` and ``points`` with the best detections, and return their number.

    A detection is the mean of all that overlap its best one, weighted by their scores.
    """
    order = np.argsort(-logits, kind="mergesort")
    order = order[: np.count_nonzero(logits >= least_logit)]
    boxes = np.empty((len(order), 8, 2))
    for row, anchor in enumerate(order):
        for axis in range(2):
            half = raw[anchor, 1, axis] / side / 2
            boxes[row, :, axis] = raw[anchor, :, axis] / side + anchors[anchor, axis]
            boxes[row, 1, axis] = boxes[row, 0, axis] + half
            boxes[row, 0, axis] -= half
    waiting = np.ones(len(order), np.bool_)
    count = 0
    for best in range(len(order)):
        if not waiting[best] or count == len(scores):
            continue
        total = 0.0
        points[count] = 0.0
        for row in range(best, len(order)):
            if waiting[row] and _overlap(boxes[best], boxes[row]) > SAME_FACE:
                waiting[row] = False
                score = 1 / (1 + math.exp(-min(max(logits[order[row]], -100.0), 100.0)))
                scores[count] = score if row == best else scores[count]
                points[count] += score * boxes[row]
                total += score
        if total:
            points[count] /= total
            count += 1
    return count


@compiled
def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The share of two boxes' union that they have in common; 0 for boxes without an area."""
    shared = max(min(one[1, 0], other[1, 0]) - max(one[0, 0], other[0, 0]), 0.0)
    shared *= max(min(one[1, 1], other[1, 1]) - max(one[0, 1], other[0, 1]), 0.0)
    areas = (one[1, 0] - one[0, 0]) * (one[1, 1] - one[0, 1])
    areas += (other[1, 0] - other[0, 0]) * (other[1, 1] - other[0, 1])
    return shared / (areas - shared) if shared > 0 else 0.0
