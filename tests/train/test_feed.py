"""What the model is fed: the right pixels in RGB, in an order and with draws that follow from the seed."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from train_data import example, jpeg, needs_train, write

from maskgen.errors import MissingDataError, UnreadableImageError, UsageError
from maskgen.keras_runtime import keras
from maskgen.train.data import feed as feed_module
from maskgen.train.data.augment import NONE, Augmentation, augmented, draw
from maskgen.train.data.feed import Feed, reraise_read_errors
from maskgen.train.data.model_input import shown, shown_example
from maskgen.train.plots import write_preview

pytestmark = needs_train

CLASSES = ("female", "male")


def pictures(folder, count=20):
    """Examples whose red channel tells their number."""
    return [
        example(
            f"{n}",
            CLASSES[n % 2],
            path=write(folder / f"{n}.jpg", jpeg(n, (200, 60, 10 * n), spread=0)),
            region=(0, 0, 48, 48),
            plain=True,
        )
        for n in range(count)
    ]


def order(dataset):
    """The examples' numbers in the order they come."""
    return [round(float(image[..., 0].mean()) / 10) for images, _, _ in dataset for image in images]


def test_pictures_come_as_rgb_from_0_to_255_with_labels_and_weights(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8, {"female": 0.5, "male": 2.0})
    batches = list(feed.in_order())
    assert [len(labels) for _, labels, _ in batches] == [8, 8, 4]
    images, labels, weights = (np.concatenate([b[k] for b in batches]) for k in range(3))
    assert images.shape == (20, 32, 32, 3) and images.dtype == np.uint8
    assert images[7].mean(axis=(0, 1)) == pytest.approx((70, 60, 200), abs=3)
    assert labels.tolist() == [n % 2 for n in range(20)]
    assert weights.tolist() == [(0.5, 2.0)[n % 2] for n in range(20)]


def test_an_epochs_order_follows_from_seed_and_epoch_and_leaves_out_what_fills_no_batch(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8)
    first = order(feed.shuffled(0, 0))
    assert len(first) == len(set(first)) == 16
    assert first == order(feed.shuffled(0, 0))
    assert first != order(feed.shuffled(0, 1))
    assert first != order(feed.shuffled(1, 0))
    assert order(feed.in_order()) == list(range(20))


def test_an_epoch_can_be_left_gone_through_again_and_by_two_at_once(tmp_path):
    dataset = Feed(pictures(tmp_path), CLASSES, 32, 3).in_order()
    left = iter(dataset)
    for _ in range(2):
        next(left)
    one, other = iter(dataset), iter(dataset)
    for (left_images, *_), (right_images, *_) in zip(one, other, strict=True):
        assert np.array_equal(left_images, right_images)
    assert order(dataset) == list(range(20))


