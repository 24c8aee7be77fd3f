"""The house keeps its shape: imports go one way and never in a circle, rooms stay small, start-up stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sfmcam

PACKAGE = Path(sfmcam.__file__).resolve().parent
# Bottom to top. A module may import from its own layer and from those below; the longest matching name decides.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("", "types", "errors", "config", "compiled"),
    ("geometry",),
    (
        "motion",
        "evaluation.agreement",
        "evaluation.average_precision",
        "evaluation.bootstrap",
        "evaluation.compare",
        "evaluation.compare_metric",
        "evaluation.confusion",
        "evaluation.decisions",
        "evaluation.evo_bridge",
        "evaluation.focal_error",
        "evaluation.frame_pairs",
        "evaluation.generator_metrics",
        "evaluation.pair_auc",
        "evaluation.pair_error",
        "evaluation.paired",
        "evaluation.pose_error",
        "evaluation.precision_recall",
        "evaluation.reliability",
    ),
    ("estimators", "datasets", "io", "video", "viz", "workspace", "results"),
    ("jobs", "judgement", "pipeline", "batch", "evaluation", "report"),
    ("cli",),
)
KERNEL_LAYERS = (1, 2)  # pure functions: they open no file and log nothing
NOT_IN_KERNELS = {"logging", "pathlib", "os", "shutil", "subprocess"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
HEAVY = ("torch", "open3d", "pycolmap", "cv2", "sklearn", "matplotlib", "evo", "kornia", "plotly", "scipy", "numba", "transformers")
FILES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip("."): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
TREES = {module: ast.parse(file.read_text(encoding="utf-8")) for module, file in FILES.items()}


def layer_of(module: str) -> int:
    """Return the layer of a module named from inside the package, e.g. `io.tum`."""
    parts = module.split(".") if module else []
    for length in range(len(parts), -1, -1):
        prefix = ".".join(parts[:length])
        found = [i for i, names in enumerate(LAYERS) if prefix in names and (prefix or not parts)]
        if found:
            return found[0]
    raise AssertionError(f"sfmcam.{module} is in no layer; add it to LAYERS")


def imports(module: str) -> Iterator[str]:
    """Yield the modules of this package that `module` imports, wherever in the file, except for types alone."""
    for node in _run_time_nodes(TREES[module]):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sfmcam":
            base = node.module.removeprefix("sfmcam").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                yield inner if inner in FILES else base
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("sfmcam").lstrip(".") for a in node.names if a.name.split(".")[0] == "sfmcam")


def outside_imports(module: str) -> set[str]:
    """Return the top-level names of everything else that `module` imports."""
    names: set[str] = set()
    for node in _run_time_nodes(TREES[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def called_names(module: str) -> set[str]:
    """Return the plain names that `module` calls, `print` and `open` among them."""
    return {n.func.id for n in ast.walk(TREES[module]) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _run_time_nodes(child)


def test_imports_go_one_way() -> None:
    upward = [(m, target) for m in FILES for target in imports(m) if layer_of(target) > layer_of(m)]
    assert not upward, "\n".join(f"sfmcam.{module} imports sfmcam.{target} from above" for module, target in upward)


def test_no_import_goes_in_a_circle() -> None:
    graph = {module: set(imports(module)) - {module} for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" > ".join(error.args[1]))


def test_kernels_open_no_file_and_log_nothing() -> None:
    kernels = [module for module in FILES if layer_of(module) in KERNEL_LAYERS]
    assert not [m for m in kernels if outside_imports(m) & NOT_IN_KERNELS or "open" in called_names(m)]


def test_rooms_are_small() -> None:
    assert not [m for m, file in FILES.items() if len(file.read_text(encoding="utf-8").splitlines()) > MAX_FILE_LINES]
    functions = [(m, n) for m, tree in TREES.items() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not [f"{m}.{f.name}" for m, f in functions if (f.end_lineno or f.lineno) - f.lineno >= MAX_FUNCTION_LINES]


def test_only_the_command_line_prints() -> None:
    assert not [module for module in FILES if not module.startswith("cli") and "print" in called_names(module)]


def test_evo_which_is_gpl_is_imported_in_one_module_and_lazily() -> None:
    assert [module for module in FILES if "evo" in outside_imports(module)] == ["evaluation.evo_bridge"]
    top_level = [n for n in TREES["evaluation.evo_bridge"].body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {(n.module or "") if isinstance(n, ast.ImportFrom) else n.names[0].name for n in top_level}
    assert not {name for name in names if name.split(".")[0] == "evo"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["trajectory", "--help"], ["bench", "--help"], ["compare", "--help"], ["weights", "--help"], ["--version"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from sfmcam.cli.main import main
sys.argv = ["sfmcam", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sorted({set(HEAVY)!r} & set(sys.modules)))
"""
    assert run_python(code).splitlines()[-1].split() == ["LOADED"]


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert run_python(f"import sys, sfmcam; print(*({set(HEAVY)!r} & set(sys.modules)))").strip() == ""


def test_pycolmap_does_not_break_zlib_when_the_package_came_first(tmp_path: Path) -> None:
    """docs/adr/0003: without the `import zlib` in sfmcam/__init__.py this process aborts. It must be a fresh one: pytest loads zlib."""
    code = f"""
import sfmcam, pycolmap
import gzip, zlib
import numpy as np, cv2
assert zlib.decompress(zlib.compress(b"a" * 100000)) == b"a" * 100000
with gzip.open({str(tmp_path / "x.gz")!r}, "wb") as file:
    file.write(b"b" * 100000)
assert cv2.imwrite({str(tmp_path / "x.png")!r}, np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
np.savez_compressed({str(tmp_path / "x.npz")!r}, a=np.arange(10000))
print("intact")
"""
    assert run_python(code).strip() == "intact"


def run_python(code: str) -> str:
    """Run code in a fresh process; return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout
