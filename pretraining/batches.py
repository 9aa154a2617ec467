"""Batches of synthetic series: contexts, seasonal adjustment, scales, futures."""

import multiprocessing
from dataclasses import dataclass, fields
from queue import Full

import numpy as np

from pretraining.adjust import (
    LEAST_CYCLES,
    filled,
    remove_season,
    seasonal_indices,
)
from pretraining.series import make_series

ADJUSTED_SHARE = 0.65
# Contexts of many lengths, in patches, and how often each comes up.
LENGTHS = (6, 12, 24, 42)
LENGTH_SHARES = (0.2, 0.3, 0.28, 0.22)
HORIZON = 48


@dataclass(frozen=True)
class Batch:
    """Series in units of their context.

    Attributes
    ----------
    values : ndarray of shape (n, n_patches * patch + horizon), float32
        Values less the context's mean, in deviations of the context; gaps filled.
    known : ndarray of the same shape, bool
        Whether a value is no gap.
    step : ndarray of shape (n,), float32
        Mean absolute difference of neighbours in the context, in its deviations.
    origin : ndarray of shape (n,), int32
        Number of patches from which mean, deviation and step were taken.
    weight : ndarray of shape (n,), float32
        Zero for a series that does not move.
    mean, deviation : ndarray of shape (n,), float64
        Of the contexts, in the units of the series.
    """

    values: np.ndarray
    known: np.ndarray
    step: np.ndarray
    origin: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def make_batch(n, n_patches, patch, seed, *, last_origin=False):
    """Return a batch made from a seed.

    Parameters
    ----------
    last_origin : bool
        Whether all scales are taken from the whole context, as in evaluation; else
        from a random part of it, after which every patch is an origin of a forecast.
    """
    length = n_patches * patch + HORIZON
    rng = np.random.default_rng([*np.atleast_1d(seed), 1])
    values, periods = make_series(n, length, seed)
    origin = np.full(n, n_patches)
    if not last_origin:
        groups, group = np.unique(periods, return_inverse=True)
        least = max(n_patches // 3, 1)
        origin = rng.integers(least, n_patches + 1, len(groups))[group]
    for period in np.unique(periods[periods > 0]):
        rows = np.flatnonzero(periods == period)
        rows = rows[rng.random(len(rows)) < ADJUSTED_SHARE]
        n_rows = origin[periods == period][0] * patch
        if len(rows) and n_rows >= LEAST_CYCLES * period + 1:
            values[rows] = adjusted(values[rows], period, n_rows)
    missing = rng.integers(0, patch, (n, 1)) > np.arange(patch)
    values[:, :patch] = np.where(missing, np.nan, values[:, :patch])
    return scaled_batch(values, origin, patch)


def adjusted(values, period, n_rows):
    """Remove the season that the first rows show from all rows, as a forecast does."""
    index, multiplicative = seasonal_indices(values[:, :n_rows], period)
    return remove_season(values, index, multiplicative)


def scaled_batch(values, origin, patch):
    """Bring series to the units of their contexts."""
    known = np.isfinite(values)
    context = np.arange(values.shape[1]) < (origin * patch)[:, None]
    count = (known & context).sum(axis=1)
    known[count == 0] = True
    whole = filled(np.where(known, np.nan_to_num(values, nan=0.0), np.nan))
    inside = known & context
    n_known = np.maximum(inside.sum(axis=1), 1)
    mean = np.where(inside, whole, 0).sum(axis=1) / n_known
    centred = whole - mean[:, None]
    deviation = np.sqrt(np.where(inside, centred**2, 0).sum(axis=1) / n_known)
    change = np.abs(np.diff(whole, axis=1)) * (inside[:, 1:])
    step = change.sum(axis=1) / np.maximum(inside[:, 1:].sum(axis=1), 1)
    largest = np.abs(whole).max(axis=1)
    moves = (count >= 4) & (deviation > 1e-6 * largest) & (step > 1e-3 * deviation)
    deviation = np.where(moves, deviation, 1.0)
    return Batch(
        np.clip(centred / deviation[:, None], -1e4, 1e4).astype(np.float32),
        known,
        np.where(moves, step / deviation, 1.0).astype(np.float32),
        origin.astype(np.int32),
        moves.astype(np.float32),
        mean,
        deviation,
    )


def job_batches(seed, job, patch, batch_size, per_job=2):
    """Return the batches of a job; a seed and a job number fix every value."""
    rng = np.random.default_rng([seed, job, 2])
    n_patches = int(rng.choice(LENGTHS, p=LENGTH_SHARES))
    made = make_batch(per_job * batch_size, n_patches, patch, [seed, job])
    order = rng.permutation(per_job * batch_size)
    parts = []
    for k in range(per_job):
        rows = order[k * batch_size : (k + 1) * batch_size]
        parts.append(
            Batch(*(getattr(made, field.name)[rows] for field in fields(made)))
        )
    return parts


FIELDS = ("values", "known", "step", "origin", "weight")


def produce(queue, seed, first, stride, patch, batch_size):
    """Put the jobs `first`, `first + stride`, … into a queue while the parent lives."""
    job, parent = first, multiprocessing.parent_process()
    while parent.is_alive():
        made = job, job_batches(seed, job, patch, batch_size)
        job += stride
        while parent.is_alive():
            try:
                queue.put(made, timeout=10)
                break
            except Full:
                continue


def start_producers(n_workers, seed, first, patch, batch_size):
    """Start processes that make the jobs from `first` on."""
    context = multiprocessing.get_context("spawn")
    queues, workers = [], []
    for k in range(n_workers):
        queue = context.Queue(maxsize=6)
        arguments = (queue, seed, first + k, n_workers, patch, batch_size)
        worker = context.Process(target=produce, args=arguments, daemon=True)
        worker.start()
        queues.append(queue)
        workers.append(worker)
    return workers, queues