def test_augmented_epochs_are_the_same_bytes_again_and_differ_from_each_other(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8)
    again = [np.concatenate([b[0] for b in feed.shuffled(0, e, Augmentation())]) for e in (0, 0, 1)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_the_cache_changes_no_pixel_and_refuses_to_fill_the_memory(tmp_path, monkeypatch):
    examples = pictures(tmp_path)
    plain, cached = (Feed(examples, CLASSES, 32, 8, cache=cache) for cache in (False, True))
    for one, other in zip(plain.in_order(), cached.in_order(), strict=True):
        assert np.array_equal(one[0], other[0])
    monkeypatch.setattr(feed_module, "LARGEST_CACHE", 1000)
    with pytest.raises(UsageError, match="--cache would take"):
        Feed(examples, CLASSES, 32, 8, cache=True)


def test_a_picture_that_vanishes_ends_the_training_and_is_named(tmp_path):
    examples = pictures(tmp_path)
    feed = Feed(examples, CLASSES, 32, 8)
    examples[3].path.unlink()
    with pytest.raises(Exception, match=r"3\.jpg"):
        list(feed.in_order())


def test_keras_reads_them_in_their_order_and_tells_which_one_is_lost(tmp_path):
    examples, layers = pictures(tmp_path), keras().layers
    feed, rgb = Feed(examples, CLASSES, 32, 3), keras().Input((32, 32, 3), dtype="uint8")
    model = keras().Model(rgb, layers.GlobalAveragePooling2D()(layers.Rescaling(1.0)(rgb)))
    found = model.predict(feed.in_order(), verbose=0)
    assert [round(float(red) / 10) for red, _, _ in found] == list(range(20))
    examples[13].path.unlink()
    with pytest.raises(MissingDataError, match=r"13\.jpg: .*--resume"), reraise_read_errors(feed):
        model.predict(feed.in_order(), verbose=0)


def of(path, region):
    return example("a", path=path, region=region, plain=True)


@pytest.mark.parametrize("size", [100, 50, 12])
@pytest.mark.parametrize("name", [b"plain.jpg", "größer ✓.jpg".encode(), b"bytes \xff\xe9.jpg"])
def test_a_file_shows_the_pixels_of_its_content_whatever_it_is_called(tmp_path, name, size):
    path = write(tmp_path / "a.jpg", jpeg(3, (200, 60, 10), size=(120, 120)))
    renamed = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        path.rename(renamed)
    except OSError:
        pytest.skip("this file system takes no such name")
    region = (5, 10, 110, 100)
    expected = shown(renamed.read_bytes(), region, size, plain=True)
    assert np.array_equal(shown_example(of(renamed, region), size), expected)


def test_a_file_that_is_none_is_told_of_by_its_name(tmp_path):
    missing = tmp_path / "gone.jpg"
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        shown_example(of(missing, (0, 0, 8, 8)), 8)


@pytest.mark.parametrize("content", [b"", b"no image", jpeg(1)[:20]])
def test_a_file_that_has_become_no_picture_is_refused(tmp_path, content):
    path = write(tmp_path / "a.jpg", content)
    with pytest.raises(UnreadableImageError):
        shown_example(of(path, (0, 0, 48, 48)), 8)


def test_other_formats_and_turned_pictures_are_shown_as_people_see_them(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture = Image.new("RGB", (40, 40), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 0, 40, 20))
    for name in ("a.jpg", "a.png", "a.webp"):
        picture.save(tmp_path / name, exif=exif, quality=95)
        image = shown((tmp_path / name).read_bytes(), (0, 0, 40, 40), 32)
        assert image[:12].mean(axis=(0, 1)) == pytest.approx((255, 0, 0), abs=12)


def test_a_region_is_cut_out_at_any_size():
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    data = cv2.imencode(".jpg", np.ascontiguousarray(ramp), [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    for size in (16, 32, 100, 128, 200):
        row = shown(data, (64, 64, 128, 128), size, plain=True)[size // 2, :, 0].astype(float)
        expected = 64 + (np.arange(size) + 0.5) * 128 / size - 0.5
        # Decoding at a half or a quarter moves the region by less than a pixel of the image.
        assert np.abs(row - expected).max() < 3


def test_draws_do_what_they_say():
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[8:16, 8:16] = 200
    middle = np.full(10, 0.5, np.float32)
    middle[[0, 5]] = 0.99  # neither flipped nor erased
    assert np.array_equal(augmented(rgb, middle, NONE), rgb)
    assert np.array_equal(augmented(rgb, middle, Augmentation()), rgb)
    flipped = middle.copy()
    flipped[0] = 0
    assert np.array_equal(augmented(rgb, flipped, Augmentation()), rgb[:, ::-1])
    erased = middle.copy()
    erased[5] = 0
    grey = (augmented(rgb, erased, Augmentation()) == 128).all(axis=2).mean()
    assert 0.02 <= grey <= 0.2
    brighter = middle.copy()
    brighter[4] = 1
    assert augmented(rgb, brighter, Augmentation(contrast=0.5)).max() > 250


def test_draws_are_uniform_and_their_own_for_each_epoch():
    draws = draw(5000, 3, 1)
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(draws, draw(5000, 3, 1))
    assert not np.array_equal(draws, draw(5000, 3, 2))


def test_the_preview_shows_pictures_beside_their_variations(tmp_path):
    write_preview(tmp_path / "preview.png", Feed(pictures(tmp_path), CLASSES, 32, 8), 0, Augmentation())
    assert Image.open(tmp_path / "preview.png").size == (8 * 36 + 4, 6 * 36 + 4)
