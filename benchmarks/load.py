"""Predictions of eight threads for a minute, and memory over a thousand small fits.

python benchmarks/load.py [seconds] [fits]
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pages import provenance

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers


def resident():
    """Return the resident memory of this process in MB; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def serve(predict, questions, seconds):
    """Count predictions of eight threads, each checked against that of one thread."""
    expected = [predict(question) for question in questions]

    def work(_):
        end, n = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            i = n % len(questions)
            np.testing.assert_array_equal(predict(questions[i]), expected[i])
            n += 1
        return n

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(work, range(8)))


if __name__ == "__main__":
    print(provenance())
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    n_fits = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    series = load_air_passengers()
    forecaster = LSTMForecaster(12, 12, epochs=1, units=4, random_state=0).fit(series)
    n = serve(forecaster.forecast, range(1, 13), seconds)
    print(f"8 threads, {seconds:.0f} s: {n} forecasts, each as expected")
    texts = [f"{word} film {i}" for i in range(20) for word in ("good", "bad")]
    classifier = LSTMTextClassifier(epochs=1, units=4, random_state=0)
    classifier.fit(texts, [1, 0] * 20)
    n = serve(classifier.predict_proba, [texts[i : i + 8] for i in range(32)], seconds)
    print(f"8 threads, {seconds:.0f} s: {n} batches of 8 texts, each as expected")
    labels = [1, 0] * 20
    for name, fit in (
        ("forecaster", lambda: forecaster.fit(series)),
        ("classifier", lambda: classifier.fit(texts, labels)),
    ):
        for i in range(1, n_fits + 1):
            fit()
            if i == 50:
                before = resident()
        print(
            f"{name}: resident memory after 50 fits {before:.0f} MB, after {n_fits}: "
            f"{resident():.0f} MB, {resident() - before:+.1f} MB (bar 10 MB)",
            flush=True,
        )
