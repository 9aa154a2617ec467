"""
Hyperparameter tuning with Optuna and pruning
=============================================

Optuna proposes parameters from the results of earlier trials, and its pruner stops bad
trials after a few epochs. `pruning_callback` reports the validation loss of each epoch.
"""

import matplotlib.pyplot as plt
import numpy as np
import optuna
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_monthly_sunspots
from sklstm.tuning import pruning_callback

optuna.logging.set_verbosity(optuna.logging.WARNING)
sunspots = load_monthly_sunspots()
train, test = sunspots[:-132], sunspots[-132:]
settings = {"window_length": 132, "horizon": 12, "stride": 4, "pretrained": False}
settings |= {"epochs": 8, "random_state": 0}


def objective(trial):
    forecaster = LSTMForecaster(
        **settings,
        refit=False,
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 3e-2, log=True),
        batch_size=trial.suggest_categorical("batch_size", [64, 128]),
        callbacks=[pruning_callback(trial)],
    )
    return min(forecaster.fit(train).history_["val_loss"])


study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=2),
)
study.optimize(objective, n_trials=8)
pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
print(f"{len(pruned)} of {len(study.trials)} trials were pruned.")
print("best:", {name: round(value, 4) for name, value in study.best_params.items()})

# %%
# Each line is a trial. The pruner stopped the grey trials early.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for trial in study.trials:
    best = trial.number == study.best_trial.number
    color = "#0072B2" if best else "0.7" if trial in pruned else "#56B4E9"
    values = pd.Series(trial.intermediate_values)
    ax.plot(values.index + 1, values, "o-", ms=3, color=color, lw=2.5 if best else 1)
ax.set(title="Trials of the search", xlabel="epoch", ylabel="validation loss")
ax.spines[["top", "right"]].set_visible(False)

# %%
# The search did not use the last eleven years. On these years the table compares the
# chosen network with the same network with default parameters, with ridge regression,
# and with the same month a year ago.

models = {
    "tuned LSTM": LSTMForecaster(**settings, **study.best_params),
    "LSTM with defaults": LSTMForecaster(**settings),
    "ridge": LSTMForecaster(**settings | {"epochs": 0}),
}
tables = {name: model.fit(train).backtest(test) for name, model in models.items()}
errors = {n: np.mean(np.abs(t["y_true"] - t["y_pred"])) for n, t in tables.items()}
errors["same month a year ago"] = (test - sunspots.shift(12)[-132:]).abs().mean()
errors = pd.Series(errors)
print(errors.round(1).rename("mean absolute error").to_string())
print(f"Verdict: {errors.idxmin()} has the smallest error on the last eleven years.")
plt.show()
