"""
Grid search of the window length with TimeSeriesSplit
=====================================================

`TimeSeriesSplit` trains on earlier rows and scores on later rows, as the forecaster
will be used. Shuffled folds would train on the neighbours of every scored row, so a
forecaster raises an error for them.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit

from sklstm import LSTMForecaster
from sklstm.datasets import load_sunspots

spots = load_sunspots()
train, test = spots[:-60], spots[-60:]
lengths = [3, 11, 33]
search = GridSearchCV(
    LSTMForecaster(epochs=5, random_state=0),
    {"window_length": lengths},
    cv=TimeSeriesSplit(3),
).fit(train)
results = pd.DataFrame(search.cv_results_).set_index("param_window_length")
results[["mean_test_score", "std_test_score", "rank_test_score"]].round(3)

# %%
# The search did not use the last 60 years. On these years the table compares the
# chosen forecaster with ridge regression on the same window and with the last value.

best = search.best_params_["window_length"]
ridge = LSTMForecaster(best, epochs=0, pretrained=False).fit(train)
later = {
    "chosen forecaster": search.score(test),
    "ridge, same window": ridge.score(test),
    "last value": 1 - np.mean((test - spots.shift(1)[-60:]) ** 2) / np.var(test),
}
print(pd.Series(later, name=f"R² on later rows, window of {best}").round(3).to_string())
gain = later["chosen forecaster"] - later["ridge, same window"]
verdict = "as accurate as" if abs(gain) < 0.001 else ("better" if gain > 0 else "worse")
verdict += "" if abs(gain) < 0.001 else " than"
print(f"Verdict: on later rows the chosen forecaster is {verdict} ridge regression.")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
positions = np.arange(len(lengths))
ax.bar(
    positions, results["mean_test_score"], 0.5, color="#56B4E9", label="mean of splits"
)
for i in range(3):
    label = "single splits" if i == 0 else None
    ax.plot(positions, results[f"split{i}_test_score"], "o", color="0.3", label=label)
for (name, score), color, width in zip(
    later.items(), ("#56B4E9", "#E69F00", "0.5"), (5, 1.5, 1.5), strict=True
):
    ax.axhline(score, color=color, ls="--", lw=width, label=f"{name}, later rows")
ax.set_xticks(positions, lengths)
ax.set(xlabel="window length in years", ylabel="R²", title="Scores by window length")
ax.set_xlim(-0.5, 5.2)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="center right")

# %%
# Shuffled folds raise an error that says what to pass.

try:
    shuffled = KFold(3, shuffle=True, random_state=0)
    search.set_params(cv=shuffled, error_score="raise").fit(train)
except ValueError as error:
    print(error)
plt.show()
