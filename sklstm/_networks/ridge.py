"""The linear model beside the network: ridge regression on windows, in chunks."""

import math
from dataclasses import dataclass

import numpy as np

from sklstm._networks.ridge_paths import (
    OwnPaths,
    RidgePath,
    SharedPaths,
    WidePaths,
    decompose,
    decompose_windows,
    linear,
)
from sklstm._series.missing import row_means
from sklstm._utils.blas import one_thread
from sklstm._windows.dataset import CHUNK
from sklstm._windows.protocols import ForecastProblem

# Of a sum of squares over windows, relative to the inputs' mean variance.
PENALTIES = 10.0 ** np.arange(-3, 9.5, 0.5)
DEFAULT_PENALTY = 1.0
MAX_FEATURES = 4096
MAX_WINDOWS = 200_000
# By a share of missing targets s the error of the last pass is s ** N_PASSES.
N_PASSES = 4
# Of other targets' pasts: a penalty some 1,000 times that on a target's own.
SMALL_SHARE = 0.03
# Operations, of up to ten columns or so. Beyond them a target has none of its own.
MAX_DECOMPOSED = 5e8
# How often a decomposition and a kernel are held: measured, and rounded down.
COPIES = 3
# Windows overlap; of those that do not, so many must say whether levels help.
N_HORIZONS = 10
# Rounds of least absolute errors, and the least share of the mean that an error counts.
N_ROUNDS = 4
SMALLEST_ERROR = 0.1
# Enough for the quantiles of residuals.
MAX_RESIDUALS = 20_000


def design(data, indices):
    """Return the linear model's inputs: all that the network sees, in one row."""
    window, context = data.inputs(indices)
    flat = window.reshape(len(window), -1)
    return np.concatenate([flat, context], axis=1).astype(np.float64)


@dataclass
class Choice:
    """The settings of the linear model that the validation block decides."""

    penalty: float | np.ndarray = DEFAULT_PENALTY
    left_out: tuple = ()
    share: float = 1.0

    @one_thread
    def solution(self, path, data):
        """Return (kernel, bias) from a `RidgePath` of all inputs."""
        path = path_at_share(path, data.owners, self.share)
        return path.solution(self.penalty, self.left_out)


def bytes_of_fit(problem: ForecastProblem) -> int:
    """Return the bytes that the linear model takes at least, 0 where there is none."""
    n_inputs = math.prod(problem.window_shape) + problem.n_context
    if n_inputs > MAX_FEATURES:
        return 0
    rank = min(n_inputs, len(problem.all_rows().train))
    return 8 * COPIES * n_inputs * (rank + math.prod(problem.output_shape))


def is_wide(owners):
    """Return whether a decomposition of all inputs for each target takes too long."""
    return owners is not None and (owners.max() + 1) * len(owners) ** 3 > MAX_DECOMPOSED


def shares_to_try(owners):
    """Return the shares of other targets' pasts that take no longer than all of them.

    Each target has its decomposition at a share of 0, of inputs that are no target's
    as well, of which there may be many.
    """
    if owners is None:
        return [1.0]
    n_read = np.sum(owners <= 0)
    each = (owners.max() + 1) * n_read**3
    return [1.0] if is_wide(owners) and each > len(owners) ** 3 else [1.0, 0.0]


def path_at_share(path, owners, share):
    """Return the path of targets that read the others' pasts at a share."""
    if is_wide(owners):
        return WidePaths(path, owners, share) if share else OwnPaths(path, owners)
    return path if share == 1 else SharedPaths(path, owners, share)


