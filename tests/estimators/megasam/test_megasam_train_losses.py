"""Claims: each loss is least at the truth, the rate runs its cycle, options are read or refused, and precision is the textbook's."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from sfmcam.errors import ConfigError  # noqa: E402
from sfmcam.estimators.megasam import se3  # noqa: E402
from sfmcam.estimators.megasam.train import losses  # noqa: E402
from sfmcam.estimators.megasam.train.config import TrainConfig, from_words  # noqa: E402
from sfmcam.estimators.megasam.train.loop import rate_share  # noqa: E402
from sfmcam.estimators.megasam.train.validate import area_under_precision  # noqa: E402


@settings(max_examples=25, deadline=None)
@given(error=st.floats(0.06, 5.0))
def test_the_weight_of_least_loss_is_one_over_the_error(error: float) -> None:
    weights = torch.linspace(0.005, 1, 400)[:, None, None, None].expand(-1, 1, 1, 2)
    judged = torch.ones(1, 1, 1, dtype=torch.bool)
    found = torch.stack([losses.weight_loss(w[None], torch.full((1, 1, 1, 2), error), judged) for w in weights]).argmin()
    assert float(weights[found, 0, 0, 0]) == pytest.approx(losses.FINEST / error, abs=0.003)


def test_the_weight_does_not_excuse_the_flow() -> None:
    error = torch.ones(1, 2, 2, 2, requires_grad=True)
    weight = torch.full((1, 2, 2, 2), 0.5, requires_grad=True)
    losses.weight_loss(weight, error, torch.ones(1, 2, 2, dtype=torch.bool)).backward()
    assert error.grad is None
    assert weight.grad is not None


def test_flow_is_judged_where_it_may_be_and_less_out_of_sight() -> None:
    truth = torch.full((1, 2, 2, 2), 0.5)
    off = truth + torch.tensor([1.0, 2.0])
    judged = torch.tensor([[[True, False], [True, True]]])
    assert float(losses.flow_loss(off, truth, judged)) == pytest.approx(3.0)
    assert float(losses.flow_loss(off, truth, judged & False)) == 0.0
    truth[0, 0, 0] = -50.0  # has left the picture
    off = truth.clone()
    off[0, 0, 0] += 1.0
    assert float(losses.flow_loss(off, truth, judged)) == pytest.approx(2 * losses.OUT_OF_SIGHT / (2 + losses.OUT_OF_SIGHT))


def test_motion_is_the_cross_entropy_with_movers_counting_more() -> None:
    logit = torch.tensor([[[2.0, -1.0]]])
    static = torch.tensor([[[True, False]]])
    by_hand = (np.log1p(np.exp(-2.0)) + losses.MOVER_SHARE * np.log1p(np.exp(-1.0))) / (1 + losses.MOVER_SHARE)
    assert float(losses.motion_loss(logit, static)) == pytest.approx(by_hand, rel=1e-5)


def test_pose_is_judged_whatever_the_world_and_by_its_size() -> None:
    generator = torch.Generator().manual_seed(0)
    poses = se3.exp(0.3 * torch.randn(4, 6, generator=generator, dtype=torch.float64))
    ii, jj = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 3])
    moved = se3.compose(poses, se3.exp(torch.randn(6, generator=generator, dtype=torch.float64)))
    assert float(losses.pose_loss(moved, poses, ii=ii, jj=jj)) < 3e-4
    turned = poses.clone()
    turned[3] = se3.retract(poses[3], torch.tensor([0, 0, 0, 0.1, 0, 0], dtype=torch.float64))
    assert float(losses.pose_loss(turned, poses, ii=ii[2:], jj=jj[2:])) >= 0.1


def test_the_rate_rises_and_falls() -> None:
    shares = [rate_share(done, 0.1) for done in np.linspace(0, 1, 101)]
    assert shares[0] == shares[-1] == pytest.approx(0.02)
    assert max(shares) == shares[10] == pytest.approx(1)
    assert (np.diff(shares[:11]) > 0).all()
    assert (np.diff(shares[10:]) < 0).all()


def test_average_precision_is_scikit_learns() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    labels, scores = rng.random(200) < 0.2, rng.random(200)
    assert area_under_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert np.isnan(area_under_precision(np.zeros(3, bool), np.arange(3.0)))


def test_options_become_a_configuration() -> None:
    words = "--minutes 8 --batch 12 --bf16 no --network.hidden 48 --losses.pose 2.5 --save-every-s 5"
    config = from_words(words.split())
    assert (config.minutes, config.batch, config.bf16, config.save_every_s) == (8.0, 12, False, 5.0)
    assert (config.network.hidden, config.network.features, config.losses.pose) == (48, TrainConfig().network.features, 2.5)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--minuets 8", "there is no option --minuets"),
        ("--minutes", "has no value"),
        ("--minutes soon", "must be a number"),
        ("--batch 1.5", "must be a whole number"),
        ("--bf16 perhaps", "must be yes or no"),
        ("--network 8", "names no single value"),
        ("--network.depth 8", "there is no option --depth"),
        ("--width 100", "multiple of 8"),
        ("--minutes 0", "more than 0"),
        ("--guided 2", "shares of the run"),
        ("--updates 0", "at least 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        from_words(words.split())
