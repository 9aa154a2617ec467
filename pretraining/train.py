"""Train the network on synthetic series; killed at any time, it goes on.

``python -m pretraining.train run_folder --total 5000000``
"""

import argparse
import json
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from pretraining import checkpoint
from pretraining.batches import FIELDS, LENGTHS, make_batch, start_producers
from pretraining.loss import pinball
from pretraining.network import Architecture, build, keras, n_parameters

DECAY, FIRST, SECOND, EPSILON = 0.01, 0.9, 0.98, 1e-8
LARGEST_GRADIENT = 1.0
# The average reaches over the last twelfth of all steps, however many they are.
AVERAGING = 12.0
HELD_OUT_SEED = 10**9


def learning_rate(seen, args):
    """Return the rate after so many series: warm-up, constant, linear to zero."""
    warm = min(1.0, (seen + 1) / args.warm_up)
    left = (args.total - seen) / (args.cooldown * args.total)
    return args.rate * warm * float(np.clip(left, 0.0, 1.0))


def fields(batch):
    return tuple(getattr(batch, name) for name in FIELDS)


def make_step(arch, model):
    """Return the compiled training step, by AdamW with an average of the weights."""

    @partial(jax.jit, donate_argnums=(0,))
    def step(state, batch, rate):
        weights, first, second, average, count = state
        loss, gradient = jax.value_and_grad(partial(pinball, arch, model))(
            weights, batch
        )
        norm = jnp.sqrt(sum((g**2).sum() for g in gradient))
        shrink = jnp.minimum(1.0, LARGEST_GRADIENT / (norm + 1e-9))
        count = count + 1
        bias_1, bias_2 = 1 - FIRST**count, 1 - SECOND**count
        keep = 1 - AVERAGING / (count + AVERAGING)
        new = [[], [], [], []]
        for w, m, v, a, g in zip(
            weights, first, second, average, gradient, strict=True
        ):
            g = g * shrink
            m = FIRST * m + (1 - FIRST) * g
            v = SECOND * v + (1 - SECOND) * g**2
            move = (m / bias_1) / (jnp.sqrt(v / bias_2) + EPSILON)
            w = w - rate * (move + DECAY * w * (w.ndim > 1))
            for values, value in zip(
                new, (w, m, v, keep * a + (1 - keep) * w), strict=True
            ):
                values.append(value)
        return (*new, count), loss

    return step


class Run:
    """The state of a training run and its file."""

    def __init__(self, folder, arch, seed):
        keras.utils.set_random_seed(seed)
        self.path, self.arch = Path(folder) / "checkpoint.npz", arch
        self.model = build(arch)
        weights = [jnp.asarray(w.value) for w in self.model.trainable_variables]
        self.names = [w.path for w in self.model.trainable_variables]
        zeros = [jnp.zeros_like(w) for w in weights]
        copies = [
            [jnp.copy(a) for a in part] for part in (weights, zeros, zeros, weights)
        ]
        self.state = (*copies, jnp.zeros((), jnp.float32))
        self.seen, self.job, self.log = 0, 0, []
        if self.path.exists():
            self.resume()

    def resume(self):
        arrays, record = checkpoint.load(self.path)
        parts = [
            [jnp.asarray(arrays[f"{part}/{name}"]) for name in self.names]
            for part in PARTS
        ]
        self.state = (*parts, jnp.asarray(arrays["count"]))
        self.seen, self.job, self.log = record["seen"], record["job"], record["log"]

    def save(self, seed):
        arrays = {
            f"{part}/{name}": np.asarray(value)
            for part, values in zip(PARTS, self.state[:4], strict=True)
            for name, value in zip(self.names, values, strict=True)
        }
        arrays["count"] = np.asarray(self.state[4])
        record = {
            "seen": self.seen,
            "job": self.job,
            "seed": seed,
            "log": self.log,
            "architecture": asdict(self.arch),
        }
        checkpoint.save(self.path, arrays, record)


PARTS = ("weights", "first", "second", "average")


def held_out(arch, n):
    """Return held-out batches, one of each length, with the origin at the end."""
    return [
        fields(make_batch(n, k, arch.patch, [HELD_OUT_SEED, k], last_origin=True))
        for k in LENGTHS
    ]


def held_out_loss(evaluate, weights, batches):
    return float(np.mean([evaluate(weights, batch) for batch in batches]))


def train(args, arch):
    """Train until so many series are seen, or the minutes are over."""
    Path(args.folder).mkdir(parents=True, exist_ok=True)
    # A run that goes on compiles nothing anew.
    jax.config.update("jax_compilation_cache_dir", str(Path(args.folder) / "compiled"))
    run = Run(args.folder, arch, args.seed)
    print(f"{n_parameters(arch):,} weights; {run.seen:,} series seen", flush=True)
    step = make_step(arch, run.model)
    evaluate = jax.jit(partial(pinball, arch, run.model))
    validation = held_out(arch, args.held_out)
    workers, queues = start_producers(
        args.workers, args.seed, run.job, arch.patch, args.batch_size
    )
    first_job = run.job
    begin = saved = logged = time.monotonic()
    losses, seen_before = [], run.seen
    while run.seen < args.total and time.monotonic() < begin + 60 * args.minutes:
        _, batches = queues[(run.job - first_job) % args.workers].get()
        run.job += 1
        for batch in batches:
            rate = learning_rate(run.seen, args)
            run.state, loss = step(run.state, fields(batch), rate)
            losses.append(loss)
            run.seen += args.batch_size
        now = time.monotonic()
        if now > logged + 60 * args.log_minutes:
            entry = {
                "seen": run.seen,
                "loss": round(float(np.mean(losses)), 5),
                "held_out": round(held_out_loss(evaluate, run.state[3], validation), 5),
                "rate": round(rate, 6),
                "per_second": round((run.seen - seen_before) / (now - logged), 1),
                "time": time.strftime("%H:%M:%S"),
            }
            run.log.append(entry)
            print(json.dumps(entry), flush=True)
            losses, seen_before, logged = [], run.seen, time.monotonic()
        if now > saved + 60 * args.save_minutes:
            run.save(args.seed)
            saved = time.monotonic()
    entry = {
        "seen": run.seen,
        "held_out": round(held_out_loss(evaluate, run.state[3], validation), 5),
        "held_out_last": round(held_out_loss(evaluate, run.state[0], validation), 5),
    }
    run.log.append(entry)
    print(json.dumps(entry), flush=True)
    run.save(args.seed)
    for worker in workers:
        worker.terminate()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--total", type=int, default=5_000_000)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=int, default=30_000, help="series")
    parser.add_argument("--cooldown", type=float, default=0.2, help="share of total")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=384)
    parser.add_argument("--log-minutes", type=float, default=2.0)
    parser.add_argument("--save-minutes", type=float, default=3.0)
    parser.add_argument("--patch", type=int, default=8)
    parser.add_argument("--units", type=int, default=192)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--levels-only", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    arch = Architecture(
        patch=args.patch,
        units=args.units,
        n_layers=args.layers,
        hidden=args.hidden,
        local=not args.levels_only,
    )
    train(args, arch)


if __name__ == "__main__":
    main()
