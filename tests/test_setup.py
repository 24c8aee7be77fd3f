"""Set-up installs system libraries only where it may, never fails for want of them, and `make` runs what its variables say."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "Makefile").is_file(), reason="an installed package has no Makefile")


def load_script(name: str) -> ModuleType:
    """Load setup/<name>.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "setup" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def system() -> ModuleType:
    """The script that installs the system libraries."""
    return load_script("system_libraries")


def test_every_package_manager_knows_every_library(system: ModuleType) -> None:
    for packages in (*system.PACKAGES.values(), *system.BROWSER.values()):
        assert set(packages) == set(system.COMMANDS)


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get update -qq && sudo apt-get install -qq -y --no-install-recommends libegl1 libusb-1.0-0"),
        ("pacman", "sudo pacman -Sy --noconfirm --needed libglvnd mesa libusb"),
    ],
)
def test_the_advice_is_one_line_to_run(system: ModuleType, manager: str, line: str) -> None:
    assert system.advice(["libEGL.so.1", "libusb-1.0.so.0"], manager) == f"run: {line}"


def test_one_package_for_two_libraries_is_named_once(system: ModuleType) -> None:
    (command,) = system.install_commands("pacman", ["libEGL.so.1", "libGL.so.1"])
    assert command[-2:] == ["libglvnd", "mesa"]


@pytest.mark.parametrize(
    ("manager", "prefix", "allowed", "said"),
    [
        ("apt-get", None, "yes", "this user may not install system packages"),
        ("apt-get", [], "no", "SFMCAM_SYSTEM_INSTALL is 'no'"),
        (None, [], "yes", "install the packages of your system that bring libusb-1.0.so.0"),
    ],
)
def test_where_it_may_not_install_it_says_what_to_run(
    system: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    manager: str | None,
    prefix: list[str] | None,
    allowed: str,
    said: str,
) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("nothing may be installed here")

    monkeypatch.setattr(system, "is_loadable", lambda library: library != "libusb-1.0.so.0")
    monkeypatch.setattr(system, "package_manager", lambda: manager)
    monkeypatch.setattr(system, "root_prefix", lambda: prefix)
    monkeypatch.setattr(system, "run_as_root", refuse)
    monkeypatch.setenv("SFMCAM_SYSTEM_INSTALL", allowed)
    assert system.main() == 0
    output = capsys.readouterr().out
    assert said in output
    assert "matplotlib" in output


def test_a_failed_installation_does_not_fail_the_set_up(
    system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "is_loadable", lambda _: False)
    monkeypatch.setattr(system, "package_manager", lambda: "apt-get")
    monkeypatch.setattr(system, "root_prefix", list)
    monkeypatch.setattr(system, "run_as_root", lambda *_: "apt-get update: no network")
    monkeypatch.delenv("SFMCAM_SYSTEM_INSTALL", raising=False)
    assert system.main() == 0
    assert "no network" in capsys.readouterr().out


def test_nothing_is_said_where_nothing_is_missing(
    system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "is_loadable", lambda _: True)
    assert system.main() == 0
    assert capsys.readouterr().out == ""


def test_the_browser_is_asked_for_apart(system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(system, "is_loadable", lambda _: True)
    monkeypatch.setattr(system.shutil, "which", lambda name: None if name in system.BROWSER else f"/bin/{name}")
    monkeypatch.setattr(system, "root_prefix", list)
    monkeypatch.setattr(system, "run_as_root", lambda commands, _: installed.extend(commands) or "apt-get update: no network")
    monkeypatch.delenv("SFMCAM_SYSTEM_INSTALL", raising=False)
    assert system.main() == 0
    assert not installed
    assert system.main(["--browser"]) == 0
    assert installed[-1][-2:] == ["chromium", "chromium-driver"]
    assert "tests of the report's page are skipped" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ([], ".venv/bin/sfmcam report out/bench -o out/report"),
        (["OUT=my run", "AGAINST=a b/c", "REPORT=x"], "sfmcam report 'my run' --against a --against b/c -o x"),
    ],
)
def test_make_report_runs_what_its_variables_say(variables: list[str], command: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SFMCAM", "MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-n", "report", *variables], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert command in shlex.join(shlex.split(done.stdout.strip().splitlines()[-1]))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ([], ".venv/bin/sfmcam bench synthetic -e vo,colmap,glomap -o out/bench"),
        (["DATASET=clips", "ESTIMATORS=glomap", "OUT=x", "LIMIT=4", "JOBS=2"], "bench clips -e glomap -o x --limit 4 --jobs 2"),
        (["DATASET=my clips", "OUT=it's $$(here)"], "bench 'my clips' -e vo,colmap,glomap -o 'it'\"'\"'s $(here)' --jobs"),
        (["SFMCAM_DATA={tmp}"], "bench camerabench -e"),
    ],
    ids=["default", "given", "quoted", "downloaded"],
)
def test_bench_sfm_runs_what_its_variables_say(tmp_path: Path, variables: list[str], command: str) -> None:
    (tmp_path / "camerabench" / "videos").mkdir(parents=True)
    given = [v.format(tmp=tmp_path) for v in variables]
    # These tests are themselves started by make, which hands its own state and variables on.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SFMCAM", "MAKE", "MFLAGS"))}
    environment["SFMCAM_DATA"] = str(tmp_path / "empty")
    done = subprocess.run(["make", "-n", "bench-sfm", *given], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert command in shlex.join(shlex.split(done.stdout.strip().splitlines()[-1]))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("is_old", "target", "checks"), [(False, "setup", 1), (True, "setup", 1), (True, "test", 1), (False, "test", 0)])
def test_make_setup_checks_the_system_libraries_every_time_and_once(tmp_path: Path, is_old: bool, target: str, checks: int) -> None:
    (tmp_path / "venv").mkdir()
    if not is_old:
        (tmp_path / "venv" / ".sfmcam-is-set-up").touch()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SFMCAM", "MAKE", "MFLAGS"))}
    command = ["make", "-n", target, f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("setup/system_libraries.py") == checks


@pytest.mark.parametrize(
    ("version", "missing", "said"),
    [
        ((3, 10, 13), None, "needs Python 3.11 or newer"),
        ((3, 12, 1), "ensurepip", "apt-get install python3.12-venv"),
        ((3, 11, 7), None, ""),
    ],
)
def test_an_unfit_python_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], missing: str | None, said: str
) -> None:
    script = load_script("virtual_environment")
    monkeypatch.setattr(script.sys, "version_info", version)
    if missing:
        monkeypatch.setitem(script.sys.modules, missing, None)
    fault = script.fault_of_python()
    assert said in fault
    assert bool(fault) == bool(said)
