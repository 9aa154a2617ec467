"""The classroom program: IMDB reviews, five epochs, accuracy, and the two curves."""

import os

import matplotlib.pyplot as plt

from sklstm import LSTMTextClassifier
from sklstm.datasets import fetch_imdb

train, test = (fetch_imdb(s, data_home=os.getenv("IMDB")) for s in ("train", "test"))
words = {"max_features": 10_000, "max_length": 200, "truncate": "tail"}
network = {"embedding_dim": 128, "units": 128, "bidirectional": False}
network |= {"pooling": "last", "linear_skip": False, "n_iter_no_change": 5}
dropout = {"word_dropout": 0, "dropout": 0.2, "recurrent_dropout": 0.2}
training = {"epochs": 5, "batch_size": 64, "validation_fraction": 0.2, "verbose": 1}
clf = LSTMTextClassifier(**words, **network, **dropout, **training, random_state=0)
clf.fit(train.data, train.target)
print(f"test accuracy {clf.score(test.data, test.target):.4f}")
for place, name in enumerate(("loss", "accuracy"), start=1):
    plt.subplot(1, 2, place, xlabel="epoch", ylabel=name)
    plt.plot(range(1, clf.n_iter_ + 1), clf.history_[name], label="training")
    plt.plot(range(1, clf.n_iter_ + 1), clf.history_[f"val_{name}"], label="validation")
plt.legend()
plt.tight_layout()
plt.savefig("imdb_classic.png")
