"""mediapipe's face mesh with less overhead and the same numbers.

The graph passes each image between threads although its steps never run in parallel. Running it in the
calling thread saves a tenth of the processor time. ``FaceMesh.process`` creates a named tuple class per image
and a Python object per number, which takes another tenth. Here the serialized result is read directly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maskgen.landmarks.crops import Points
from maskgen.records import Image

_STREAM, _RESULT = "image", "multi_face_landmarks"
_FRAME = 33333  # microseconds between two images; the graph requires increasing timestamps

# Protobuf encoding of a NormalizedLandmarkList: for each point its field and length, then x, y and z as
# 32-bit floats, each after its own field number (mediapipe/framework/formats/landmark.proto).
_FIELD = 0x0A
_POINT = np.dtype(
    [
        *(("field", "u1"), ("length", "u1")),
        *(("x field", "u1"), ("x", "<f4"), ("y field", "u1"), ("y", "<f4"), ("z field", "u1"), ("z", "<f4")),
    ]
)


def in_calling_thread(solution: type[Any]) -> type[Any]:
    """A subclass of a ``mediapipe.solutions`` class whose graph runs in the calling thread.

    Args:
        solution: Such as ``FaceMesh``; the constructor's arguments are the same.
    """

    class InCallingThread(solution):  # type: ignore[misc]
        def _initialize_graph_interface(self, *arguments: Any) -> Any:
            config = super()._initialize_graph_interface(*arguments)
            # The graph's default executor has no name; mediapipe/framework/calculator_graph.cc defines the
            # type.
            del config.executor[:]
            config.executor.add(type="ApplicationThreadExecutor")
            return config

    return InCallingThread


def run_mesh(model: Any, rgb: Image) -> list[Points]:
    """Run a face mesh model.

    Args:
        model: A ``mediapipe.solutions.face_mesh.FaceMesh``.
        rgb: (height, width, 3) uint8.

    Returns:
        (468, 3) float64 for each face: x, y and z in pixels.
    """
    from mediapipe.python import packet_creator
    from mediapipe.python._framework_bindings import _packet_getter
    from mediapipe.python._framework_bindings.image_frame import ImageFormat

    model._graph_outputs.clear()
    model._simulated_timestamp += _FRAME
    # mediapipe copies writeable images.
    rgb = rgb.view()
    rgb.flags.writeable = False
    packet = packet_creator.create_image(image_format=ImageFormat.SRGB, data=rgb)
    model._graph.add_packet_to_input_stream(stream=_STREAM, packet=packet.at(model._simulated_timestamp))
    model._graph.wait_until_idle()
    result = model._graph_outputs.get(_RESULT)
    if result is None or result.is_empty():
        return []
    height, width = rgb.shape[:2]
    return [_points(face, width, height) for face in _packet_getter._get_serialized_proto_list(result)]


def _points(face: bytes, width: int, height: int) -> Points:
    if len(face) % _POINT.itemsize == 0:
        points = np.frombuffer(face, _POINT)
        if (points["field"] == _FIELD).all() and (points["length"] == _POINT.itemsize - 2).all():
            shares = np.stack([points[axis] for axis in "xyz"], axis=1).astype(np.float64)
            return np.asarray(shares * (width, height, width))
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    # Points with further fields, such as visibility.
    listed = NormalizedLandmarkList.FromString(face).landmark
    return np.array([(p.x * width, p.y * height, p.z * width) for p in listed], np.float64)
