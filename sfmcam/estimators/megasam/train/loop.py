"""A training run: one-cycle AdamW on sequences drawn by the step's number, until its time or its steps are used up.

Everything random in a step follows from the seed and the step's number, so that a run that is taken up again sees the data that it would
have seen. On a clock the learning rate follows the time used, since how many steps fit into it is known only afterwards.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sfmcam.errors import InputError, SfmcamError
from sfmcam.estimators.megasam.net.checkpoint import load_network, save_network
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.train import unroll as run
from sfmcam.estimators.megasam.train.checkpoint import read_state, write_state
from sfmcam.estimators.megasam.train.config import TrainConfig
from sfmcam.estimators.megasam.train.dataset import Batch, Sampling, TrainingSet
from sfmcam.estimators.megasam.train.journal import Journal
from sfmcam.estimators.megasam.train.pack import read_pack
from sfmcam.estimators.megasam.train.validate import Verdict, validate

SMALLEST_RATE = 0.02  # of the highest, at both ends of the cycle
MEMORY_SHARE = 0.8  # of what is free on the device, for a step
TRIED_BATCH = 2
FIRST_DAMPING = -4.0  # before softplus: 2e-4 of weighted residuals, where the heads' own beginning would give 7e-3
VALIDATED_AT_ONCE = 8


def train(pack: Path, out: Path, config: TrainConfig, *, device: str = "cpu") -> Verdict:
    """Train a network on a pack, or go on with the run that `out` holds, and return the verdict on the held-out sequences.

    Leaves `weights.pt` (float16, with its configuration), `checkpoint.pt`, `optimiser.pt`, `curve.json` and `log.txt` in `out`.

    Raises:
        InputError: the pack or the folder cannot be used, or the device is not there.
        SfmcamError: no batch fits into the device's memory, or the loss is not finite any more.
    """
    where = found_device(device)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {(error.strerror or str(error)).lower()}") from error
    sequences = read_pack(pack)
    training = Training(out, config, device=where)
    training.journal.say(f"{len(sequences)} sequences read from {pack}; {_name(where)}; torch {torch.__version__}")
    taught = TrainingSet([s for s in sequences if not s.held_out], device=where)
    held_out = TrainingSet([s for s in sequences if s.held_out], device=where)
    return training.go_on(taught, held_out)


def found_device(name: str) -> torch.device:
    """Return a device that is there.

    Raises:
        InputError: it is not.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"there is no device '{name}'; say cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; train with --device cpu, or on a machine with a GPU")
    return device


def fresh_network(config: TrainConfig) -> Network:
    """Return a network to train: that of `config.start`, or a random one whose damping lets bundle adjustment move depths at once.

    Raises:
        InputError: the weights to start with cannot be read, or are of other widths.
    """
    network = Network(config.network)
    if not config.start:
        torch.nn.init.constant_(network.get_parameter("update.agg.eta.0.bias"), FIRST_DAMPING)
        return network
    begun = load_network(Path(config.start))
    if begun.config != config.network:
        raise InputError(f"{config.start} is of a network with other widths ({begun.config}); set --network.* to them, or start without it")
    network.load_state_dict(begun.state_dict())
    return network


