"""A metric of a comparison: its figures, over how many frames or pairs, and why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float

NAN = float("nan")
SUM = "sum"  # the statistic that goes by the metric's bare name


@dataclass(frozen=True)
class Metric:
    """Figures of one kind.

    Attributes:
        name: as the field calls it; begins the keys.
        statistics: name -> figure, NaN where undefined. `RotErr` with the statistics `sum` and `mean` makes the keys `RotErr`
            and `RotErr_mean`.
        unit: for a person.
        unit_suffix: what ends the keys, such as `_deg`.
        count: number of errors behind the figures.
        counted: what they are: frames, steps (from one frame to the next), pairs.
        reason: why figures are undefined; empty where they are not.
    """

    name: str
    statistics: dict[str, float]
    unit: str
    unit_suffix: str = ""
    count: int = 0
    counted: str = "frames"
    reason: str = ""

    @property
    def figures(self) -> dict[str, float]:
        """The figures by their keys in JSON."""
        return {self.key(statistic): value for statistic, value in self.statistics.items()}

    def key(self, statistic: str) -> str:
        """Return the key of one of the statistics."""
        return self.name + ("" if statistic == SUM else f"_{statistic}") + self.unit_suffix


def summarised(errors: Float, *statistics: str) -> dict[str, float]:
    """Return some of `sum`, `mean`, `median`, `max`, `rmse` of errors (N,); all NaN where there is no error."""
    if not len(errors):
        return dict.fromkeys(statistics, NAN)
    every = {
        SUM: float(np.sum(errors)),
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mean": float(np.mean(errors)),
        "median": float(np.median(errors)),
        "max": float(np.max(errors)),
    }
    return {name: every[name] for name in statistics}
