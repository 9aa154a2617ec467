"""Seconds of 20 grid-search fits with and without the cache of compiled networks.

python benchmarks/compile_cache.py
"""

import time

from pages import provenance
from sklearn.model_selection import ParameterGrid

from sklstm import LSTMForecaster
from sklstm._training import compiled
from sklstm.datasets import load_air_passengers

GRID = ParameterGrid(
    {"units": [8, 16], "learning_rate": [0.001, 0.003], "seed": range(5)}
)


def run(cached):
    """Return the seconds of each fit."""
    series, seconds = load_air_passengers(), []
    compiled._cache.clear()
    for candidate in GRID:
        if not cached:
            compiled._cache.clear()
        start = time.perf_counter()
        LSTMForecaster(
            24,
            12,
            units=candidate["units"],
            learning_rate=candidate["learning_rate"],
            random_state=candidate["seed"],
        ).fit(series)
        seconds.append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    print(provenance())
    run(True)  # Imports Keras and its backend, which is not what is timed.
    for cached in (False, True):
        seconds = run(cached)
        print(
            f"{'with' if cached else 'without'} cache: {sum(seconds):.1f} s for "
            f"{len(seconds)} fits, median {sorted(seconds)[len(seconds) // 2]:.3f} s"
        )