@dataclass(frozen=True)
class Outcome:
    """What one step did: its loss, the single losses of the last update, and the length of the gradient."""

    loss: float
    parts: dict[str, float]
    gradient: float

    @property
    def sound(self) -> bool:
        """True where loss and gradient are numbers."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient)


class Training:
    """The network, its optimiser, and how far the run has come."""

    MOST_UNSOUND = 20  # steps in a row without a finite gradient, before a run is given up

    def __init__(self, out: Path, config: TrainConfig, *, device: torch.device) -> None:
        """Begin a run, or take up the one in `out`.

        Raises:
            InputError: what `out` holds is of another network, or damaged.
        """
        self.out, self.device = out, device
        self.config = replace(config, bf16=config.bf16 and device.type == "cuda")  # on processors without its own units it is far slower
        torch.manual_seed(config.seed)
        self.network = fresh_network(config).to(device)
        if device.type == "cuda":
            self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            torch.backends.cudnn.benchmark = True
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.rate, weight_decay=config.decay)
        self._adjusted = run.Adjusted(fixed=run.SCALED, solves=config.solves)
        self.progress, curve = read_state(out, self.network, self.optimiser)
        self.journal = Journal(out, curve=curve)
        count = sum(p.numel() for p in self.network.parameters())
        self.journal.say(f"network of {count / 1e6:.2f} M parameters, at step {self.progress.step}")

    @property
    def done(self) -> float:
        """How much of the run is behind it, 0 to 1."""
        return min(1.0, max(self.progress.step / self.config.steps, self.progress.seconds / (60 * self.config.minutes)))

    @property
    def adjusting(self) -> bool:
        """Whether bundle adjustment is in the loop by now."""
        return self.done >= self.config.guided

    def go_on(self, taught: TrainingSet, held_out: TrainingSet) -> Verdict:
        """Train to the end, validating, telling and saving on the way."""
        sampling = Sampling(size_px=(self.config.width, self.config.height), frames=self.config.frames, radius=self.config.radius)
        validation = self._validation(held_out, sampling)
        fitting = self._fitting_batch(taught, sampling)  # also where a batch is asked for: it rehearses bundle adjustment on the device
        size = self.config.batch or fitting
        self.journal.say(f"{len(taught)} sequences to learn from, {len(held_out)} held out; {size} per step")
        verdict = self._judge(validation)
        self.save()
        watch = _Watch(self.config, begun=self.progress.seconds)
        unsound, begun = 0, self.progress.step
        while self.done < 1:
            outcome = self.step(self.batch(taught, sampling, size))
            unsound = 0 if outcome.sound else unsound + 1
            if unsound > self.MOST_UNSOUND:
                raise SfmcamError(f"the loss has not been finite for {unsound} steps; lower --rate or --clip, and go on from {self.out}")
            watch.count(outcome, size)
            self.progress = replace(self.progress, step=self.progress.step + 1, seconds=watch.seconds)
            if watch.due("say", self.config.say_every_s):
                self._tell(watch)
            if watch.due("validate", self.config.validate_every_s):
                self._judge(validation)
            if watch.due("save", self.config.save_every_s):
                self.save()
            self.progress = replace(self.progress, seconds=watch.seconds)
        if watch.counted:
            self._tell(watch)
        if self.progress.step > begun:
            verdict = self._judge(validation)
            self.save()
        self.journal.say(
            f"ended after {self.progress.step} steps and {self.progress.seconds / 60:.1f} minutes; weights in {self.out / 'weights.pt'}"
        )
        return verdict

    def batch(self, taught: TrainingSet, sampling: Sampling, size: int) -> Batch:
        """Return the batch of the step that is next: whole rounds through the sequences, each in an order of its own."""
        numbers = np.arange(self.progress.step * size, (self.progress.step + 1) * size)
        orders = {
            r: np.random.default_rng([self.config.seed, 1, int(r)]).permutation(len(taught)) for r in np.unique(numbers // len(taught))
        }
        chosen = np.array([orders[n // len(taught)][n % len(taught)] for n in numbers])
        return taught.batch(chosen, sampling, self._rng(2))

    def step(self, batch: Batch) -> Outcome:
        """Make one step; one whose gradient is not finite changes nothing."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * rate_share(self.done, self.config.warm)
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts = self._loss(batch, adjusting=self.adjusting)
        loss.backward()
        length = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip))
        outcome = Outcome(float(loss.detach()), {name: float(value.detach()) for name, value in parts.items()}, length)
        if outcome.sound:
            self.optimiser.step()
        return outcome

    def save(self) -> None:
        """Write weights, checkpoint and curve."""
        about = {"config": asdict(self.config), "device": _name(self.device), "torch": torch.__version__}
        write_state(self.out, self.network, self.optimiser, self.progress, self.journal.curve)
        save_network(self.network, self.out / "weights.pt", half=True)
        self.journal.write_curve({**about, **asdict(self.progress)})

    def _loss(self, batch: Batch, *, adjusting: bool) -> tuple[Tensor, dict[str, Tensor]]:
        rng = self._rng(3)
        fixed = run.SCALED if adjusting else 1
        way = self._adjusted if adjusting else run.Guided(batch, rng)
        steps = run.unroll(self.network, batch, self.config, belief=run.start(batch, rng, fixed=fixed), way=way)
        return run.step_losses(batch, steps, self.config, adjusted=adjusting)

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, purpose, self.progress.step])

    def _validation(self, held_out: TrainingSet, sampling: Sampling) -> list[Batch]:
        rng = np.random.default_rng(0)
        numbers = np.arange(min(len(held_out), self.config.validation))
        parts = np.array_split(numbers, max(1, math.ceil(len(numbers) / VALIDATED_AT_ONCE)))
        return [held_out.batch(part, sampling.plain(), rng) for part in parts]

    def _fitting_batch(self, taught: TrainingSet, sampling: Sampling) -> int:
        """Return how many sequences a step has room for on a GPU, from the memory that a small one takes; 2 elsewhere.

        Raises:
            SfmcamError: not even a small step fits.
        """
        if self.device.type != "cuda":
            return TRIED_BATCH
        try:
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
            loss, _ = self._loss(self.batch(taught, sampling, TRIED_BATCH), adjusting=self.config.guided < 1)
            loss.backward()
        except torch.cuda.OutOfMemoryError as error:
            raise SfmcamError(
                "a step of 2 sequences does not fit into the GPU's memory; lower --frames, --updates, --width or --height"
            ) from error
        self.optimiser.zero_grad(set_to_none=True)
        taken = (torch.cuda.max_memory_allocated(self.device) - before) / TRIED_BATCH
        free, _ = torch.cuda.mem_get_info(self.device)
        fitting = int(MEMORY_SHARE * free / taken)
        self.journal.say(f"a sequence takes {taken / 2**30:.2f} GiB of {free / 2**30:.1f} GiB that are free: {fitting} would fit")
        return max(1, min(fitting, self.config.most_batch))

    def _tell(self, watch: _Watch) -> None:
        figures = watch.figures()
        if self.device.type == "cuda":
            figures["memory_gib"] = torch.cuda.max_memory_allocated(self.device) / 2**30
        self.journal.note({"step": self.progress.step, "seconds": self.progress.seconds, "adjusting": int(self.adjusting), **figures})
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        kind = "adjusted" if self.adjusting else "guided"
        self.journal.say(f"{100 * self.done:3.0f} % step {self.progress.step} ({kind}): {shown}")

    def _judge(self, validation: list[Batch]) -> Verdict:
        verdict = validate(self.network, validation, self.config)
        figures = {f"val_{name}": value for name, value in asdict(verdict).items()}
        self.journal.note({"step": self.progress.step, "seconds": self.progress.seconds, **figures})
        self.journal.say("held out: " + ", ".join(f"{name} {value:.3g}" for name, value in asdict(verdict).items()))
        return verdict


