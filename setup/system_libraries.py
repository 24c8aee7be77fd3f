"""Check the system's shared libraries that the Python wheels load, and install them where this user may.

Without them everything works but the Open3D pictures, so this script never fails the set-up: what it cannot install it
prints as one line to run. Standard library only, since it runs before anything is installed.

With --browser it looks for the headless browser of the tests of the report's page instead, which no user needs.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

# The library that is loaded -> the package that brings it, by package manager.
PACKAGES: dict[str, dict[str, str]] = {
    "libEGL.so.1": {"apt-get": "libegl1", "dnf": "mesa-libEGL", "pacman": "libglvnd mesa", "zypper": "Mesa-libEGL1", "apk": "mesa-egl"},
    "libGL.so.1": {"apt-get": "libgl1", "dnf": "mesa-libGL", "pacman": "libglvnd mesa", "zypper": "Mesa-libGL1", "apk": "mesa-gl"},
    "libusb-1.0.so.0": {"apt-get": "libusb-1.0-0", "dnf": "libusb1", "pacman": "libusb", "zypper": "libusb-1_0-0", "apk": "libusb"},
    "libglib-2.0.so.0": {"apt-get": "libglib2.0-0", "dnf": "glib2", "pacman": "glib2", "zypper": "libglib-2_0-0", "apk": "glib"},
}
# The program that the tests call -> the package that brings it.
BROWSER: dict[str, dict[str, str]] = {
    "chromium": {"apt-get": "chromium", "dnf": "chromium", "pacman": "chromium", "zypper": "chromium", "apk": "chromium"},
    "chromedriver": {
        **{"apt-get": "chromium-driver", "dnf": "chromedriver", "pacman": "chromium"},
        **{"zypper": "chromedriver", "apk": "chromium-chromedriver"},
    },
}
COMMANDS: dict[str, list[list[str]]] = {
    "apt-get": [["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]],
    "dnf": [["dnf", "install", "-q", "-y"]],
    "pacman": [["pacman", "-Sy", "--noconfirm", "--needed"]],
    "zypper": [["zypper", "--non-interactive", "--quiet", "install", "--no-recommends"]],
    "apk": [["apk", "add", "--quiet"]],
}
TIME_LIMIT_S = 600
WITHOUT = {
    False: "Without them pictures are drawn by matplotlib instead of Open3D. To have Open3D",
    True: "Without them the tests of the report's page are skipped. To run them",
}


def is_loadable(library: str) -> bool:
    """Return whether the dynamic loader finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_libraries() -> list[str]:
    """Return the libraries of the table that cannot be loaded, in its order."""
    return [library for library in PACKAGES if not is_loadable(library)]


def missing_programs() -> list[str]:
    """Return the programs of the browser that are not on the path, in the order of their table."""
    return [program for program in BROWSER if not shutil.which(program)]


def package_manager() -> str | None:
    """Return the first known package manager of this system."""
    return next((name for name in COMMANDS if shutil.which(name)), None)


def install_commands(manager: str, libraries: list[str]) -> list[list[str]]:
    """Return the commands, without `sudo`, that install `libraries`; the packages are appended to the last."""
    packages = list(dict.fromkeys(package for name in libraries for package in {**PACKAGES, **BROWSER}[name][manager].split()))
    return [*COMMANDS[manager][:-1], [*COMMANDS[manager][-1], *packages]]


def root_prefix() -> list[str] | None:
    """Return what to put before a command to run it as root without a question: nothing, `sudo -n`, or None if that is not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def run_as_root(commands: list[list[str]], prefix: list[str]) -> str:
    """Run `commands` in order; return an empty string, or why one of them failed."""
    for command in commands:
        # `env` and not the environment of this process: sudo drops the latter.
        full = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *command]
        try:
            done = subprocess.run(full, capture_output=True, text=True, timeout=TIME_LIMIT_S, stdin=subprocess.DEVNULL, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"{' '.join(command)}: {lines[-1] if lines else f'exit code {done.returncode}'}"
    return ""


def advice(libraries: list[str], manager: str | None) -> str:
    """Return the one line that a person can run, or the names of the libraries where the package manager is unknown."""
    if manager is None:
        return f"install the packages of your system that bring {', '.join(libraries)}"
    return "run: " + " && ".join("sudo " + " ".join(command) for command in install_commands(manager, libraries))


def main(arguments: Sequence[str] = ()) -> int:
    """Check, install where allowed, and say what is left to do. The exit code is always 0."""
    is_browser = "--browser" in arguments
    find, what = (missing_programs, "programs") if is_browser else (missing_libraries, "system libraries")
    missing = find()
    if not missing:
        return 0
    manager, prefix, reason = package_manager(), root_prefix(), "this user may not install system packages"
    if os.environ.get("SFMCAM_SYSTEM_INSTALL", "yes") == "no":
        reason = "SFMCAM_SYSTEM_INSTALL is 'no'"
    elif manager is not None and prefix is not None:
        print(f"sfmcam set-up: installing the {what} {', '.join(missing)} with {manager}")
        reason = run_as_root(install_commands(manager, missing), prefix)
    missing = find()
    if missing:
        print(f"sfmcam set-up: the {what} {', '.join(missing)} are missing ({reason or 'the packages did not bring them'}).")
        print(f"  {WITHOUT[is_browser]}, {advice(missing, manager)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
