"""
A course program: classifying texts
===================================

Courses classify film reviews: words become ids, ids become vectors, an LSTM reads the
vectors, and a sigmoid gives the class. This example classifies sentences of docstrings,
which need no download; ``examples/imdb_classic.py`` uses the reviews.
"""

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings
from sklstm.plotting import TrainingHistoryDisplay

sentences = load_docstrings()
X_train, X_test, y_train, y_test = train_test_split(
    sentences.data, sentences.target, train_size=600, test_size=200, random_state=0
)
words = {"max_features": 1000, "max_length": 32}
network = {"embedding_dim": 16, "units": 16, "bidirectional": False}
classic = LSTMTextClassifier(
    **words,
    **network,
    linear_skip=False,
    epochs=12,
    learning_rate=0.01,
    random_state=0,
)
classic.fit(X_train, y_train)
print(f"accuracy of the LSTM alone: {classic.score(X_test, y_test):.3f}")

# %%
# After some epochs the training loss still falls, and the validation loss hardly does:
# the network overfits the training sentences. `fit` keeps the weights of the marked
# epoch.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for metric, ax in zip(("loss", "accuracy"), axes, strict=True):
    TrainingHistoryDisplay.from_estimator(classic, metric=metric, ax=ax)

# %%
# By default the LSTM stands beside an n-gram model, which is hard to beat on few texts.

both = LSTMTextClassifier(**words, **network, epochs=2, random_state=0)
both.fit(X_train, y_train)
print(f"accuracy beside n-grams: {both.score(X_test, y_test):.3f}")
ConfusionMatrixDisplay.from_estimator(both, X_test, y_test, colorbar=False)
plt.show()
