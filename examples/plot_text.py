"""
Text classification
===================

The classifier takes raw strings, and includes tokenisation, encoding and padding.
Probabilities, pipelines and cross-validation work as with any scikit-learn classifier.
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
# Probabilities of other sentences.

new = ["Fit the model to the training set.", "Rows of the frame by their labels."]
print(pd.DataFrame(clf.predict_proba(new), new, clf.classes_).round(2).to_string())

# %%
# The contribution of each word to the predicted class.

TokenAttributionDisplay.from_estimator(clf, new[0])
plt.show()
