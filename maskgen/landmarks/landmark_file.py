"""Landmark files: one line of JSON per sample, written by ``maskgen landmarks``.

A line is ``{"id", "width", "height", "faces": [{"step", "mesh_score", "mask_score", "points"}]}``; ``points``
lists the x, y, z of the 468 points of a mesh, in pixels, with two decimals. The scores are those of
`maskgen.face_mesh.Landmarks`; null, or left out as in older files, if they are not known. Masks from a
landmark file are byte-identical to masks from the model.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from maskgen.errors import LandmarkFileError
from maskgen.face_mesh import Landmarks
from maskgen.records import Box, Image

MESH_NUMBERS = 468 * 3
# `landmark_line` writes the id first, so the index does not parse the points.
_ID_FIRST = re.compile(rb'\s*\{\s*("id"\s*:\s*"(?:[^"\\]|\\.)*")\s*[,}]')


def landmark_line(sample_id: str, image_size: tuple[int, int], faces: Sequence[Landmarks]) -> str:
    r"""One line of a landmark file, with its newline, for an image of this (width, height) in pixels.

    Example:
        >>> landmark_line("a/b.jpg", (178, 218), [])
        '{"id": "a/b.jpg", "width": 178, "height": 218, "faces": []}\n'
    """
    width, height = image_size
    rows = [
        {
            "step": face.step,
            "mesh_score": face.mesh_score,
            "mask_score": face.mask_score,
            "points": [round(value, 2) for value in face.points.ravel().tolist()],
        }
        for face in faces
    ]
    return json.dumps({"id": sample_id, "width": width, "height": height, "faces": rows}) + "\n"


def write_landmark_file(path: Path, rows: Iterable[tuple[str, tuple[int, int], Sequence[Landmarks]]]) -> int:
    """Write a landmark file of (sample id, (width, height), faces) rows, and return their number."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(landmark_line(*row))
            count += 1
    return count


class LandmarkFile:
    """`maskgen.landmarks.FaceLandmarker` that reads a landmark file; memory holds an index of its lines.

    Raises:
        LandmarkFileError: The file cannot be read, a line has no id, or two lines have the same id.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Sample id -> the number of its line, and where in the file it begins.
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            message = f"landmark file {path} cannot be read: {error.strerror or error}"
            raise LandmarkFileError(message) from error
        offset = 0
        for number, line in enumerate(self._file, 1):
            if line.strip():
                sample_id = self._id_of(line, number)
                if sample_id in self._places:
                    first = self._places[sample_id][0]
                    raise self._error(number, f"{sample_id!r} is in line {first} already")
                self._places[sample_id] = (number, offset)
            offset += len(line)

    def __len__(self) -> int:
        """Number of samples in the file."""
        return len(self._places)

    def find(
        self,
        image: Image,
        *,
        boxes: Sequence[Box] = (),
        sample_id: str | None = None,
        every_face: bool = False,
    ) -> list[Landmarks]:
        """The faces of ``sample_id`` in the file; ``boxes`` and ``every_face`` are not used.

        Raises:
            LandmarkFileError: The sample is not in the file, its line is damaged, or the size differs.
        """
        if sample_id is None:
            raise LandmarkFileError(f"landmark file {self._path} goes by sample id, and this image has none")
        if sample_id not in self._places:
            raise LandmarkFileError(f"landmark file {self._path} has no line for {sample_id!r}")
        number, offset = self._places[sample_id]
        self._file.seek(offset)
        row = self._row(self._file.readline(), number)
        height, width = image.shape[:2]
        if (row.get("width"), row.get("height")) != (width, height):
            there = f"{sample_id!r} is {row.get('width')}x{row.get('height')} there"
            raise self._error(number, f"{there}, but the image is {width}x{height} pixels")
        if not isinstance(row.get("faces"), list):
            raise self._error(number, 'there is no list under "faces"')
        return [self._face(face, number, (width, height)) for face in row["faces"]]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _id_of(self, line: bytes, number: int) -> str:
        match = _ID_FIRST.match(line)
        sample_id = self._row(b"{%b}" % match[1] if match else line, number).get("id")
        if not isinstance(sample_id, str):
            raise self._error(number, 'there is no text under "id"')
        return sample_id

    def _face(self, face: Any, number: int, size: tuple[int, int]) -> Landmarks:
        try:
            points = np.array(face.get("points") if isinstance(face, dict) else None, np.float64)
        except (TypeError, ValueError) as error:
            raise self._error(number, f'"points" must be numbers: {error}') from error
        if points.shape != (MESH_NUMBERS,):
            expected = f'"points" must be {MESH_NUMBERS} numbers'
            raise self._error(number, f"{expected}, got an array of shape {points.shape}")
        if not np.isfinite(points).all():
            raise self._error(number, '"points" holds a number that is not finite')
        points = points.reshape(-1, 3)
        # Masking allocates planes of the size of the face; a huge face would exhaust the memory.
        width, height = size
        apart = np.abs(points - (width / 2, height / 2, 0)).max(axis=0)
        if (apart > (1.5 * width, 1.5 * height, 3 * width)).any():
            raise self._error(number, '"points" lie further outside the image than its own size')
        scores = {name: face.get(name) for name in ("mesh_score", "mask_score")}
        for name, score in scores.items():
            if score is not None and not (isinstance(score, float | int) and 0 <= score <= 1):
                raise self._error(number, f'"{name}" must be null or a number from 0 to 1, got {score!r}')
        return Landmarks(points.astype(np.float32), size, str(face.get("step", "file")), **scores)

    def _row(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            row = orjson.loads(line)
        except ValueError as error:
            raise self._error(number, f"not JSON: {error}") from error
        if not isinstance(row, dict):
            raise self._error(number, f"expected an object, got {type(row).__name__}")
        return row

    def _error(self, number: int, what: str) -> LandmarkFileError:
        return LandmarkFileError(f"{self._path}, line {number}: {what}")
