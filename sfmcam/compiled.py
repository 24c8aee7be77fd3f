"""Whether machine code made by numba can be kept between runs."""

from __future__ import annotations

from collections.abc import Callable


def can_keep_machine_code(of: Callable[[], None]) -> bool:
    """Tell whether numba finds a folder for the machine code of the file in which `of` stands.

    It looks beside that file, and then in the user's home; a read-only installation without a home has neither.
    """
    from numba import njit

    try:
        njit(cache=True)(of)
    except RuntimeError:
        return False
    return True
