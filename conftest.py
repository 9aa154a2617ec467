"""Which modules pytest leaves alone: those of extras that are not installed."""

from importlib.util import find_spec

EXTRAS = {
    "sklstm/sktime.py": "sktime",
    "sklstm/scikeras.py": "scikeras",
    "sklstm/_torch_loops.py": "torch",
    "tests/test_fuzz.py": "hypothesis",
}
collect_ignore = [path for path, name in EXTRAS.items() if find_spec(name) is None]
