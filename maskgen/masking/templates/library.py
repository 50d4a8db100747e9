"""Read, check and select mask templates.

A template is a NAME.json that describes a material, or a NAME.png with alpha and a NAME.json with its
anchors.
"""

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
from maskgen.masking.materials.material import parse_material
from maskgen.masking.templates.street import STREET
from maskgen.records import TONES, Image, MaskTemplate

REQUIRED_ANCHORS = ("nose_bridge", "chin", "left_cheek", "right_cheek")
_FIELDS: dict[str, type] = {"kind": str, "tone": str, "recolourable": bool, "licence": str}
_NEEDED = f"{', '.join(_FIELDS)} and either a material or, with NAME.png beside it, anchors"


@dataclass(frozen=True)
class TemplateInfo:
    """What the description of a template at ``path`` says about it."""

    name: str
    path: Path
    kind: str
    tone: str
    recolourable: bool
    licence: str


def template_folder() -> Path:
    """The folder of the templates that come with maskgen: the installed package, or the checkout's folder."""
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
    """The templates that come with maskgen, in the order of their names."""
    infos = []
    for path in sorted(template_folder().glob("*.json")):
        spec = _read_description(path)
        infos.append(TemplateInfo(path.stem, path, *(spec[name] for name in _FIELDS)))
    return tuple(infos)


def _read_description(path: Path) -> dict[str, Any]:
    """Read and check the description at ``path`` (NAME.json)."""
    try:
        description = from_json(read_text_file(path, MAX_DESCRIPTION_BYTES))
    except FileNotFoundError:
        raise TemplateError(
            f"{path} is missing: a template is a NAME.json with {_NEEDED}; `maskgen templates` lists examples"
        ) from None
    except (OSError, ValueError) as problem:
        raise TemplateError(f"{path} cannot be read as JSON: {problem}") from None
    if not isinstance(description, dict):
        raise TemplateError(f"{path} must hold one JSON object, got {type(description).__name__}")
    content = "material" if "material" in description else "anchors"
    for name, kind in {**_FIELDS, content: dict}.items():
        if name not in description:
            raise TemplateError(f"{path} has no {name!r}; a template needs {_NEEDED}")
        if not isinstance(description[name], kind):
            raise TemplateError(f"{path}: {name!r} must be {kind.__name__}, got {description[name]!r}")
    if description["tone"] not in TONES:
        raise TemplateError(f"{path}: tone must be one of {', '.join(TONES)}, got {description['tone']!r}")
    return description


def load_template(name_or_path: str | Path) -> MaskTemplate:
    """Read and check one template, by its name or by the path of its PNG or JSON.

    Raises:
        TemplateError: The template is invalid; the message names the file and its problems.
        UsageError: No template has that name.
    """
    problems, template = _examine(_description_path(str(name_or_path)))
    if template is None:
        raise TemplateError("; ".join(problems))
    return template


def _description_path(token: str) -> Path:
    path = Path(token)
    if path.suffix.lower() in (".png", ".json"):
        return path.with_suffix(".json")
    for info in list_templates():
        if info.name == token:
            return info.path
    raise UsageError(_unknown(token))


def _image_beside(path: Path) -> Path:
    """The image of a template whose image or description lies at ``path``."""
    large = path.with_suffix(".PNG")
    return large if large.is_file() else path.with_suffix(".png")


def check_template(path: Path) -> list[str]:
    """All problems of a template, each as a sentence; an empty list if it is valid."""
    return _examine(path.with_suffix(".json"))[0]


def _examine(path: Path) -> tuple[list[str], MaskTemplate | None]:
    """The problems of the template described at ``path``, and the template itself if there are none."""
    try:
        description = _read_description(path)
    except TemplateError as problem:
        return [str(problem)], None
    problems, data, bgra, anchors = [], b"", None, {}
    material = description.get("material")
    if material is not None:
        problems = _material_problems(path, description["kind"], material)
    else:
        problems, data, bgra = _read_image(_image_beside(path))
        if bgra is not None:
            anchors = description["anchors"]
            problems += _anchor_problems(path, anchors, bgra.shape[1::-1])
    if problems:
        return problems, None
    return [], MaskTemplate(
        name=path.stem,
        kind=description["kind"],
        tone=description["tone"],
        material=material,
        bgra=bgra,
        anchors={name: (float(x), float(y)) for name, (x, y) in anchors.items()},
        recolourable=description["recolourable"],
        licence=description["licence"],
        sha256=hashlib.sha256(data + path.read_bytes()).hexdigest(),
    )


