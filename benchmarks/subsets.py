"""Mean AP by the parts of a labelled set: kinds, with and without a mover, and the named subsets of a rendered set.

    python benchmarks/subsets.py RUN_DIR NAME [--scoring depth] [--labels SET]

Writes results/NAME.json. `zoom` is the mean over zooming in and out, `dolly` that over moving in and out. A primitive that a part has no
positive of is left out of its mean and named.
"""

from __future__ import annotations

from figure_tables import subsets
from kept import run_parser, show_figure_of_run
from ratings import RESAMPLES, groups_of, rate_groups

from sfmcam.results import SCORINGS


def main() -> None:
    """Read the command line."""
    parser = run_parser(__doc__)
    parser.add_argument("--scoring", choices=SCORINGS, default=SCORINGS[0])
    given = parser.parse_args()
    show_figure_of_run(
        "subsets",
        given,
        make=lambda run: {
            "scoring": given.scoring,
            "resamples": RESAMPLES,
            "groups": rate_groups(run, groups_of(run), scoring=given.scoring),
        },
        table=subsets,
    )


if __name__ == "__main__":
    main()
