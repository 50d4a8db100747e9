"""Which points of MediaPipe's 468-point face mesh maskgen speaks of by name.

The indices are those of MediaPipe's canonical face model; "left" is the image's left, so that
``left_eye`` is the eye a viewer sees on the left.
"""

from __future__ import annotations

# Anchor name -> indices into the face mesh; the anchor is their mean. Templates name their anchors
# with these names, so that any template can be laid over any face.
ANCHORS: dict[str, tuple[int, ...]] = {
    "nose_bridge": (6,),
    "nose_ridge": (197,),
    "nose_middle": (195,),
    "nose_tip": (4,),
    "nose_base": (2,),
    "upper_lip": (0,),
    "mouth": (13, 14),
    "lower_lip": (17,),
    "chin": (152,),
    "left_eye": (33, 133),
    "right_eye": (263, 362),
    "left_mouth": (61,),
    "right_mouth": (291,),
    "left_temple": (127,),
    "right_temple": (356,),
    "left_ear": (234,),
    "right_ear": (454,),
    "left_cheekbone": (116,),
    "right_cheekbone": (345,),
    "left_cheek": (93, 132),
    "right_cheek": (323, 361),
    "left_jaw": (172,),
    "right_jaw": (397,),
    "left_chin": (149,),
    "right_chin": (378,),
}

# The outline of the face in the mesh, clockwise from the top of the forehead.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
