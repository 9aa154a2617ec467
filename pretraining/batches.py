"""Batches of synthetic series: contexts, seasonal adjustment, scales, futures."""

import multiprocessing
from dataclasses import fields
from queue import Full

import numpy as np

from pretraining.series import make_series
from sklstm._networks.pretrained_inputs import Batch, scaled_batch
from sklstm._windows.adjustment import (
    LEAST_CYCLES,
    remove_season,
    seasonal_indices,
)

ADJUSTED_SHARE = 0.65
# Contexts of many lengths, in patches, and how often each comes up.
LENGTHS = (6, 12, 24, 42)
LENGTH_SHARES = (0.2, 0.3, 0.28, 0.22)
HORIZON = 48


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
