"""One call of mediapipe's face mesh, without what its Python wrapper adds to the model's own time.

``FaceMesh.process`` makes a named tuple class for each picture and hands out each number as a Python object;
with 468 points a face, reading these takes a tenth of the time that finding them does. The same graph is run
here as ``process`` runs it, and the answer is read as the bytes that it is: the numbers are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.landmarks.views import Points
from maskgen.records import Image

_STREAM, _ANSWER = "image", "multi_face_landmarks"
_FRAME = 33333  # microseconds; the graph wants each picture later than the last

# A NormalizedLandmarkList in protobuf's encoding: for each point its field and length, then x, y and z as
# 32-bit floats, each after its own field number (mediapipe/framework/formats/landmark.proto).
_POINT = np.dtype(
    [
        ("start", "u1", 2),
        *((name, kind) for axis in "xyz" for name, kind in ((f"field_{axis}", "u1"), (axis, "<f4"))),
    ]
)
_START = (0x0A, _POINT.itemsize - 2)


def run_mesh(model: Any, rgb: Image) -> list[Points]:
    """The face meshes that ``model`` finds.

    Args:
        model: A ``mediapipe.solutions.face_mesh.FaceMesh``.
        rgb: (height, width, 3) uint8.

    Returns:
        For each face (468, 3) float64: x and y as shares of width and height, z as one of the width.
    """
    from mediapipe.python import packet_creator, packet_getter
    from mediapipe.python._framework_bindings.image_frame import ImageFormat

    model._graph_outputs.clear()
    model._simulated_timestamp += _FRAME
    picture = packet_creator.create_image(image_format=ImageFormat.SRGB, data=rgb)
    model._graph.add_packet_to_input_stream(stream=_STREAM, packet=picture.at(model._simulated_timestamp))
    model._graph.wait_until_idle()
    answer = model._graph_outputs.get(_ANSWER)
    if answer is None or answer.is_empty():
        return []
    return [_points(face) for face in packet_getter.get_proto_list(answer)]


def _points(face: Any) -> NDArray[np.float64]:
    data: bytes = face.SerializeToString()
    if len(data) == len(face.landmark) * _POINT.itemsize:
        table = np.frombuffer(data, _POINT)
        if (table["start"] == _START).all():
            return np.stack([table[axis].astype(np.float64) for axis in "xyz"], axis=1)
    # Points that say more of themselves than where they are.
    return np.array([(point.x, point.y, point.z) for point in face.landmark], np.float64)