class _Watch:
    """The clock of a run, what is due, and means since the last report."""

    def __init__(self, config: TrainConfig, *, begun: float) -> None:
        self._zero = time.monotonic() - begun
        self._last = dict.fromkeys(("say", "validate", "save"), begun)
        self._since, self._outcomes, self._sequences = begun, list[Outcome](), 0
        self._config = config

    @property
    def seconds(self) -> float:
        """Seconds of the run, those before it was taken up again included."""
        return time.monotonic() - self._zero

    @property
    def counted(self) -> bool:
        """Whether there were steps since the last report."""
        return bool(self._outcomes)

    def count(self, outcome: Outcome, sequences: int) -> None:
        self._outcomes.append(outcome)
        self._sequences += sequences

    def due(self, what: str, every_s: float) -> bool:
        if self.seconds - self._last[what] < every_s:
            return False
        self._last[what] = self.seconds
        return True

    def figures(self) -> dict[str, float]:
        """Return means and speed since the last call."""
        sound = [o for o in self._outcomes if o.sound]
        means = {"loss": float(np.mean([o.loss for o in sound])) if sound else math.nan}
        for name in sound[-1].parts if sound else ():
            means[name] = float(np.mean([o.parts[name] for o in sound if name in o.parts]))
        means["gradient"] = float(np.median([o.gradient for o in sound])) if sound else math.nan
        means["unsound"] = len(self._outcomes) - len(sound)
        means["sequences_per_s"] = self._sequences / max(self.seconds - self._since, 1e-9)
        self._since, self._outcomes, self._sequences = self.seconds, [], 0
        return means


def rate_share(done: float, warm: float) -> float:
    """Return the learning rate as a share of the highest: up along a line, down along half a cosine (Smith and Topin, 2018)."""
    if done < warm:
        return SMALLEST_RATE + (1 - SMALLEST_RATE) * done / warm
    return SMALLEST_RATE + (1 - SMALLEST_RATE) * 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
