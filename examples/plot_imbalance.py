"""
Imbalanced classes: class weights and the threshold
===================================================

One sentence in eleven belongs to the class of interest. A classifier that never
predicts this class has a high accuracy, but finds none of these sentences. With
`class_weight="balanced"` or with a lower threshold, the classifier finds more of them;
neither ranks the sentences better.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    PrecisionRecallDisplay,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings

sentences = load_docstrings()
X, y = np.array(sentences.data, object), np.array(sentences.target)
rng = np.random.default_rng(0)
rare, common = np.flatnonzero(y == "sklearn"), np.flatnonzero(y != "sklearn")
rows = np.concatenate([rng.choice(rare, 120, False), rng.choice(common, 1200, False)])
X_train, X_test, y_train, y_test = train_test_split(
    X[rows], y[rows] == "sklearn", test_size=0.5, stratify=y[rows], random_state=0
)
settings = {"units": 8, "embedding_dim": 16, "max_length": 32, "epochs": 3}
settings["random_state"] = 0
models = {
    "LSTM, no weights": LSTMTextClassifier(**settings),
    "LSTM, balanced": LSTMTextClassifier(**settings, class_weight="balanced"),
    "TF-IDF, balanced": make_pipeline(
        TfidfVectorizer(), LogisticRegression(C=10, class_weight="balanced")
    ),
}
figure, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
chances = {}
for name, model in models.items():
    chances[name] = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    PrecisionRecallDisplay.from_predictions(y_test, chances[name], name=name, ax=ax)
ax.set(title="Rare class, all thresholds", xlabel="recall", ylabel="precision")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower left")

# %%
# A threshold equal to the share of the class among the training sentences has the same
# effect as "balanced": the classifier decides as if both classes were equally frequent.

decisions = {name: chance > 0.5 for name, chance in chances.items()}
share = y_train.mean()
decisions[f"LSTM, no weights, threshold {share:.2f}"] = (
    chances["LSTM, no weights"] > share
)
decisions["never"] = np.zeros(len(y_test), bool)
table = pd.DataFrame(
    {
        name: {
            "accuracy": np.mean(found == y_test),
            "precision": precision_score(y_test, found, zero_division=0),
            "recall": recall_score(y_test, found),
            "F1": f1_score(y_test, found),
        }
        for name, found in decisions.items()
    }
).T
print(table.round(2).to_string())
ranking = {name: average_precision_score(y_test, c) for name, c in chances.items()}
print(
    f"Verdict: {table['F1'].idxmax()} has the largest F1, and "
    f"{max(ranking, key=ranking.get)} ranks best, with an average precision of "
    f"{max(ranking.values()):.2f}."
)
plt.show()
