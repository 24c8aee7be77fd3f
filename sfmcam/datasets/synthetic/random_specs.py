"""Recipes of random clips, drawn from wide distributions; decks see to it that every motion and every difficulty is there in number."""

from __future__ import annotations

from sfmcam.datasets.synthetic.casting import cast_movers
from sfmcam.datasets.synthetic.chance import Chance, Split
from sfmcam.datasets.synthetic.looks import SCENE_DECK, choose_exposure, choose_finish, choose_format
from sfmcam.datasets.synthetic.plots import plan_camera
from sfmcam.datasets.synthetic.spec import ClipSpec


def random_specs(split: Split, seed: int, count: int) -> tuple[ClipSpec, ...]:
    """Return `count` recipes; the first ones are the same for every count. Splits share nothing (see `chance`)."""
    return tuple(random_spec(Chance(split, seed, index)) for index in range(count))


def random_spec(chance: Chance) -> ClipSpec:
    """Return the recipe of one clip."""
    rng = chance.generator()
    plan = plan_camera(chance, rng)
    shape = choose_format(chance, rng, plan.curves)
    light, finish, movers = choose_exposure(chance, rng), choose_finish(chance, rng), cast_movers(chance, rng)
    return ClipSpec(
        id=f"{chance.split}_{chance.index:04d}_{plan.name}",
        scene=chance.deal("scene", SCENE_DECK),
        seed=chance.clip_seed(),
        curves=plan.curves,
        shake=plan.shake,
        movers=movers,
        size_px=shape.size_px,
        fps=shape.fps,
        seconds=shape.seconds,
        hfov_deg=shape.hfov_deg,
        start_yaw_deg=float(rng.normal(0, 30)),
        start_pitch_deg=float(rng.normal(0, 5)),
        shutter=light.shutter,
        noise=light.noise,
        exposure=light.exposure,
        crf=light.crf,
        finish=finish,
        scouted=True,
    )
