"""The same bytes on every processor of a kind.

OpenCV, numpy, BLAS and the landmark model each have several versions of a loop and choose one by the
processor. Their last bits differ, and a last bit can become a grey level. With the settings of this
module all x86-64 processors with AVX2 (FMA comes with it) give the same bytes, with AVX-512 or without,
of any maker. The landmark model itself differs on older processors and on other architectures: these are
other kinds, and the run record names each kind that a run was made on.
"""

from __future__ import annotations

import os
import platform

_AVX2 = 11  # CV_CPU_AVX2 in OpenCV's interface.h


def set_libraries() -> None:
    """Set the environment that decides before numpy and cv2 are imported; worker processes inherit it.

    A user's own setting wins.
    """
    os.environ.setdefault("OPENCV_IPP", "disabled")
    if _machine() == "x86_64":
        # The one that every such processor can run. The matrices here are small.
        os.environ.setdefault("OPENBLAS_CORETYPE", "Prescott")


def set_opencv() -> None:
    """Set OpenCV in the calling thread, for a process that was not started by `maskgen`."""
    import cv2

    cv2.setNumThreads(1)  # joblib limits the threads of BLAS, but not OpenCV's
    cv2.ipp.setUseIPP(False)


def processor_kind() -> str:
    """The kind of this processor, such as "Linux x86_64 AVX2": two of one kind give the same bytes."""
    import cv2

    return " ".join((platform.system(), _machine(), *(["AVX2"] if cv2.checkHardwareSupport(_AVX2) else [])))


def _machine() -> str:
    return {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
