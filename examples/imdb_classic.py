"""The course program on texts: IMDB reviews, five epochs, accuracy, loss curves."""

import os

import matplotlib.pyplot as plt

from sklstm import LSTMTextClassifier
from sklstm.datasets import fetch_imdb
from sklstm.plotting import TrainingHistoryDisplay

train, test = (fetch_imdb(s, data_home=os.getenv("IMDB")) for s in ("train", "test"))
words = {"max_features": 10_000, "max_length": 200, "truncate": "tail"}
network = {"embedding_dim": 128, "units": 128, "bidirectional": False}
network |= {"pooling": "last", "linear_skip": False, "n_iter_no_change": 5}
dropout = {"word_dropout": 0, "dropout": 0.2, "recurrent_dropout": 0.2}
training = {"epochs": 5, "batch_size": 64, "validation_fraction": 0.2, "verbose": 1}
clf = LSTMTextClassifier(**words, **network, **dropout, **training, random_state=0)
clf.fit(train.data, train.target)
print(f"test accuracy {clf.score(test.data, test.target):.4f}")
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for metric, ax in zip(("loss", "accuracy"), axes, strict=True):
    TrainingHistoryDisplay.from_estimator(clf, metric=metric, ax=ax)
figure.savefig("imdb_classic.png")
