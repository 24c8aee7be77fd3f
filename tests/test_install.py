"""`pip install sfmcam` alone runs vo, colmap and glomap; what an extra is for says so where it is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from benchmark_scripts import ROOT, script
from rendered_frames import clip

sizes = script("install_sizes")
pytestmark = pytest.mark.skipif(not sizes.SETUP.is_file(), reason="an installed package has no setup.cfg")

# Makes every import of the named packages fail as if they were not installed, in each process of the command: find_spec gives None.
BLOCK = """
from importlib.machinery import PathFinder
ABSENT = {absent!r}
whole = PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in ABSENT else whole(name, path, target)
PathFinder.find_spec = staticmethod(find_spec)
"""


def modules_beyond(extras: tuple[str, ...]) -> set[str]:
    """Top-level modules of this environment that an installation with these extras does not bring."""
    needs = sizes.requirements()
    brought = sizes.closure([need for extra in (sizes.BASE, *extras) for need in needs[extra]]).installed
    canonical = sizes.canonicalize_name
    return {
        module
        for module, owners in packages_distributions().items()
        if not {canonical(o) for o in owners} & brought.keys()
        and module not in ("sfmcam", "tests", "_pytest", "setuptools", "pkg_resources")
    }


@pytest.fixture
def bare(tmp_path):
    """Environment variables of a process that finds only what `pip install sfmcam` brings."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCK.format(absent=modules_beyond(())))
    return os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"}


def run(arguments, environment, folder):
    code = "from sfmcam.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["vo", "colmap", "glomap"])
def test_the_package_alone_estimates_and_draws(estimator, bare, tmp_path):
    import cv2

    images = tmp_path / "truck"
    images.mkdir()
    for number, frame in enumerate(clip("truck").frames):
        cv2.imwrite(str(images / f"{number:03d}.png"), frame[..., ::-1])
    done = run(["trajectory", str(images), "-e", estimator, "--fps", "30", "--threads", "1"], bare, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"trajectory.npz", "scores.json", "trajectory.png", "motion.png"} <= {file.name for file in (tmp_path / "out/truck").iterdir()}


def test_the_block_hides_the_extras_and_nothing_of_the_package(bare, tmp_path):
    looked_for = ("torch", "kornia", "open3d", "evo", "numba", "pycolmap", "cv2")
    code = f"from importlib.util import find_spec; print([name for name in {looked_for} if find_spec(name)])"
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['numba', 'pycolmap', 'cv2']"


def test_learned_features_without_the_extra_name_it(bare, tmp_path):
    done = run(["trajectory", str(tmp_path), "-e", "glomap", "--features", "disk"], bare, tmp_path)
    assert done.returncode == 1
    assert "need torch and kornia, not installed here: pip install 'sfmcam[learned]'" in done.stderr


def test_an_extra_is_followed_through_what_it_requires():
    needs = sizes.requirements()
    assert {"torch", "kornia", "transformers"} <= {need.name for need in needs["learned"]}
    assert {need.name for need in needs["all"]} >= {need.name for extra in ("viz", "learned", "metrics", "data") for need in needs[extra]}
    base = sizes.closure(needs[sizes.BASE])
    assert {"numpy", "llvmlite"} <= base.installed.keys()  # llvmlite is asked for by numba alone
    assert not base.missing
    assert not base.installed.keys() & {"torch", "open3d", "evo", "ray", "transformers"}


def test_sizes_are_those_of_the_files():
    import click

    folder = Path(click.__file__).parent
    found = sizes.closure(sizes.requirements()[sizes.BASE]).installed["click"]
    assert sizes.size_bytes(found) >= sum(file.stat().st_size for file in folder.glob("*.py"))


def test_what_is_not_installed_is_named_and_not_counted():
    found = sizes.closure([sizes.Requirement("sfmcam-has-no-such-dependency"), sizes.Requirement("click")])
    assert found.missing == {"sfmcam-has-no-such-dependency"}
    assert "click" in found.installed
