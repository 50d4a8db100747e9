"""On photographs, `maskgen.Masker` gives the pixels that `maskgen synth` encodes."""

import numpy as np
import pytest

import maskgen


@pytest.mark.parametrize("blend", ["overlay", "poisson"])
@pytest.mark.parametrize(("name", "count"), [("lfw", 17), ("celeba", 17), ("utkface", 16)])
def test_the_pixels_are_those_of_synth(photographs, synth, landmarks_of, name, count, blend):
    out = synth(f"library-{blend}", name, "--blend", blend, "--format", "png", "--seed", "11")
    masker = maskgen.Masker(blend=blend, seed=11)
    rows = [row for row in maskgen.read_manifest(out) if row.file_name][:count]
    samples = {sample.id: sample for sample in maskgen.open_dataset(name, photographs / name)}
    assert len(rows) == count
    for row in rows:
        # Found by the model here, and read from a landmark file there.
        result = masker(samples[row.id])
        assert np.array_equal(result.image, maskgen.read_image(out / row.file_name)), row.id
        assert result.faces == row.faces
