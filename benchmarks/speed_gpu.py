"""Seconds of a batch of the course's text network on a GPU, by library.

Reviews of 200 tokens, or of 20 to 200 with padding on the right, vocabulary 10,000,
embedding 128, an LSTM of 128 units, Adam. PEERS names a Python with Keras and torch
for the same GPU; sklstm runs in this one, with JAX for it::

    PEERS=.venv-peers/bin/python python benchmarks/speed_gpu.py [rounds]
"""

import numpy as np
from contest import main
from speed_step import LENGTH, N_STEPS, VOCABULARY, WIDTH, CourseSpec, one_of

SHORTEST = 20
TASKS = {
    f"{what}, {batch} reviews{', padded' * padded}": (what, batch, padded)
    for what in ("train", "predict")
    for padded in (False, True)
    for batch in (64, 256, 1024)
}
RIVALS = "keras_jax", "keras_torch", "torch"
BARS = {task: dict.fromkeys(RIVALS, "") for task in TASKS}


def batches(n, padded):
    """Return tokens, of which 0 is padding, targets and lengths of all batches."""
    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, VOCABULARY)
    words = np.arange(1, VOCABULARY)
    shape = (N_STEPS, n, LENGTH)
    tokens = rng.choice(words, shape, p=frequency / frequency.sum()).astype("int32")
    lengths = np.full(shape[:2], LENGTH)
    if padded:
        lengths = rng.integers(SHORTEST, LENGTH + 1, shape[:2])
        tokens[np.arange(LENGTH) >= lengths[..., None]] = 0
    return tokens, rng.integers(0, 2, (N_STEPS, n, 1)).astype("f"), lengths


def each(step, *arrays):
    """Return a function that gives the seconds of a step, the mean over all batches.

    ``step(*batch)`` returns when the device is done.
    """

    def steps():
        for batch in zip(*arrays, strict=True):
            step(*batch)

    return one_of(steps)


def sklstm(what, n, padded):
    from sklstm._training import losses
    from sklstm._training.compiled import CompiledNetwork
    from sklstm._training.settings import Settings

    settings = Settings(epochs=1, batch_size=n, loss=losses.binary_loss)
    compiled = CompiledNetwork(CourseSpec(0.0, padded), settings)
    tokens, targets, _ = batches(n, padded)
    if what == "predict":
        return each(compiled.model.predict_on_batch, tokens)
    weights = np.ones((N_STEPS, n), "f")

    def steps():
        compiled.train_block(tokens, targets, weights, N_STEPS)

    return one_of(steps)


def keras_batches(what, n, padded):
    import keras

    model = CourseSpec(0.0, padded).network_of(keras.layers.LSTM)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    tokens, targets, _ = batches(n, padded)
    if what == "predict":
        return each(model.predict_on_batch, tokens)
    return each(model.train_on_batch, tokens, targets)


def torch_batches(what, n, padded):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    device = "cuda" if torch.cuda.is_available() else "cpu"
    embedding = torch.nn.Embedding(VOCABULARY, WIDTH).to(device)
    lstm = torch.nn.LSTM(WIDTH, WIDTH, batch_first=True).to(device)
    head = torch.nn.Linear(WIDTH, 1).to(device)
    parts = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parts)
    loss = torch.nn.BCEWithLogitsLoss()

    def logits(tokens, lengths):
        steps = embedding(torch.from_numpy(tokens).to(device))
        if padded:
            steps = pack_padded_sequence(
                steps, torch.from_numpy(lengths), True, enforce_sorted=False
            )
        return head(lstm(steps)[1][0][0])

    def predict(tokens, lengths):
        with torch.no_grad():
            return logits(tokens, lengths).cpu()

    def train(tokens, lengths, targets):
        optimizer.zero_grad()
        error = loss(logits(tokens, lengths), torch.from_numpy(targets).to(device))
        error.backward()
        optimizer.step()
        return error.item()

    tokens, targets, lengths = batches(n, padded)
    if what == "predict":
        return each(predict, tokens, lengths)
    return each(train, tokens, lengths, targets)


PREPARE = {
    "sklstm": sklstm,
    "keras_jax": keras_batches,
    "keras_torch": keras_batches,
    "torch": torch_batches,
}

if __name__ == "__main__":
    main(
        __file__,
        "Seconds a batch on a GPU",
        "The course's text network: reviews of 200 tokens, or of 20 to 200 that are\n"
        "padded on the right, vocabulary 10,000, embedding 128, 128 units, Adam.\n"
        "`predict` is one call of the network; the estimators predict on the CPU.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=5,
    )
