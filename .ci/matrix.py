"""Run the contract suites on versions of scikit-learn and pandas, and Keras backends.

python .ci/matrix.py [--write] [--few] [CELL ...]

Each cell has its own environment in .venv-matrix. --write writes its row of
docs/versions.md; rows of other cells stay as they are. --few runs only the contracts of
the estimators, which takes two or three minutes including the environment.
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
# Name: Keras backend, packages.
CELLS = {
    # The oldest versions that pyproject.toml allows.
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
# Cells on JAX share compiled programs, which saves minutes in each.
CACHE = {
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".venv-matrix" / "jax-cache"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
HEAD = """# Versions

This page lists the versions of packages and backends with which sklstm is tested. The
table shows the results of the contract suites of scikit-learn and sklstm; each row was
run in its own environment. `tests/` names the checks that are expected to fail, and the
reasons. Two kinds of checks are skipped: those of the array API, which needs a separate
package, and those of other backends (torch's loops, TensorBoard, several devices of
XLA). Written by `make test-matrix`.

| cell | backend | versions | passed | skipped | expected failures | failed | on |
|---|---|---|---|---|---|---|---|
"""


def run(name, what, tests, backend, *packages):
    """Create the environment of a cell, run its tests, and return its row."""
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
    """Return {name: version} of the packages in SHOWN that are installed."""
    code = (
        "import json, sys; from importlib import metadata; "
        "known = {d.name.replace('_', '-').lower(): d.version"
        " for d in metadata.distributions()}; "
        "print(json.dumps({n: known[n] for n in sys.argv[1:] if n in known}))"
    )
    run = subprocess.run([python, "-c", code, *SHOWN], check=True, capture_output=True)
    return json.loads(run.stdout)


def counted(report):
    """Count tests that passed, were skipped, failed as expected, and failed."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    n, errors, failures, skipped = (
        int(suite.get(kind)) for kind in ("tests", "errors", "failures", "skipped")
    )
    expected = sum(case.get("type") == "pytest.xfail" for case in suite.iter("skipped"))
    bad = errors + failures
    return n - bad - skipped, skipped - expected, expected, bad


def write(rows):
    """Write rows to the page, in the order of the cells."""
    by_cell = {}
    if PAGE.exists():
        lines = PAGE.read_text("utf-8").splitlines()
        by_cell = {
            m[1]: line for line in lines if (m := re.match(r"\| ([\w.-]+) \|", line))
        }
    by_cell |= {row[0]: f"| {' | '.join(map(str, row))} |" for row in rows}
    lines = [by_cell[name] for name in CELLS if name in by_cell]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("cells", nargs="*", metavar="CELL", help=", ".join(CELLS))
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.cells) - set(CELLS))
    if unknown:
        parser.error(f"unknown cell {unknown[0]}; choose from {', '.join(CELLS)}")
    if arguments.few and arguments.write:
        parser.error("--write excludes --few, because rows count all tests")
    what, tests = FEW if arguments.few else (WHAT, TESTS)
    rows = []
    for cell in arguments.cells or CELLS:
        rows.append(run(cell, what, tests, *CELLS[cell]))
        if arguments.write:
            write(rows[-1:])
    sys.exit(any(row[-2] for row in rows))
