"""Fit how `vo` weighs its motion models (configs/vo_belief.json), on clips whose motion is known.

    python benchmarks/fit_models.py SET [SET ...] [--simulated 500] [--jobs 2] [--out FILE]

SET is a rendered training set (`sfmcam data synthetic --split train --clips 240 --to SET`), never one that is judged on. Simulated tracks
need no set: they are made on the spot, in number. Every clip is fitted once by every model; then the coefficients of the belief are found,
together with those of a probability per primitive, under which the labels are likeliest (a mixture of experts: Jacobs et al. 1991). The
probabilities serve the fit only: those that are shown are fitted afterwards, to finished runs (`sfmcam calibrate`). A fifth of the clips at
a time is left out to say how well the labels of others are foretold.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from belief_examples import BeliefExample, rendered_examples, simulated_examples

from sfmcam import __version__
from sfmcam.estimators.vo.belief import FEATURES, Belief, belief_document
from sfmcam.evaluation.average_precision import average_precision
from sfmcam.io.json_file import write_json
from sfmcam.motion.features import Family, family_of, feature_names
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Float

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "vo_belief.json"
FIRST_SEED = 1_000_000  # of the simulated clips; tests use small seeds
RENDERED_WEIGHT = 3.0  # a rendered clip has real tracks, of which there are fewer
L2, L2_PRIMITIVES = 1e-3, 1e-4
FOLDS, ITERATIONS = 5, 300
ABSENT = -1e9  # log weight of a reading that a clip does not have: next to nothing, yet finite for the gradient
FAMILIES = tuple(Family)


@dataclass(frozen=True)
class Tensors:
    """All examples.

    Attributes:
        features: (N, R, K) in units of their spread, R being the most readings that a clip has.
        absent: (N, R) 0, or minus infinity where a clip has no such reading.
        primitives: (N, 15, R, F).
        labels: (N, 15), NaN where unsure.
        weights: (N,).
    """

    features: torch.Tensor
    absent: torch.Tensor
    primitives: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


class Mixture(torch.nn.Module):
    """Gates over the readings, shared by all primitives, and one logistic regression per family under each of them."""

    def __init__(self, num_columns: int) -> None:
        super().__init__()
        self.gate = torch.nn.Parameter(torch.zeros(len(FEATURES), dtype=torch.float64))
        self.raw = torch.nn.Parameter(torch.full((len(FAMILIES), num_columns), -1.0, dtype=torch.float64))
        self.intercept = torch.nn.Parameter(torch.full((len(FAMILIES),), -2.0, dtype=torch.float64))
        self.family = torch.tensor([FAMILIES.index(family_of(p)) for p in PRIMITIVES])

    @property
    def slopes(self) -> torch.Tensor:
        """Never negative: more of a motion is never less likely."""
        return torch.nn.functional.softplus(self.raw)

    def forward(self, data: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, 15) log probabilities of yes and of no."""
        gates = torch.log_softmax(data.features @ self.gate + data.absent, 1)[:, None, :]
        odds = (data.primitives * self.slopes[self.family][None, :, None, :]).sum(-1) + self.intercept[self.family][None, :, None]
        yes, no = (torch.logsumexp(gates + torch.nn.functional.logsigmoid(sign * odds), -1) for sign in (1, -1))
        return yes, no


def tensors(examples: Sequence[BeliefExample], spread: Float) -> Tensors:
    """Return the examples as arrays."""
    columns = max(len(feature_names(family)) for family in Family)
    most = max(len(e.features) for e in examples)
    features, absent = np.zeros((len(examples), most, len(FEATURES))), np.full((len(examples), most), ABSENT)
    primitives, labels = np.zeros((len(examples), len(PRIMITIVES), most, columns)), np.full((len(examples), len(PRIMITIVES)), np.nan)
    for row, example in enumerate(examples):
        count = len(example.features)
        features[row, :count], absent[row, :count] = example.features / spread, 0.0
        for column, primitive in enumerate(PRIMITIVES):
            values = example.primitives[primitive.id]
            primitives[row, column, :count, : values.shape[1]] = values
            labels[row, column] = example.labels.get(primitive.id, np.nan)
    weights = np.array([1.0 if e.name.startswith("simulated") else RENDERED_WEIGHT for e in examples])
    return Tensors(*(torch.tensor(values) for values in (features, absent, primitives, labels, weights)))


