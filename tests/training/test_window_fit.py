"""`fit_window_network` alone: no estimator, no input forms."""

from dataclasses import replace

import numpy as np
import pytest

from sklstm._forecasting.conformal import conformal_errors
from sklstm._training.network_options import AUTO_RECURRENT_LENGTH, NetworkOptions
from sklstm._training.settings import Settings
from sklstm._training.window_fit import EarlierFit, fit_window_network
from tests.windows.test_problem import series_problem, window_problem

SETTINGS = Settings(epochs=2, batch_size=32, early_stopping=False)


def options(**changed):
    defaults = {
        "cell": "lstm",
        "units": (3,),
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "linear_skip": True,
        "recurrent_length": "auto",
        "network": None,
        "n_members": 1,
        "pretrained": False,
        "quantile_levels": (),
        "validation_fraction": 0.2,
        "refit": True,
        "random_state": 0,
    }
    return NetworkOptions(**(defaults | changed))


def fit(problem, *, kept=None, epochs=None, **changed):
    return fit_window_network(
        problem, options(**changed), SETTINGS, kept=kept, epochs=epochs
    )


def centers(scalers):
    return [scaler.center for scaler in scalers[0]]


def same(one, other):
    weights = one.network.weights, other.network.weights
    return all(np.array_equal(weights[0][name], w) for name, w in weights[1].items())


def test_a_refit_learns_scalers_and_weights_from_all_rows():
    problem = series_problem(80)
    chosen, whole = fit(problem, refit=False), fit(problem)
    split = problem.split(0.2, np.random.RandomState(0))
    assert centers(chosen.scalers) == centers(problem.fit_scalers(split))
    assert centers(whole.scalers) == centers(problem.fit_scalers(problem.all_rows()))
    assert not same(chosen, whole)
    # What was told of the block is that of the network which has not seen it.
    assert chosen.history == whole.history and chosen.skill == whole.skill
    np.testing.assert_array_equal(chosen.validation.outputs, whole.validation.outputs)
    assert whole.n_iter == len(whole.history["val_loss"]) == 2


def test_the_block_tells_skill_beside_simple_models():
    found = fit(series_problem(80))
    block, scores = found.validation, found.baseline_scores
    assert list(scores) == ["last_value", "ridge"]
    error = block.mean_error(np.square)
    assert found.skill == pytest.approx(1 - error / min(scores.values()))
    differences = block.outputs - block.data.targets(block.rows)
    assert error == pytest.approx(np.mean(differences**2))


def test_epochs_that_are_given_leave_no_block():
    found = fit(series_problem(80), epochs=1)
    assert found.validation is found.skill is None and found.baseline_scores == {}
    assert found.n_iter == found.best_epoch == 1


def test_training_continues_from_kept_scalers_and_weights():
    problem = series_problem(80)
    first = fit(problem, n_members=2)
    kept = EarlierFit(first.scalers, first.network.trained.weights)
    none = fit(problem, kept=kept, epochs=0, n_members=2)
    assert none.scalers is first.scalers
    for name, weights in none.network.weights.items():
        np.testing.assert_allclose(weights, first.network.weights[name], atol=1e-6)
    assert not same(fit(problem, kept=kept, epochs=1, n_members=2), first)


def test_members_stand_side_by_side_and_quantiles_above_each_other():
    found = fit(series_problem(80), n_members=2, quantile_levels=(0.1, 0.5, 0.9))
    assert found.network.spec.units == (6,)
    assert found.network.spec.output_shape == (3, 1)
    assert found.network.trained.spec.output_shape == (9, 1)
    block = found.validation
    assert block.quantiles.shape == (len(block.rows), 3, 3, 1)
    assert (np.diff(block.quantiles, axis=1) >= 0).all()
    (errors,) = conformal_errors(block)
    assert errors.coverage == 0.8


def test_a_linear_model_that_gains_too_little_is_left_at_the_last_value():
    problem = series_problem(80)
    strict = replace(SETTINGS, epochs=0, min_skill=0.9)
    found = fit_window_network(problem, options(refit=False), strict)
    assert found.baseline_scores["ridge"] > 0.1 * found.baseline_scores["last_value"]
    assert not found.validation.outputs.any()
    assert fit(problem, refit=False).validation.outputs.any()
    # Of many series a few decide the gain, so that it says little of the others.
    many = fit_window_network(series_problem(80, 90), options(refit=False), strict)
    assert many.validation.outputs.any()


@pytest.mark.parametrize("lengths, usual", [((80,), "mse"), ((80, 90), "mae")])
def test_many_series_have_absolute_errors_by_default(lengths, usual):
    def scores(loss):
        settings = replace(SETTINGS, epochs=0, loss=loss)
        found = fit_window_network(series_problem(*lengths), options(), settings)
        return found.baseline_scores

    given = {loss: scores(loss) for loss in ("mse", "mae")}
    assert given["mse"] != given["mae"]
    assert scores("auto") == given[usual]


def test_ready_made_windows_have_a_block_but_no_conformal_errors():
    found = fit(window_problem())
    assert list(found.baseline_scores) == ["mean", "ridge"]
    assert found.validation.weights is None
    assert conformal_errors(found.validation) is None


@pytest.mark.parametrize(
    "changed, window_length, length",
    [
        ({}, 6, None),
        ({}, 100, AUTO_RECURRENT_LENGTH),
        ({"linear_skip": False}, 100, None),
        ({"recurrent_length": 9}, 100, 9),
        ({"recurrent_length": None}, 100, None),
    ],
)
def test_recurrent_layers_read_the_last_steps_of_long_windows(
    changed, window_length, length
):
    problem = series_problem(200, window_length=window_length)
    assert options(**changed).build_spec(problem).recurrent_length == length
