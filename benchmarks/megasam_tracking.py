"""How long `dense` and `megasam` take for a clip: frames per second, their pieces, and memory.

    python benchmarks/megasam_tracking.py VIDEO [NAME] [-e dense,megasam:fast] [--weights FILE] [--random] [--frames 60] [--device cuda]

Writes results/NAME.json (by default megasam_tracking_DEVICE.json; --results: elsewhere). The first frames of the video are taken, every
one, at the size that the preset works at (384x512 pixels for megasam). Decoding is not timed. The first run of each warms up what is
compiled or recorded once; the median of the others is told, with processor time beside it, since machines are shared. With `--repeat 0`
the first run is all there is. Beside the times of megasam stands how much its network was asked: frames, edges, and revisions of edges.
The video is read by OpenCV, so that a machine with a GPU and little else can run it.

`--random` takes a network of the published widths with random weights where no other is named by the preset. It does all the work, but the
tracker hears what optical flow says (megasam_counts.py): keyframes, edges and rounds are then those of a tracker that follows the clip.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from megasam_counts import Answered, Counted
from megasam_tables import megasam_tracking as table

from sfmcam.errors import SfmcamError
from sfmcam.estimators.base import Estimator
from sfmcam.estimators.megasam.dense_flow import DenseFlowOperator
from sfmcam.estimators.megasam.learned import Megasam
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.registry import estimator_class, load_options, parse_spec, run_config
from sfmcam.types import Frames

FIGURE = "megasam_tracking"
MEBI = 2**20


class CountedMegasam(Megasam):
    """`megasam` that counts what its network is asked, and with `random` tells the tracker what optical flow sees instead."""

    random = False
    counted: Counted | None = None

    def _operator_on(self, device: torch.device) -> Any:
        if self.counted is None:
            network = super()._operator_on(device)
            self.counted = Counted(Answered(network, DenseFlowOperator()) if self.random else network)
        return self.counted


def read_frames(video: Path, count: int) -> Frames:
    """Return the first `count` frames of a video, in colour."""
    capture, images = cv2.VideoCapture(str(video)), []
    fps = capture.get(cv2.CAP_PROP_FPS)
    while len(images) < count:
        there, image = capture.read()
        if not there:
            break
        images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    if len(images) < 2:
        raise SfmcamError(f"{video} has {len(images)} frames that OpenCV can read; name a video of two or more")
    size = (images[0].shape[1], images[0].shape[0])
    return Frames(np.stack(images), np.arange(len(images)) / (fps or 24.0), fps or 24.0, size, source=video, digest=video.stem)


def make(spec_text: str, given: argparse.Namespace) -> Estimator:
    """Return the estimator of a spec on the device that is asked for."""
    spec = parse_spec(spec_text)
    preset, changes = load_options(spec), {"device": given.device}
    learned = spec.name == "megasam"
    random = given.random and learned and preset.weights is None
    if learned and (given.weights is not None or random):
        changes["weights"] = given.weights or _random_weights()
    if given.start:
        changes["start"] = given.start
    options = type(preset).model_validate(preset.model_dump() | changes)
    run = run_config({"threads": given.threads})
    if not learned:
        made: Estimator = estimator_class(spec.name)(options, run)
        return made
    counted = CountedMegasam(options, run)
    counted.random = random
    return counted


def _random_weights() -> Path:
    """Return a checkpoint of the published widths whose weights are random."""
    torch.manual_seed(0)
    path = Path(tempfile.mkdtemp()) / "random.pt"
    torch.save(Network().state_dict(), path)
    return path


def measure(spec: str, frames: Frames, given: argparse.Namespace) -> Figure:
    """Return what one estimator takes for the clip."""
    estimator, wall, processor, on_gpu = make(spec, given), [], [], given.device == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(given.repeat + 1):
        if isinstance(estimator, CountedMegasam) and estimator.counted is not None:
            estimator.counted.told()  # of the run before
        begin = time.perf_counter(), time.process_time()
        with tempfile.TemporaryDirectory() as workspace:
            estimate = estimator.estimate(frames, workspace=Path(workspace))
        wall.append(time.perf_counter() - begin[0])
        processor.append(time.process_time() - begin[1])
    told = {
        "status": str(estimate.status),
        "keyframes": estimate.diagnostics.get("keyframes"),
        "first_s": wall[0],
        "wall_s": median(wall[1:] or wall),
        "processor_s": median(processor[1:] or processor),
        "frames_per_s": len(frames) / median(wall[1:] or wall),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if isinstance(estimator, CountedMegasam) and estimator.counted is not None:
        told["grid"] = list(estimator.counted.grid)
        told["asked"] = estimator.counted.told()
        told["random_weights"] = estimator.random
    if on_gpu:
        told["peak_gpu_memory_mib"] = torch.cuda.max_memory_allocated() / MEBI
    return told


def profiled(spec: str, frames: Frames, given: argparse.Namespace) -> str:
    """Return where the time of one warm run goes, by function."""
    import cProfile
    import io
    import pstats

    estimator, profile = make(spec, given), cProfile.Profile()
    with tempfile.TemporaryDirectory() as workspace:
        estimator.estimate(frames, workspace=Path(workspace))
        profile.runcall(estimator.estimate, frames, workspace=Path(workspace))
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(45)
    return text.getvalue()


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("name", nargs="?", help="name of the file in results/, without its suffix")
    parser.add_argument("-e", "--estimators", default="dense,dense:alone", help="separated by commas  [default: %(default)s]")
    parser.add_argument("--weights", type=Path, help="checkpoint of megasam")
    parser.add_argument("--random", action="store_true", help="random weights of the published widths; optical flow answers")
    parser.add_argument("--start", choices=["none", "vo"], help="instead of what the preset says")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="also list where the time of the last estimator goes")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    names = given.estimators.split(",")
    try:
        frames = read_frames(given.video, given.frames)
        cases = {name: measure(name, frames, given) for name in names}
        if given.profile:
            print(profiled(names[-1], frames, given))
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    device = torch.cuda.get_device_name() if given.device == "cuda" else "cpu"
    figure = rounded(
        figure_of_machine(
            FIGURE, {"device": device, "clip": given.video.stem, "frames": len(frames), "size": list(frames.size_px), "cases": cases}
        )
    )
    print_rows(table(figure))
    print(f"Written: {keep(figure, given.name or f'megasam_tracking_{given.device}', folder=given.results)}")


if __name__ == "__main__":
    main()
