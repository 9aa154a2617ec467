"""Keep pytest from collecting modules whose optional packages or files are missing."""

from importlib.util import find_spec
from pathlib import Path

EXTRAS = {
    "sklstm/sktime.py": "sktime",
    "sklstm/scikeras.py": "scikeras",
    "sklstm/_networks/scikeras_builders.py": "scikeras",
    "sklstm/layers/torch_loops.py": "torch",
    "tests/test_fuzz.py": "hypothesis",
}
# The sdist contains none of these folders.
FOLDERS = {
    "tests/test_docs.py": "docs",
    "tests/test_examples.py": "examples",
    "tests/pretraining": "pretraining",
}
HERE = Path(__file__).parent
collect_ignore = [path for path, name in EXTRAS.items() if find_spec(name) is None]
collect_ignore += [path for path, name in FOLDERS.items() if not (HERE / name).is_dir()]
