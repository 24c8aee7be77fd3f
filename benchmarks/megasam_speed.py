"""What MegaSaM's network costs: encoders, correlation, update operator, per frame and per edge, and where the time goes.

    python benchmarks/megasam_speed.py [NAME] [--device cuda] [--size 384x512] [--edges 12,48] [--dtypes float32] [--profile]

Writes results/NAME.json (by default megasam_speed_DEVICE.json; --results: elsewhere). Weights are random unless given: they change
no time. It needs torch and numpy, and of sfmcam nothing that needs more. Each time is the median of several, after warming up. On a GPU it
is waited for; on a CPU with one thread (OMP_NUM_THREADS=1) processor time is taken, which does not count what else the machine does.
Reduced precision is measured where the hardware has it, or where --dtypes names it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import torch
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from megasam_tables import megasam_speed as table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from sfmcam.errors import SfmcamError
from sfmcam.estimators.megasam.net.checkpoint import load_network
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.net.operator import LearnedOperator, OperatorOptions
from sfmcam.estimators.megasam.net.precision import fast_dtype
from sfmcam.estimators.megasam.net.replay import MOST_EDGES
from sfmcam.estimators.megasam.net.update import cell_grid, motion_features
from sfmcam.estimators.megasam.operator import Sight

PUBLISHED_FLOP_PER_CELL = 2 * 3.02e6  # of the published update, per cell and edge: 18.6 GFLOP per edge of 48x64 cells
FRAMES = 8
EDGES_OF_SOURCE = 6
PEAK_SIDE = 8192


@dataclass(frozen=True)
class Case:
    """One way to run the network.

    Attributes:
        options: device and types.
        edges: how many are revised together.
    """

    options: OperatorOptions
    edges: int

    @property
    def name(self) -> str:
        """What the table calls it."""
        kind = str(self.options.dtype).removeprefix("torch.")
        half = ", half volumes" if self.options.volume_dtype == torch.float16 else ""
        fly = ", no volumes" if self.options.volume_bytes == 0 else ""
        return f"{kind}{', graphs' if self.options.graphs else ''}{half}{fly}, {self.edges} edges"


def cases(device: torch.device, edges: list[int], named: list[str]) -> list[Case]:
    """Return the ways that make sense on `device`, or those of the types that are named."""
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    kinds = [known[name] for name in named if name != "float32"] if named else [k for k in [fast_dtype(device)] if k != torch.float32]
    gpu = device.type == "cuda"
    out = [Case(OperatorOptions(device), edges[0])] if not named or "float32" in named else []
    for count, kind in product(edges, kinds):
        out.append(Case(OperatorOptions(device, dtype=kind), count))
        if gpu and count <= MOST_EDGES:
            out.append(Case(OperatorOptions(device, dtype=kind, graphs=True), count))
        if gpu:
            out.append(Case(OperatorOptions(device, dtype=kind, volume_dtype=torch.float16), count))
            out.append(Case(OperatorOptions(device, dtype=kind, volume_dtype=torch.float16, volume_bytes=0), count))
    return out


def seconds(call: Callable[[], Any], device: torch.device, *, at_least_s: float) -> float:
    """Return the median time of a call, in seconds."""
    call()
    clock = time.process_time if _by_processor_time(device) else time.perf_counter
    spent: list[float] = []
    while sum(spent) < at_least_s or len(spent) < 2:
        _wait(device)
        began = clock()
        call()
        _wait(device)
        spent.append(clock() - began)
    return median(spent)


def measure(network: Network, case: Case, size: tuple[int, int], *, at_least_s: float) -> Figure:
    """Return milliseconds per frame or edge of every step of a case, and what the update reaches."""
    device, edges = case.options.device, case.edges
    operator = LearnedOperator(network, case.options)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (FRAMES, 3, *size), dtype=torch.uint8, generator=generator)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    frames = [operator.encode(image, k) for k, image in enumerate(images)]
    ii = torch.arange(edges) // EDGES_OF_SOURCE
    pairs = [frames[i % FRAMES] for i in ii.tolist()], [frames[(i + 1 + k) % FRAMES] for k, i in enumerate(ii.tolist())]
    state = operator.open(*pairs)
    grid = cell_grid(size[0] // 8, size[1] // 8, like=torch.empty(0))
    coords = (grid + 2 * torch.randn(edges, *grid.shape, generator=generator)).to(device)
    sight = Sight(ii, coords, coords)
    seen = look_up(operator, state, coords), motion_features(coords, coords)
    (part, *_) = operator._passes(ii)

    def forget() -> None:
        frames[0].context = None
        operator._context(frames[0])

    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "encode": (lambda: operator.encode(images[0], 0), 1),
        "context": (forget, 1),
        "open": (lambda: operator.open(*pairs), edges),
        "look up": (lambda: look_up(operator, state, coords), edges),
        "update": (lambda: operator._update(state, seen, part), edges if part.edges is None else len(part.edges)),
        "revise": (lambda: operator.revise(state, sight), edges),
    }
    per_item = {name: 1e3 * seconds(call, device, at_least_s=at_least_s) / count for name, (call, count) in calls.items()}
    if device.type == "cpu" and case.options.dtype == torch.float32:
        per_item["plain update"] = 1e3 * seconds(_plain(network, seen, ii), device, at_least_s=at_least_s) / edges
    with FlopCounterMode(display=False) as counter:
        operator._fused(state.hidden[:1], frames[0].context.gates[None], tuple(x[:1] for x in seen), (part.rows[:1], part.members[:1, :1]))
    done = counter.get_total_flops()
    published = PUBLISHED_FLOP_PER_CELL * grid.shape[0] * grid.shape[1]
    rate = {"done_gflop": done / 1e9, "published_gflop": published / 1e9, "update_gflop_per_s": done / 1e6 / per_item["update"]}
    memory = {"peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9} if device.type == "cuda" else {}
    return {"ms": per_item, "edges": edges} | rate | memory


def look_up(operator: LearnedOperator, state: Any, coords: Tensor) -> Tensor:
    """Return the windows of all edges."""
    out: Tensor = state.look_up(coords, levels=operator.config.levels, radius=operator.config.radius, dtype=operator.options.dtype)
    return out


def _plain(network: Network, seen: tuple[Tensor, Tensor], ii: Tensor) -> Callable[[], Any]:
    width = network.config.hidden
    hidden = torch.tanh(torch.randn(len(ii), width, *seen[0].shape[-2:]))
    context = torch.relu(torch.randn(len(ii), network.config.context, *seen[0].shape[-2:]))
    return lambda: network.update(hidden, context, seen, ii)


def peak(device: torch.device, dtype: torch.dtype) -> float:
    """Return the GFLOP/s of a large matrix product of random numbers: what the device's arithmetic gives at best."""
    side = PEAK_SIDE if device.type == "cuda" else PEAK_SIDE // 8
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, device, at_least_s=0.3) / 1e9


