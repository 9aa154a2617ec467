"""
Pretrained word embeddings with few labels
==========================================

Word vectors can be learned from texts without labels. In this example a singular value
decomposition of word counts in 3,000 review sentences gives the vectors, and the
classifier is trained on 150 labelled sentences. `embeddings` takes a dict of vectors,
or a file of GloVe or word2vec.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from sklstm import LSTMTextClassifier
from sklstm.datasets import load_sentiment_sentences

reviews = load_sentiment_sentences()
X_train, X_test, y_train, y_test = train_test_split(
    reviews.data, reviews.target, train_size=150, test_size=1000, random_state=0
)

# %%
# Words that occur in the same sentences get similar vectors (latent semantic analysis).

counts = CountVectorizer(min_df=3, binary=True)
occurrences = counts.fit_transform(reviews.data)
together = (occurrences.T @ occurrences).astype(float)
together.data = np.log1p(together.data)
vectors = normalize(TruncatedSVD(24, random_state=0).fit_transform(together))
vectors = dict(zip(counts.get_feature_names_out(), vectors, strict=True))
names = list(vectors)
near = np.array([vectors[name] for name in names]) @ vectors["delicious"]
print("nearest to 'delicious':", ", ".join(names[i] for i in np.argsort(-near)[1:6]))

# %%
# The table compares the same LSTM with these vectors and with random vectors, and
# TF-IDF with logistic regression.

settings = {"max_length": 32, "embedding_dim": 24, "units": 16, "linear_skip": False}
settings |= {"epochs": 8, "n_iter_no_change": 8, "learning_rate": 0.01}
settings |= {"random_state": 0, "bidirectional": False}
models = {
    "LSTM, random vectors": LSTMTextClassifier(**settings),
    "LSTM, pretrained vectors": LSTMTextClassifier(**settings, embeddings=vectors),
    "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
}
accuracy = pd.Series(
    {n: m.fit(X_train, y_train).score(X_test, y_test) for n, m in models.items()}
)
found = models["LSTM, pretrained vectors"].n_vectors_found_
print(f"{found} words of the vocabulary have a pretrained vector.")
print(accuracy.round(3).rename("test accuracy").to_string())
gain = accuracy["LSTM, pretrained vectors"] - accuracy["LSTM, random vectors"]
print(
    f"Verdict: {accuracy.idxmax()} is most accurate with 150 labels. Pretrained "
    f"vectors change the accuracy of the LSTM by {gain:+.1%}."
)
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(accuracy.index, accuracy, color=["#56B4E9", "#0072B2", "#E69F00"])
ax.axvline(0.5, color="0.4", ls=":")
ax.set_title("Test accuracy with 150 labelled sentences (chance: 0.5)")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
