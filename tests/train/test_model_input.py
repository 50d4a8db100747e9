"""A JPEG decoded at a reduced scale shows the model the same as the whole decoded image, in every OpenCV."""

import cv2
import numpy as np
import pytest
from PIL import Image

from maskgen.train.data import model_input
from maskgen.train.data.model_input import shown

SIZE = 32


def coloured(width, height, mode="RGB"):
    """Four smooth patches of different colours on a gradient: a shift or a swap of channels shows."""
    y, x = np.mgrid[:height, :width] / (height, width)[0]
    rgb = np.stack([180 * (x > 0.5), 180 * (y > 0.5), 60 + 90 * x], axis=2) + 20
    smooth = cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), width / 20)
    return Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg_bytes(tmp_path, image, **options):
    image.save(tmp_path / "a.jpg", quality=95, **options)
    return (tmp_path / "a.jpg").read_bytes()


# Regions of a 600 x 560 image, and the scale at which OpenCV decodes for 32 pixels.
REGIONS = {
    1: (100, 90, 40, 40),
    2: (203, 101, 90, 77),
    4: (101, 57, 211, 199),
    8: (13, 27, 501, 511),
}


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("reduction", REGIONS)
def test_a_reduced_decode_shows_what_the_whole_decode_shows(tmp_path, monkeypatch, reduction, mode):
    data = jpeg_bytes(tmp_path, coloured(600, 560, mode))
    flags = []
    decode = cv2.imdecode
    monkeypatch.setattr(
        model_input.cv2, "imdecode", lambda raw, flag: flags.append(flag) or decode(raw, flag)
    )
    reduced = shown(data, REGIONS[reduction], SIZE, plain=True)
    expected = 1 if reduction == 1 else getattr(cv2, f"IMREAD_REDUCED_COLOR_{reduction}")
    assert flags == [expected]
    whole = shown(data, REGIONS[reduction], SIZE, plain=False)
    assert reduced.shape == whole.shape == (SIZE, SIZE, 3) and reduced.dtype == np.uint8
    difference = np.abs(reduced.astype(int) - whole)
    # A region is cut at whole pixels of the reduced image.
    assert difference.mean() < 2.5 and difference.max() < 25


def test_the_flags_decode_to_bgr_at_the_size_rounded_up(tmp_path):
    """As OpenCV 4.11 and 5.0 do: the flags were not combined with others in either."""
    data = np.frombuffer(jpeg_bytes(tmp_path, Image.new("RGB", (203, 317), (200, 100, 20))), np.uint8)
    for reduction, flag in model_input._FLAGS.items():
        bgr = cv2.imdecode(data, flag)
        assert bgr.dtype == np.uint8
        assert bgr.shape == (-(-317 // reduction), -(-203 // reduction), 3), reduction
        assert bgr.mean(axis=(0, 1)) == pytest.approx((20, 100, 200), abs=3)
