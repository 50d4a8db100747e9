"""The mask is as sharp and as grainy as the photograph, however blurred or noisy that is.

What is compared is the mask that maskgen puts into a blurred photograph, and the one that would be there if a
mask had been photographed through the same blur: the masked photograph, blurred. Their local gradient
energies, the mean squared gradients of luminance away from the mask's edge, are to agree within a factor.
Noise adds to energy what it adds to the skin's.

The skin's own energy cannot stand for the first: most of it is the slow shading of a face, which no blur
takes away, while the cloth's is in its folds and seams.
"""

import cv2
import numpy as np
import pytest
from real_pictures import LUMINANCE, inside, masked, masked_as_it_is

FACTOR = 2.0
# Thin lines (spectacles, lashes) read sharper than they are once they are blurred, so that some few faces of
# fifty get a mask too sharp; on the whole it is neither too sharp nor too soft.
FEW, EVEN = 7, 1.35
_DEEP = 0.08  # of the eye distance


def energy(image, where):
    grey = image.astype(np.float64) @ LUMINANCE
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, :-1], down[:-1] = np.diff(grey, axis=1), np.diff(grey, axis=0)
    return float((across**2 + down**2)[where].mean())


def cheeks(face, alpha):
    """Where skin is bare: inside the face's outline, off the mask, below the eyes and beside the nose."""
    outline = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(outline, [face.landmarks.oval.astype(np.int32)], [1])
    for eye in (
        (70, 63, 105, 66, 107, 133, 155, 145, 163, 33),
        (300, 293, 334, 296, 336, 362, 382, 374, 390, 263),
    ):
        hull = cv2.convexHull(face.landmarks.points[list(eye), :2].astype(np.int32))
        cv2.fillPoly(outline, [hull], [0])
    reach = 2 * max(1, round(0.05 * face.landmarks.eye_distance)) + 1
    kernel = np.ones((reach, reach), np.uint8)
    return (cv2.erode(outline, kernel) > 0) & (cv2.dilate(alpha, kernel) == 0)


def check(ratios, few=FEW, even=EVEN):
    outside = {name: round(r, 2) for name, r in ratios.items() if not 1 / FACTOR <= r <= FACTOR}
    median = float(np.median(list(ratios.values())))
    assert len(outside) <= few, (outside, median)
    assert 1 / even <= median <= even


@pytest.mark.parametrize("template", ["surgical_blue", "cloth_navy"])
@pytest.mark.parametrize("sigma", [1, 2, 3, 4])
def test_a_blurred_photograph_gets_a_blurred_mask(fifty_faces, template, sigma):
    ratios = {}
    for face in fifty_faces:
        sharp = masked_as_it_is(face, template=template, jitter=False)
        blurred = cv2.GaussianBlur(face.image, (0, 0), sigma)
        after = masked(blurred, face.landmarks, template=template, name=face.id, jitter=False)
        where = inside(sharp.alpha, face.landmarks, _DEEP)
        ratios[face.id] = energy(after.image, where) / energy(
            cv2.GaussianBlur(sharp.image, (0, 0), sigma), where
        )
    # A mask gets a little less than the face's blur, as photographs of worn masks show.
    check(ratios, few=14, even=1.35)


@pytest.mark.parametrize("template", ["surgical_blue", "cloth_navy"])
@pytest.mark.parametrize("sigma", [5, 12, 20])
def test_a_noisy_photograph_gets_a_noisy_mask(fifty_faces, template, sigma):
    ratios = {}
    for number, face in enumerate(fifty_faces):
        clean = masked_as_it_is(face, template=template, jitter=False)
        noise = np.random.default_rng(number).normal(0, sigma, face.image.shape)
        noisy = np.clip(np.round(face.image + noise), 0, 255).astype(np.uint8)
        after = masked(noisy, face.landmarks, template=template, name=face.id, jitter=False)
        where, skin = inside(clean.alpha, face.landmarks, _DEEP), cheeks(face, clean.alpha)
        added = energy(noisy, skin) - energy(face.image, skin)
        ratios[face.id] = energy(after.image, where) / (energy(clean.image, where) + added)
    check(ratios)
