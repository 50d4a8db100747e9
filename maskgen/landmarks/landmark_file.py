"""Landmark files: one line of JSON per sample, written by ``maskgen landmarks``.

A line is ``{"id", "width", "height", "faces": [{"step", "points"}]}``; ``points`` lists the x, y, z of the
468 points of a mesh, in pixels, with two decimals. Masks from a landmark file are byte-identical to masks
from the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from maskgen.errors import LandmarkFileError
from maskgen.face_mesh import Landmarks
from maskgen.landmarks.crops import Points
from maskgen.records import Box, Image

MESH_NUMBERS = 468 * 3
# `landmark_line` writes the id first, so the index does not parse the points.
_ID_FIRST = re.compile(rb'\s*\{\s*"id"\s*:\s*("(?:[^"\\]|\\.)*")\s*[,}]')


def landmark_line(sample_id: str, image_size: tuple[int, int], faces: Sequence[Landmarks]) -> str:
    r"""One line of a landmark file, with its newline.

    Args:
        sample_id: Id of the sample.
        image_size: (width, height) of its image in pixels.
        faces: Its faces, largest first; empty if none was found.

    Example:
        >>> landmark_line("a/b.jpg", (178, 218), [])
        '{"id": "a/b.jpg", "width": 178, "height": 218, "faces": []}\n'
    """
    width, height = image_size
    rows = [
        {"step": face.step, "points": [round(float(value), 2) for value in face.points.ravel()]}
        for face in faces
    ]
    return json.dumps({"id": sample_id, "width": width, "height": height, "faces": rows}) + "\n"


def write_landmark_file(path: Path, rows: Iterable[tuple[str, tuple[int, int], Sequence[Landmarks]]]) -> int:
    """Write a landmark file of (sample id, (width, height), faces) rows, and return their number."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for sample_id, image_size, faces in rows:
            out.write(landmark_line(sample_id, image_size, faces))
            count += 1
    return count


class LandmarkFile:
    """`maskgen.landmarks.FaceLandmarker` that reads a landmark file.

    Memory holds only an index of the lines.

    Args:
        path: The file. It is read once to index it.

    Raises:
        LandmarkFileError: The file cannot be read, a line has no id, or two lines have the same id.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise LandmarkFileError(
                f"landmark file {path} cannot be read: {error.strerror or error}"
            ) from error
        for number, offset, line in self._lines():
            sample_id = self._id_of(line, number)
            if sample_id in self._places:
                first = self._places[sample_id][0]
                raise LandmarkFileError(f"{path}, line {number}: {sample_id!r} is in line {first} already")
            self._places[sample_id] = (number, offset)

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
            LandmarkFileError: The sample is not in the file, its line is damaged, or the image's size
                differs.
        """
        if sample_id is None:
            raise LandmarkFileError(f"landmark file {self._path} goes by sample id, and this image has none")
        if sample_id not in self._places:
            raise LandmarkFileError(f"landmark file {self._path} has no line for {sample_id!r}")
        number, offset = self._places[sample_id]
        self._file.seek(offset)
        row = self._row(self._file.readline(), number)
        size = (image.shape[1], image.shape[0])
        if (row.get("width"), row.get("height")) != size:
            raise self._error(
                number,
                f"{sample_id!r} is {row.get('width')}x{row.get('height')} there, "
                f"but the image is {size[0]}x{size[1]} pixels",
            )
        return self._faces(row, number, size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        offset = 0
        for number, line in enumerate(self._file, 1):
            if line.strip():
                yield number, offset, line
            offset += len(line)

    def _id_of(self, line: bytes, number: int) -> str:
        match = _ID_FIRST.match(line)
        sample_id = self._parse(match[1], number) if match else self._row(line, number).get("id")
        if not isinstance(sample_id, str):
            raise self._error(number, 'there is no text under "id"')
        return sample_id

    def _faces(self, row: dict[str, Any], number: int, size: tuple[int, int]) -> list[Landmarks]:
        faces = row.get("faces")
        if not isinstance(faces, list):
            raise self._error(number, 'there is no list under "faces"')
        meshes = []
        for face in faces:
            points = self._points(face, number)
            self._check_places(points, number, size)
            meshes.append(Landmarks(points.astype(np.float32), size, str(face.get("step", "file"))))
        return meshes

    def _points(self, face: Any, number: int) -> Points:
        numbers = face.get("points") if isinstance(face, dict) else None
        try:
            points = np.array(numbers, np.float64)
        except (TypeError, ValueError) as error:
            raise self._error(number, f'"points" must be numbers: {error}') from error
        if points.shape != (MESH_NUMBERS,):
            raise self._error(
                number, f'"points" must be {MESH_NUMBERS} numbers, got an array of shape {points.shape}'
            )
        if not np.isfinite(points).all():
            raise self._error(number, '"points" holds a number that is not finite')
        return points.reshape(-1, 3)

    def _check_places(self, points: Points, number: int, size: tuple[int, int]) -> None:
        # Masking allocates planes of the size of the face; a huge face would exhaust the memory.
        width, height = size
        apart = np.abs(points - (width / 2, height / 2, 0)).max(axis=0)
        if (apart > (1.5 * width, 1.5 * height, 3 * width)).any():
            raise self._error(number, '"points" lie further outside the image than its own size')

    def _row(self, line: bytes, number: int) -> dict[str, Any]:
        row = self._parse(line, number)
        if not isinstance(row, dict):
            raise self._error(number, f"expected an object, got {type(row).__name__}")
        return row

    def _parse(self, data: bytes, number: int) -> Any:
        try:
            return orjson.loads(data)
        except ValueError as error:
            raise self._error(number, f"not JSON: {error}") from error

    def _error(self, number: int, what: str) -> LandmarkFileError:
        return LandmarkFileError(f"{self._path}, line {number}: {what}")