def profile(network: Network, case: Case, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the 20 kernels (on a CPU, operations) that take longest, in microseconds and calls per revision, and the sum of all."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    operator = LearnedOperator(network, case.options)
    images = torch.randint(0, 256, (FRAMES, 3, *size), dtype=torch.uint8)
    frames = [operator.encode(image, k) for k, image in enumerate(images)]
    ii = torch.arange(case.edges) // EDGES_OF_SOURCE
    state = operator.open([frames[i % FRAMES] for i in ii.tolist()], [frames[(i + 1) % FRAMES] for i in ii.tolist()])
    coords = cell_grid(size[0] // 8, size[1] // 8, like=torch.empty(0)).expand(case.edges, -1, -1, -1).to(case.options.device)
    sight, times = Sight(ii, coords, coords), 5
    operator.revise(state, sight)
    gpu = case.options.device.type == "cuda"
    with watch(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA] if gpu else [ProfilerActivity.CPU]) as watched:
        for _ in range(times):
            operator.revise(state, sight)
        _wait(case.options.device)
    rows = []
    for event in watched.key_averages():
        if gpu and not str(event.device_type).endswith("CUDA"):
            continue  # the operation that launched a kernel is listed beside it, with the same time
        spent = event.self_device_time_total if gpu else event.self_cpu_time_total
        rows.append({"kernel": event.key[:110], "us": spent / times, "calls": event.count / times})
    total = {"kernel": "all", "us": sum(row["us"] for row in rows), "calls": sum(row["calls"] for row in rows)}
    return [total, *sorted(rows, key=lambda row: -row["us"])[:20]]


def _by_processor_time(device: torch.device) -> bool:
    return device.type == "cpu" and torch.get_num_threads() == 1


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="name of the file in results/, without its suffix")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--size", default="384x512", help="height x width of the pictures")
    parser.add_argument("--edges", help="how many are revised together, separated by commas  [default: 12 on a CPU, 12,48,192 on a GPU]")
    parser.add_argument("--weights", type=Path, help="a checkpoint, instead of random weights")
    parser.add_argument("--dtypes", help="only these, separated by commas, as float32,bfloat16")
    parser.add_argument("--seconds", type=float, help="measure each step for so long  [default: 1 on a CPU, 0.2 on a GPU]")
    parser.add_argument("--profile", action="store_true", help="also list the kernels that take longest")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    return parser.parse_args()


@torch.no_grad()
def main() -> None:
    """Measure, print, keep."""
    given = arguments()
    if given.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("Error: there is no CUDA device here; leave --device out to measure the CPU")
    device = torch.device(given.device)
    height, width = map(int, given.size.split("x"))
    try:
        network = load_network(given.weights) if given.weights else Network().eval()
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    edges = [int(count) for count in (given.edges or ("12" if device.type == "cpu" else "12,48,192")).split(",")]
    chosen = cases(device, edges, given.dtypes.split(",") if given.dtypes else [])
    best = {kind: peak(device, kind) for kind in {case.options.dtype for case in chosen}}
    found = {}
    for case in chosen:
        made = measure(network, case, (height, width), at_least_s=given.seconds or (1.0 if device.type == "cpu" else 0.2))
        found[case.name] = made | {"share_of_peak": made["update_gflop_per_s"] / best[case.options.dtype]}
        print(case.name, {step: round(spent, 3) for step, spent in made["ms"].items()}, flush=True)
    figure = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "clock": "processor" if _by_processor_time(device) else "wall",
        "size": [height, width],
        "peak_gflop_per_s": {str(kind): rate for kind, rate in best.items()},
        "cases": found,
    }
    if given.profile:
        figure["profile"] = {case.name: profile(network, case, (height, width)) for case in chosen[:2]}
        for name, kernels in figure["profile"].items():
            print_rows(
                [
                    [f"kernels of a revision, {name}", "us", "calls"],
                    *([k["kernel"], f"{k['us']:.0f}", f"{k['calls']:.0f}"] for k in kernels),
                ]
            )
    made = rounded(figure_of_machine("megasam_speed", figure))
    print_rows(table(made))
    print(f"Written: {keep(made, given.name or f'megasam_speed_{given.device}', folder=given.results)}")


if __name__ == "__main__":
    main()
