"""Reads, checks and chooses mask templates: NAME.png with alpha, and NAME.json with anchors beside it."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from maskgen.errors import TemplateError, UnreadableImageError, UsageError
from maskgen.face_mesh import ANCHORS
from maskgen.files.json_text import from_json
from maskgen.files.text_files import read_text_file
from maskgen.images.codec import decode
from maskgen.limits import MAX_DESCRIPTION_BYTES, MAX_TEMPLATE_BYTES, MAX_TEMPLATE_PIXELS
from maskgen.records import TONES, MaskTemplate

REQUIRED_ANCHORS = ("nose_bridge", "chin", "left_cheek", "right_cheek")
_FIELDS: dict[str, type] = {"kind": str, "tone": str, "recolourable": bool, "licence": str, "anchors": dict}


@dataclass(frozen=True)
class TemplateInfo:
    """What a template's description says, without its image."""

    name: str
    path: Path
    kind: str
    tone: str
    recolourable: bool
    licence: str
    size: tuple[int, int]


def template_folder() -> Path:
    """Where the templates that come with maskgen are: installed as a package, or in a checkout."""
    from importlib.util import find_spec

    spec = find_spec("maskgen.mask_templates")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent
    beside = Path(__file__).resolve().parents[3] / "mask_templates"
    if beside.is_dir():
        return beside
    raise TemplateError(
        f"the mask templates are neither installed as maskgen.mask_templates nor in {beside}; "
        "install maskgen again"
    )


@lru_cache(maxsize=1)
def list_templates() -> tuple[TemplateInfo, ...]:
    """The templates that come with maskgen, by name; reads descriptions only."""
    return tuple(_info(path) for path in sorted(template_folder().glob("*.json")))


def _info(path: Path) -> TemplateInfo:
    told = _description(path)
    width, height = told.get("size", (0, 0))
    return TemplateInfo(
        path.stem,
        path.with_suffix(".png"),
        told["kind"],
        told["tone"],
        told["recolourable"],
        told["licence"],
        (int(width), int(height)),
    )


def _description(path: Path) -> dict[str, Any]:
    """The checked description at ``path`` (NAME.json)."""
    try:
        told = from_json(read_text_file(path, MAX_DESCRIPTION_BYTES))
    except FileNotFoundError:
        raise TemplateError(
            f"{path} is missing: beside NAME.png a template needs NAME.json with "
            f"{', '.join(_FIELDS)}; `maskgen templates` shows where to find examples"
        ) from None
    except (OSError, ValueError) as problem:
        raise TemplateError(f"{path} cannot be read as JSON: {problem}") from None
    if not isinstance(told, dict):
        raise TemplateError(f"{path} must hold one JSON object, got {type(told).__name__}")
    for name, kind in _FIELDS.items():
        if name not in told:
            raise TemplateError(f"{path} has no {name!r}; a template needs {', '.join(_FIELDS)}")
        if not isinstance(told[name], kind):
            raise TemplateError(f"{path}: {name!r} must be {kind.__name__}, got {told[name]!r}")
    if told["tone"] not in TONES:
        raise TemplateError(f"{path}: tone must be one of {', '.join(TONES)}, got {told['tone']!r}")
    return told


def load_template(name_or_path: str | Path) -> MaskTemplate:
    """Read and check one template, by its name or by the path of its PNG or JSON.

    Raises:
        TemplateError: What is wrong with which file, and what is expected there.
        UsageError: No template has that name.
    """
    problems, template = _examine(_picture_path(str(name_or_path)))
    if template is None:
        raise TemplateError("; ".join(problems))
    return template


def _picture_path(token: str) -> Path:
    path = Path(token)
    if path.suffix.lower() in (".png", ".json"):
        return path.with_suffix(".png") if path.suffix.lower() == ".json" else path
    for info in list_templates():
        if info.name == token:
            return info.path
    raise UsageError(_unknown(token))


def check_template(path: Path) -> list[str]:
    """Everything that keeps a template from being used, each as a sentence; empty if nothing does."""
    problems, _ = _examine(path.with_suffix(".png") if path.suffix.lower() == ".json" else path)
    return problems


