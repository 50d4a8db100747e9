"""One call of mediapipe's face mesh, without what its Python wrapper adds to the model's own time.

``FaceMesh.process`` makes a named tuple class for each picture and hands out each number as a Python object;
with 468 points a face, reading these takes a tenth of the time that finding them does. The same graph is run
here as ``process`` runs it, and the answer is read as the bytes that it is: the numbers are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.landmarks.views import Points
from maskgen.records import Image

_STREAM, _ANSWER = "image", "multi_face_landmarks"
_FRAME = 33333  # microseconds; the graph wants each picture later than the last

# A NormalizedLandmarkList in protobuf's encoding: for each point its field and length, then x, y and z as
# 32-bit floats, each after its own field number (mediapipe/framework/formats/landmark.proto).
_FIELD, _POINT = 0x0A, 17


def run_mesh(model: Any, rgb: Image) -> list[Points]:
    """The face meshes that ``model`` finds.

    Args:
        model: A ``mediapipe.solutions.face_mesh.FaceMesh``.
        rgb: (height, width, 3) uint8.

    Returns:
        For each face (468, 3) float64: x and y as shares of width and height, z as one of the width.
    """
    from mediapipe.python import packet_creator
    from mediapipe.python._framework_bindings import _packet_getter
    from mediapipe.python._framework_bindings.image_frame import ImageFormat

    model._graph_outputs.clear()
    model._simulated_timestamp += _FRAME
    # mediapipe copies a picture that may still be written to.
    rgb = rgb.view()
    rgb.flags.writeable = False
    picture = packet_creator.create_image(image_format=ImageFormat.SRGB, data=rgb)
    model._graph.add_packet_to_input_stream(stream=_STREAM, packet=picture.at(model._simulated_timestamp))
    model._graph.wait_until_idle()
    answer = model._graph_outputs.get(_ANSWER)
    if answer is None or answer.is_empty():
        return []
    return [_points(face) for face in _packet_getter._get_serialized_proto_list(answer)]


def _points(face: bytes) -> Points:
    points, as_expected = _read(np.frombuffer(face, np.uint8))
    if as_expected:
        return points
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    # Points that say more of themselves than where they are.
    return np.array([(p.x, p.y, p.z) for p in NormalizedLandmarkList.FromString(face).landmark], np.float64)


@compiled
def _read(data: Image) -> tuple[NDArray[np.float64], bool]:
    """(n, 3) float64 points of an encoded list, (bytes,) uint8, and whether each is encoded as expected."""
    count = len(data) // _POINT
    points = np.empty((count, 3), np.float64)
    bits = np.empty(1, np.uint32)
    value = bits.view(np.float32)
    if count * _POINT != len(data):
        return points, False
    for n in range(count):
        at = n * _POINT
        if data[at] != _FIELD or data[at + 1] != _POINT - 2:
            return points, False
        for axis in range(3):
            first = at + 3 + 5 * axis
            bits[0] = 0
            for byte in range(3, -1, -1):
                bits[0] = (bits[0] << np.uint32(8)) | np.uint32(data[first + byte])
            points[n, axis] = value[0]
    return points, True
