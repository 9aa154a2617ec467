"""Seasonal adjustment: what is taken off is the season, and it can be put back."""

import numpy as np
import pytest

from sklstm._windows.adjustment import (
    add_season,
    adjusted,
    filled,
    remove_season,
    restored,
    seasonal_indices,
)

PERIOD = 12


def made(multiplicative, noise=0.02, n_rows=96):
    rng = np.random.default_rng(0)
    t = np.arange(n_rows)
    season = rng.normal(0, 0.3, PERIOD)
    season = (season - season.mean())[t % PERIOD]
    level = 10 + 0.1 * t
    values = level * (1 + season) if multiplicative else level + 5 * season
    return (values + rng.normal(0, noise, n_rows))[None], level


@pytest.mark.parametrize("multiplicative", [False, True])
def test_the_season_is_found_and_its_kind(multiplicative):
    values, level = made(multiplicative)
    index, kind = seasonal_indices(values, PERIOD)
    assert kind[0] == multiplicative
    changed = remove_season(values, index, kind)
    np.testing.assert_allclose(changed[0], level, atol=0.25)


@pytest.mark.parametrize("multiplicative", [False, True])
def test_a_season_removed_is_put_back(multiplicative):
    values, _ = made(multiplicative)
    index, kind = seasonal_indices(values, PERIOD)
    changed = remove_season(values, index, kind, first=5)
    np.testing.assert_allclose(add_season(changed, index, kind, 5), values)


def test_noise_has_next_to_no_season():
    values = np.random.default_rng(0).normal(size=(200, 60))
    index, _ = seasonal_indices(values, PERIOD)
    assert index.std() < 0.3  # without shrinking 0.45


def test_late_cycles_count_more():
    t = np.arange(96)
    growing = (t * np.sin(2 * np.pi * t / PERIOD))[None]
    even, _ = seasonal_indices(growing, PERIOD, decay=1.0)
    late, _ = seasonal_indices(growing, PERIOD, decay=0.5)
    assert even.max() < 60 < late.max() < 96


def test_gaps_do_not_disturb_the_season():
    values, _ = made(False)
    holes = values.copy()
    holes[0, ::17] = np.nan
    index, _ = seasonal_indices(holes, PERIOD)
    np.testing.assert_allclose(index, seasonal_indices(values, PERIOD)[0], atol=0.4)


def test_gaps_are_filled_by_the_last_value_and_a_first_gap_by_the_next():
    values = np.array([[np.nan, 1.0, np.nan, 3.0]])
    np.testing.assert_array_equal(filled(values), [[1.0, 1.0, 1.0, 3.0]])


def test_two_seasons_are_removed_and_put_back_after_the_end():
    t = np.arange(22 * 24 + 30)
    shape = np.sin(2 * np.pi * t / 24) + (t // 24 % 7 == 5)
    values, removed = adjusted(shape[None, : 22 * 24], (24, 168))
    assert np.abs(np.diff(values)).max() < 0.2
    ahead = np.broadcast_to(values[:, -1:], (1, 30))
    np.testing.assert_allclose(restored(ahead, removed)[0], shape[-30:], atol=0.2)


def test_series_that_begin_late_are_adjusted_as_alone():
    values, _ = made(False)
    padded = np.full((2, 130), np.nan)
    padded[0, -96:], padded[1, -30:] = values, values[0, -30:]
    together, _ = adjusted(padded, (PERIOD,))
    for row, n_rows in zip(together, (96, 30), strict=True):
        alone, _ = adjusted(values[:, -n_rows:], (PERIOD,))
        np.testing.assert_allclose(row[-n_rows:], alone[0])


def test_a_series_of_two_seasons_or_less_stays_as_it_is():
    values, _ = made(False, n_rows=24)
    np.testing.assert_array_equal(adjusted(values, (PERIOD, 1))[0], values)
