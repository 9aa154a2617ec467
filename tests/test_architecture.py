"""The directions of imports, and what importing the package loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklstm

PACKAGE = Path(sklstm.__file__).parent
# A room may import rooms of a lower floor only.
FLOORS = [
    {"_storage", "_capacity"},
    {"_archive", "_batches", "_charts", "_growing", "_keras", "_keras_parts"}
    | {"_memory", "_missing", "_panels", "_progress", "_routing", "_seasonal"}
    | {"_blas", "_step_loops", "_sequences", "_labels"},
    {
        "_windows",
        "_scaling",
        "_validation",
        "_text",
        "_calendar",
        "metrics",
        "datasets",
    },
    {"_loops", "_cudnn", "_torch_loops", "_linear", "_history"},
    {"layers", "_spool", "_static"},
    {"_conformal"},
    {"_networks", "_documents", "_ngrams", "_losses"},
    {"_quantiles", "_summary"},
    {
        "_problems",
        "_ensembles",
        "_inference",
        "_gradients",
        "_training",
        "_report",
        "_checkpoints",
    },
    {"_onnx"},
    {"_onnx_forecaster", "_onnx_text", "_forecast_report", "_text_report"}
    | {"_stacking"},
    {"_base"},
    {
        "_window_network",
        "_scikeras_networks",
        "_input_forms",
        "_text_forms",
        "_rolling",
        "_intervals",
        "_adoption",
    },
    {"_backtesting"},
    {"_forecaster", "_text_classifier", "preprocessing", "testing"},
    {"serialization", "inspection", "_display", "sktime", "scikeras", "tuning"},
    {"_attribution_displays", "_backtest_display"},
    {"plotting"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(p for p in PACKAGE.glob("*.py") if p.stem != "__init__")
WITH_KERAS = {"_networks", "_losses", "_training", "layers", "_keras"}
WITH_KERAS |= {"_scikeras_networks"}
WITH_BACKEND = {"_loops", "_cudnn", "_torch_loops", "_step_loops", "layers"}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(names):
    parts = (name.split(".") for name in names)
    return {p[1] for p in parts if p[0] == "sklstm" and len(p) > 1 and p[1] in FLOOR}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_imports_point_one_way(path):
    assert path.stem in FLOOR, f"Give {path.name} a floor in {Path(__file__).name}."
    for room in rooms_of(imported(ast.parse(path.read_text()))):
        lower = FLOOR[room] < FLOOR[path.stem] or (path.stem, room) in SAME_FLOOR
        assert lower, f"{path.stem} must not import {room}: it is not on a lower floor."


SAME_FLOOR = set()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_only_fast_layers_name_a_backend(path):
    tree = ast.parse(path.read_text())
    roots = {name.split(".")[0] for name in imported(tree)}
    if path.stem not in WITH_BACKEND:
        assert not roots & {"jax", "torch", "tensorflow"}
    if path.stem not in WITH_KERAS:
        assert "keras" not in roots


def test_import_loads_neither_keras_nor_a_backend():
    code = (
        "import sys, sklstm; sklstm.LSTMForecaster; "
        "print({'keras', 'jax', 'torch', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_public_names_exist():
    for name in sklstm.__all__:
        assert getattr(sklstm, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'LSTM'"):
        _ = sklstm.LSTM
