"""Batches: units of the context, seeds, and no look at the future."""

import numpy as np
import pytest

from pretraining.batches import HORIZON, job_batches, make_batch
from sklstm._networks.pretrained_inputs import scaled_batch

PATCH = 8


def test_batches_are_finite_and_of_the_shape_told():
    batch = make_batch(200, 12, PATCH, 0)
    assert batch.values.shape == batch.known.shape == (200, 12 * PATCH + HORIZON)
    assert batch.values.dtype == np.float32
    assert np.isfinite(batch.values).all()
    assert (batch.step > 0).all()
    assert batch.weight.mean() > 0.9


def test_a_job_is_fixed_by_its_seed_and_number():
    one, again = job_batches(0, 5, PATCH, 32), job_batches(0, 5, PATCH, 32)
    other = job_batches(0, 6, PATCH, 32)
    np.testing.assert_array_equal(one[1].values, again[1].values)
    assert one[0].values.shape != other[0].values.shape or not np.array_equal(
        one[0].values, other[0].values
    )


def test_contexts_have_a_mean_of_zero_and_a_deviation_of_one():
    values = np.random.default_rng(0).normal(50, 7, (20, 10 * PATCH))
    values[:, ::9] = np.nan
    batch = scaled_batch(values, np.full(20, 10), PATCH)
    inside = np.where(batch.known, batch.values, np.nan)
    np.testing.assert_allclose(np.nanmean(inside, axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(np.nanstd(inside, axis=1), 1, rtol=1e-5)
    units = batch.mean[:, None] + batch.deviation[:, None] * batch.values
    np.testing.assert_allclose(units[batch.known], values[batch.known], rtol=1e-5)


def test_scales_do_not_read_rows_after_the_origin():
    values = np.random.default_rng(0).normal(size=(5, 10 * PATCH))
    changed = values.copy()
    changed[:, 6 * PATCH :] += 100
    one = scaled_batch(values, np.full(5, 6), PATCH)
    other = scaled_batch(changed, np.full(5, 6), PATCH)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.step, other.step)


@pytest.mark.parametrize("level", [0.0, 3.0, 1e9])
def test_a_constant_series_weighs_nothing(level):
    batch = scaled_batch(np.full((2, 4 * PATCH), level), np.full(2, 4), PATCH)
    assert (batch.weight == 0).all()
    assert np.isfinite(batch.values).all()
