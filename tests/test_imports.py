"""The architecture, as imports: which package may know which, and what `maskgen --help` must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import maskgen

PACKAGE = Path(__file__).parents[1] / "maskgen"
PUBLIC = set(maskgen.__all__)

NOUNS = {"errors", "records"}
WINGS = {"masking", "datasets", "results", "landmarks"}
BELOW = NOUNS | {"face_mesh", "options", "limits", "keras_runtime", "jit", "process", "files", "images"}
# Package or module of maskgen -> those it may import; all may import their own.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "records": set(),
    "process": set(),
    "jit": {"process"},
    "face_mesh": NOUNS,
    "options": NOUNS,
    "limits": NOUNS,
    "keras_runtime": NOUNS | {"process"},
    "files": NOUNS | {"limits"},
    "images": {"errors", "limits", "files"},
    "landmarks": NOUNS | {"process", "face_mesh", "files", "jit"},
    "datasets": NOUNS | {"limits", "files"},
    "masking": NOUNS | {"limits", "face_mesh", "options", "files", "images", "jit"},
    "results": NOUNS | {"limits", "face_mesh", "files", "images"},
    "run": BELOW | WINGS,
    "train": NOUNS | {"process", "keras_runtime", "files", "images", "landmarks", "results", "api"},
    "verify": BELOW | WINGS | {"run"},
    "demo": BELOW | WINGS | {"run", "train"},
    "doctor": {"datasets", "landmarks", "masking", "run", "options", "process", "errors"},
    "api": BELOW | WINGS | {"run"},
    "integrations": {"__init__"},
    "__init__": {"api", "face_mesh"} | NOUNS,
}
# The command line: `cli` and `__main__` stay light, a command may import everything.
COMMAND_LINE = {"cli", "commands", "__main__"}
# Inside a package: folder -> folders of the package that it may import; "" is the package's own files.
INSIDE: dict[str, dict[str, set[str]]] = {
    "datasets": {"": {"readers"}, "readers": set()},
    "masking": {
        "": {"layer", "compositors", "fits", "face", "templates", "materials", "kernels"},
        "layer": {"face", "kernels", ""},
        "compositors": {"face", "kernels", ""},
        "fits": {"garment", "face", "templates", "kernels", ""},
        "garment": {"materials", "face", ""},
        "face": {"kernels"},
        "templates": {"garment", "materials", ""},
        "materials": {""},
        "kernels": set(),
    },
    "results": {"": set(), "export": {""}, "browse": {""}},
    "run": {"": {"state", "executors"}, "state": set(), "executors": set()},
    "train": {
        "": {"loop", "predict", "model", "data", "judging", "report"},
        "loop": {"model", "data", ""},
        "predict": {"model", "data", ""},
        "model": {"data", ""},
        "judging": {"model", "data", ""},
        "report": {"judging", "data", ""},
        "data": {""},
    },
}

HEAVY = ("numpy", "cv2", "mediapipe", "tensorflow", "scipy", "PIL", "joblib")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def folder_of(parts: tuple[str, ...], package: Path) -> str:
    """The folder of a package that a module, given by its names below the package, lies in."""
    return parts[0] if parts and (package / parts[0] / "__init__.py").exists() else ""


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
                names.update(f"maskgen.{alias.name}" for alias in node.names if alias.name not in PUBLIC)
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
    if part in COMMAND_LINE:
        return
    names = {name for name in imported(path) if name.startswith("maskgen.")}
    assert {name.split(".")[1] for name in names} - {part} <= ALLOWED[part]
    for name in names if part in INSIDE else ():
        package = PACKAGE / part
        if name.split(".")[1] == part:
            here = folder_of(path.relative_to(package).parts, package)
            there = folder_of(tuple(name.split(".")[2:]), package)
            assert here == there or there in INSIDE[part][here], name


def test_no_folder_is_crowded() -> None:
    files = {
        folder: len(list(folder.glob("*.py")))
        for folder in {path.parent for path in modules()} - {PACKAGE / "commands", PACKAGE / "datasets"}
    }
    assert files.pop(PACKAGE) <= 12
    assert {str(folder): count for folder, count in files.items() if count > 15} == {}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_slow_to_import_is_imported_inside_functions(path: Path) -> None:
    slow = {
        "ai_edge_litert",
        "mediapipe",
        "tensorflow",
        "sklearn",
        "keras",
        "matplotlib",
        "joblib",
        "scipy",
        "gradio",
        "uvicorn",
    }
    if part_of(path) in COMMAND_LINE:
        slow |= {"cv2", "numpy", "PIL"}
    if part_of(path) == "masking":
        slow -= {"scipy"}
    if part_of(path) == "integrations":
        # Each module is for those who use that library.
        slow -= {"keras"}
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


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_has_more_than_10_parameters(path: Path) -> None:
    """Counted with ``*values`` and ``**values``, without ``self`` and ``cls``."""
    counts = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)]
            counts[node.name] = len(names) - (names[:1] in (["self"], ["cls"]))
    assert {name: count for name, count in counts.items() if count > 10} == {}


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
