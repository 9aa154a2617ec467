"""Seconds to classify 25,000 reviews of 200 token ids, beside torch's own LSTM.

Embedding 128, 128 units; a linear layer turns the last state into one logit. torch runs
in the environment whose Python PEERS names (`make bench-speed`)::

    PEERS=.venv-peers/bin/python python benchmarks/speed_predict.py [rounds]
"""

import numpy as np
from contest import main, repeated

N, LENGTH, VOCABULARY, WIDTH, BATCH = 25_000, 200, 10_000, 128, 256
TASKS = {"25,000 × 200 ids": ()}
BARS = {"25,000 × 200 ids": {"torch": 0.3}}


def reviews():
    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, VOCABULARY)
    words = np.arange(1, VOCABULARY)
    return rng.choice(words, (N, LENGTH), p=frequency / frequency.sum())


def sklstm():
    from sklstm import LSTMTextClassifier

    X = reviews()
    classifier = LSTMTextClassifier(
        max_features=VOCABULARY,
        max_length=LENGTH,
        embedding_dim=WIDTH,
        units=WIDTH,
        bidirectional=False,
        pooling="last",
        linear_skip=False,
        epochs=1,
        early_stopping=False,
        validation_fraction=0,
        random_state=0,
    ).fit(X[:1000], np.arange(1000) % 2)
    classifier.predict_proba(X[:1000])
    return repeated(lambda: classifier.predict_proba(X), 1)


def torch_lstm():
    import torch

    X = reviews()
    embedding = torch.nn.Embedding(VOCABULARY, WIDTH)
    lstm = torch.nn.LSTM(WIDTH, WIDTH, batch_first=True)
    head = torch.nn.Linear(WIDTH, 1)

    @torch.inference_mode()
    def predict():
        parts = torch.from_numpy(X).split(BATCH)
        states = [lstm(embedding(part))[0][:, -1] for part in parts]
        return torch.cat([torch.sigmoid(head(state)) for state in states]).numpy()

    predict()
    return repeated(predict, 1)


PREPARE = {"sklstm": sklstm, "torch": torch_lstm}

if __name__ == "__main__":
    main(
        __file__,
        "Seconds to classify 25,000 reviews",
        "The table shows the seconds of `predict_proba` of 25,000 rows of 200 token\n"
        "ids, with embedding 128 and 128 units, and those of `torch.nn.LSTM` in\n"
        "batches of 256.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=3,
    )