def _examine(picture: Path) -> tuple[list[str], MaskTemplate | None]:
    """What is wrong with the template, and the template itself if nothing is; its image is decoded once."""
    import numpy as np

    described = picture.with_suffix(".json")
    try:
        told = _description(described)
    except TemplateError as problem:
        return [str(problem)], None
    try:
        if (size := picture.stat().st_size) > MAX_TEMPLATE_BYTES:
            return [f"{picture} has {size:,} bytes, a template may have {MAX_TEMPLATE_BYTES:,}"], None
        data = picture.read_bytes()
        decoded = decode(data, MAX_TEMPLATE_PIXELS)
    except OSError as problem:
        return [f"{picture} cannot be read: {problem.strerror}"], None
    except UnreadableImageError as problem:
        return [f"{picture} cannot be decoded: {problem}"], None
    problems = []
    alpha = decoded.alpha
    if alpha is None:
        problems.append(f"{picture} has no alpha channel: save it as RGBA, transparent where the mask is not")
    elif not (alpha >= 128).any():
        problems.append(f"{picture} is transparent everywhere: nothing of it would show")
    height, width = decoded.bgr.shape[:2]
    problems += _anchor_problems(described, told["anchors"], (width, height))
    if problems or alpha is None:
        return problems, None
    return [], MaskTemplate(
        name=picture.stem,
        kind=told["kind"],
        tone=told["tone"],
        bgra=np.dstack([decoded.bgr, alpha]),
        anchors={name: (float(x), float(y)) for name, (x, y) in told["anchors"].items()},
        recolourable=told["recolourable"],
        licence=told["licence"],
        sha256=hashlib.sha256(data + described.read_bytes()).hexdigest(),
    )


def _anchor_problems(path: Path, anchors: Mapping[str, Any], size: tuple[int, int]) -> list[str]:
    problems = []
    missing = [name for name in REQUIRED_ANCHORS if name not in anchors]
    if missing:
        problems.append(f"{path}: anchors lack {', '.join(missing)}; they and nothing else are required")
    for name, place in anchors.items():
        if name not in ANCHORS:
            near = difflib.get_close_matches(name, ANCHORS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(ANCHORS)}"
            problems.append(f"{path}: there is no anchor {name!r}{hint}")
        elif not _is_point(place):
            problems.append(f"{path}: anchor {name!r} must be [x, y] in pixels, got {place!r}")
        elif not (-size[0] <= place[0] <= 2 * size[0] and -size[1] <= place[1] <= 2 * size[1]):
            problems.append(f"{path}: anchor {name!r} at {place} is far outside the image of {size}")
    if problems:
        return problems
    if anchors["left_cheek"][0] >= anchors["right_cheek"][0]:
        problems.append(f"{path}: left_cheek must lie left of right_cheek; left is the image's left")
    if anchors["nose_bridge"][1] >= anchors["chin"][1]:
        problems.append(f"{path}: nose_bridge must lie above chin")
    return problems


def _is_point(place: Any) -> bool:
    return (
        isinstance(place, list)
        and len(place) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in place)
    )


def resolve_selection(tokens: Sequence[str]) -> list[tuple[str, float]]:
    """What ``--template`` means: names, kinds, tones, paths and ``all``, each perhaps with ``=WEIGHT``.

    A kind or tone shares its weight evenly among its templates, so that ``surgical n95`` means half of each.

    Returns:
        (name or path, weight) pairs in order of first mention.

    Raises:
        UsageError: A word that is none of these, with the nearest that is; or a weight that is no number.
    """
    chosen: dict[str, float] = {}
    for token in tokens:
        word, weight = split_weight(token)
        for name in (members := _members(word)):
            chosen[name] = chosen.get(name, 0.0) + weight / len(members)
    return list(chosen.items())


def split_weight(token: str) -> tuple[str, float]:
    """``"name=2"`` as ("name", 2.0); without a weight it is 1."""
    word, sign, number = token.rpartition("=")
    if not sign:
        return token, 1.0
    try:
        weight = float(number)
    except ValueError:
        raise UsageError(f"the weight in {token!r} must be a number, got {number!r}") from None
    if not 0 <= weight < float("inf"):
        raise UsageError(f"the weight in {token!r} must be 0 or more")
    return word, weight


def _members(word: str) -> list[str]:
    if Path(word).suffix.lower() in (".png", ".json"):
        return [str(_picture_path(os.path.expanduser(word)))]  # noqa: PTH111
    known = list_templates()
    found = [info.name for info in known if word in ("all", info.name)]
    found = found or [info.name for info in known if word in (info.kind, info.tone)]
    if not found:
        raise UsageError(_unknown(word))
    return found


def _unknown(word: str) -> str:
    known = list_templates()
    words = (
        [info.name for info in known] + sorted({i.kind for i in known} | {i.tone for i in known}) + ["all"]
    )
    near = difflib.get_close_matches(word, words, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"there is no template, kind or tone {word!r}; {hint}`maskgen templates` lists them; "
        "a path ends in .png"
    )
