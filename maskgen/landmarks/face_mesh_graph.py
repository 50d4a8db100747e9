"""mediapipe's face mesh without what surrounds the model's own time: the numbers are the same.

Its graph hands each image to and fro between threads, one step here and the next there, none at the same
time as another; whoever waits for the answer can as well do the steps, and saves a tenth of the processor's
time. ``FaceMesh.process`` makes a named tuple class for each image and hands out each number as a Python
object; with 468 points a face, reading these takes a tenth of the time that finding them does. The answer is
read here as the bytes that it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maskgen.landmarks.crops import Points
from maskgen.records import Image

_STREAM, _ANSWER = "image", "multi_face_landmarks"
_FRAME = 33333  # microseconds; the graph wants each image later than the last

# A NormalizedLandmarkList in protobuf's encoding: for each point its field and length, then x, y and z as
# 32-bit floats, each after its own field number (mediapipe/framework/formats/landmark.proto).
_FIELD = 0x0A
_POINT = np.dtype(
    [
        *(("field", "u1"), ("length", "u1")),
        *(("x field", "u1"), ("x", "<f4"), ("y field", "u1"), ("y", "<f4"), ("z field", "u1"), ("z", "<f4")),
    ]
)


def in_calling_thread(solution: type[Any]) -> type[Any]:
    """A class of ``mediapipe.solutions`` whose graph is run by the thread that asks it.

    Args:
        solution: Such as ``FaceMesh``; its arguments stay what they are.
    """

    class InCallingThread(solution):  # type: ignore[misc]
        def _initialize_graph_interface(self, *arguments: Any) -> Any:
            config = super()._initialize_graph_interface(*arguments)
            # The graph's own executor, the one without a name; mediapipe/framework/calculator_graph.cc knows
            # this type.
            del config.executor[:]
            config.executor.add(type="ApplicationThreadExecutor")
            return config

    return InCallingThread


def run_mesh(model: Any, rgb: Image) -> list[Points]:
    """The face meshes that ``model`` finds.

    Args:
        model: A ``mediapipe.solutions.face_mesh.FaceMesh``.
        rgb: (height, width, 3) uint8.

    Returns:
        For each face (468, 3) float64: x, y and z in pixels.
    """
    from mediapipe.python import packet_creator
    from mediapipe.python._framework_bindings import _packet_getter
    from mediapipe.python._framework_bindings.image_frame import ImageFormat

    model._graph_outputs.clear()
    model._simulated_timestamp += _FRAME
    # mediapipe copies an image that may still be written to.
    rgb = rgb.view()
    rgb.flags.writeable = False
    picture = packet_creator.create_image(image_format=ImageFormat.SRGB, data=rgb)
    model._graph.add_packet_to_input_stream(stream=_STREAM, packet=picture.at(model._simulated_timestamp))
    model._graph.wait_until_idle()
    answer = model._graph_outputs.get(_ANSWER)
    if answer is None or answer.is_empty():
        return []
    height, width = rgb.shape[:2]
    return [_points(face, width, height) for face in _packet_getter._get_serialized_proto_list(answer)]


def _points(face: bytes, width: int, height: int) -> Points:
    if len(face) % _POINT.itemsize == 0:
        points = np.frombuffer(face, _POINT)
        if (points["field"] == _FIELD).all() and (points["length"] == _POINT.itemsize - 2).all():
            shares = np.stack([points[axis] for axis in "xyz"], axis=1).astype(np.float64)
            return np.asarray(shares * (width, height, width))
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    # Points that say more of themselves than where they are.
    listed = NormalizedLandmarkList.FromString(face).landmark
    return np.array([(p.x * width, p.y * height, p.z * width) for p in listed], np.float64)
