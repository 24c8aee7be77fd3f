"""The widths of the network: those of the published checkpoints by default, smaller ones for a network of one's own."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sfmcam.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig:
    """Widths in channels. The defaults are DROID-SLAM's, which MegaSaM keeps.

    Attributes:
        stem: of the encoders' first stage; the second has twice, the third four times as many.
        features: of the maps that are correlated.
        hidden: of the recurrent state, and of every layer of the update operator.
        context: of the map that conditions the recurrent unit.
        flow: of the encoded motion features.
        levels: of the correlation pyramid.
        radius: of the window that is looked up in each level, in cells.
        motion_head: whether the probability that a cell does not move is estimated (MegaSaM) or not (DROID-SLAM).
        dead_heads: whether the layers exist that the published MegaSaM checkpoint carries and no result depends on.
    """

    stem: int = 32
    features: int = 128
    hidden: int = 128
    context: int = 128
    flow: int = 64
    levels: int = 4
    radius: int = 3
    motion_head: bool = True
    dead_heads: bool = True

    def __post_init__(self) -> None:
        """Refuse widths of which no network can be made.

        Raises:
            ConfigError: naming the first such width.
        """
        for field in fields(self):
            value: object = getattr(self, field.name)
            if isinstance(field.default, bool):
                if not isinstance(value, bool):
                    raise ConfigError(f"the network's {field.name} is {value!r}; it must be true or false")
            elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"the network's {field.name} is {value!r}; it must be a whole number from 1")

    @property
    def window(self) -> int:
        """Cells of one level's window."""
        return (2 * self.radius + 1) ** 2

    @property
    def correlations(self) -> int:
        """Channels of a lookup."""
        return self.levels * self.window

    @property
    def gate_inputs(self) -> int:
        """Channels that the gates of the recurrent unit see: state, context, encoded correlation, encoded motion."""
        return 2 * self.hidden + self.context + self.flow
