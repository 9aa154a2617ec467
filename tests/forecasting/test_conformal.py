from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklstm._forecasting.conformal import (
    MAX_KEPT,
    ConformalErrors,
    blocks_spanned,
    movement_scale,
)
from tests.windows.test_problem import series_problem


def drawn(n_windows, horizon=4, seed=0):
    """Return errors of two targets, growing by step, the second twice as large."""
    errors = np.random.RandomState(seed).standard_t(5, (n_windows, horizon, 2))
    return errors * np.arange(1, horizon + 1)[:, None] * [1, 2]


ONE, AS_LEARNED = np.ones((1, 4, 2)), np.ones((1, 4, 2))


def learned(residuals):
    return ConformalErrors.learn(
        residuals, np.ones_like(residuals), np.ones(len(residuals))
    )


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_intervals_cover_new_errors_at_every_step(coverage):
    width = learned(drawn(4000)).half_width(coverage, ONE, AS_LEARNED)
    inside = np.abs(drawn(4000, seed=1)) <= width
    assert_allclose(inside.mean(axis=0), coverage, atol=0.03)


def test_few_errors_are_covered_at_least_as_often_as_asked():
    inside = [
        np.abs(drawn(1, 1, seed + 1000))
        <= learned(drawn(5, 1, seed)).half_width(0.6, ONE[:, :1], AS_LEARNED)
        for seed in range(400)
    ]
    assert np.mean(inside) > 0.6


def test_a_block_of_few_horizons_has_wider_tails():
    spread = learned(drawn(40))
    assert spread.small_block_factor(0.95) == 1
    blocks = [replace(spread, n_blocks=n) for n in (1, 2, 4, 1000)]
    factors = [[b.small_block_factor(c) for c in (0.5, 0.8, 0.95)] for b in blocks]
    assert_allclose(factors[-1], 1, atol=1e-2)
    # Wider for fewer blocks, and for larger coverages.
    assert (np.diff(factors, axis=0) < 0).all() and (np.diff(factors) > 0).all()
    width, usual = (s.half_width(0.8, ONE, AS_LEARNED) for s in (blocks[1], spread))
    assert_allclose(width, factors[1][1] * usual)


def test_the_largest_of_few_errors_is_extrapolated():
    spread = replace(learned(drawn(2, 1)), n_blocks=1e6)
    # Two errors reach a coverage of 2/3, whose normal quantile is 0.967.
    assert_allclose(spread.small_block_factor(0.6), 1, rtol=1e-3)
    assert_allclose(spread.small_block_factor(0.95), 1.96 / 0.967, rtol=1e-3)


@pytest.mark.parametrize(
    "stride, n_blocks", [(1, 1 + 13 / 3), (2, 1 + 6 * 2 / 3), (4, 3)]
)
def test_blocks_are_the_rows_that_targets_cover(stride, n_blocks):
    problem = series_problem(80, stride=stride)
    rows = problem.split(0.2, None).validation
    data = problem.data(problem.fit_scalers(problem.all_rows()))
    block = SimpleNamespace(data=data, rows=rows)
    assert_allclose(blocks_spanned(block), n_blocks)


def test_a_weight_counts_as_so_many_windows():
    residuals, weights = drawn(40), np.arange(40) % 3
    weighted = ConformalErrors.learn(residuals, np.ones_like(residuals), weights)
    repeated = learned(np.repeat(residuals, weights, axis=0))
    assert_allclose(weighted.scale, repeated.scale)
    for coverage in (0.5, 0.8, 0.95):
        assert_allclose(
            weighted.quantile(coverage), repeated.quantile(coverage), rtol=0.1
        )


def test_spread_never_falls_with_the_step_and_grows_beyond_the_horizon():
    residuals = drawn(30)
    residuals[:, 2] *= 0.01  # a lucky step
    width = learned(residuals).half_width(0.8, np.ones((1, 12, 2)), AS_LEARNED)[0]
    assert (np.diff(width[:4], axis=0) >= 0).all()
    assert (width[4:8] > width[:4]).all()
    assert (width[8:] > width[4:8]).all()


def test_width_grows_with_coverage_and_with_the_unit():
    spread = learned(drawn(11))
    narrow, wide = (
        spread.half_width(0.5, ONE, AS_LEARNED),
        spread.half_width(0.9, ONE, AS_LEARNED),
    )
    assert (narrow < wide).all()
    assert_allclose(spread.half_width(0.5, 3 * ONE, AS_LEARNED), 3 * narrow)


def test_the_scale_of_movement_is_the_root_of_the_mean_change():
    windows = np.array([[0.0, 2, 0, 2], [5, 5, 5, 5]])[:, :, None]
    assert_allclose(movement_scale(windows)[:, 0], [np.sqrt(6 / 4), 1])
    assert_allclose(movement_scale(4 * windows)[0], 2 * movement_scale(windows)[0])
    assert (movement_scale(windows[:, :1]) == 1).all()


def test_errors_of_zero_give_intervals_of_no_width():
    spread = learned(np.zeros((3, 2, 1)))
    assert (spread.half_width(0.9, np.ones((1, 5, 1)), np.ones((1, 2, 1))) == 0).all()


def test_many_errors_are_kept_as_few():
    assert len(learned(drawn(5000)).sizes) == MAX_KEPT


@pytest.mark.parametrize("size", [0.5, 1, 2])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_tracked_widths_hold_their_share_whatever_the_errors(coverage, size):
    spread = learned(drawn(500))
    errors = size * drawn(4000, seed=1)
    unit = np.ones((4000, 4, 2))
    factor = spread.coverage_correction(errors, unit, coverage)
    inside = np.abs(errors) <= spread.half_width(coverage, unit, factor)
    assert_allclose(inside.mean(axis=0), coverage, atol=0.01)
    assert_allclose(factor[2000:].mean(axis=0), size, rtol=0.3)


def test_tracked_widths_know_only_what_came_before():
    spread, errors, unit = learned(drawn(50)), drawn(30, seed=1), np.ones((30, 4, 2))
    factor = spread.coverage_correction(errors, unit, 0.8)
    assert (factor[0] == 1).all() and (factor[1, 1:] == 1).all()
    for origin in (5, 20):
        # Before row 20 stand all steps of origin 16, and one step of origin 19.
        later = np.arange(30)[:, None] + np.arange(4) >= origin
        unknown = np.where(later[:, :, None], np.nan, errors)
        known = spread.coverage_correction(unknown, unit, 0.8)
        assert_allclose(known[: origin + 1], factor[: origin + 1])
        assert_allclose(known[-1], known[origin])


def test_fewer_origins_than_steps_are_tracked():
    spread, errors = learned(drawn(50)), drawn(2, seed=1)
    assert (
        spread.coverage_correction(errors, np.ones_like(errors), 0.8).shape
        == errors.shape
    )


def test_a_tiny_distance_of_quantiles_does_not_rule_the_others():
    residuals = drawn(400)
    unit = np.ones_like(residuals)
    usual = ConformalErrors.learn(residuals, unit, np.ones(400), 0.8)
    unit[::50] = 1e-6
    spread = ConformalErrors.learn(residuals, unit, np.ones(400), 0.8)
    assert_allclose(
        spread.half_width(0.8, ONE, AS_LEARNED),
        usual.half_width(0.8, ONE, AS_LEARNED),
        rtol=0.1,
    )
    assert (spread.half_width(0.8, 1e-6 * ONE, AS_LEARNED) > 0.1).all()
