"""Decoding of mediapipe's face detectors: anchors, boxes and key points, weighted non-maximum suppression.

Sources: SsdAnchorsCalculator, TensorsToDetectionsCalculator and NonMaxSuppressionCalculator in
``mediapipe/calculators``, with the options of ``mediapipe/modules/face_detection``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.landmarks.crops import Points

Floats = NDArray[np.float32]
# Detections that overlap by more than this share of their union show the same face.
SAME_FACE = 0.3


@dataclass(frozen=True, eq=False)
class Detector:
    """One detection model."""

    file_name: str
    side: int  # of its square input in pixels
    anchors: Floats  # (n, 2) x, y as shares of the side


@dataclass(frozen=True, eq=False)
class Detection:
    """A detected face.

    ``points`` is (8, 2) float64, as shares of the model's input: two opposite corners of the box, then the
    person's right eye, left eye, nose tip, mouth, right ear and left ear.
    """

    score: float  # probability of a face, 0 to 1
    points: Points


def _anchors(*grids: tuple[int, int]) -> Floats:
    """The centres of grids of (cells per side, anchors per cell), row by row."""
    centers = []
    for cells, repeats in grids:
        x = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        centers.append(np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2).repeat(repeats, axis=0))
    return np.asarray(np.concatenate(centers), np.float32)


SHORT_RANGE = Detector("face_detection_short_range.tflite", 128, _anchors((16, 2), (8, 6)))
FULL_RANGE = Detector("face_detection_full_range_sparse.tflite", 192, _anchors((48, 1)))


def decode(
    detector: Detector, boxes: Floats, logits: Floats, least_score: float, most: int
) -> list[Detection]:
    """The faces in the output of a detection model, at most ``most``, the most probable first.

    ``boxes`` is (n, 16) for each anchor: centre, size and six key points in pixels, relative to the anchor;
    ``logits`` is (n,). A face is the mean of all detections that overlap its best one, weighted by their
    scores.
    """
    least_logit = math.log(least_score / (1 - least_score))
    scores, points = _decode(
        boxes.reshape(-1, 8, 2), logits, detector.anchors, detector.side, least_logit, most
    )
    return [Detection(score, face) for score, face in zip(scores.tolist(), points, strict=True)]


@compiled
def _decode(
    raw: Floats, logits: Floats, anchors: Floats, side: int, least_logit: float, most: int
) -> tuple[Points, Points]:
    """(faces,) scores and (faces, 8, 2) points of the best detections."""
    order = np.flatnonzero(logits >= least_logit)
    order = order[np.argsort(-logits[order], kind="mergesort")]
    boxes = np.empty((len(order), 8, 2))
    for row, anchor in enumerate(order):
        for axis in range(2):
            half = raw[anchor, 1, axis] / side / 2
            boxes[row, :, axis] = raw[anchor, :, axis] / side + anchors[anchor, axis]
            boxes[row, 1, axis] = boxes[row, 0, axis] + half
            boxes[row, 0, axis] -= half
    scores = 1 / (1 + np.exp(-logits[order].astype(np.float64)))
    waiting = np.ones(len(order), np.bool_)
    count = 0
    for best in range(len(order)):
        if not waiting[best] or count == most:
            continue
        mean, total = np.zeros((8, 2)), 0.0
        for row in range(best, len(order)):
            if waiting[row] and _overlap(boxes[best], boxes[row]) > SAME_FACE:
                waiting[row] = False
                mean += scores[row] * boxes[row]
                total += scores[row]
        # A box without an area overlaps not even itself.
        if total:
            # The rows of earlier detections are not read any more.
            scores[count], boxes[count] = scores[best], mean / total
            count += 1
    return scores[:count], boxes[:count]


@compiled
def _overlap(one: Points, other: Points) -> float:
    """The share of two boxes' union that they have in common; 0 for boxes without an area."""
    shared = max(min(one[1, 0], other[1, 0]) - max(one[0, 0], other[0, 0]), 0.0)
    shared *= max(min(one[1, 1], other[1, 1]) - max(one[0, 1], other[0, 1]), 0.0)
    areas = (one[1, 0] - one[0, 0]) * (one[1, 1] - one[0, 1])
    areas += (other[1, 0] - other[0, 0]) * (other[1, 1] - other[0, 1])
    return shared / (areas - shared) if shared > 0 else 0.0
