"""`python3 -m sfmcam.estimators.megasam.train PACK -o OUT`: training where nothing but numpy, OpenCV and torch is installed.

`sfmcam train megasam` does the same, and makes the pack, where the whole package is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sfmcam.errors import ConfigError, SfmcamError

USAGE = "usage: python3 -m sfmcam.estimators.megasam.train PACK -o FOLDER [--device cuda] [--minutes 8] [--batch 12] ..."


def main(words: list[str]) -> int:
    """Train, and return the exit code: 0 done, 1 the work failed, 2 the call was wrong."""
    if len(words) % 2 == 0 or words[0].startswith("-"):
        sys.stderr.write(USAGE + "\n")
        return 2
    options = dict(zip(words[1::2], words[2::2], strict=True))
    out, device = options.pop("-o", None), options.pop("--device", "cpu")
    if out is None:
        sys.stderr.write(USAGE + "\n")
        return 2
    from sfmcam.estimators.megasam.train.config import from_words
    from sfmcam.estimators.megasam.train.loop import train

    try:
        train(Path(words[0]), Path(out), from_words([w for pair in options.items() for w in pair]), device=device)
    except ConfigError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    except SfmcamError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
