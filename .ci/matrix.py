"""The contract suites on versions of scikit-learn and pandas, and backends of Keras.

python .ci/matrix.py [--write] [--few] [CELL ...]

Each cell has an environment of its own in .venv-matrix. With --write its row of
docs/versions.md is written, and rows of cells that were not run stay. With --few the
estimators' contracts alone run, which takes two or three minutes with the environment.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "versions.md"
# Name: backend of Keras, what to install.
CELLS = {
    # With the oldest of everything that pyproject.toml allows.
    "sklearn-1.6": ("jax", "--requirement", str(ROOT / ".ci" / "oldest.txt")),
    "sklearn-1.7": ("jax", "scikit-learn==1.7.*", "pandas==2.2.*"),
    "sklearn-1.8": ("jax", "scikit-learn==1.8.*", "pandas==3.0.*"),
    "sklearn-1.9": ("jax", "scikit-learn==1.9.*", "pandas==3.*"),
    "torch": ("torch", "torch==2.13.0"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorboard"),
}
# pytest 9 refuses the checks of scikit-learn before 1.8.
ALWAYS = (
    "pytest<9",
    "pytest-xdist",
    "safetensors",
    "scikeras",
    "--editable",
    str(ROOT),
)
SHOWN = "scikit-learn", "pandas", "numpy", "keras", "jax", "torch", "tensorflow-cpu"
WHAT = "contract or determinism or torch_loops or keras_features"
TESTS = [
    f"tests/{name}.py"
    for name in (
        "test_forecaster test_text_classifier test_preprocessing test_scikeras "
        "test_determinism layers/test_torch_loops training/test_keras_features"
    ).split()
]
FEW = "contract", ["tests/test_forecaster.py", "tests/test_preprocessing.py"]
# Cells on JAX share what it compiled.
CACHE = {
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".venv-matrix" / "jax-cache"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
HEAD = """# Versions

The contract suites of scikit-learn and our own, `make test-matrix`, each row in an
environment of its own. Checks that are expected to fail are named, with the reason, in
`tests/`; skipped are those of the array API, which needs a package of its own, and
those of another backend: torch's loops, TensorBoard, several devices of XLA.

| cell | backend | versions | passed | skipped | expected failures | failed | on |
|---|---|---|---|---|---|---|---|
"""


def run(name, what, tests, backend, *packages):
    """Make the environment of a cell, and test in it: what its row says."""
    folder = ROOT / ".venv-matrix" / name
    python, report = folder / "bin" / "python", folder / "report.xml"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--upgrade"]
    subprocess.run([*install, *ALWAYS, *packages], check=True)
    versions = ", ".join(f"{n} {v}" for n, v in installed(python).items())
    print(f"== {name}, {backend}: {versions}", flush=True)
    pytest = [python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    subprocess.run(
        [*pytest, "-k", what, f"--junit-xml={report}", *tests],
        cwd=ROOT,
        env=os.environ | CACHE | {"KERAS_BACKEND": backend},
    )
    today = datetime.date.today().isoformat()
    passed, skipped, expected, failed = counted(report)
    return name, backend, versions, passed, skipped, expected, failed, today


def installed(python):
    """{name: version} of what is shown, as far as it is there."""
    code = (
        "import json, sys; from importlib import metadata; "
        "known = {d.name.replace('_', '-').lower(): d.version"
        " for d in metadata.distributions()}; "
        "print(json.dumps({n: known[n] for n in sys.argv[1:] if n in known}))"
    )
    told = subprocess.run([python, "-c", code, *SHOWN], check=True, capture_output=True)
    return json.loads(told.stdout)


def counted(report):
    """Numbers of tests that passed, were skipped, failed as expected, and failed."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    n, errors, failures, skipped = (
        int(suite.get(kind)) for kind in ("tests", "errors", "failures", "skipped")
    )
    expected = sum(case.get("type") == "pytest.xfail" for case in suite.iter("skipped"))
    bad = errors + failures
    return n - bad - skipped, skipped - expected, expected, bad


def write(rows):
    """Put rows on the page, in the order of the cells."""
    known = {}
    if PAGE.exists():
        lines = PAGE.read_text("utf-8").splitlines()
        known = {
            m[1]: line for line in lines if (m := re.match(r"\| ([\w.-]+) \|", line))
        }
    known |= {row[0]: f"| {' | '.join(map(str, row))} |" for row in rows}
    lines = [known[name] for name in CELLS if name in known]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("cells", nargs="*", metavar="CELL", help=", ".join(CELLS))
    asked = parser.parse_args()
    unknown = sorted(set(asked.cells) - set(CELLS))
    if unknown:
        parser.error(f"no cell {unknown[0]}; there are {', '.join(CELLS)}")
    if asked.few and asked.write:
        parser.error("rows are of all tests: --write goes without --few")
    what, tests = FEW if asked.few else (WHAT, TESTS)
    rows = []
    for cell in asked.cells or CELLS:
        rows.append(run(cell, what, tests, *CELLS[cell]))
        if asked.write:
            write(rows[-1:])
    sys.exit(any(row[-2] for row in rows))
