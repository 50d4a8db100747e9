"""`maskgen.integrations.albumentations.RandomMask` inside real pipelines."""

import numpy as np
import pytest
from integrations_data import IMAGE, MESH, OTHER, landmark_file_of

albumentations = pytest.importorskip("albumentations")

from maskgen import Masker  # noqa: E402
from maskgen.integrations.albumentations import RandomMask  # noqa: E402


def pipeline(*more, seed=1, **options):
    return albumentations.Compose([RandomMask(**{"p": 1.0, **options}), *more], seed=seed)


def test_an_image_is_masked_and_labels_stay():
    boxes, keypoints = np.array([[10.0, 10, 50, 60]]), np.array([[20.0, 30]])
    segmentation = np.arange(IMAGE[:, :, 0].size, dtype=np.int32).reshape(IMAGE.shape[:2]) % 7
    composed = albumentations.Compose(
        [RandomMask(p=1.0)],
        bbox_params=albumentations.BboxParams("pascal_voc", label_fields=["classes"]),
        keypoint_params=albumentations.KeypointParams("xy"),
    )
    result = composed(
        image=IMAGE, landmarks=MESH, mask=segmentation, bboxes=boxes, keypoints=keypoints, classes=[4]
    )
    assert not np.array_equal(result["image"], IMAGE) and result["image"].shape == IMAGE.shape
    assert np.array_equal(result["mask"], segmentation)
    assert np.allclose(result["bboxes"], boxes) and np.allclose(result["keypoints"], keypoints)


def test_a_segmentation_mask_can_get_a_class_where_the_mask_is():
    segmentation = np.zeros(IMAGE.shape[:2], np.uint8)
    result = pipeline(mask_label=9)(image=IMAGE, landmarks=MESH, mask=segmentation)
    changed = (result["image"] != IMAGE).any(axis=2)
    assert set(np.unique(result["mask"])) == {0, 9}
    assert changed[result["mask"] == 9].mean() > 0.95 and not segmentation.any()


def test_the_same_seed_gives_the_same_images_and_another_seed_others():
    runs = [
        [pipe(image=IMAGE, landmarks=MESH)["image"] for _ in range(4)]
        for pipe in (pipeline(seed=5, p=0.5), pipeline(seed=5, p=0.5), pipeline(seed=6, p=0.5))
    ]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


def test_a_pipeline_draws_anew_for_each_image():
    pipe = pipeline(template="all")
    assert len({pipe(image=IMAGE, landmarks=MESH)["image"].tobytes() for _ in range(4)}) > 1


@pytest.mark.parametrize("form", ["dictionary", "text"])
def test_a_pipeline_can_be_saved_and_loaded(tmp_path, form):
    options = {
        "template": {"surgical": 2, "n95": 1},
        "blend": "poisson",
        "wear": ["nose-out"],
        "mask_label": 3,
    }
    pipe = pipeline(albumentations.HorizontalFlip(p=0.5), seed=8, **options)
    if form == "dictionary":
        again = albumentations.from_dict(albumentations.to_dict(pipe))
    else:
        albumentations.save(pipe, tmp_path / "pipeline.json")
        again = albumentations.load(tmp_path / "pipeline.json")
    pipe.set_random_seed(3)
    again.set_random_seed(3)
    segmentation = np.zeros(IMAGE.shape[:2], np.uint8)
    one, other = (each(image=IMAGE, landmarks=MESH, mask=segmentation) for each in (pipe, again))
    assert np.array_equal(one["image"], other["image"]) and np.array_equal(one["mask"], other["mask"])
    assert "blend='poisson'" in repr(pipe.transforms[0])


def test_a_replay_draws_the_same_on_another_image():
    replay = albumentations.ReplayCompose([RandomMask(p=1.0)])
    first = replay(image=IMAGE, landmarks=MESH)
    again = albumentations.ReplayCompose.replay(first["replay"], image=IMAGE)
    assert np.array_equal(first["image"], again["image"])
    other = albumentations.ReplayCompose.replay(first["replay"], image=OTHER)["image"]
    assert not np.array_equal(other, OTHER) and not np.array_equal(other, first["image"])


def test_several_images_get_the_same_draws():
    result = pipeline()(images=np.stack([IMAGE, OTHER]), landmarks=MESH)["images"]
    alone = pipeline()(image=IMAGE, landmarks=MESH)["image"]
    assert np.array_equal(result[0], alone) and not np.array_equal(result[1], OTHER)


def test_landmarks_come_from_a_file_by_the_id_of_the_image(tmp_path):
    path = landmark_file_of(tmp_path, {"a.jpg": MESH})
    result = pipeline(landmarks=path)(image=IMAGE, landmarks="a.jpg")["image"]
    assert np.array_equal(result, pipeline()(image=IMAGE, landmarks=MESH)["image"])


def test_an_image_without_a_face_passes():
    assert np.array_equal(pipeline()(image=IMAGE, landmarks=[])["image"], IMAGE)


def test_a_wrong_option_is_an_error_where_the_transform_is_made():
    with pytest.raises(TypeError, match="no option 'templte'"):
        RandomMask(templte="n95")


def test_the_masks_are_those_of_the_masker():
    transform = RandomMask(p=1.0, seed=4)
    transform.set_random_seed(2)
    masked = transform(image=IMAGE, landmarks=MESH)["image"]
    key = transform.get_applied_params()["key"]
    assert np.array_equal(masked, Masker(seed=4)(IMAGE, key=key, landmarks=MESH).image)
