"""
Explaining a forecast and a text classification
===============================================

Integrated gradients divide a forecast among the rows of the history. These attributions
add up to the difference between the forecast and the forecast from a constant history.
For a text, they divide the logit of the predicted class among the words.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers
from sklstm.inspection import lag_attributions
from sklstm.plotting import LagAttributionDisplay, TokenAttributionDisplay

passengers = load_air_passengers()
forecaster = LSTMForecaster(24, 12, epochs=10, random_state=0).fit(passengers)
display = LagAttributionDisplay.from_estimator(forecaster, step=7)
display.ax_.set_ylabel("effect in thousand passengers")

# %%
# The forecast of next July, seven months ahead, depends on the last two Julys. The
# attributions add up to the forecast; correlations with the target, which are often
# shown instead, do not.

why = lag_attributions(forecaster)
total = why.base_value + why.attributions.sum()
print(f"largest gap: {(total - why.prediction).abs().max():.1e} thousand passengers")
lags = pd.Series({k: passengers.autocorr(k) for k in range(1, 25)})
largest = -why.attributions[7].abs().droplevel(0).idxmax()
print(
    f"Verdict: the attributions name lag {largest + 6} before July as the most "
    f"important one, correlation names lag {lags.abs().idxmax()}."
)

# %%
# In a text, each word has an attribution. Blue words support the class. The n-gram
# model knows "not bad"; the LSTM reads the words that follow.

texts = [
    f"the {noun} was {word}"
    for noun in ("film", "story", "music", "ending")
    for word in ("good", "bad", "not good", "not bad")
]
labels = ["+" if text.endswith(("s good", "not bad")) else "-" for text in texts]
labels = 5 * labels
labels[::7] = ["+", "-"] * 6  # Noise: readers disagree.
clf = LSTMTextClassifier(units=8, epochs=2, random_state=0).fit(5 * texts, labels)
TokenAttributionDisplay.from_estimator(clf, "the acting was not bad but the end was")
plt.show()
