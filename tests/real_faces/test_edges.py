"""No halo: at the mask's edge nothing is brighter or darker than what lies on both sides of it."""

import numpy as np
import pytest
from real_pictures import masked

from maskgen.masking.compositors import COMPOSITORS
from maskgen.masking.compositors.poisson import membrane
from maskgen.masking.face.context import FaceContext

ROUNDING = 1


@pytest.fixture(scope="module")
def hundred_faces(faces_of):
    return [*faces_of("lfw", 40), *faces_of("celeba", 30), *faces_of("utkface", 30)]


@pytest.fixture
def seen(monkeypatch):
    """The layer and the composite of the last mask of each blend, as the compositor saw and made them."""
    last = {}

    def spied(blend, compositor):
        def run(image, layer, look):
            last[blend] = (layer, compositor(image, layer, look))
            return last[blend][1]

        return run

    for blend, compositor in list(COMPOSITORS.items()):
        monkeypatch.setitem(COMPOSITORS, blend, spied(blend, compositor))
    return last


def under_shadow(under, shadow):
    """The image's colours and how dark the contact shadow may make them: (lowest, highest)."""
    kept = 1 - shadow[:, :, None].astype(np.float64) / 255
    return np.floor(under * kept), np.ceil(under * kept)


def test_overlay_stays_between_the_layer_and_the_image(hundred_faces, seen):
    for face in hundred_faces:
        masked(face.image, face.landmarks, name=face.id)
        layer, composite = seen["overlay"]
        low, high = under_shadow(face.image[layer.window], layer.shadow)
        edge = (layer.alpha > 0) & (layer.alpha < 255)
        made = composite.bgr.astype(int)
        below = np.minimum(low, layer.bgr) - made
        above = made - np.maximum(high, layer.bgr)
        assert edge.any()
        assert max(below[edge].max(), above[edge].max()) <= ROUNDING, face.id


def test_poisson_stays_between_the_lit_layer_and_the_image(hundred_faces, seen):
    """The light that cloning adds is no stronger at the edge than on the mask: none glows there."""
    for face in hundred_faces:
        masked(face.image, face.landmarks, name=face.id, blend="poisson")
        layer, composite = seen["poisson"]
        gain = membrane(layer, FaceContext(face.image, face.landmarks))
        edge, opaque = (layer.alpha > 0) & (layer.alpha < 255), layer.alpha == 255
        assert gain[edge].max() <= 1.25 * gain[opaque].max(), face.id
        lit = np.clip((layer.bgr + 1.0) * gain - 0.5, 0, 255)
        low, high = under_shadow(face.image[layer.window], layer.shadow)
        made = composite.bgr.astype(int)
        below, above = np.minimum(low, np.floor(lit)) - made, made - np.maximum(high, np.ceil(lit))
        assert max(below[edge].max(), above[edge].max()) <= ROUNDING, face.id


@pytest.mark.parametrize("blend", ["overlay", "poisson", "flatten"])
def test_what_is_not_masked_is_not_touched(hundred_faces, seen, blend):
    for face in hundred_faces[::2]:
        after = masked(face.image, face.landmarks, name=face.id, blend=blend)
        layer, composite = seen[blend]
        darkened = np.zeros(after.alpha.shape, bool)
        if composite.shadow is not None:
            darkened[layer.window] = composite.shadow > 0
        untouched = (after.alpha == 0) & ~darkened
        assert (after.image[untouched] == face.image[untouched]).all(), face.id
        assert untouched.mean() > 0.2
