"""
Explaining a prediction
=======================

Integrated gradients attribute a forecast to the rows that it was made from. The
attributions add up to its difference from the forecast of a constant history.
"""

import matplotlib.pyplot as plt

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers
from sklstm.inspection import lag_attributions
from sklstm.plotting import LagAttributionDisplay, TokenAttributionDisplay

passengers = load_air_passengers()
forecaster = LSTMForecaster(24, 12, epochs=10, random_state=0).fit(passengers)
why = lag_attributions(forecaster)
total = why.base_value + why.attributions.sum()
print(f"largest gap: {(total - why.prediction).abs().max():.1e} thousand passengers")

# %%
# The forecast of next July, seven months ahead, depends on the last two Julys.

LagAttributionDisplay.from_estimator(forecaster, step=7)

# %%
# For a text, words have the attributions. Blue words support the class.

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
