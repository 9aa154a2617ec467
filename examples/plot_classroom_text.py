"""
The course program on texts: sentiment of review sentences
==========================================================

In courses, students classify film reviews: words become ids, ids become vectors, an
LSTM reads the vectors, and a sigmoid gives the class. This example classifies sentences
of reviews, which are part of the package; ``examples/imdb_classic.py`` downloads whole
reviews.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_sentiment_sentences
from sklstm.plotting import TrainingHistoryDisplay

reviews = load_sentiment_sentences()
X_train, X_test, y_train, y_test = train_test_split(
    reviews.data, reviews.target, train_size=1500, test_size=1000, random_state=0
)
settings = {"max_length": 32, "embedding_dim": 16, "units": 16, "random_state": 0}
settings |= {"bidirectional": False}
classic = LSTMTextClassifier(
    **settings, linear_skip=False, epochs=8, n_iter_no_change=8, learning_rate=0.01
)
classic.fit(X_train, y_train)

# %%
# After some epochs the training loss still falls, and the validation loss rises: the
# network overfits the training sentences. `fit` keeps the weights of the marked epoch.

TrainingHistoryDisplay.from_estimator(classic)
TrainingHistoryDisplay.from_estimator(classic, metric="accuracy")

# %%
# The table compares with logistic regression on TF-IDF, which is very accurate if there
# are few sentences. By default the classifier adds an n-gram model to the LSTM; the
# example of text classification shows this.

tfidf = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10))
tfidf.fit(X_train, y_train)
models = {"LSTM alone": classic, "TF-IDF": tfidf}
accuracy = pd.Series({name: m.score(X_test, y_test) for name, m in models.items()})
print(accuracy.round(3).rename("test accuracy").to_string())
print(f"Verdict: {accuracy.idxmax()} is most accurate on {len(y_test)} test sentences.")

# %%
# The picture shows the confusion matrix of the LSTM.

names = reviews.target_names
ConfusionMatrixDisplay.from_estimator(
    classic, X_test, y_test, display_labels=names, colorbar=False, cmap="Blues"
)
plt.show()
