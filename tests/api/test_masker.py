"""`maskgen.Masker`: the bytes of `maskgen synth`, whatever the image comes as and whoever calls."""

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from inspect import signature

import click
import cv2
import numpy as np
import pytest
from PIL import Image
from small_runs import face, landmark_file, masked, template_file, write_dataset
from synthetic_faces import mean_face

import maskgen
from maskgen.api.masker import MoreOptions
from maskgen.cli import cli
from maskgen.errors import LandmarkFileError, MaskgenError, UsageError

SIZE = (120, 140)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("library") / "faces", count=10)


@pytest.fixture
def masker(root):
    return maskgen.Masker(template_file(root), seed=3, landmarks=landmark_file(root))


@pytest.fixture(scope="module")
def image():
    noise = np.random.default_rng(0).normal(140, 12, (*SIZE[::-1], 3))
    return noise.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("blend", ["overlay", "poisson", "flatten"])
def test_a_sample_gets_the_bytes_that_synth_writes(root, tmp_path, blend):
    wears = {"correct": 2, "nose-out": 1}
    options = {"blend": blend, "format": "png", "seed": 7, "variants": 2, "wears": tuple(wears.items())}
    masked(root, tmp_path / "out", **options)
    masker = maskgen.Masker(template_file(root), blend, wears, 7, landmarks=landmark_file(root))
    samples = {sample.id: sample for sample in maskgen.open_dataset("folder", root)}
    rows = list(maskgen.read_manifest(tmp_path / "out"))
    assert {row.status for row in rows} == {"masked", "no_face"}
    for row in rows:
        result = masker(samples[row.id], variant=row.variant)
        assert (result.status, result.faces, bool(result)) == (row.status, row.faces, row.status == "masked")
        if row.file_name:
            written = maskgen.read_image(tmp_path / "out" / row.file_name)
            assert np.array_equal(result.image, written)
        by_hand = masker(maskgen.read_image(samples[row.id]), key=row.id, variant=row.variant)
        assert np.array_equal(by_hand.image, result.image)


def test_a_result_says_what_was_done(masker, root, image):
    result = masker(image, landmarks=face(SIZE), key="a")
    assert result and result.status == "masked" and result.reason is None and result.key == "a"
    assert result.image.shape == image.shape and result.image.dtype == np.uint8
    assert result.alpha.shape == image.shape[:2] and result.alpha.max() == 255
    assert np.array_equal(result.image[result.alpha == 0][:50], image[result.alpha == 0][:50])
    (record,) = result.faces
    assert (record.wear, record.blend, record.template) == ("correct", "overlay", "plain")
    assert len(result.landmarks) == 1


def test_without_a_face_the_image_comes_back_as_it_was(masker, image):
    result = masker(image, landmarks=[])
    assert not result and result.status == "no_face" and result.reason and result.faces == ()
    assert np.array_equal(result.image, image) and not result.alpha.any()


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_image_given_is_neither_changed_nor_handed_back(root, image, order):
    before = image.copy()
    masker = maskgen.Masker(template_file(root), channel_order=order)
    for landmarks in (face(SIZE), []):
        result = masker(image, landmarks=landmarks)
        assert np.array_equal(image, before) and not np.shares_memory(result.image, image)


def test_rgb_bgr_and_pillow_give_the_same_mask(masker, root, image):
    rgb = masker(image, landmarks=face(SIZE), key="a").image
    opencv = maskgen.Masker(template_file(root), seed=3, landmarks=landmark_file(root), channel_order="bgr")
    bgr = opencv(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), landmarks=face(SIZE), key="a").image
    assert np.array_equal(bgr[:, :, ::-1], rgb)
    pillow = masker(Image.fromarray(image), landmarks=face(SIZE), key="a").image
    assert np.array_equal(pillow, rgb)
    views = masker(image[:, ::-1][:, ::-1], landmarks=face(SIZE), key="a").image
    assert np.array_equal(views, rgb)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_pillow_images_of_other_modes_are_masked_in_colour(masker, image, mode):
    result = masker(Image.fromarray(image).convert(mode), landmarks=face(SIZE))
    assert result and result.image.shape == image.shape


def test_the_key_decides_the_mask_and_the_pixels_are_the_key_by_default(root, image):
    masker = maskgen.Masker("all", seed=5)
    by_key = {key: masker(image, landmarks=face(SIZE), key=key) for key in "abcd"}
    assert len({result.faces[0].template for result in by_key.values()}) > 1
    again = maskgen.Masker("all", seed=5)(image, landmarks=face(SIZE), key="a")
    assert np.array_equal(again.image, by_key["a"].image)
    one, other = (masker(image, landmarks=face(SIZE)) for _ in range(2))
    assert np.array_equal(one.image, other.image)
    assert masker(255 - image, landmarks=face(SIZE)).key != one.key


def test_landmarks_are_taken_in_every_form(masker, image):
    mesh = face(SIZE)
    want = masker(image, landmarks=mesh, key="a")
    with_irises = np.vstack([mesh.points, mesh.points[:10]])
    for given in (mesh.points, mesh.points.astype(float), with_irises, [mesh], mesh.points[None]):
        assert np.array_equal(masker(image, landmarks=given, key="a").image, want.image)
    assert np.array_equal(masker(image, landmarks=want.landmarks, key="a").image, want.image)


