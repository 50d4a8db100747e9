"""`maskgen.integrations.keras`: ``tf.data`` pipelines and Keras datasets with masks."""

import numpy as np
import pytest
from integrations_data import IMAGE, MESH, OTHER, landmark_file_of

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from maskgen.integrations.keras import MaskedDataset, RandomMask  # noqa: E402

IMAGES = np.stack([IMAGE, OTHER] * 3)
ELEMENTS = {"image": IMAGES, "landmarks": np.stack([MESH] * 6), "label": np.arange(6)}


def dataset():
    return tf.data.Dataset.from_tensor_slices(ELEMENTS)


def masked(over, **options):
    return np.stack([each["image"] for each in over(RandomMask(**options), dataset()).as_numpy_iterator()])


def test_each_pass_has_other_masks_and_a_seed_decides_them_all():
    def passes(seed, workers):
        masks = RandomMask(p=1.0, template="all", seed=seed).over(dataset(), num_parallel_calls=workers)
        return [np.stack([each["image"] for each in masks.as_numpy_iterator()]) for _ in range(2)]

    first, second = passes(1, None)
    assert not np.array_equal(first, second) and not np.array_equal(first, IMAGES)
    assert np.array_equal([first, second], passes(1, 2))
    assert not np.array_equal(first, passes(2, None)[0])


def test_a_map_function_gives_the_same_masks_in_each_pass():
    mask = RandomMask(p=1.0, template="all")
    passes = [np.stack([each["image"] for each in dataset().map(mask).as_numpy_iterator()]) for _ in range(2)]
    assert np.array_equal(*passes)
    assert np.array_equal(passes[0][0], passes[0][2]) and not np.array_equal(passes[0][0], IMAGE)


@pytest.mark.parametrize("way", ["over", "map"])
@pytest.mark.parametrize(("p", "low", "high"), [(0.0, 0, 0), (0.5, 20, 44), (1.0, 64, 64)])
def test_the_probability_is_the_share_of_masked_images(way, p, low, high):
    images = np.stack([np.roll(IMAGE, shift, axis=1) for shift in range(64)])
    elements = tf.data.Dataset.from_tensor_slices({"image": images, "landmarks": np.stack([MESH] * 64)})
    mask = RandomMask(p=p, seed=3)
    results = mask.over(elements) if way == "over" else elements.map(mask)
    changed = [
        not np.array_equal(each["image"], image)
        for each, image in zip(results.as_numpy_iterator(), images, strict=True)
    ]
    assert low <= sum(changed) <= high


def test_everything_else_passes_and_shapes_are_known():
    result = RandomMask(p=1.0).over(dataset())
    assert result.element_spec["image"].shape == IMAGE.shape
    assert [each["label"] for each in result.as_numpy_iterator()] == list(range(6))


def test_tuples_and_bare_images_pass_where_no_face_is_found(tmp_path):
    pairs = tf.data.Dataset.from_tensor_slices((IMAGES, np.arange(6)))
    mask = RandomMask(p=0.0)
    assert [int(label) for _, label in mask.over(pairs)] == list(range(6))
    assert np.array_equal(next(iter(pairs.map(mask)))[0], IMAGE)
    assert np.array_equal(next(iter(tf.data.Dataset.from_tensor_slices(IMAGES).apply(mask.over))), IMAGE)


def test_landmarks_come_from_a_file_by_the_id_of_the_image(tmp_path):
    path = landmark_file_of(tmp_path, {"a.jpg": MESH})
    by_id = tf.data.Dataset.from_tensor_slices({"image": IMAGES[:1], "landmarks": ["a.jpg"]})
    by_mesh = dataset().take(1)
    results = [
        next(RandomMask(p=1.0, **options).over(elements).as_numpy_iterator())["image"]
        for elements, options in ((by_id, {"landmarks": path}), (by_mesh, {}))
    ]
    assert np.array_equal(*results)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[3 * index : 3 * index + 3], np.arange(3)


def keras_epochs(**options):
    masks = MaskedDataset(Batches(), batch_landmarks=[[MESH] * 3] * 2, p=0.8, template="all", **options)
    epochs = []
    for _ in range(2):
        epochs.append(np.concatenate([masks[index][0] for index in range(len(masks))]))
        masks.on_epoch_end()
    return epochs


def test_a_keras_dataset_is_masked_anew_in_each_epoch():
    first, second = keras_epochs(seed=1)
    assert first.shape == IMAGES.shape and first.dtype == np.uint8
    assert not np.array_equal(first, IMAGES) and not np.array_equal(first, second)
    assert np.array_equal([first, second], keras_epochs(seed=1))
    assert not np.array_equal(first, keras_epochs(seed=2)[0])


@pytest.mark.parametrize("settings", [{"workers": 2}, {"workers": 2, "use_multiprocessing": True}])
def test_a_model_trains_on_it(settings):
    masks = MaskedDataset(Batches(workers=1), batch_landmarks=[[MESH] * 3] * 2, seed=1, **settings)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(IMAGE.shape), *layers])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(masks, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all() and masks.epoch >= 2
