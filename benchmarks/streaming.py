"""Cost of appending a row and forecasting again, by the length of the history.

The network is fitted once, on hourly rows; `update` then lengthens the history without
training. Writes ``docs/benchmarks/streaming.md``::

    python benchmarks/streaming.py
"""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
from pages import line_of, provenance

from sklstm import LSTMForecaster

PAGE = Path("docs/benchmarks/streaming.md")
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
WINDOW_LENGTH, HORIZON, N_REPEATS = 48, 24, 200


def rows(index):
    t = np.arange(len(index))
    y = pd.Series(np.sin(t / 4) + np.sin(t / 27), index, name="y")
    return pd.DataFrame({"x": np.cos(t / 9)}, index), y


def steps_of(f):
    """Return the measured calls by name, each on the rows after the history."""

    def after(n):
        return rows(f._state.series[None].history.after(n))

    return {
        "update and forecast": lambda: f.update(*after(1)).forecast(
            X=after(HORIZON)[0]
        ),
        "observe": lambda: f.observe(*after(1)),
        "forecast_interval": lambda: f.forecast_interval(X=after(HORIZON)[0]),
    }


def main():
    about = provenance()
    X, y = rows(pd.date_range("1900", periods=LENGTHS[0], freq="h"))
    fitted = LSTMForecaster(
        WINDOW_LENGTH, HORIZON, calendar=("hour",), epochs=1, random_state=0
    ).fit(X, y)
    lines = []
    for length in LENGTHS:
        f = fitted._copy()
        if length > LENGTHS[0]:
            index = fitted._state.series[None].history.after(length - LENGTHS[0])
            f.update(*rows(index))
        start = time.perf_counter()
        steps_of(f)["update and forecast"]()
        first = time.perf_counter() - start
        cells = [f"{length:,}", f"{1000 * first:.1f}"]
        for step in steps_of(f).values():
            seconds = []
            for _ in range(N_REPEATS):
                start = time.perf_counter()
                step()
                seconds.append(time.perf_counter() - start)
            tracemalloc.start()
            step()
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            cells.append(f"{1000 * np.median(seconds):.2f} / {most / 1e6:.2f}")
        lines.append(line_of(cells))
        print(lines[-1], flush=True)
    names = " | ".join(steps_of(f))
    PAGE.write_text(
        f"{HEAD}Measured at {about}.\n\n"
        f"| rows | first update | {names} |\n|---|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


HEAD = f"""# Streaming

The table shows the time and memory to append one row and to forecast {HORIZON} rows,
with exogenous variables, a calendar and a window of {WINDOW_LENGTH} rows: median
milliseconds of {N_REPEATS} calls / peak megabytes of one call. The first update after a
fit, or after a longer block of rows, may copy the history into a larger buffer.
Intervals take longer than forecasts because they read up to 1,000 rows since the fit; a
history of 1,000 rows has fewer of them. Written by `python benchmarks/streaming.py`.

"""

if __name__ == "__main__":
    main()
