"""
Classes from strings
====================

Raw strings go in; words, numbers and padding are the classifier's own business. It is a
scikit-learn classifier, so that probabilities, pipelines and cross-validation are what
they are elsewhere.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_docstrings
from sklstm.plotting import TokenAttributionDisplay

sentences = load_docstrings()
X_train, X_test, y_train, y_test = train_test_split(
    sentences.data, sentences.target, train_size=600, test_size=300, random_state=0
)
clf = LSTMTextClassifier(
    units=8, embedding_dim=16, max_length=32, epochs=3, random_state=0
)
clf.fit(X_train, y_train)
print(classification_report(y_test, clf.predict(X_test)))

# %%
# Sentences of your own.

own = ["Fit the model to the training set.", "Rows of the frame by their labels."]
print(pd.DataFrame(clf.predict_proba(own), own, clf.classes_).round(2).to_string())

# %%
# Which words made it.

TokenAttributionDisplay.from_estimator(clf, own[0])
plt.show()
