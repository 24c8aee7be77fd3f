"""The errors that mean 'the caller gave us something unusable'; anything else is a bug and keeps its traceback."""

from __future__ import annotations


class SfmcamError(Exception):
    """Base of every error that is shown to a person as one sentence (what, where, what to do) and exit code 1."""


class InputError(SfmcamError):
    """A file or folder that cannot be used: missing, unreadable, malformed, or against its format."""


class VideoError(InputError):
    """A video or image folder from which no frame can be had."""


class TrajectoryFileError(InputError):
    """A trajectory file that is malformed, or whose values cannot be a camera path."""


class LabelError(InputError):
    """A labelled data set whose labels or videos do not fit together."""


class ScoreFileError(InputError):
    """A score file that does not follow CameraBench's schema."""


class DownloadError(SfmcamError):
    """Something could not be fetched over the network; what has arrived whole stays."""


class ConfigError(SfmcamError):
    """An option or configuration value that is unknown or out of range (exit code 2)."""


class MissingDependencyError(SfmcamError):
    """An optional package is needed for what was asked, and is not installed."""
