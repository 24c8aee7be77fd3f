"""Make the project's virtual environment and install the package into it. Standard library only.

Usage: python3 setup/virtual_environment.py FOLDER

Variables: SFMCAM_TORCH_INDEX, an extra package index for torch, e.g. https://download.pytorch.org/whl/cpu for the CPU build.

Kept to what Python 3.6 can parse, so that an old one is told what is wrong instead of failing on the syntax.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def fault_of_python() -> str:
    """Return one sentence on why this Python cannot make the environment, or an empty string."""
    if sys.version_info < (3, 11):  # noqa: UP036 (the oldest Python that may start this script is older than the package allows)
        found = f"{sys.executable} is {'.'.join(map(str, sys.version_info[:3]))}"
        return f"sfmcam needs Python 3.11 or newer, and {found}; install one and name it: make setup PYTHON=python3.11"
    try:
        import ensurepip  # noqa: F401  (Debian ships venv without it)
        import venv  # noqa: F401
    except ImportError:
        package = f"python3.{sys.version_info[1]}-venv"
        return f"{sys.executable} cannot make virtual environments; on Debian and Ubuntu run: sudo apt-get install {package}"
    return ""


def make(folder: Path) -> None:
    """Make the environment in `folder`, or keep the one that is there if its Python still starts and is new enough."""
    python = folder / "bin" / "python"
    check = "import sys, pip; sys.exit(sys.version_info[:2] < (3, 11))"
    if python.exists() and subprocess.run([str(python), "-c", check], capture_output=True, check=False).returncode == 0:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)


def install(folder: Path) -> None:
    """Install the package, editable and with every extra but the cluster's, at the versions of constraints.txt."""
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    if not sys.stdout.isatty():
        pip.append("--quiet")
    index = os.environ.get("SFMCAM_TORCH_INDEX", "")
    if index:
        pip += ["--extra-index-url", index]
    elif not shutil.which("nvidia-smi"):
        print(
            "sfmcam set-up: no NVIDIA GPU found; PyPI's torch brings 2.7 GB of CUDA libraries all the same."
            " To download 1 GB in all instead of 3.5 GB: make setup SFMCAM_TORCH_INDEX=https://download.pytorch.org/whl/cpu"
        )
    print(f"sfmcam set-up: installing into {folder} (several minutes on a fresh machine)", flush=True)
    # setuptools warns on every editable installation; it would read as a fault of this one.
    environment = dict(os.environ, PYTHONWARNINGS="ignore:Editable installation")
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[all,dev]"], check=True, env=environment)


def main(arguments: "list[str]") -> int:
    """Make and fill the environment named on the command line; return the exit code."""
    fault = fault_of_python()
    if fault:
        print(f"sfmcam set-up: {fault}", file=sys.stderr)
        return 1
    folder = Path(arguments[0]).absolute()
    try:
        make(folder)
        install(folder)
    except subprocess.CalledProcessError as error:
        print(f"sfmcam set-up: a step failed with exit code {error.returncode}; its own message is above.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
