"""Faces drawn for the tests of occlusion: with hair, things, beards, shadows and coloured light."""

import cv2
import numpy as np

SKIN = {"light": (150, 175, 225), "brown": (80, 115, 170), "dark": (38, 55, 85)}
HAIR, WALL = (18, 22, 30), (190, 190, 185)
LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
CHIN = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 291, 61)


def photograph(face, skin="light", background=WALL):
    """A flat face with eyes, nostrils and lips, a little out of focus and noisy."""
    width, height = face.image_size
    image = np.full((height, width, 3), background, np.uint8)
    tone = np.array(SKIN[skin], float)
    fill(image, face, range(468), tone)
    fill(image, face, LIPS, tone * (0.75, 0.6, 0.85))
    for nostril in (98, 327):
        cv2.circle(image, point(face, nostril), 4, (tone * 0.25).tolist(), -1)
    return image


def point(face, index, dx=0.0, dy=0.0):
    x, y = face.points[index, :2] + np.array([dx, dy]) * face.eye_distance
    return round(float(x)), round(float(y))


def fill(image, face, indices, color):
    hull = cv2.convexHull(np.round(face.points[list(indices), :2]).astype(np.int32))
    cv2.fillConvexPoly(image, hull, np.asarray(color, float).tolist())


def taken(image):
    """As a camera sees it."""
    noise = np.random.default_rng(5).normal(0, 2.5, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 1.0) + noise, 0, 255).astype(np.uint8)


def lock_of_hair(image, face):
    """A lock falls from the temple over the edge of the right cheek."""
    corners = [point(face, 454, 0.3, -0.5), point(face, 454, -0.12, -0.5)]
    corners += [point(face, 454, -0.12, 0.35), point(face, 454, 0.3, 0.5)]
    cv2.fillConvexPoly(image, np.array(corners), HAIR)


def hair_around(image, face):
    """Dark hair behind the face on both sides, nothing of it in front."""
    fresh = photograph(face, background=HAIR)
    image[:] = fresh


def microphone(image, face):
    """A blue thing comes up from below on one side of the chin."""
    cv2.line(image, point(face, 378, 0.15, 0.5), point(face, 314, 0.1, 0.15), (170, 60, 20), 26)


def beard(image, face):
    hairy = image.copy()
    fill(hairy, face, CHIN, (30, 34, 42))
    fill(hairy, face, (98, 327, 410, 186, 0), (30, 34, 42))
    fill(hairy, face, LIPS, (110, 105, 190))
    speckle = np.random.default_rng(3).random(image.shape[:2]) < 0.85
    image[speckle] = hairy[speckle]


def white_beard(image, face):
    fill(image, face, CHIN, (205, 208, 212))
    fill(image, face, LIPS, (110, 105, 190))


def side_light(image, face):
    """One half falls into the dark, as does the wall behind it."""
    across = (np.arange(image.shape[1]) - face.points[4, 0]) / face.eye_distance
    image[:] = (image * (0.06 + 0.94 / (1 + np.exp(9 * across)))[None, :, None]).astype(np.uint8)


def hard_shadow(image, face):
    """A shadow with an edge covers a third of the face, beyond its outline."""
    image[:, point(face, 4, 0.2)[0] :] //= 6


def narrow_shadow(image, face):
    """The light comes from one side: the other cheek is duller, and dark towards the ear."""
    rows, right = point(face, 4)[1] - 60, point(face, 454)[0]
    shade = np.ones(image.shape[1])
    shade[point(face, 4)[0] + 20 :] = 0.6
    shade[right - 16 :] = 0.2
    image[rows:] = (image[rows:] * shade[None, :, None]).astype(np.uint8)


def cast_shadow(image, face):
    """The shadow of a hat's brim or a head covers one side from the temple to the jaw."""
    image[:, point(face, 454, -0.27)[0] :] //= 6


def rounded_shading(image, face):
    """Both cheeks darken smoothly towards a dark background."""
    hair_around(image, face)
    across = np.abs(np.arange(image.shape[1]) - face.points[4, 0]) / face.eye_distance
    image[:] = (image * np.clip(1.0 - 3.2 * (across - 0.45), 0.15, 1)[None, :, None]).astype(np.uint8)


def lipstick(image, face):
    fill(image, face, LIPS, (60, 10, 190))


def open_mouth(image, face):
    fill(image, face, LIPS, (20, 15, 40))
    cv2.line(image, point(face, 61, 0.1), point(face, 291, -0.1), (225, 230, 235), 5)


def painted_chin(image, face):
    """Face paint that stays within the face."""
    cv2.circle(image, point(face, 200), 18, (60, 160, 60), -1)


def coloured_light(image, face):
    image[:] = (image * (1.0, 0.45, 0.5)).astype(np.uint8)


def bar(image, face):
    """A bar of bare metal before the chin, longer than the face is wide."""
    x, y = point(face, 17, 0, 0.15)
    cv2.rectangle(image, (x - 140, y), (x + 140, y + 30), (215, 220, 222), -1)


def ball(image, face):
    """A green ball before the chin and the corner of the mouth, held from below."""
    cv2.circle(image, point(face, 378, 0, -0.05), 30, (60, 120, 40), -1)


def sleeve(image, face):
    """A white sleeve before a cheek, up from the shoulder."""
    x, y = point(face, 361)
    cv2.fillPoly(
        image, [np.array([(x - 40, y + 20), (x + 90, y - 30), (399, 399), (x - 10, 399)])], (222, 225, 228)
    )


def scarf(image, face):
    """A red scarf up to the chin, none of it in front."""
    image[point(face, 152)[1] :] = (40, 30, 180)


def nothing(image, face):
    pass
