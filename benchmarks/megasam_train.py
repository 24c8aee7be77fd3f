"""What trained weights are worth against dense optical flow, on the held-out sequences of a pack: the same pairs, the same cells.

    python benchmarks/megasam_train.py PACK WEIGHTS [NAME] [--sequences 24] [--size 256x192] [--results FOLDER]

Writes results/NAME.json (by default megasam_train.json). The network starts as the tracker starts, from a camera that stands still and
constant depth, with bundle adjustment after each of 6 updates; optical flow is OpenCV's DIS at its preset `medium`, and its reading of
what moves is the disagreement of flow forward and back. Both get static cells that stay in the picture.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from megasam_tables import megasam_train as table

from sfmcam.errors import SfmcamError
from sfmcam.estimators.megasam.net.checkpoint import load_network
from sfmcam.estimators.megasam.operator import STRIDE
from sfmcam.estimators.megasam.train import unroll
from sfmcam.estimators.megasam.train.config import TrainConfig
from sfmcam.estimators.megasam.train.dataset import Batch, Sampling, TrainingSet
from sfmcam.estimators.megasam.train.losses import in_sight
from sfmcam.estimators.megasam.train.pack import read_pack
from sfmcam.estimators.megasam.train.validate import area_under_precision, validate

AT_ONCE = 4


def dis_flow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (h, w, 2) in picture pixels: the flow from one grey picture to another at every eighth pixel."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return dis.calc(a, b, None)


def dis_figures(batches: list[Batch]) -> Figure:
    """Return the flow error of DIS in picture pixels, and how well forward-backward disagreement finds movers."""
    errors, moving, movers = [], [], []
    for batch in batches:
        right = unroll.Belief(batch.poses, batch.disps).seen(batch)
        judged = (batch.static[batch.ii] & right.depth_ok & in_sight(right.coords)).numpy()
        grey = [cv2.cvtColor(image.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY) for image in batch.images]
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in right.coords.shape[2:0:-1])), -1)
        truth = STRIDE * (right.coords.numpy() - grid)
        for edge, (i, j) in enumerate(zip(batch.ii.tolist(), batch.jj.tolist(), strict=True)):
            forward, backward = dis_flow(grey[i], grey[j]), dis_flow(grey[j], grey[i])
            there = np.stack(np.meshgrid(*(np.arange(n) for n in forward.shape[1::-1])), -1) + forward
            back = cv2.remap(backward, there.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            found = forward[::STRIDE, ::STRIDE]
            errors.append(np.linalg.norm(found - truth[edge], axis=-1)[judged[edge]])
            moving.append(np.linalg.norm(forward + back, axis=-1)[::STRIDE, ::STRIDE].ravel())
            movers.append(~batch.static[i].numpy().ravel())
    error = np.concatenate(errors)
    mover_ap = area_under_precision(np.concatenate(movers), np.concatenate(moving))
    return {"epe_px": float(error.mean()), "median_px": float(np.median(error)), "mover_ap": mover_ap}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("name", nargs="?", default="megasam_train")
    parser.add_argument("--sequences", type=int, default=24)
    parser.add_argument("--size", default="256x192")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    try:
        held_out = TrainingSet([s for s in read_pack(asked.pack) if s.held_out][: asked.sequences], device=torch.device("cpu"))
        network = load_network(asked.weights)
    except SfmcamError as error:
        sys.exit(f"Error: {error}")
    sampling = Sampling(size_px=(width, height)).plain()
    parts = np.array_split(np.arange(len(held_out)), -(-len(held_out) // AT_ONCE))
    batches = [held_out.batch(part, sampling, np.random.default_rng(0)) for part in parts]
    began = time.perf_counter()
    learned = asdict(validate(network, batches, TrainConfig(bf16=False)))
    figures = {
        "pairs": sum(len(b.ii) for b in batches),
        "learned": learned,
        "dis": dis_figures(batches),
        "seconds": time.perf_counter() - began,
    }
    made = rounded(figure_of_machine("megasam_train", figures))
    print_rows(table(made))
    print(f"Written: {keep(made, asked.name, folder=asked.results)}")


if __name__ == "__main__":
    main()