@one_thread
def fit_path(data, train, metric=np.square):
    """Return the `RidgePath` of windows; None where they are too wide for it.

    Parameters
    ----------
    metric : {np.square, np.abs}
        The function of the errors that is minimised. Absolute errors take iteratively
        reweighted least squares (Holland and Welsch, 1977), in which each window counts
        by the inverse of its last error: one weight for all steps of a window, so that
        one decomposition serves all.
    """
    if design(data, train[:1]).shape[1] > MAX_FEATURES:
        return None
    # More windows would take more time and not move the solution.
    train = train[:: max(1, len(train) // MAX_WINDOWS)]
    path = normal_equations(data, train)
    if data.missing is not None:
        # Each pass puts the forecasts of the last pass in place of missing targets,
        # which converges to the least squares of the observed ones (an EM algorithm).
        for _ in range(N_PASSES):
            path = normal_equations(data, train, path.solution(DEFAULT_PENALTY))
    if metric is np.abs:
        for _ in range(N_ROUNDS):
            solution = path.solution(DEFAULT_PENALTY)
            mean = errors(data, train, linear([solution]), metric).item()
            if mean == 0:
                break
            path = normal_equations(data, train, solution, SMALLEST_ERROR * mean)
    return path


def normal_equations(data, train, solution=None, smallest=None):
    """Return the `RidgePath` in which a solution's forecasts replace missing targets.

    Without a solution zeros replace them. With `smallest`, windows count by the inverse
    of their mean error under the solution, or of `smallest` if that is larger.
    """
    # Products of windows hold the same as products of inputs, which may be more.
    short = is_wide(data.owners) and len(train) < len(data.owners)
    kept = []
    n_windows, weight_sum = 0.0, 0.0
    x_sum, y_sum, gram, cross = np.zeros((4, 1))
    origin: tuple | None = None
    for part in data.batches(train, CHUNK):
        x = design(data, part)
        y = data.targets(part).reshape(len(part), -1).astype(np.float64)
        if data.missing is not None:
            expected = 0.0 if solution is None else x @ solution[0] + solution[1]
            y = np.where(np.isnan(y), expected, y)
        w = data.weights(part).astype(np.float64)[:, None]
        n_windows += w.sum()
        if smallest is not None:
            sizes = np.abs(x @ solution[0] + solution[1] - y).mean(axis=1)
            w = w / np.maximum(sizes, smallest)[:, None]
        if origin is None:  # shifted sums keep their digits
            origin = x[0], y[0]
        x, y = x - origin[0], y - origin[1]
        weight_sum += w.sum()
        x_sum = x_sum + (w * x).sum(axis=0)
        y_sum = y_sum + (w * y).sum(axis=0)
        if short:
            kept.append((x, y, w))
            continue
        gram = gram + x.T @ (w * x)
        cross = cross + x.T @ (w * y)
    assert origin is not None, "there are windows to learn from"
    x_mean, y_mean = x_sum / weight_sum, y_sum / weight_sum
    if short:
        x, y, w = map(np.concatenate, zip(*kept, strict=True))
        root = np.sqrt(w / weight_sum)
        x, y = root * (x - x_mean), root * (y - y_mean)
        values, vectors, projected = decompose_windows(x, y)
    else:
        gram = gram / weight_sum - np.outer(x_mean, x_mean)
        cross = cross / weight_sum - np.outer(x_mean, y_mean)
        values, vectors, projected = decompose(gram, cross)
    x_mean, y_mean = x_mean + origin[0], y_mean + origin[1]
    return RidgePath(values, vectors, projected, x_mean, y_mean, n_windows)


def errors(data, indices, forecasts, metric=np.square, n_targets=1):
    """Return the weighted mean error of each model, squared or absolute.

    Parameters
    ----------
    forecasts : callable
        From inputs to the forecasts of each model in turn.
    n_targets : int
        The number of targets, if the error of each is wanted.

    Returns
    -------
    ndarray of shape (n_models, n_targets)
    """
    total, weight_sum = np.zeros((1, n_targets)), 0.0
    for part in data.batches(indices, CHUNK):
        y = data.targets(part).reshape(len(part), -1)
        w = data.weights(part)
        weight_sum += w.sum()
        means = []
        for forecast in forecasts(design(data, part)):
            off = metric(forecast - y)
            means.append(
                [w @ row_means(off[:, k::n_targets]) for k in range(n_targets)]
            )
        total = total + np.array(means)
    return total / weight_sum


def choose_penalty(path, data, validation, left_out=(), metric=np.square):
    """Return the penalty of smallest error on the validation windows, and that error.

    A path for each target has a penalty for each target.
    """
    forecasts = path.forecasts(PENALTIES, left_out)
    means = errors(data, validation, forecasts, metric, path.n_penalties)
    best = np.argmin(means, axis=0)
    error = float(means.min(axis=0).mean())
    return PENALTIES[best[0] if path.n_penalties == 1 else best], error


@one_thread
def choose(path, data, validation, last_values, min_skill, metric=np.square):
    """Return the `Choice` of smallest error on the validation windows.

    Each of several targets reads the past of all, its own alone, or that of others at
    a share.

    Last values pull forecasts towards the series' mean. They are left out unless they
    lower the error by the share `min_skill`, because a series that hardly comes back
    to its mean there goes elsewhere after it. A block of few horizons cannot tell.

    Parameters
    ----------
    path : RidgePath
    data : SeriesWindows or ReadyWindows
    validation : ndarray of int
    last_values : ndarray of int
        Which inputs of the linear model are the last values of windows.
    min_skill : float
    metric : {np.square, np.abs}

    Returns
    -------
    choice : Choice
    error : float
    solution : (kernel, bias)
        Of the choice, from equations that were decomposed to find it.
    """
    shares = shares_to_try(data.owners)
    paths = {share: path_at_share(path, data.owners, share) for share in shares}
    candidates = []
    for share, shared in paths.items():
        penalty, error = choose_penalty(shared, data, validation, metric=metric)
        left_out = last_values[:0]
        if len(last_values) and len(validation) >= N_HORIZONS * data.horizon:
            without = choose_penalty(shared, data, validation, last_values, metric)
            if error > without[1] * (1 - min_skill):
                (penalty, error), left_out = without, last_values
        candidates.append((Choice(penalty, left_out, share), error))
    choice, error = min(candidates, key=lambda pair: pair[1])
    if data.owners is not None:
        left_out = choice.left_out
        shared = paths[SMALL_SHARE] = path_at_share(path, data.owners, SMALL_SHARE)
        penalty, other = choose_penalty(shared, data, validation, left_out, metric)
        if other < error:
            choice, error = Choice(penalty, left_out, SMALL_SHARE), other
    return choice, error, paths[choice.share].solution(choice.penalty, choice.left_out)


@one_thread
def quantile_ridge(solution, data, train, levels):
    """Return a linear model of each quantile: one slope, and the residuals' quantiles.

    Returns
    -------
    (kernel, bias) of ``len(levels)`` times as many outputs, one level after the other.
    """
    train = train[:: max(1, len(train) // MAX_WINDOWS)]
    share = np.cumsum(data.weights(train), dtype=np.float64)
    n_kept = min(len(train), MAX_RESIDUALS)
    positions = (np.arange(n_kept) + 0.5) / n_kept * share[-1]
    kept = train[np.minimum(np.searchsorted(share, positions), len(train) - 1)]
    kernel, bias = solution
    residuals = np.concatenate(
        [
            data.targets(part).reshape(len(part), -1) - design(data, part) @ kernel
            for part in data.batches(kept, CHUNK)
        ]
    )
    residuals[:, np.isnan(residuals).all(axis=0)] = 0
    offsets = np.nanquantile(residuals, levels, axis=0)
    return np.tile(kernel, len(levels)), offsets.ravel()
