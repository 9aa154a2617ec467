"""Seconds of a training step of the course's text network, by library.

64 reviews of 200 tokens, vocabulary 10,000, embedding 128, 128 units, Adam; a linear
layer turns the last state into one logit. Token frequencies follow Zipf's law, as those
of words do. The default network reads both ways, with 64 units each, and pools. The
other libraries run in the environment whose Python PEERS names (`make bench-speed`)::

    PEERS=.venv-peers/bin/python python benchmarks/speed_step.py [rounds]
"""

import time
from dataclasses import dataclass

import numpy as np
from contest import main, repeated

BATCH, LENGTH, VOCABULARY, WIDTH, N_STEPS = 64, 200, 10_000, 128, 16
# Floating-point operations: a multiply and an add (2) for input and recurrent weights
# (2) of four gates, once forward and twice backward (3).
FLOATING = 2 * 3 * 2 * BATCH * LENGTH * WIDTH * 4 * WIDTH
COURSE = {"units": (WIDTH,), "bidirectional": False, "pooling": "last"}
# For each task the dropout of the other libraries' layers, and the options of the
# network of LSTMTextClassifier; None means that sklstm.layers are timed instead.
TASKS = {
    "no dropout": (0.0, COURSE),
    "dropout and recurrent dropout 0.2": (0.2, None),
    "the same, by LSTMTextClassifier": (
        0.2,
        COURSE | {"dropout": 0.2, "recurrent_dropout": 0.2},
    ),
    "the classifier's default network": (0.2, {"word_dropout": 0.2, "dropout": 0.2}),
}
WITH_DROPOUT = {"keras_tensorflow": 0.35, "keras_jax": ""}
BARS = dict(
    zip(
        TASKS,
        [
            {"torch": 0.55, "keras_tensorflow": 0.55, "keras_jax": ""},
            WITH_DROPOUT.copy(),
            WITH_DROPOUT.copy(),
            {},
        ],
        strict=True,
    )
)


def batches():
    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, VOCABULARY)
    words = np.arange(1, VOCABULARY)
    shape = (N_STEPS, BATCH, LENGTH)
    tokens = rng.choice(words, shape, p=frequency / frequency.sum())
    return tokens.astype("int32"), rng.integers(0, 2, (N_STEPS, BATCH, 1)).astype("f")


@dataclass(frozen=True)
class CourseSpec:
    """The course's network, of layers of sklstm or of Keras."""

    network = None  # A network of the user's own would be checked.

    dropout: float
    padded: bool = False  # with zeros, which the LSTM leaves out

    def build(self):
        from sklstm.layers import LSTM

        return self.network_of(LSTM)

    def network_of(self, LSTM):
        import keras

        return keras.Sequential(
            [
                keras.Input((LENGTH,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=self.padded),
                LSTM(WIDTH, dropout=self.dropout, recurrent_dropout=self.dropout),
                keras.layers.Dense(1),
            ]
        )


def spec_of(dropout, options):
    """Return the network of layers, or that of the estimator with some options."""
    from sklstm._networks.spec import TextNetworkSpec

    if options is None:
        return CourseSpec(dropout)
    return TextNetworkSpec(VOCABULARY, 1, WIDTH, linear_skip=False, **options)


def sklstm(dropout, options):
    from sklstm._training import losses
    from sklstm._training.compiled import CompiledNetwork
    from sklstm._training.settings import Settings

    settings = Settings(
        1, BATCH, "adam", 0.001, None, None, losses.binary_loss, False, 1, 0, 0
    )
    network = CompiledNetwork(spec_of(dropout, options), settings)
    rng = np.random.default_rng(1)
    start = {
        name: rng.uniform(-0.05, 0.05, value.shape)
        for name, value in network.get_weights().items()
    }
    network.reset(start, 0.001, np.random.RandomState(0))
    tokens, targets = batches()
    weights = np.ones((N_STEPS, BATCH), "f")

    def steps():
        network.train_block(tokens, targets, weights, N_STEPS)

    return one_of(steps)


def one_of(steps):
    """Return a function that gives the mean seconds of a step, after a first run."""
    steps()
    whole = repeated(steps, 1)
    return lambda: whole() / N_STEPS


def keras_step(dropout, _):
    import keras

    model = CourseSpec(dropout).network_of(keras.layers.LSTM)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return over_batches(model.train_on_batch)


def torch_step(*_):
    import torch

    embedding = torch.nn.Embedding(VOCABULARY, WIDTH)
    lstm = torch.nn.LSTM(WIDTH, WIDTH, batch_first=True)
    head = torch.nn.Linear(WIDTH, 1)
    parts = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parts)
    loss = torch.nn.BCEWithLogitsLoss()

    def step(tokens, targets):
        optimizer.zero_grad()
        states = lstm(embedding(torch.from_numpy(tokens)))[0]
        error = loss(head(states[:, -1]), torch.from_numpy(targets))
        error.backward()
        optimizer.step()
        return error.item()

    return over_batches(step)


def over_batches(step):
    tokens, targets = batches()
    for _ in range(2):
        step(tokens[0], targets[0])

    def run():
        start = time.perf_counter()
        for pair in zip(tokens, targets, strict=True):
            step(*pair)
        return (time.perf_counter() - start) / N_STEPS

    return run


def floor():
    """Return the seconds of the matrix products at the rate of a large one in JAX."""
    import jax

    size = 2048
    product = jax.jit(lambda a: a @ a)
    square = np.ones((size, size), "f")
    spent = repeated(lambda: jax.block_until_ready(product(square)), 7)()
    return FLOATING / (2 * size**3 / spent)


PREPARE = {
    "sklstm": sklstm,
    "torch": torch_step,
    "keras_tensorflow": keras_step,
    "keras_jax": keras_step,
    "products alone": lambda *_: floor,
}
for bars in BARS.values():
    bars["products alone"] = 1.33 if "torch" in bars else ""

if __name__ == "__main__":
    main(
        __file__,
        "Seconds a training step",
        "The table shows the seconds of one training step of the text network of\n"
        "courses: 64 reviews of 200 tokens, vocabulary 10,000, embedding 128, 128\n"
        "units, Adam. `products alone` is the time of its 10 GFLOP at the rate of\n"
        "large matrix products in JAX on this machine. Layers of Keras drop inputs;\n"
        "LSTMTextClassifier(dropout=0.2) drops the last states instead. The default\n"
        "network of the classifier reads in both directions with 64 units each,\n"
        "drops words, and pools the states.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=7,
    )