def spread_of(examples: Sequence[BeliefExample]) -> Float:
    """Return the standard deviation of each feature; of the models' own constants, and of what never varies, 1."""
    spread = np.concatenate([e.features for e in examples]).std(axis=0)
    spread[(spread < 1e-6) | (np.arange(len(FEATURES)) >= len(FEATURES) - 6)] = 1.0
    return np.asarray(spread, np.float64)


def fit(data: Tensors) -> Mixture:
    """Return the mixture under which the labels are likeliest, small coefficients preferred."""
    mixture = Mixture(data.primitives.shape[-1])
    sure, answers, weights = ~torch.isnan(data.labels), torch.nan_to_num(data.labels), data.weights[:, None]
    optimizer = torch.optim.LBFGS(mixture.parameters(), max_iter=ITERATIONS, history_size=30, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        yes, no = mixture(data)
        value = -((answers * yes + (1 - answers) * no) * sure * weights).sum() / (sure * weights).sum()
        value = value + L2 * (mixture.gate**2).sum() + L2_PRIMITIVES * (mixture.slopes**2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    return mixture


def left_out(examples: Sequence[BeliefExample], spread: Float) -> Float:
    """Return (N, 15) log probabilities of every clip from fits without it."""
    fold, found = np.arange(len(examples)) % FOLDS, np.zeros((len(examples), len(PRIMITIVES)))
    for held_out in range(FOLDS):
        train, test = ([e for e, out in zip(examples, fold == held_out, strict=True) if bool(out) == wanted] for wanted in (False, True))
        mixture = fit(tensors(train, spread)).requires_grad_(False)
        yes, _ = mixture(tensors(test, spread))
        found[fold == held_out] = yes.numpy()
    return found


def report(examples: Sequence[BeliefExample], foretold: Float) -> dict[str, float]:
    """Return the AP of each primitive that has clips of both kinds, over the rendered and over all clips."""
    parts = {"rendered": [not e.name.startswith("simulated") for e in examples], "all": [True] * len(examples)}
    told = {}
    for part, belongs in parts.items():
        for column, primitive in enumerate(PRIMITIVES):
            rows = [row for row, e in enumerate(examples) if belongs[row] and primitive.id in e.labels]
            truth = np.array([examples[row].labels[primitive.id] for row in rows], bool)
            if truth.any() and not truth.all():
                told[f"{part}/{primitive.id}"] = average_precision(truth, foretold[rows, column])
    return told


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", metavar="SET", type=Path, nargs="*")
    parser.add_argument("--simulated", type=int, default=500)
    parser.add_argument("--limit", type=int, help="clips of each SET")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=CONFIG)
    given = parser.parse_args()
    examples = [e for folder in given.sets for e in rendered_examples(folder, jobs=given.jobs, limit=given.limit)]
    rendered = len(examples)
    examples += simulated_examples(range(FIRST_SEED, FIRST_SEED + given.simulated), jobs=given.jobs)
    if not examples:
        parser.error("there is no clip to fit to: name a SET, or ask for simulated ones")
    fit_and_write(examples, given.out, {"sets": [folder.name for folder in given.sets], "rendered": rendered})


def fit_and_write(examples: Sequence[BeliefExample], out: Path, provenance: dict[str, object]) -> None:
    """Fit to all examples, print how well those left out are foretold, and write the coefficients."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spread = spread_of(examples)
    told = report(examples, left_out(examples, spread))
    for part in ("rendered", "all"):
        values = {name.removeprefix(f"{part}/"): value for name, value in told.items() if name.startswith(f"{part}/")}
        if values:
            print(f"{part}: mean AP {np.mean(list(values.values())):.3f}  " + "  ".join(f"{n} {v:.3f}" for n, v in values.items()))
    gate = fit(tensors(examples, spread)).gate.detach().numpy() / spread
    counted = {"sfmcam_version": __version__, "clips": len(examples), "l2": L2, **provenance}
    write_json(out, belief_document(Belief(gate, counted | {"left_out_ap": told})))
    print(f"{len(examples)} clips; coefficients in {out}")


if __name__ == "__main__":
    main()