def _material_problems(path: Path, kind: str, material: Mapping[str, Any]) -> list[str]:
    from maskgen.masking.garment.shapes import SHAPES

    if kind not in SHAPES:
        shapes = ", ".join(SHAPES)
        return [f"{path}: a material needs a kind that is a shape: {shapes}; got {kind!r}"]
    try:
        parse_material(material, str(path))
    except TemplateError as problem:
        return [str(problem)]
    return []


def _read_image(path: Path) -> tuple[list[str], bytes, Image | None]:
    """The problems of a template's image, its bytes, and (height, width, 4) uint8 BGRA if it is one."""
    import numpy as np

    try:
        if (size := path.stat().st_size) > MAX_TEMPLATE_BYTES:
            return [f"{path} has {size:,} bytes, a template may have {MAX_TEMPLATE_BYTES:,}"], b"", None
        data = path.read_bytes()
        decoded = decode(data, MAX_TEMPLATE_PIXELS)
    except OSError as problem:
        return [f"{path} cannot be read: {problem.strerror}"], b"", None
    except UnreadableImageError as problem:
        return [f"{path} cannot be decoded: {problem}"], b"", None
    alpha = decoded.alpha
    if alpha is None:
        problems = [f"{path} has no alpha channel: save it as RGBA, transparent where the mask is not"]
        alpha = np.zeros(decoded.bgr.shape[:2], np.uint8)
    else:
        problems = (
            [] if (alpha >= 128).any() else [f"{path} is transparent everywhere: the mask would be invisible"]
        )
    return problems, data, np.dstack([decoded.bgr, alpha])


def _anchor_problems(path: Path, anchors: Mapping[str, Any], size: tuple[int, ...]) -> list[str]:
    problems = []
    if missing := [name for name in REQUIRED_ANCHORS if name not in anchors]:
        problems.append(f"{path}: anchors lack {', '.join(missing)}; these anchors are required")
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
    """Resolve the values of ``--template``: names, kinds, tones, paths, ``all`` or ``street``, with weights.

    A group divides its weight among its templates: ``surgical n95`` means half of each. ``street`` does it by
    `STREET`, the others evenly.

    The (name or path, weight) pairs are in order of first mention.

    Raises:
        UsageError: A word is none of these (the message names the nearest valid words), or a weight is not
            a number.
    """
    weights: dict[str, float] = {}
    for token in tokens:
        word, weight = split_weight(token)
        members = STREET if word == "street" else dict.fromkeys(_members(word), 1.0)
        for name, share in members.items():
            weights[name] = weights.get(name, 0.0) + weight * share / sum(members.values())
    return list(weights.items())


def split_weight(token: str) -> tuple[str, float]:
    """Split ``"name=2"`` into ("name", 2.0); the default weight is 1."""
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
        path = Path(os.path.expanduser(word))  # noqa: PTH111
        image = _image_beside(path)
        # One name for a template, whether its image or its description was named.
        return [str(image if image.is_file() else path.with_suffix(".json"))]
    templates = list_templates()
    names = [info.name for info in templates if word in ("all", info.name)]
    names = names or [info.name for info in templates if word in (info.kind, info.tone)]
    if not names:
        raise UsageError(_unknown(word))
    return names


def _unknown(word: str) -> str:
    templates = list_templates()
    kinds_and_tones = sorted({info.kind for info in templates} | {info.tone for info in templates})
    words = [*(info.name for info in templates), *kinds_and_tones, "all", "street"]
    near = difflib.get_close_matches(word, words, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"there is no template, kind or tone {word!r}; {hint}`maskgen templates` lists them; "
        "a path ends in .png or .json"
    )
