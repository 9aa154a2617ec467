"""
Multi-label classification of texts
===================================

A text may have several labels, or none. Each text of this example consists of one or
two sentences from the documentation of NumPy, pandas and scikit-learn, and its labels
say from which packages they come. `y` is an indicator matrix with one column for each
label.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings

sentences = load_docstrings()
data, target = np.array(sentences.data, object), np.array(sentences.target)
labels = ["numpy", "pandas", "sklearn"]
rng = np.random.default_rng(0)
pairs = rng.integers(0, len(data), (1200, 2))
texts = [f"{data[i]} {data[j]}" for i, j in pairs]
y = np.column_stack([(target[pairs] == label).any(axis=1) for label in labels]).astype(
    int
)
X_train, X_test, y_train, y_test = texts[:800], texts[800:], y[:800], y[800:]
print(pd.Series(y.sum(axis=1)).value_counts().rename("texts by number of labels"))

# %%
# `predict` returns an indicator matrix. `predict_proba` returns a probability for each
# label; these do not add up to 1.

clf = LSTMTextClassifier(
    max_length=64, embedding_dim=16, units=8, epochs=2, random_state=0
)
clf.fit(X_train, y_train)
print(pd.DataFrame(clf.predict_proba(X_test[:3]), columns=labels).round(2).to_string())

# %%
# The picture compares with one logistic regression on TF-IDF for each label, and with
# always predicting the most frequent combination of labels.

tfidf = make_pipeline(
    TfidfVectorizer(ngram_range=(1, 2)), OneVsRestClassifier(LogisticRegression(C=10))
)
rows, counts = np.unique(y_train, axis=0, return_counts=True)
predictions = {
    "LSTMTextClassifier": clf.predict(X_test),
    "TF-IDF": tfidf.fit(X_train, y_train).predict(X_test),
    "most frequent labels": np.tile(rows[counts.argmax()], (len(y_test), 1)),
}
by_label = pd.DataFrame(
    {
        name: f1_score(y_test, made, average=None, zero_division=0)
        for name, made in predictions.items()
    },
    labels,
)
exact = {name: accuracy_score(y_test, made) for name, made in predictions.items()}
print(by_label.round(3).to_string())
print(pd.Series(exact, name="all labels right").round(3).to_string())
print(
    f"Verdict: {max(exact, key=exact.get)} gets all labels right most often, and "
    f"{by_label.mean().idxmax()} has the largest mean F1."
)
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
by_label.plot.bar(ax=ax, color=["#0072B2", "#E69F00", "0.7"], rot=0)
ax.set(title="F1 of each label", ylim=(0, 1))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.1))
plt.show()
