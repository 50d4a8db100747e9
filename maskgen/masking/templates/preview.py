"""A preview sheet of templates."""

from collections.abc import Sequence

import cv2
import numpy as np

from maskgen.images.grid import grid
from maskgen.records import Image, MaskTemplate

_TILE = (256, 224)
_CAPTION = 26
_COLUMNS = 5
_SQUARE = 16


def draw_preview(templates: Sequence[MaskTemplate]) -> Image:
    """Draw templates on chequered tiles, each with its name below.

    ``templates``: at least one; each is scaled to its tile and keeps its proportions. Returns
    (height, width, 3) uint8 BGR, at most five templates to a row.
    """
    if not templates:
        raise ValueError("a preview needs at least one template")
    return grid([_tile(template) for template in templates], min(_COLUMNS, len(templates)))


def _tile(template: MaskTemplate) -> Image:
    width, height = _TILE
    y, x = np.mgrid[0:height, 0:width] // _SQUARE
    ground = np.where((x + y) % 2, 214, 198).astype(np.float32)[:, :, None].repeat(3, axis=2)
    scale = min(width / template.bgra.shape[1], height / template.bgra.shape[0])
    size = (max(1, round(template.bgra.shape[1] * scale)), max(1, round(template.bgra.shape[0] * scale)))
    alpha = template.bgra[:, :, 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([template.bgra[:, :, :3] * alpha, alpha], axis=2)
    # Scaled premultiplied: otherwise the colour of transparent pixels would bleed into the edge.
    small = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    window = ground[top : top + size[1], left : left + size[0]]
    window[:] = small[:, :, :3] + window * (1 - small[:, :, 3:])
    tile = np.full((height + _CAPTION, width, 3), 255, np.uint8)
    tile[:height] = np.clip(np.round(ground), 0, 255).astype(np.uint8)
    caption = template.name.encode("ascii", "replace").decode()
    reach = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
    font = min(0.5, (width - 12) / max(reach, 1))
    place = (6, height + _CAPTION - 8)
    cv2.putText(tile, caption, place, cv2.FONT_HERSHEY_SIMPLEX, font, (40, 40, 40), 1, cv2.LINE_AA)
    return tile