def test_several_faces_are_masked_or_the_largest(image):
    pair = [
        mean_face(size=SIZE, eye_distance=25, center=(35, 60)),
        mean_face(size=SIZE, eye_distance=30, center=(85, 60)),
    ]
    assert len(maskgen.Masker(faces="all")(image, landmarks=pair).faces) == 2
    (largest,) = maskgen.Masker()(image, landmarks=pair).faces
    assert largest.box[0] > 40


def wrong_calls(image):
    mesh = face(SIZE).points
    return {
        "uint8 of shape": lambda: maskgen.Masker()(image / 255.0, landmarks=mesh),
        "height, width, 3": lambda: maskgen.Masker()(image[:, :, 0], landmarks=mesh),
        "numpy array or a Pillow": lambda: maskgen.Masker()("face.jpg"),
        "468 points": lambda: maskgen.Masker()(image, landmarks=mesh[:68]),
        "in pixels of the image": lambda: maskgen.Masker()(image, landmarks=mesh / 140),
        "not finite": lambda: maskgen.Masker()(image, landmarks=mesh * np.nan),
        "further outside": lambda: maskgen.Masker()(image, landmarks=mesh + 1000),
        "landmarks of an image of": lambda: maskgen.Masker()(image[:100], landmarks=face(SIZE)),
        "did you mean": lambda: maskgen.Masker("surgica"),
        "blend must be one of": lambda: maskgen.Masker(blend="poison"),
        "wear must be one of": lambda: maskgen.Masker(wear="upside-down"),
        "channel_order must be": lambda: maskgen.Masker(channel_order="rgba"),
        "pattern must be": lambda: maskgen.Masker(pattern="zebra"),
    }


@pytest.mark.parametrize("message", wrong_calls(None))
def test_wrong_calls_say_what_was_expected(message, image):
    with pytest.raises(UsageError, match=message):
        wrong_calls(image)[message]()
    assert issubclass(UsageError, MaskgenError)


def test_an_unknown_option_is_a_type_error_that_lists_the_options():
    with pytest.raises(TypeError, match="no option 'hight'; further options are color, "):
        maskgen.Masker(hight=3)


def test_a_landmark_file_needs_the_key(masker, image):
    with pytest.raises(LandmarkFileError, match="has no line for"):
        masker(image)
    with pytest.raises(LandmarkFileError, match="has no line for 'x"):
        masker(image, key="x.jpg")


def test_the_id_in_a_landmark_file_may_differ_from_the_key(masker, root):
    sample = next(iter(maskgen.open_dataset("folder", root)))
    image = maskgen.read_image(sample)
    epochs = [masker(image, key=f"{sample.id} {epoch}", landmarks=sample.id) for epoch in range(2)]
    assert all(epochs) and not np.array_equal(epochs[0].image, epochs[1].image)


def test_find_gives_what_can_be_given_again(masker, root):
    sample = next(iter(maskgen.open_dataset("folder", root)))
    found = masker.find(sample)
    assert np.array_equal(masker(sample, landmarks=found).image, masker(sample).image)


def test_every_option_of_apply_is_one_of_the_masker():
    apply = cli.get_command(click.Context(cli), "apply")
    renamed = {"landmark_model": "models", "engine": "landmarks"}
    options = {renamed.get(each.name, each.name) for each in apply.params if isinstance(each, click.Option)}
    elsewhere = {"format", "quality", "as_json", "quiet", "verbose", "config", "help_all"}
    known = {*signature(maskgen.Masker).parameters, *MoreOptions.__annotations__}
    assert options - elsewhere <= known


def _mask_every_sample(masker, root):
    return [masker(sample).image.tobytes() for sample in maskgen.open_dataset("folder", root)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_give_the_same_bytes(masker, root, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    here = _mask_every_sample(masker, root)  # the parent's landmark file is open when it forks
    with multiprocessing.get_context(method).Pool(2) as pool:
        there = pool.starmap(_mask_every_sample, [(masker, root)] * 4)
    assert there == [here] * 4


def test_threads_give_the_same_bytes(masker, root):
    here = _mask_every_sample(masker, root)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: _mask_every_sample(masker, root), range(8))) == [here] * 8


def test_a_pickle_holds_the_options_only(masker, root):
    _mask_every_sample(masker, root)
    data = pickle.dumps(masker)
    assert len(data) < 5_000
    assert _mask_every_sample(pickle.loads(data), root) == _mask_every_sample(masker, root)


def test_opencv_is_left_as_it_was(masker, image):
    before = cv2.ipp.useIPP(), cv2.getNumThreads()
    masker(image, landmarks=face(SIZE))
    assert (cv2.ipp.useIPP(), cv2.getNumThreads()) == before


def test_the_representation_names_what_differs_from_the_defaults():
    assert repr(maskgen.Masker("n95_white", seed=4)) == (
        "<maskgen.Masker templates=(('n95_white', 1.0),) seed=4>"
    )
