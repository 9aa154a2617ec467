"""Write the weights of a checkpoint as safetensors, with their digest.

``python -m pretraining.export run_folder/checkpoint.npz sklstm/data/pretrained``
"""

import argparse
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pretraining import checkpoint
from sklstm._networks.pretrained import DIGEST, WEIGHTS, Pretrained
from sklstm._networks.pretrained_inputs import Architecture


def load_checkpoint(path, part="average"):
    """Return the network of a checkpoint: averaged weights, or the last ones."""
    arrays, record = checkpoint.load(path)
    sizes = {**record["architecture"]}
    sizes["quantiles"] = tuple(sizes["quantiles"])
    weights = {
        name.removeprefix(f"{part}/"): value
        for name, value in arrays.items()
        if name.startswith(f"{part}/")
    }
    return Pretrained(Architecture(**sizes), weights), record["seen"]


def export(source, folder, *, part="average", half=True):
    """Write the weights and `digest.json`; return the path of the weights.

    Parameters
    ----------
    part : {"average", "weights"}
        Averaged weights or the last ones.
    half : bool
        Whether to store 16 bits a weight instead of 32.
    """
    network, seen = load_checkpoint(source, part)
    kind = np.float16 if half else np.float32
    weights = {name: value.astype(kind) for name, value in network.weights.items()}
    path = Path(folder) / WEIGHTS
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = json.dumps(asdict(network.arch))
    record = {
        "architecture": sizes,
        "series_seen": str(seen),
        "license": "BSD-3-Clause",
    }
    save_file(weights, path, record)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = json.dumps(
        {WEIGHTS: {"sha256": digest, "bytes": path.stat().st_size}}, indent=2
    )
    (path.parent / DIGEST).write_text(text + "\n")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("folder")
    parser.add_argument("--part", default="average", choices=["average", "weights"])
    parser.add_argument("--full", action="store_true", help="32 bits a weight")
    args = parser.parse_args()
    print(export(args.checkpoint, args.folder, part=args.part, half=not args.full))


if __name__ == "__main__":
    main()
