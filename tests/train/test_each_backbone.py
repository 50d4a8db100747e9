"""Every backbone learns: in each phase a step of `fit`, and what it says is told in probabilities."""

import os

import numpy as np
import pytest
from train_data import needs_train

from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import build_model, freeze_backbone, unfreeze_blocks

pytestmark = [
    needs_train,
    pytest.mark.skipif("MASKGEN_SLOW" not in os.environ, reason="minutes; set MASKGEN_SLOW=1 to run it"),
]

# Those of more than 20 million parameters would take gigabytes, and differ in depth and width alone.
LARGE = {"efficientnet_b6", "efficientnet_b7"}


@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in LARGE])
def test_a_step_of_each_phase_changes_what_learns_and_nothing_else(name):
    model = build_model(name, 2, size=96, weights="none")
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    labels = np.array([0, 1, 0, 1])
    for begin in (None, freeze_backbone, lambda own: unfreeze_blocks(own, name, 1)):
        if begin is not None:
            begin(model)
        model.compile("adam", "sparse_categorical_crossentropy")
        before = [np.array(weight) for weight in model.non_trainable_weights]
        learning = [np.array(weight) for weight in model.trainable_weights]
        loss = model.fit(images, labels, batch_size=4, verbose=0).history["loss"][0]
        assert np.isfinite(loss)
        # The last layer's weights; a layer before it may be saturated.
        assert not np.array_equal(learning[-2], model.trainable_weights[-2])
        kept = [
            np.array_equal(old, new)
            for old, new in zip(before, model.non_trainable_weights, strict=True)
            if "head_bn" not in new.path and "seed" not in new.path
        ]
        assert all(kept) or begin is None
    found = model.predict(images, verbose=0)
    assert found.shape == (4, 2) and found.sum(axis=1) == pytest.approx(1, abs=1e-5)
