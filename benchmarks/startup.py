"""Seconds from the start of a process to the first forecast of a fitted forecaster.

Each figure is the median over new processes, with files in the page cache and Keras not
loaded. Writes ``docs/benchmarks/startup.md``::

    python benchmarks/startup.py [processes]
"""

import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pages import line_of, provenance

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

BARS = {"import sklstm": 0.4, "first forecast, from a pickle": 1}
FIT = (
    "from sklstm import LSTMForecaster\n"
    "from sklstm.datasets import load_air_passengers\n"
    "f = LSTMForecaster(horizon=12{}).fit(load_air_passengers()); f.forecast(12)"
)
NO_KERAS = "; import sys; assert 'keras' not in sys.modules"
CODE = {
    "an empty process": "",
    "import numpy, pandas, sklearn.base": "import numpy, pandas, sklearn.base",
    "import sklstm": "import sklstm",
    "from sklstm import LSTMForecaster": "from sklstm import LSTMForecaster",
    "first forecast, from a pickle": "import pickle"
    "; f = pickle.load(open({pickled!r}, 'rb')); f.forecast(12)" + NO_KERAS,
    "first forecast, from a saved file": "import sklstm"
    "; f = sklstm.load({saved!r}); f.forecast(12)" + NO_KERAS,
    "first forecast, from a fit with epochs=0": FIT.format(", epochs=0") + NO_KERAS,
    "first forecast, from a fit": FIT.format(""),
}


def seconds(code, n):
    spent = []
    for _ in range(n):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent[1:]))  # The first process fills the page cache.


def main(n):
    fitted = LSTMForecaster(36, 12, epochs=2, early_stopping=False, random_state=0)
    fitted.fit(load_air_passengers())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        saved, pickled = Path(folder) / "f.sklstm", Path(folder) / "f.pkl"
        fitted.save(saved)
        pickled.write_bytes(pickle.dumps(fitted))
        for what, code in CODE.items():
            code = code.format(saved=str(saved), pickled=str(pickled))
            cells = what, f"{seconds(code, n):.2f}", BARS.get(what, "")
            rows.append(line_of(cells))
            print(rows[-1], flush=True)
    Path("docs/benchmarks/startup.md").write_text(
        "# Seconds to the first forecast\n\n"
        "The table shows median seconds of whole processes, from start to end, with\n"
        "files in the page cache. Fits are of 144 rows, and only the fit with epochs\n"
        "loads Keras. The environment contains the package alone, because pyarrow\n"
        "adds 0.09 s to the import of pandas. Written by `make bench-startup`.\n\n"
        f"Measured at {provenance()}.\n\n"
        "| what | s | aim |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
