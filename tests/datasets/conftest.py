"""Writes tiny datasets in their published on-disk layouts, and reads them back by id."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maskgen.datasets import get_dataset
from maskgen.records import Sample

# Adapters tell images by their names and never open them.
PICTURE = b"\xff\xd8\xff\xd9"


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``{path: content}``, or images for paths alone, below a fresh root and returns it."""

    def write(files: dict[str, str | bytes] | None = None, *pictures: str) -> Path:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for name, content in {**dict.fromkeys(pictures, PICTURE), **(files or {})}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


@pytest.fixture
def read() -> Callable[[str, Path], dict[str, Sample]]:
    """The samples of a dataset by id; each id once and in the byte order of the paths."""

    def samples(name: str, root: Path) -> dict[str, Sample]:
        listed = list(get_dataset(name).samples(root))
        assert [s.relative for s in listed] == sorted({s.relative for s in listed}, key=os.fsencode)
        assert len({s.id for s in listed}) == len(listed)
        return {sample.id: sample for sample in listed}

    return samples
