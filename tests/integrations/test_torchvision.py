"""`maskgen.integrations.torchvision.RandomMask` inside real pipelines and loaders."""

import numpy as np
import pytest
from integrations_data import IMAGE, MESH, OTHER, landmark_file_of
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from maskgen.integrations.torchvision import RandomMask  # noqa: E402

TENSOR = torch.from_numpy(IMAGE).permute(2, 0, 1)


def masked_array(**options):
    torch.manual_seed(0)
    sample = RandomMask(p=1.0, **options)({"image": Image.fromarray(IMAGE), "landmarks": MESH})
    return np.asarray(sample["image"])


def images():
    return {
        "pillow": Image.fromarray(IMAGE),
        "tv_tensor": tv_tensors.Image(TENSOR),
        "tensor": TENSOR,
    }


@pytest.mark.parametrize("kind", images())
def test_an_image_comes_back_as_what_it_was(kind):
    image = images()[kind]
    torch.manual_seed(0)
    result = RandomMask(p=1.0)({"image": image, "landmarks": torch.from_numpy(MESH)})["image"]
    assert type(result) is type(image)
    pixels = np.asarray(result) if kind == "pillow" else result.permute(1, 2, 0).numpy()
    assert np.array_equal(pixels, masked_array()) and not np.array_equal(pixels, IMAGE)


def test_boxes_labels_and_segmentation_masks_stay():
    boxes = tv_tensors.BoundingBoxes([[1, 2, 30, 40]], format="XYXY", canvas_size=(140, 120))
    segmentation = tv_tensors.Mask(torch.zeros(140, 120, dtype=torch.uint8))
    sample = {
        "image": TENSOR,
        "target": {"boxes": boxes, "mask": segmentation},
        "label": 3,
        "landmarks": MESH,
    }
    result = RandomMask(p=1.0)(sample)
    assert torch.equal(result["target"]["boxes"], boxes) and result["label"] == 3
    assert torch.equal(result["target"]["mask"], segmentation)
    relabelled = RandomMask(p=1.0, mask_label=5)(sample)["target"]["mask"]
    assert isinstance(relabelled, tv_tensors.Mask) and set(relabelled.unique().tolist()) == {0, 5}


def test_tuples_and_several_arguments_are_samples(tmp_path):
    path = landmark_file_of(tmp_path, {"a.jpg": MESH})
    mask = RandomMask(p=0.0, landmarks=path)
    assert mask((TENSOR, 1))[1] == 1 and mask(TENSOR, 1)[1] == 1


def test_the_same_torch_seed_gives_the_same_images():
    def run(seed):
        torch.manual_seed(seed)
        mask = RandomMask(p=0.5, template="all")
        return [mask({"image": TENSOR, "landmarks": MESH})["image"].numpy() for _ in range(4)]

    assert np.array_equal(run(1), run(1)) and not np.array_equal(run(1), run(2))


def test_landmarks_come_from_a_file_by_the_id_of_the_image(tmp_path):
    path = landmark_file_of(tmp_path, {"a.jpg": MESH})
    torch.manual_seed(0)
    result = RandomMask(p=1.0, landmarks=path)({"image": Image.fromarray(IMAGE), "landmarks": "a.jpg"})
    assert np.array_equal(np.asarray(result["image"]), masked_array())


def test_floats_are_refused_with_the_way_out():
    with pytest.raises(TypeError, match="convert to floats after it"):
        RandomMask(p=1.0)(TENSOR / 255)


class Faces(torch.utils.data.Dataset):
    def __init__(self):
        self.transform = v2.Compose(
            [
                RandomMask(p=0.8, template="all"),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
            ]
        )

    def __len__(self):
        return 8

    def __getitem__(self, index):
        image = (IMAGE, OTHER)[index % 2]
        return self.transform({"image": Image.fromarray(image), "landmarks": MESH})["image"]


def test_a_loader_with_two_workers_gives_the_same_batches_for_the_same_seed():
    def run(seed, method="fork"):
        torch.manual_seed(seed)
        loader = torch.utils.data.DataLoader(
            Faces(), batch_size=4, num_workers=2, multiprocessing_context=method
        )
        return torch.cat(list(loader))

    one, again, spawned, other = run(3), run(3), run(3, "spawn"), run(4)
    assert one.shape == (8, 3, 140, 120) and not torch.equal(one, other)
    assert torch.equal(one, again) and torch.equal(one, spawned)
