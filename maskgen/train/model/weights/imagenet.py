"""Where the ImageNet weights of each backbone are, and whether they can be had, before any image is read."""

import os
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.train.model.weights.kinds import LITE0, check_kind
from maskgen.train.model.weights.lite0_package import lite0_file

GOOGLE = "https://storage.googleapis.com"
TENSORFLOW = f"{GOOGLE}/tensorflow/keras-applications"
# Seconds to wait for an answer of the server, and for the network below it, whose time-outs are minutes.
ANSWER, NETWORK = 3.0, 6.0

_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_ADDRESSES = {
    **{
        f"efficientnet_b{number}": f"{GOOGLE}/keras-applications/efficientnetb{number}_notop.h5"
        for number in range(8)
    },
    **{
        f"efficientnetv2_{name}": f"{TENSORFLOW}/efficientnet_v2/efficientnetv2-{name}_notop.h5"
        for name in ("b0", "b1", "b2", "b3", "s")
    },
    # Of its five sizes; the others are for models of a fixed size.
    "mobilenet_v2": f"{TENSORFLOW}/mobilenet_v2/mobilenet_v2_{_KERNELS}_1.0_224_no_top.h5",
    "mobilenet_v3": f"{TENSORFLOW}/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    "inception_v3": f"{TENSORFLOW}/inception_v3/inception_v3_{_KERNELS}_notop.h5",
    "resnet50": "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    "resnet50_v2": f"{TENSORFLOW}/resnet/resnet50v2_{_KERNELS}_notop.h5",
}


@dataclass(frozen=True)
class Download:
    """A file with ImageNet weights, and the folder where Keras looks before it downloads."""

    url: str
    folder: Path

    @property
    def file(self) -> Path:
        """Where the file is, once it was downloaded."""
        return self.folder / self.url.rpartition("/")[2]


def imagenet_download(name: str) -> Download:
    """The file that Keras downloads for a backbone of any input size; `UsageError` if there is none."""
    if name in _ADDRESSES:
        return Download(_ADDRESSES[name], _keras_folder())
    hint = f" (timm publishes tf_{name} as a state dict)" if name.startswith("efficientnet_lite") else ""
    raise UsageError(
        f"{name} has no ImageNet weights to download: give --weights none, or the path of a file{hint}"
    )


def check_weights_exist(name: str, weights: str) -> None:
    """Look whether initial weights can be had; an error says what to do. Takes a few seconds at most.

    `name` is the backbone's, and `weights` "imagenet", "none" or a path.
    """
    if weights == "none":
        return
    if weights != "imagenet":
        if not Path(weights).is_file():
            raise MissingDataError(f"--weights {weights}: no such file; give a file, imagenet or none")
        check_kind(Path(weights))
    elif name == LITE0:
        lite0_file()
    else:
        download = imagenet_download(name)
        if not download.file.is_file() and (problem := _problem(download.url)):
            raise unavailable(name, download, problem)


def unavailable(name: str, download: Download, problem: str) -> ModelError:
    """The error for weights that cannot be downloaded or read: the file, its URL, and where to put it."""
    return ModelError(
        f"the ImageNet weights of {name} cannot be had: {problem}. Download {download.url} on another "
        f"machine and put it at {download.file}, or give it with --weights PATH; or train without it: "
        f"--weights none, or --backbone {LITE0} (pip install 'maskgen[lite0]')"
    )


def _keras_folder() -> Path:
    """Where Keras keeps downloaded weights."""
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    return Path(os.environ.get("KERAS_HOME") or home / ".keras").expanduser() / "models"


def _problem(url: str) -> str | None:
    """Why a URL cannot be opened, or None if it can."""
    problems = [f"no answer in {NETWORK:.0f} seconds"]

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=ANSWER):
                problems.clear()
        except urllib.error.HTTPError as error:
            # Some servers answer to downloads only.
            problems[:] = [str(error)] if error.code in (404, 410) else []
        except (OSError, ValueError) as error:
            # urllib's and ssl's errors are OSErrors.
            problems[:] = [str(getattr(error, "reason", None) or error)]

    # The look-up of a name has no time-out of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(NETWORK)
    return problems[0] if problems else None
