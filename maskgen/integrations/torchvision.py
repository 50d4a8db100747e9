"""`RandomMask` for torchvision's transforms v2."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import nn
from torchvision import tv_tensors

from maskgen import Masker, MaskResult


class RandomMask(nn.Module):  # type: ignore[misc]
    """Put masks on the faces of an image, drawn from torch's random numbers.

    It takes what transforms v2 take: an image, or a tuple, list or dictionary with one image in it. An image
    is a Pillow image, a `torchvision.tv_tensors.Image` or a uint8 tensor of shape (3, height, width), and
    comes back as such. Boxes, keypoints and labels pass unchanged, and so do segmentation masks unless
    ``mask_label`` is given. Put it in front of transforms that change colours or geometry.

    Args:
        mask_label: The class that a `torchvision.tv_tensors.Mask` gets where the drawn mask is.
        landmarks_key: Name of the entry of a dictionary with the image's landmarks, as `maskgen.Masker` takes
            them, or its id in a landmark file.
        p: Probability of masking an image.
        options: Those of `maskgen.Masker`; ``landmarks`` names a landmark file.

    Examples:
        >>> import maskgen, torch
        >>> from PIL import Image
        >>> from torchvision.transforms import v2
        >>> from maskgen.integrations.torchvision import RandomMask
        >>> pipeline = v2.Compose([RandomMask(template="surgical", p=1.0), v2.RandomHorizontalFlip()])
        >>> image = Image.open(next(iter(maskgen.open_dataset("sample"))).path)
        >>> pipeline(image).size
        (288, 336)
    """

    def __init__(
        self,
        *,
        mask_label: int | None = None,
        landmarks_key: str = "landmarks",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__()
        self.mask_label = mask_label
        self.landmarks_key = landmarks_key
        self.p = p
        self.masker = Masker(**options)

    def forward(self, *inputs: Any) -> Any:
        """Mask the image of a sample, with probability ``p``."""
        sample = inputs if len(inputs) != 1 else inputs[0]
        is_masked = float(torch.rand(())) < self.p
        # Drawn in any case, so that one image's draws do not depend on whether another was masked.
        key = str(int(torch.randint(0, 2**63 - 1, ())))
        if not is_masked:
            return sample
        landmarks = sample.get(self.landmarks_key) if isinstance(sample, Mapping) else None
        if isinstance(landmarks, torch.Tensor):
            landmarks = landmarks.numpy()
        image = _image_of(sample)
        result = self.masker(_to_array(image), key=key, landmarks=landmarks)
        return self._replaced(sample, image, result) if result else sample

    def _replaced(self, value: Any, image: Any, result: MaskResult) -> Any:
        """The sample with the masked image in place of the image."""
        if value is image:
            return _like(result.image, image)
        if isinstance(value, tv_tensors.Mask) and self.mask_label is not None:
            drawn = torch.from_numpy(result.alpha >= 128)
            return tv_tensors.wrap(value.masked_fill(drawn, self.mask_label), like=value)
        if isinstance(value, Mapping):
            return {name: self._replaced(each, image, result) for name, each in value.items()}
        if isinstance(value, (tuple, list)):
            return type(value)([self._replaced(each, image, result) for each in value])
        return value

    def extra_repr(self) -> str:
        """The arguments, for ``repr``."""
        return f"p={self.p}, masker={self.masker!r}"


def _image_of(sample: Any) -> Any:
    """The image in a sample: the first that says that it is one, else the first that looks like one."""
    values = list(_leaves(sample))
    images = [value for value in values if isinstance(value, (PillowImage.Image, tv_tensors.Image))]
    images += [
        value
        for value in values
        if type(value) is torch.Tensor
        and value.dtype == torch.uint8
        and value.ndim == 3
        and value.shape[0] == 3
    ]
    if not images:
        expected = "a Pillow image, a tv_tensors.Image or a uint8 tensor of shape (3, height, width)"
        raise TypeError(f"RandomMask needs {expected}; convert to floats after it")
    return images[0]


def _leaves(value: Any) -> Any:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _to_array(image: Any) -> Any:
    return image if isinstance(image, PillowImage.Image) else image.permute(1, 2, 0).contiguous().numpy()


def _like(masked: NDArray[Any], image: Any) -> Any:
    if isinstance(image, PillowImage.Image):
        return PillowImage.fromarray(masked)
    tensor = torch.from_numpy(masked).permute(2, 0, 1).contiguous()
    return tv_tensors.wrap(tensor, like=image) if isinstance(image, tv_tensors.Image) else tensor
