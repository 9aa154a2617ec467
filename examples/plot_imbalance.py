"""
Imbalanced classes
==================

One sentence in eleven belongs to the class of interest. A classifier that never
predicts this class has a high accuracy. `class_weight="balanced"` makes it predict the
class more often.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import PrecisionRecallDisplay, precision_score, recall_score
from sklearn.model_selection import train_test_split

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings

sentences = load_docstrings()
X, y = np.array(sentences.data, object), np.array(sentences.target)
rng = np.random.default_rng(0)
rare, common = np.flatnonzero(y == "sklearn"), np.flatnonzero(y != "sklearn")
rows = np.concatenate([rng.choice(rare, 60, False), rng.choice(common, 600, False)])
X_train, X_test, y_train, y_test = train_test_split(
    X[rows],
    y[rows] == "sklearn",
    test_size=0.4,
    stratify=y[rows] == "sklearn",
    random_state=0,
)
settings = {"units": 8, "embedding_dim": 16, "max_length": 32, "epochs": 2}
classifiers = {
    "unweighted": LSTMTextClassifier(**settings, random_state=0),
    "balanced": LSTMTextClassifier(**settings, class_weight="balanced", random_state=0),
}
rows = {"never": {"accuracy": np.mean(~y_test), "precision": 0, "recall": 0}}
figure, ax = plt.subplots(layout="constrained")
for name, clf in classifiers.items():
    clf.fit(X_train, y_train)
    predicted = clf.predict(X_test)
    rows[name] = {
        "accuracy": np.mean(predicted == y_test),
        "precision": precision_score(y_test, predicted, zero_division=0),
        "recall": recall_score(y_test, predicted),
    }
    PrecisionRecallDisplay.from_estimator(clf, X_test, y_test, name=name, ax=ax)
print(pd.DataFrame(rows).T.round(2).to_string())

# %%
# The curves show all thresholds. Class weights move a classifier along its curve; they
# do not necessarily improve its ranking of texts.

plt.show()
