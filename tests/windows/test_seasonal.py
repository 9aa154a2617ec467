import numpy as np
import pytest

from sklstm._windows.seasonal import seasonal_part, seasonal_pattern


def repeated(pattern, n_seasons, n_ahead=0):
    return np.resize(pattern, n_seasons * len(pattern) + n_ahead)


def windows(*rows):
    return np.array(rows)[:, :, None]


@pytest.mark.parametrize("season", [2, 3, 7])
@pytest.mark.parametrize("first", [0, 1])
def test_what_repeats_exactly_is_found_under_level_and_trend(season, first):
    pattern = np.random.default_rng(0).normal(size=season)
    trend = np.arange(season)
    pattern -= pattern.mean() + trend * np.polyfit(trend, pattern, 1)[0]
    pattern -= pattern.mean()
    length = 3 * season + first  # more rows than whole seasons
    steps = np.arange(length + season)
    series = pattern[(steps - length) % season]
    found = seasonal_pattern(
        windows(series[:length] + 5 + 0.3 * steps[:length]), season
    )
    np.testing.assert_allclose(found[0, :, 0], series[length:], atol=1e-9)


def test_noise_and_lines_have_no_pattern():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 24, 1))
    found = seasonal_pattern(noise, 6)
    assert np.square(found).mean() < 0.1  # means of four have a variance of 0.25
    line = np.arange(24.0) * 2 + 1
    np.testing.assert_allclose(seasonal_pattern(windows(line), 6), 0, atol=1e-9)
    np.testing.assert_array_equal(seasonal_pattern(np.ones((1, 8, 2)), 2), 0)


def test_a_pattern_is_shrunk_more_under_noise():
    rng = np.random.default_rng(0)
    pattern = repeated(np.sin(np.arange(12) * np.pi / 6), 4)
    shares = []
    for size in (0, 0.5, 5):
        noisy = pattern + size * rng.normal(size=(300, 48))
        found = seasonal_pattern(noisy[:, :, None], 12)[:, :, 0]
        shares.append((found @ pattern[:12]).mean() / (pattern[:12] @ pattern[:12]))
    assert shares[0] == pytest.approx(1) and 1 > shares[1] > shares[2] > 0


def test_seasons_add_up_and_go_on():
    rng = np.random.default_rng(0)
    day, week = rng.normal(size=4), np.repeat(rng.normal(size=7), 4)
    series = repeated(day, 28, 28) + repeated(week, 4, 28)
    length = 4 * 28
    part = seasonal_part(windows(series[:length]), (28, 4), 28)[0, :, 0]
    left = series - part
    assert part.shape == (length + 28,)
    np.testing.assert_allclose(left, left[0], atol=0.12 * np.ptp(series))
    assert np.std(left) < 0.05 * np.std(series)


def test_windows_do_not_see_each_other_and_targets_stand_for_themselves():
    values = np.random.default_rng(0).normal(size=(5, 12, 2))
    together = seasonal_part(values, (3,), 4)
    alone = seasonal_part(values[2:3, :, 1:], (3,), 4)
    np.testing.assert_allclose(together[2:3, :, 1:], alone)
