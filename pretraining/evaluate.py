"""Score of a trained network on the development half of the contest, without training.

``python -m pretraining.evaluate sklstm/data/pretrained/forecaster.safetensors``
"""

import argparse

import numpy as np
import pandas as pd

from benchmarks.contest_series import (
    KINDS,
    contest,
    relative_error,
    stored_errors,
)
from pretraining.export import load_checkpoint
from sklstm._networks.pretrained import load_weights
from sklstm._windows.adjustment import adjusted, restored

# Seasons by frequency, from short to long.
SEASONS = {"h": (24, 168), "30min": (48, 336), "15min": (96, 672)}
RIVALS = ("default", "ridge_refit", "ets", "theta", "arima", "lgbm")


def origins(line, y):
    """Return contexts of equal length, and the rows that follow them."""
    starts = line.n_train + line.stride * np.arange(line.origins)
    contexts = np.stack([y[s - line.n_train : s] for s in starts])
    return contexts, np.stack([y[s : s + line.horizon] for s in starts])


def seasons_of(line):
    return SEASONS.get(line.freq, (int(line.season),))


def point_forecasts(network, line, y, flip):
    """Return contexts' futures, and forecasts by way: raw, adjusted and their mean."""
    contexts, future = origins(line, y)
    middle = network.arch.quantiles.index(0.5)

    def medians(rows):
        return network.forecast(list(rows), line.horizon, flip=flip)[:, :, middle]

    made = {"raw": medians(contexts)}
    changed, removed = adjusted(contexts, seasons_of(line))
    made["adjusted"] = restored(medians(changed), removed)
    made["mean"] = (made["raw"] + made["adjusted"]) / 2
    return future, made


def scores(network, folder, flip=False):
    """Return MASE over seasonal naive's by series and way, with the rivals'."""
    rows = []
    for y, line in contest(folder):
        future, made = point_forecasts(network, line, y.to_numpy(), flip)
        row = {"id": line.name, "kind": KINDS[line.freq]}
        for name, forecast in made.items():
            error = np.nanmean(np.abs(future - forecast))
            row[name] = relative_error(error, y, line)
        row |= stored_errors(line, RIVALS)
        rows.append(row)
    return pd.DataFrame(rows).set_index("id")


def summary(table):
    """Return geometric means by kind and over all."""
    logs = np.log(table.drop(columns="kind"))
    by_kind = np.exp(logs.groupby(table["kind"], sort=False).mean())
    return pd.concat([by_kind, np.exp(logs.mean()).to_frame("all").T])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="a checkpoint, or a file of weights")
    parser.add_argument("--data", default="../shared/data/series")
    parser.add_argument("--last", action="store_true", help="weights not averaged")
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--series", action="store_true", help="print every series")
    args = parser.parse_args()
    if args.weights.endswith(".npz"):
        part = "weights" if args.last else "average"
        network, seen = load_checkpoint(args.weights, part)
        print(f"{seen:,} series seen")
    else:
        network = load_weights(args.weights)
    table = scores(network, args.data, args.flip)
    if args.series:
        print(table.round(3).to_string())
    print(summary(table).round(3).to_string())


if __name__ == "__main__":
    main()
