"""Synthetic series: shapes, seeds, finite values, and variety."""

import numpy as np
import pytest

from pretraining import events, seasons, transforms, trends
from pretraining.noise import noise
from pretraining.series import make_series


@pytest.mark.parametrize(("n", "length"), [(64, 96), (300, 384), (1, 64)])
def test_series_have_the_shape_asked_for(n, length):
    values, periods = make_series(n, length, 0)
    assert values.shape == (n, length)
    assert periods.shape == (n,)
    assert periods.max(initial=0) <= length // 3


def test_a_seed_fixes_every_value_and_another_seed_changes_them():
    first, again, other = (make_series(50, 120, seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


def test_values_are_finite_or_missing_and_few_are_missing():
    values, _ = make_series(2000, 200, 1)
    assert not np.isinf(values).any()
    assert 0.002 < np.isnan(values).mean() < 0.05
    assert np.nanmax(np.abs(values)) < 1e6


def test_series_are_diverse():
    """Seasonal, positive, rough, smooth, heavy-tailed, with zeros; and not."""
    values, periods = make_series(2000, 200, 2)
    values = values[~np.isnan(values).any(axis=1)]
    centred = transforms.standardized(values)
    memory = (centred[:, 1:] * centred[:, :-1]).mean(axis=1)
    kurtosis = (centred**4).mean(axis=1)
    assert 0.4 < (periods > 0).mean() < 0.7
    assert len(np.unique(periods)) > 20
    assert 0.2 < (values.min(axis=1) > 0).mean() < 0.8
    assert (memory < 0.2).mean() > 0.05
    assert (memory > 0.95).mean() > 0.1
    assert (kurtosis > 6).mean() > 0.05
    assert ((values == 0).mean(axis=1) > 0.2).mean() > 0.01


@pytest.mark.parametrize("make", [kind for kind, _ in trends.KINDS] + [trends.smooth])
def test_trends_are_finite_and_differ(make):
    made = make(np.random.default_rng(0), 40, 150)
    assert made.shape == (40, 150)
    assert np.isfinite(made).all()
    assert (made.std(axis=1) > 0).all()


def test_cycles_are_stationary():
    made = trends.cycle(np.random.default_rng(0), 200, 400)
    early, late = made[:, 100:200].std(axis=1), made[:, 300:].std(axis=1)
    assert 0.7 < np.median(late / early) < 1.4


@pytest.mark.parametrize("make", [kind for kind, _ in seasons.KINDS])
@pytest.mark.parametrize("period", [2, 7, 12, 52])
def test_profiles_are_finite(make, period):
    made = make(np.random.default_rng(0), 30, period)
    assert made.shape == (30, period)
    assert np.isfinite(made).all()


def test_a_season_repeats():
    made = seasons.repeat(np.random.default_rng(0), np.full(20, 12), 120)
    np.testing.assert_allclose(made[:, 12:], made[:, :-12])


def test_noise_is_finite_for_every_kind_of_size():
    rng = np.random.default_rng(0)
    made = noise(rng, 500, 200, np.full(500, 12))
    assert np.isfinite(made).all()


@pytest.mark.parametrize("change", [kind for kind, _ in transforms.KINDS])
def test_transformations_keep_shape_and_finite_values(change):
    rng = np.random.default_rng(0)
    values = transforms.standardized(rng.normal(size=(100, 80)))
    made = change(rng, values)
    assert made.shape == values.shape
    assert np.isfinite(made).all()


@pytest.mark.parametrize(
    "happen", [events.level_shifts, events.pulses, events.outliers]
)
def test_events_change_some_series_and_spare_most(happen):
    rng = np.random.default_rng(0)
    values = transforms.standardized(rng.normal(size=(400, 80)))
    changed = (happen(rng, values.copy()) != values).any(axis=1)
    assert 0.01 < changed.mean() < 0.2
