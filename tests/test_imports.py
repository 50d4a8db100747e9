"""The architecture, as imports: which module may know which, and what `maskgen --help` must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "maskgen"

# What every part may use.
NOUNS = {"records", "anchors", "errors", "compiled", "plain_json"}
# Part of maskgen -> the parts it may import. A part is a module or a subpackage; all may import their own.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "anchors": set(),
    "rows": set(),
    "records": {"anchors", "rows"},
    "stores": {"errors"},
    "atomic": {"errors", "stores"},
    "names": set(),
    "spreadsheet": set(),
    "limits": {"errors"},
    "cores": set(),
    "plain_json": set(),
    "paths": {"errors", "stores"},
    "row_checks": NOUNS | {"names", "paths"},
    "draws": set(),
    "formats": {"errors"},
    "pixels": {"errors"},
    "images": {"formats", "limits", "pixels", "errors"},
    "options": NOUNS,
    "reduced": NOUNS,
    "quick": NOUNS,
    "outlines": NOUNS,
    "spreading": NOUNS,
    "lit_skin": NOUNS | {"outlines", "quick"},
    "bare_skin": NOUNS | {"outlines", "quick"},
    "edges": NOUNS | {"quick"},
    "rims": NOUNS | {"quick"},
    "pieces": NOUNS | {"outlines", "quick"},
    "machine_code": set(),
    "compiled": {"machine_code"},
    "levels": NOUNS,
    "skin": NOUNS | {"bare_skin", "quick", "reduced"},
    "light": NOUNS | {"lit_skin", "quick", "reduced", "spreading"},
    "around_eyes": NOUNS | {"reduced", "rims"},
    "spectacles": NOUNS | {"around_eyes", "rims"},
    "look": NOUNS | {"light", "texture", "skin", "spectacles"},
    "occlusion": NOUNS | {"bare_skin", "look", "pieces", "skin"},
    "preview": NOUNS,
    "coverage": NOUNS | {"outlines"},
    "landmarks": NOUNS | {"atomic"},
    "recolor": NOUNS,
    "templates": NOUNS | {"images", "mask_templates"},
    "texture": NOUNS | {"edges"},
    "grain": NOUNS | {"texture"},
    "boxes": NOUNS,
    "toning": NOUNS | {"boxes"},
    "contact_shadow": NOUNS | {"boxes", "outlines"},
    "harmonise": NOUNS | {"look", "quick", "grain", "toning", "contact_shadow"},
    "fits": NOUNS,
    "compositors": NOUNS | {"look"},
    "tar_members": NOUNS | {"limits", "stores"},
    "datasets": NOUNS | {"names", "paths", "tar_members", "stores"},
    "counts": NOUNS,
    "manifest": NOUNS | {"images", "atomic", "names", "row_checks", "stores"},
    "imagefolder": NOUNS | {"atomic", "manifest", "names", "stores"},
    "writers": NOUNS | {"images", "formats", "atomic", "names", "options", "stores"},
    "tar_shards": NOUNS | {"writers"},
    "shard_stats": NOUNS | {"counts"},
    "state": NOUNS | {"atomic", "names", "shard_stats", "stores"},
    "shard_check": NOUNS | {"names", "shard_stats", "state", "stores"},
    "contact_sheet": NOUNS | {"atomic", "images", "manifest", "names", "paths", "tar_members"},
    "card_texts": set(),
    "report": NOUNS | {"atomic", "card_texts", "images", "manifest", "contact_sheet"},
    "synth": NOUNS
    | {
        "options",
        "draws",
        "coverage",
        "fits",
        "compositors",
        "harmonise",
        "levels",
        "look",
        "occlusion",
        "recolor",
    },
    "single": NOUNS | {"images", "landmarks", "manifest", "options", "synth", "templates"},
    "config_file": {"errors", "plain_json"},
    "result_files": NOUNS | {"limits", "names", "paths", "stores", "tar_members"},
    "annotations": NOUNS | {"images", "manifest", "result_files"},
    "annotation_files": NOUNS | {"annotations", "names", "report", "stores"},
    "doctor": NOUNS | {"cores", "datasets", "landmarks", "options", "single", "templates"},
    "table": NOUNS | {"manifest"},
    "coverage_check": NOUNS | {"coverage", "fits"},
    "verify_rows": NOUNS | {"coverage_check", "images", "landmarks", "manifest", "result_files"},
    "verify": NOUNS
    | {
        *(
            "counts",
            "datasets",
            "engine",
            "imagefolder",
            "manifest",
            "names",
            "report",
            "result_files",
            "shard_stats",
            "state",
            "stored_run",
        ),
        *("stores", "verify_rows", "writers"),
    },
    # Where the two halves meet, besides the command line.
    "demo": NOUNS | {"formats", "images", "landmarks", "options", "single", "train"},
    "demo_page": NOUNS | {"datasets", "demo", "landmarks", "options", "templates", "train"},
    "train": NOUNS
    | {
        *("atomic", "cores", "images", "landmarks", "manifest", "names", "paths", "spreadsheet"),
        *("stores", "tar_members"),
    },
}
# The two ends of the program: the batch may know all but the command line and the report, which it is
# handed; the command line may know everything.
BATCH = {
    *(
        "batch",
        "worker",
        "stages",
        "engine",
        "cluster",
        "on_worker",
        "dask_cluster",
        "ray_cluster",
        "listing",
        "claim",
        "forecast",
        "finish",
        "labels",
        "landmark_run",
        "stored_run",
        "lock",
        "work_off",
        "guilty",
    ),
}
COMMAND_LINE = {"cli", "commands", "__main__"}
NOT_FOR_BATCH = COMMAND_LINE | {"report", "contact_sheet", "single", "config_file"}

HEAVY = ("numpy", "cv2", "mediapipe", "tensorflow", "scipy", "PIL", "joblib")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of all modules a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            if node.module == "maskgen":
                names.update(f"maskgen.{alias.name}" for alias in node.names if alias.name != "__version__")
    return names


def at_top(path: Path) -> set[str]:
    """First names of the modules a file imports when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_the_table_allows(path: Path) -> None:
    part = part_of(path)
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("maskgen.")} - {part}
    if part in COMMAND_LINE:
        return
    if part in BATCH:
        assert not parts & NOT_FOR_BATCH
    elif part == "__init__":
        assert not parts
    else:
        assert part in ALLOWED, f"{part} has no line in the table of tests/test_imports.py"
        assert parts <= ALLOWED[part]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_slow_to_import_is_imported_inside_functions(path: Path) -> None:
    slow = {"mediapipe", "tensorflow", "keras", "matplotlib", "joblib", "scipy", "gradio", "uvicorn"}
    if part_of(path) in COMMAND_LINE | {"config_file"}:
        slow |= {"cv2", "numpy", "PIL"}
    if part_of(path) in {"fits", "compositors", "harmonise", "light", "texture"}:
        slow -= {"scipy"}
    assert not at_top(path) & slow


def test_no_file_is_longer_than_300_lines() -> None:
    root = PACKAGE.parent
    files = [
        path
        for part in ("maskgen", "mask_templates", "tests", "examples")
        for path in (root / part).rglob("*.py")
    ]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {str(path): count for path, count in lines.items() if count > 300} == {}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nonsense"]])
def test_the_top_level_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from maskgen.__main__ import main; main(sys.argv[1:]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    print(f"maskgen {arguments[0]}: {time.perf_counter() - started:.2f} s")
    assert done.stderr.splitlines()[-1] == "[]"


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = f"import maskgen, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
