"""
Grid search without leakage
===========================

`TimeSeriesSplit` trains on earlier rows and tests on later ones, as the forecaster will
be used. Shuffled folds train on the neighbours of every test row, and report scores
that later rows do not confirm.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor

from sklstm import LSTMForecaster, make_windows
from sklstm.datasets import load_sunspots

spots = load_sunspots()
train, test = spots[:-60], spots[-60:]
search = GridSearchCV(
    LSTMForecaster(epochs=5, random_state=0),
    {"window_length": [3, 11, 33]},
    cv=TimeSeriesSplit(3),
).fit(train)
results = pd.DataFrame(search.cv_results_)
print(results[["param_window_length", "mean_test_score", "std_test_score"]].round(3))
print(
    "chosen:",
    search.best_params_,
    f"R² on later rows: {search.score(test):.3f}",
)

# %%
# No model forecasts a random walk better than its last value does. With shuffled folds,
# nearest neighbours in time seem to do so.

walk = np.random.default_rng(1).normal(size=600).cumsum()
windows, following = make_windows(walk, 3)
moves = following[:, 0]
time = np.arange(len(windows))[:, None]
scores = {}
for name, folds in {
    "shuffled": KFold(5, shuffle=True, random_state=0),
    "in order of time": TimeSeriesSplit(5),
}.items():
    neighbours = GridSearchCV(
        KNeighborsRegressor(), {"n_neighbors": [2, 20]}, cv=folds
    ).fit(time, moves)
    scores[name] = neighbours.best_score_
print(pd.Series(scores, name="R² of neighbours in time").round(2).to_string())
plt.figure(figsize=(5, 2.5), layout="constrained")
plt.barh(list(scores), list(scores.values()), color=["#D55E00", "#0072B2"])
plt.axvline(0, color="0.3", lw=0.8)
plt.xlabel("R² that the search reports")
plt.show()
