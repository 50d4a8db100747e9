"""What the model is fed: the right pixels in RGB, in an order and with draws that follow from the seed."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from train_data import example, jpeg, write

from maskgen.errors import MissingDataError, UnreadableImageError, UsageError
from maskgen.train.data import augment
from maskgen.train.data import decoded as decoded_module
from maskgen.train.data.augment import DRAWS, NONE, Augmentation, augmented, draw
from maskgen.train.data.decoded import Decoded
from maskgen.train.data.feed import Feed, read_ahead
from maskgen.train.data.model_input import shown, shown_example
from maskgen.train.plots import write_preview

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


def order(batches):
    """The examples' numbers in the order they come."""
    return [round(float(image[..., 0].mean()) / 10) for images in batches for image in images]


def test_images_come_as_rgb_from_0_to_255_with_labels_and_weights(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8, {"female": 0.5, "male": 2.0})
    assert [len(batch) for batch in feed.in_order()] == [8, 8, 4]
    images = np.concatenate([*feed.in_order()])
    assert images.shape == (20, 32, 32, 3) and images.dtype == np.uint8
    assert images[7].mean(axis=(0, 1)) == pytest.approx((70, 60, 200), abs=3)
    for batch in feed.shuffled(0, 0):
        numbers = order([batch.inputs])
        assert batch.labels.tolist() == [n % 2 for n in numbers]
        assert batch.weights.tolist() == [(0.5, 2.0)[n % 2] for n in numbers]


def test_an_epochs_order_follows_from_seed_and_epoch_and_leaves_out_what_fills_no_batch(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8)

    def epoch(*draws):
        return order(batch.inputs for batch in feed.shuffled(*draws))

    first = epoch(0, 0)
    assert len(first) == len(set(first)) == 16 == feed.steps * feed.batch_size
    assert first == epoch(0, 0)
    assert first != epoch(0, 1)
    assert first != epoch(1, 0)
    assert order(feed.in_order()) == list(range(20))


def test_an_epoch_can_be_left_and_gone_through_by_two_at_once(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 3)
    left = feed.in_order()
    for _ in range(2):
        next(left)
    left.close()
    for one, other in zip(feed.in_order(), feed.in_order(), strict=True):
        assert np.array_equal(one, other)


def test_what_is_read_ahead_comes_in_order_and_an_error_in_its_place():
    def half(number):
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    assert [*read_ahead(half, range(0, 60, 2))] == [*range(30)]
    results = read_ahead(half, [0, 2, 5, 6])
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="5 is odd"):
        next(results)


def test_augmented_epochs_are_the_same_bytes_again_and_differ_from_each_other(tmp_path):
    feed = Feed(pictures(tmp_path), CLASSES, 32, 8)
    again = [np.concatenate([b.inputs for b in feed.shuffled(0, e, Augmentation())]) for e in (0, 0, 1)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_decoded_images_are_kept_and_none_is_read_twice(tmp_path, place):
    examples = pictures(tmp_path)
    path = tmp_path / "decoded.npy" if place == "disk" else None
    kept = Feed(examples, CLASSES, 32, 8, decoded=Decoded(len(examples), 32, path))
    first = np.concatenate([*Feed(examples, CLASSES, 32, 8).in_order()])
    assert np.array_equal(np.concatenate([*kept.in_order()]), first)
    for each in examples:
        each.path.unlink()
    assert np.array_equal(np.concatenate([*kept.in_order()]), first)
    assert (path is not None) == (tmp_path / "decoded.npy").exists()


def test_the_memory_is_not_filled(monkeypatch):
    monkeypatch.setattr(decoded_module, "LARGEST_IN_MEMORY", 1000)
    with pytest.raises(UsageError, match="--cache disk"):
        Decoded(20, 32)


def test_an_image_that_vanishes_ends_the_training_and_is_named(tmp_path):
    examples = pictures(tmp_path)
    feed = Feed(examples, CLASSES, 32, 3)
    examples[13].path.unlink()
    with pytest.raises(MissingDataError, match=r"13\.jpg: .*--resume"):
        list(feed.in_order())


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


STILL = np.full(DRAWS, 0.5, np.float32)
STILL[[0, 5, 13, 15]] = 0.99  # neither flipped, erased, blurred nor compressed


def drawn(**draws):
    """Draws that change nothing, but for these columns."""
    row = STILL.copy()
    for name, value in draws.items():
        row[getattr(augment, name)] = value
    return row


SQUARE = np.zeros((64, 64, 3), np.uint8)
SQUARE[8:16, 8:16] = (200, 100, 50)


def test_draws_in_the_middle_change_nothing():
    assert np.array_equal(augmented(SQUARE, STILL, NONE), SQUARE)
    assert np.array_equal(augmented(SQUARE, STILL, Augmentation()), SQUARE)


@pytest.mark.parametrize(
    ("draws", "changed"),
    [
        ({"FLIP": 0}, lambda image: np.array_equal(image, SQUARE[:, ::-1])),
        ({"ERASE": 0}, lambda image: 0.02 <= (image == 128).all(axis=2).mean() <= 0.2),
        ({"SHIFT_X": 1}, lambda image: image[12, 2].max() > 0),
        ({"SCALE": 1}, lambda image: (image[..., 0] > 100).sum() > 64),
        ({"SCALE": 0}, lambda image: (image[..., 0] > 100).sum() < 64),
        ({"CONTRAST": 1}, lambda image: image.max() > 240),
        ({"BRIGHTNESS": 1}, lambda image: image[40, 40].min() > 10),
        ({"SATURATION": 1}, lambda image: np.ptp(image[12, 12].astype(int)) > 170),
        ({"SATURATION": 0}, lambda image: np.ptp(image[12, 12].astype(int)) < 130),
        ({"BLUR": 0, "BLUR_SIGMA": 1}, lambda image: 0 < image[12, 17, 0] < 200),
        ({"JPEG": 0, "JPEG_QUALITY": 0}, lambda image: 0 < np.abs(image - SQUARE.astype(int)).mean() < 20),
    ],
)
def test_each_draw_does_what_it_says(draws, changed):
    image = augmented(SQUARE, drawn(**draws), Augmentation())
    assert image.shape == SQUARE.shape and image.dtype == np.uint8
    assert changed(image)


def test_draws_are_uniform_and_their_own_for_each_epoch():
    draws = draw(5000, 3, 1)
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(draws, draw(5000, 3, 1))
    assert not np.array_equal(draws, draw(5000, 3, 2))


def test_the_preview_shows_pictures_beside_their_variations(tmp_path):
    write_preview(tmp_path / "preview.png", Feed(pictures(tmp_path), CLASSES, 32, 8), 0, Augmentation())
    assert Image.open(tmp_path / "preview.png").size == (8 * 36 + 4, 6 * 36 + 4)
