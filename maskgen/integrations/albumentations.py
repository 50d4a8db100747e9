"""`RandomMask` for albumentations (2.0 and later)."""

from pathlib import Path
from typing import Any

import numpy as np
from albumentations import DualTransform
from numpy.typing import NDArray

from maskgen import Masker, MaskResult


class RandomMask(DualTransform):  # type: ignore[misc]
    """Put masks on the faces of an image, drawn from the random numbers of the pipeline.

    Boxes and keypoints stay as they are. Segmentation masks too, unless ``mask_label`` is given. Put it in
    front of transforms that change colours or geometry: landmarks are in pixels of the image that arrives.

    Targets:
        image, images, mask, masks, bboxes, keypoints

    Image types:
        uint8 RGB

    Args:
        mask_label: The class that segmentation masks get where the drawn mask is (half opaque or more).
        landmarks_key: Name of the pipeline's argument with the landmarks of an image: arrays as
            `maskgen.Masker` takes them, or the image's id in a landmark file.
        p: Probability of masking an image.
        options: Those of `maskgen.Masker`; ``landmarks`` names a landmark file.

    Examples:
        >>> import albumentations, maskgen
        >>> from maskgen.integrations.albumentations import RandomMask
        >>> transforms = [RandomMask(template="surgical", p=1.0), albumentations.HorizontalFlip(p=0.5)]
        >>> pipeline = albumentations.Compose(transforms, seed=1)
        >>> image = maskgen.read_image(next(iter(maskgen.open_dataset("sample"))))
        >>> pipeline(image=image)["image"].shape
        (336, 288, 3)
    """

    def __init__(
        self,
        *,
        mask_label: int | None = None,
        landmarks_key: str = "landmarks",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p=p)
        self.mask_label = mask_label
        self.landmarks_key = landmarks_key
        self.options = options
        self.masker = Masker(**options)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw the key of the random choices, and mask the image."""
        key, landmarks = str(self.py_random.getrandbits(63)), data.get(self.landmarks_key)
        image = data.get("image")
        result = None if image is None else self.masker(image, key=key, landmarks=landmarks)
        return {"key": key, "landmarks": landmarks, "result": result}

    def apply(
        self, img: NDArray[Any], key: str, landmarks: Any, result: MaskResult | None, **params: Any
    ) -> NDArray[Any]:
        """The masked image; in a replay the same draws on the image that is there now."""
        if result is None or self.replay_mode:
            return self.masker(img, key=key, landmarks=landmarks).image
        return result.image

    def apply_to_images(self, images: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Masked images, each with the same draws."""
        return np.stack([self.apply(image, **{**params, "result": None}) for image in images])

    def apply_to_mask(self, mask: NDArray[Any], result: MaskResult | None, **params: Any) -> NDArray[Any]:
        """The segmentation mask, with ``mask_label`` where the drawn mask is."""
        if self.mask_label is None or result is None:
            return mask
        relabelled = mask.copy()
        relabelled[result.alpha >= 128] = self.mask_label
        return relabelled

    def apply_to_bboxes(self, bboxes: NDArray[Any], **params: Any) -> NDArray[Any]:
        """The boxes, unchanged."""
        return bboxes

    def apply_to_keypoints(self, keypoints: NDArray[Any], **params: Any) -> NDArray[Any]:
        """The keypoints, unchanged."""
        return keypoints

    def get_transform_init_args(self) -> dict[str, Any]:
        """The arguments, as `albumentations.to_dict` and ``repr`` write them."""
        options = {
            name: str(value) if isinstance(value, Path) else value for name, value in self.options.items()
        }
        return {"mask_label": self.mask_label, "landmarks_key": self.landmarks_key, **options}
