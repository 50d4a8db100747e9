"""A real face that needs no download, and the landmarkers that can be opened here."""

import os

import cv2
import numpy as np
import pytest

from maskgen.landmarks import LandmarkerSpec, open_landmarker
from maskgen.landmarks.mediapipe_engines import MODEL_VARIABLE

HAS_TASKS_MODEL = bool(os.environ.get(MODEL_VARIABLE))


@pytest.fixture(scope="session")
def astronaut():
    """Eileen Collins, 512 x 512, her face about (170..275, 50..200)."""
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="session")
def head(astronaut):
    """Her head alone, filling the image."""
    return np.ascontiguousarray(astronaut[20:230, 120:330])


@pytest.fixture(scope="session")
def litert():
    landmarker = open_landmarker(LandmarkerSpec())
    yield landmarker
    landmarker.close()


@pytest.fixture(scope="session")
def tasks():
    if not HAS_TASKS_MODEL:
        pytest.skip(f"{MODEL_VARIABLE} names no landmark model")
    landmarker = open_landmarker(LandmarkerSpec("tasks"))
    yield landmarker
    landmarker.close()


@pytest.fixture(params=["litert", "tasks"])
def landmarker(request):
    """Each landmarker that runs a model, in turn."""
    return request.getfixturevalue(request.param)
