"""Image pyramid of a template (full, half, quarter size, ...), sampled by `maskgen.masking.fits.warp`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import overload

import cv2
import numpy as np

from maskgen.masking.templates.recolor import print_pattern, recolor
from maskgen.records import Image, MaskTemplate, Plan

_SMALLEST_LEVEL = 24


def premultiplied_levels(bgra: Image) -> tuple[Image, ...]:
    """A pyramid of premultiplied (height, width, 4) uint8 images, each half the size of the one before."""
    levels = [_premultiplied(bgra)]
    while min(levels[-1].shape[:2]) >= 2 * _SMALLEST_LEVEL:
        # An odd last row or column is repeated: each pixel covers two by two pixels of the level before.
        odd = [size % 2 for size in levels[-1].shape[:2]]
        even = np.pad(levels[-1], ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        size = (even.shape[1] // 2, even.shape[0] // 2)
        levels.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)


def _premultiplied(bgra: Image) -> Image:
    alpha = bgra[:, :, 3:].astype(np.uint16)
    color = ((bgra[:, :, :3] * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(np.concatenate([color, bgra[:, :, 3:]], axis=2))


class TemplateLevels(Sequence[Image]):
    """`premultiplied_levels` of a template, without keeping the largest level in memory.

    The largest level is computed on each access: only faces of a thousand pixels need it, and it is as large
    as the template itself.
    """

    def __init__(self, bgra: Image) -> None:
        self._bgra = bgra
        self._smaller = premultiplied_levels(bgra)[1:]

    def __len__(self) -> int:
        """The number of levels."""
        return 1 + len(self._smaller)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | Sequence[Image]:
        """One level, the full size first."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._smaller[number - 1] if number else _premultiplied(self._bgra)


@lru_cache(maxsize=128)
def template_levels(template: MaskTemplate) -> TemplateLevels:
    """The pyramid of a template, cached."""
    return TemplateLevels(image_of(template))


def image_of(template: MaskTemplate) -> Image:
    """The image of a template that is an image."""
    if template.bgra is None:
        raise ValueError(f"the template {template.name} is a material")
    return template.bgra


def planned_levels(template: MaskTemplate, plan: Plan) -> Sequence[Image]:
    """The pyramid of a template's image, recoloured or printed if the plan says so."""
    if plan.color is None and plan.pattern is None:
        return template_levels(template)
    bgra = image_of(template)
    bgra = bgra if plan.color is None else recolor(bgra, plan.color)
    return premultiplied_levels(
        bgra if plan.pattern is None else print_pattern(bgra, plan.pattern, plan.seed)
    )
