"""Time one Gauss-Newton step of the dense bundle adjustment, and its parts, on graphs of a front end and of a back end.

    python benchmarks/megasam_bundle.py [--device cuda] [--dtype float32] [--repeat 5]

Frames are random cameras of random depths at 48x64 (pictures of 384x512). On a GPU a step that waits for it is warned of: none should but
the layout, which is made once per graph.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from sfmcam.estimators.megasam import camera, distance, se3
from sfmcam.estimators.megasam.bundle import BundleOptions, Problem, adjust, layout_of

GRAPHS = {"48 edges, 12 frames": (12, 48), "300 edges, 60 frames": (60, 300), "540 edges, 60 frames": (60, 540)}
LARGE = {"4000 edges, 400 frames": (400, 4000)}
MODES = {
    "poses and depths": BundleOptions(alpha=0.05),
    "and one focal length": BundleOptions(focal="shared"),
    "and one of each frame": BundleOptions(focal="per_frame", focal_smoothness=1e-3),
    "poses only": BundleOptions(motion_only=True),
}


def make_problem(frames: int, edges: int, *, device: str, dtype: torch.dtype) -> Problem:
    """Return a graph whose edges join the nearest frames, with noisy targets."""
    generator = torch.Generator().manual_seed(0)
    poses = se3.exp(0.03 * torch.randn(frames, 6, generator=generator))
    disps = 0.4 + 0.4 * torch.rand(frames, 48, 64, generator=generator)
    intrinsics = torch.tensor([60.0, 60.0, 31.5, 23.5]).expand(frames, 4)
    pairs = [(i, j) for apart in range(1, frames) for i in range(frames) for j in (i - apart, i + apart) if 0 <= j < frames][:edges]
    ii, jj = torch.tensor(pairs).unbind(1)
    coords = camera.reproject(poses, disps, intrinsics, ii=ii, jj=jj).coords
    target = coords + 0.3 * torch.randn(coords.shape, generator=generator)
    weight = torch.rand(coords.shape, generator=generator)
    given = (poses, disps, intrinsics, target, weight, torch.full_like(disps, 1e-3))
    on_device = [value.to(device, dtype) for value in given]
    return Problem(*on_device, ii=ii.to(device), jj=jj.to(device), prior_disps=on_device[1])


def seconds(run: Callable[[], object], *, repeat: int, device: str) -> tuple[float, float]:
    """Return the median time of a call, the device's work included, and of the processor's, which a busy machine does not lengthen."""
    times = []
    for _ in range(repeat + 1):
        begin = time.perf_counter(), time.process_time()
        if device.startswith("cuda"):
            torch.cuda.set_sync_debug_mode("warn")
        run()
        if device.startswith("cuda"):
            torch.cuda.set_sync_debug_mode("default")
            torch.cuda.synchronize()
        times.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    wall, processor = zip(*times[1:], strict=True)
    return statistics.median(wall), statistics.median(processor)


def runs_of(problem: Problem) -> dict[str, Callable[[], object]]:
    """Return what is timed."""
    shown, ends = (problem.poses, problem.disps, problem.intrinsics), {"ii": problem.ii, "jj": problem.jj}
    runs: dict[str, Callable[[], object]] = {
        f"step of {mode}": partial(adjust, problem, options, layout_of(problem, options)) for mode, options in MODES.items()
    }
    runs["layout"] = partial(layout_of, problem, BundleOptions())
    runs["reprojection"] = partial(camera.reproject, *shown, **ends)
    runs["distances"] = partial(distance.frame_distance, *shown, **ends)
    return runs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="a graph of 400 frames too (2 GB)")
    arguments = parser.parse_args()
    for name, (frames, edges) in (GRAPHS | (LARGE if arguments.large else {})).items():
        problem = make_problem(frames, edges, device=arguments.device, dtype=getattr(torch, arguments.dtype))
        for what, run in runs_of(problem).items():
            wall, processor = seconds(run, repeat=arguments.repeat, device=arguments.device)
            each = 1e9 * wall / problem.target[..., 0].numel()
            print(
                f"{name:22} {what:30} {1e3 * wall:9.1f} ms (processor {1e3 * processor:9.1f} ms) {each:7.1f} ns per edge and pixel",
                flush=True,
            )


if __name__ == "__main__":
    with torch.no_grad():
        main()
