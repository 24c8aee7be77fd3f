"""Camera motion from video: poses, focal length, a cinematographer's words and comparable scores."""

# zlib must be in the process before pycolmap: its wheel exports a static zlib of its own, and the system's libz, loaded
# as its dependency, would bind to that copy and corrupt memory (docs/adr/0003-pycolmap-in-a-child-process.md).
import zlib  # noqa: F401  (imported for its effect on symbol resolution)

__version__ = "0.1.0"
