"""Directions of imports, and the modules that importing the package loads."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sklstm

PACKAGE = Path(sklstm.__file__).parent
# A wing imports itself and what stands in a line above its own.
WINGS = [
    ["_utils"],
    ["_series", "layers", "datasets", "data"],
    ["_windows", "_text", "metrics"],
    ["_networks"],
    ["_training"],
    ["_forecasting", "inspection"],
    ["_reporting"],
    ["_base", "plotting"],
    ["_forecaster", "_text_classifier", "preprocessing"],
    ["serialization", "model_selection", "testing", "scikeras", "sktime"],
    ["tuning"],
]
FLOOR = {wing: floor for floor, wings in enumerate(WINGS) for wing in wings}
MODULES = sorted(p for p in PACKAGE.glob("**/*.py") if p != PACKAGE / "__init__.py")
WITH_KERAS = {"layers", "_training", "_utils/keras_backend", "_networks/keras_models"}
WITH_KERAS |= {"_networks/scikeras_builders"}
WITH_BACKEND = {"layers", "_training/jax_steps"}


def name_of(path):
    """The module of a file, below the package: ``_series/history``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_read(path):
    """Modules of the package that a file imports, wherever in it."""
    names = imported(ast.parse(path.read_text("utf-8")))
    parts = (name.split(".") for name in names)
    found = {"/".join(p[1:]) for p in parts if p[0] == "sklstm"} & NAMES
    return found - {name_of(path), name_of(path).rpartition("/")[0]}


def is_among(name, places):
    return name in places or name.partition("/")[0] in places


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_wings_import_what_stands_to_their_left(path):
    wing = name_of(path).partition("/")[0]
    assert wing in FLOOR, f"Give {wing} a place in WINGS of {Path(__file__).name}."
    for name in modules_read(path):
        other = name.partition("/")[0]
        lower = other == wing or FLOOR[other] < FLOOR[wing]
        assert lower, f"{name_of(path)} must not import {name}: {other} is no lower."


def test_no_module_imports_itself_through_others():
    TopologicalSorter({name_of(p): modules_read(p) for p in MODULES}).prepare()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_few_modules_name_keras_or_a_backend(path):
    tree = ast.parse(path.read_text("utf-8"))
    roots = {name.split(".")[0] for name in imported(tree)}
    if not is_among(name_of(path), WITH_BACKEND):
        assert not roots & {"jax", "torch", "tensorflow"}
    if not is_among(name_of(path), WITH_KERAS):
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
