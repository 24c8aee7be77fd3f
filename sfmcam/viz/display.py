"""Whether a window can be opened. Open3D cannot be asked: without a display it opens an invisible one and waits for ever."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

X_LIBRARY = "libX11.so.6"


def has_display() -> bool:
    """Return whether an X server answers, or a Wayland compositor's socket is there."""
    return _x_answers() or _wayland_is_there()


def _x_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        x = ctypes.CDLL(X_LIBRARY)
    except OSError:
        return False
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x.XOpenDisplay(None)
    if not display:
        return False
    x.XCloseDisplay(display)
    return True


def _wayland_is_there() -> bool:
    name, folder = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("XDG_RUNTIME_DIR")
    return bool(name and folder) and Path(str(folder), str(name)).is_socket()
