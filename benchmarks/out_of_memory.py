"""Train on a series ten times as large as the memory that the process may add.

python benchmarks/out_of_memory.py [MB]

The cap is on private data (RLIMIT_DATA): the given MB above the private data after a
fit of 100,000 rows, which include the interpreter, Keras, JAX and its compiled steps.
Mapped files do not count, because the system can reclaim their pages at any time. Linux
only. The file needs ten times the MB on disk, in the folder that TMPDIR names.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pages import provenance

BLOCK = 2**22


def status(name):
    """Return a size from /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def write(path, n_rows):
    """Write a daily and a weekly wave with noise, in single precision."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for first in range(0, n_rows, BLOCK):
            row = np.arange(first, min(first + BLOCK, n_rows)) % 168
            wave = np.sin(row * (2 * np.pi / 24)) + 0.5 * np.sin(row * (np.pi / 84))
            noise = rng.normal(scale=0.2, size=len(row)).astype(np.float32)
            file.write((wave.astype(np.float32) + noise).data)


def train(path, cap):
    """Fit under a cap of MB above a small fit, and print time and memory."""
    from sklstm import LSTMForecaster

    f = LSTMForecaster(48, 24, stride=1999, units=16, epochs=1, batch_size=1024)
    f.set_params(refit=False, random_state=0)
    series = np.memmap(path, np.float32, "r")
    held = f.fit(series[:100_000]) and int(status("VmData"))
    most = (held + cap) * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        np.array(series, np.float64)
        raise SystemExit("The cap has no effect: a copy of the series fits.")
    except MemoryError:
        pass
    start = time.perf_counter()
    f.fit(series)
    error = np.sqrt(np.mean((f.forecast(24) - expected_after(len(series))) ** 2))
    print(
        f"{cap} MB above the {held} MB of a small fit, series of "
        f"{series.nbytes / 2**20:,.0f} MB ({len(series):,} rows): "
        f"{time.perf_counter() - start:.0f} s, private data at "
        f"the end {status('VmData'):.0f} MB, in memory {status('RssAnon'):.0f} MB; "
        f"forecasts off the wave by {error:.3f} (noise 0.2)"
    )


def expected_after(n_rows):
    row = np.arange(n_rows, n_rows + 24) % 168
    return np.sin(row * (2 * np.pi / 24)) + 0.5 * np.sin(row * (np.pi / 84))


if __name__ == "__main__":
    cap = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if len(sys.argv) > 2:
        train(Path(sys.argv[2]), cap)
    else:
        print(provenance())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "series"
            write(path, 10 * cap * 2**20 // 4)
            subprocess.run([sys.executable, __file__, str(cap), path], check=True)
