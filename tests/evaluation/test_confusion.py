"""Who wins on a clip: counted by hand, every clip once, ties shared, failed ones named."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sfmcam.evaluation.confusion import confusion, share_of_no_below

NAN = float("nan")
YES, NO = 1.0, 0.0


def test_by_hand() -> None:
    """Primitive 0 on six clips: it wins, it loses to 1, it ties with 2, a second Yes is no rival, it failed, nobody is asked."""
    labels = np.array([[YES, YES, YES, YES, YES, YES], [NO, NO, NO, YES, NO, NAN], [NO, NO, NO, NO, NO, NAN]])
    values = np.array([[0.9, 0.2, 0.5, 0.4, NAN, 0.9], [0.1, 0.8, 0.1, 0.9, 0.9, 0.9], [0.2, 0.3, 0.5, 0.1, 0.1, 0.9]])
    found = confusion(0, values, labels)
    assert (found.positives, found.failed, found.unrivalled, found.nothing) == (6, 1, 1, 0.0)
    np.testing.assert_allclose(found.wins, [1 + 0.5 + 1, 1, 0.5])
    np.testing.assert_allclose(found.strongest_wrong, [0, 1, 3])


def test_a_rival_that_failed_is_none() -> None:
    labels, values = np.array([[YES], [NO]]), np.array([[0.1], [NAN]])
    assert confusion(0, values, labels).unrivalled == 1


def test_a_method_that_says_no_to_all_names_no_winner() -> None:
    labels = np.array([[YES, YES, YES], [NO, NO, NO], [NO, NO, NO]])
    values = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    found = confusion(0, values, labels, nothing_below=0.0)
    assert found.nothing == 1.0
    np.testing.assert_allclose(found.wins, [0.5, 1.5, 0])


def test_no_clip_shows_it() -> None:
    found = confusion(0, np.array([[0.5], [0.6]]), np.array([[NO], [YES]]))
    assert (found.positives, found.wins.tolist(), found.strongest_wrong.tolist()) == (0, [0.0, 0.0], [0.0, 0.0])


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 6), st.integers(1, 20), st.integers(0, 10_000))
def test_every_clip_counts_once(primitives: int, clips: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([YES, NO, NAN], (primitives, clips))
    values = rng.integers(0, 4, (primitives, clips)).astype(float)
    values[rng.random(values.shape) < 0.2] = NAN
    for true in range(primitives):
        found = confusion(true, values, labels)
        counted = found.positives - found.failed - found.unrivalled
        assert np.isclose(found.wins.sum(), counted)
        assert np.isclose(found.strongest_wrong.sum(), counted)
        assert found.strongest_wrong[true] == 0
        assert found.positives == (labels[true] == YES).sum()


def test_share_of_no_below() -> None:
    scores = np.array([1.0, 2.0, 2.0, 5.0, NAN, 0.0])
    labels = np.array([False, False, True, True, False, True])
    np.testing.assert_allclose(share_of_no_below(scores, labels), [0.25, 0.75, 0.75, 1.0, NAN, 0.0])  # the No clips: 1, 2
    assert np.isnan(share_of_no_below(np.array([1.0]), np.array([True]))).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 30), st.integers(0, 10_000))
def test_the_share_keeps_the_order_and_knows_no_scale(num: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 9, num).astype(float), rng.random(num) < 0.3
    labels[0] = False
    share = share_of_no_below(scores, labels)
    np.testing.assert_allclose(share, share_of_no_below(np.exp(scores) * 7 - 3, labels))
    order = np.argsort(scores)
    assert (np.diff(share[order]) >= 0).all()
    assert np.isclose(share[~labels].mean(), 0.5)  # of the No clips themselves
