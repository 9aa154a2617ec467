"""Checkpoints: one file that training goes on from after any interruption."""

import json
import os

import numpy as np


def save(path, arrays, record):
    """Write arrays by name and a JSON-able record; a kill leaves the file before."""
    temporary = f"{path}.tmp.npz"
    np.savez(temporary, record=np.array(json.dumps(record)), **arrays)
    os.replace(temporary, path)


def load(path):
    """Return arrays by name and the record."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays, json.loads(str(arrays.pop("record")))
