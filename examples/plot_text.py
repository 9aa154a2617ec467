"""
Text classification of review sentences
=======================================

The classifier takes raw strings, and includes tokenisation, encoding and padding.
Probabilities, pipelines and cross-validation work as with any scikit-learn classifier.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_sentiment_sentences
from sklstm.plotting import TokenAttributionDisplay

reviews = load_sentiment_sentences()
labels = [reviews.target_names[i] for i in reviews.target]
X_train, X_test, y_train, y_test = train_test_split(
    reviews.data, labels, train_size=1500, test_size=1000, random_state=0
)
clf = LSTMTextClassifier(
    units=8, embedding_dim=16, max_length=32, epochs=3, random_state=0
)
clf.fit(X_train, y_train)
print(classification_report(y_test, clf.predict(X_test)))

# %%
# The contribution of each word to the predicted class: blue words support it, and
# orange words oppose it.

sentence = "The plot is not bad, but I was bored and the ending is a disappointment."
TokenAttributionDisplay.from_estimator(clf, sentence)

# %%
# The table compares with logistic regression on TF-IDF.

tfidf = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10))
tfidf.fit(X_train, y_train)
table = pd.DataFrame(
    {
        name: {
            "accuracy": model.score(X_test, y_test),
            "log loss": log_loss(y_test, model.predict_proba(X_test)),
        }
        for name, model in {"LSTMTextClassifier": clf, "TF-IDF": tfidf}.items()
    }
).T
print(table.round(3).to_string())
print(
    f"Verdict: {table['accuracy'].idxmax()} has the higher accuracy; the probabilities "
    f"of {table['log loss'].idxmin()} have the lower log loss."
)

figure, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
ax.barh(table.index, table["accuracy"], color=["#0072B2", "#E69F00"])
ax.set(title="Accuracy on 1,000 test sentences", xlim=(0.5, 1))
ax.spines[["top", "right"]].set_visible(False)

# %%
# `predict_proba` returns the probabilities of new sentences.

new = ["A wonderful film.", "Not a wonderful film.", "It broke on day one."]
print(pd.DataFrame(clf.predict_proba(new), new, clf.classes_).round(2).to_string())
plt.show()
# sphinx_gallery_thumbnail_number = 2
