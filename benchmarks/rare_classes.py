"""Rare classes: the balanced text classifier beside balanced logistic regression.

Each draw takes a few texts of the rare class and the others for training, and measures
on texts that were left. Data of `benchmarks/text_accuracy.py`. Prints a table and
writes ``docs/benchmarks/rare_classes.md``::

    python benchmarks/rare_classes.py [--draws 5] [--only NAME ...]
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from pages import provenance, write_table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, recall_score
from sklearn.pipeline import make_pipeline
from text_accuracy import DATA

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings

PAGE = Path("docs/benchmarks/rare_classes.md")
SCORES = ("recall", "F1", "average precision")
# name, the rare class, training texts of it and of others; None: half, at random.
TASKS = [
    *((f"docstrings of {name}, {n}", name, n, 1100)
      for name in ("pandas", "sklearn", "numpy") for n in (15, 30)),
    ("SMS spam, as it is", "spam", None, None),
    ("SMS spam, 1:100", "spam", 24, 2400),
]  # fmt: skip


def load(rare):
    """Return texts, and whether each is of the rare class."""
    if rare == "spam":
        frame = pd.read_csv(DATA / "sms_spam.csv.xz").dropna(subset=["text"])
        labels = frame["label"].to_numpy()
        counts = pd.Series(labels).value_counts()
        return frame["text"].to_numpy(object), labels == counts.index[-1]
    docstrings = load_docstrings()
    return np.array(docstrings.data, object), np.array(docstrings.target) == rare


def draw(is_rare, n_rare, n_others, seed):
    """Return training and test rows."""
    rng = np.random.default_rng(seed)
    if n_rare is None:
        rows = rng.permutation(len(is_rare))
        return np.split(rows, [len(rows) // 2])
    rare = rng.permutation(np.flatnonzero(is_rare))
    others = rng.permutation(np.flatnonzero(~is_rare))
    train = np.r_[rare[:n_rare], others[:n_others]]
    return train, np.r_[rare[30:][-400:], others[n_others:]]


def models(seed):
    return {
        "LR": make_pipeline(
            TfidfVectorizer(),
            LogisticRegression(C=10, max_iter=1000, class_weight="balanced"),
        ),
        "ours": LSTMTextClassifier(class_weight="balanced", random_state=seed),
        "unweighted": LSTMTextClassifier(random_state=seed),
    }


def measure(task, n_draws):
    """Return means over draws of each model's scores."""
    _, rare, n_rare, n_others = task
    texts, y = load(rare)
    scores = {}
    for seed in range(n_draws):
        train, test = draw(y, n_rare, n_others, seed)
        for name, model in models(seed).items():
            model.fit(texts[train], y[train])
            predicted, truth = model.predict(texts[test]), y[test]
            scores.setdefault(name, []).append(
                [
                    recall_score(truth, predicted),
                    f1_score(truth, predicted),
                    average_precision_score(
                        truth, model.predict_proba(texts[test])[:, 1]
                    ),
                ]
            )
    return {name: np.mean(values, axis=0) for name, values in scores.items()}


HEAD = """# Rare classes

With `class_weight="balanced"` the classifier finds more texts of a rare class than
balanced logistic regression, at a higher F1. The table shows recall, F1 and average
precision of the rare class, as means over draws. "LR" is TF-IDF of single words with
logistic regression (C=10) and `class_weight="balanced"`; "ours" is
`LSTMTextClassifier(class_weight="balanced")`; "unweighted" is `LSTMTextClassifier`
without `class_weight`. The number after a task is the number of rare texts in training,
beside 1,100 other texts. "1:100" means 24 rare texts and 2,400 others. "As it is" means
half of all texts, in which 13 % are spam. Written by `python
benchmarks/rare_classes.py`.
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    provenance()
    rows = []
    for task in TASKS:
        if arguments.only and task[0] not in arguments.only:
            continue
        means = measure(task, arguments.draws)
        cells = [f"{value:.3f}" for i in range(3) for value in by_score(means, i)]
        rows.append([task[0], arguments.draws, *cells])
        print(*rows[-1], flush=True)
        columns = [f"{score}: {model}" for score in SCORES for model in means]
        order = [(name,) for name, *_ in TASKS]
        write_table(PAGE, HEAD, ["task", "draws", *columns], rows, order)


def by_score(means, i):
    return [scores[i] for scores in means.values()]


if __name__ == "__main__":
    main()
