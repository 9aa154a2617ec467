"""The linear model beside the network: ridge regression on windows, in chunks."""

from dataclasses import dataclass

import numpy as np

from sklstm._series.missing import row_means
from sklstm._utils.blas import one_thread
from sklstm._windows.dataset import CHUNK

# Of a sum of squares over windows, relative to the inputs' mean variance.
PENALTIES = 10.0 ** np.arange(-3, 9.5, 0.5)
DEFAULT_PENALTY = 1.0
MAX_FEATURES = 4096
MAX_WINDOWS = 200_000
# By a share of missing targets s the error of the last pass is s ** N_PASSES.
N_PASSES = 4
# Of other targets' pasts: a penalty some 1,000 times that on a target's own.
SMALL_SHARE = 0.03
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
class RidgePath:
    """Eigen-decomposed normal equations, from which any penalty's solution follows."""

    values: np.ndarray
    vectors: np.ndarray
    projected: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    weight_sum: float
    n_penalties = 1

    def solution(self, penalty, left_out=()):
        """Return (kernel, bias) of one penalty; an infinite one shrinks the bias too.

        The solution is the one without the inputs that are left out.
        """
        if np.isinf(penalty):
            return np.zeros_like(self.projected), np.zeros_like(self.y_mean)
        ridge = penalty / self.weight_sum * max(self.values.mean(), 1e-12)
        kernel = self.vectors @ (self.projected / (self.values + ridge)[:, None])
        if len(left_out):
            # Lagrange multipliers hold their rows at zero, at no second decomposition.
            shares = self.vectors[left_out] / (self.values + ridge)
            inverse = self.vectors @ shares.T
            kernel -= inverse @ np.linalg.solve(inverse[left_out], kernel[left_out])
            kernel[left_out] = 0
        return kernel, self.y_mean - self.x_mean @ kernel

    def part(self, inputs, outputs, scale):
        """Return the path of some inputs, each times its scale, and some outputs.

        It follows from this path alone, without a second pass over the data.
        """
        vectors = self.vectors[inputs] * scale[:, None]
        values, rotation = np.linalg.eigh((vectors * self.values) @ vectors.T)
        return RidgePath(
            np.maximum(values, 0.0),
            rotation,
            rotation.T @ (vectors @ self.projected[:, outputs]),
            self.x_mean[inputs] * scale,
            self.y_mean[outputs],
            self.weight_sum,
        )


class SharedPaths:
    """A `RidgePath` of each target, which reads other targets' pasts at a share.

    Their inputs are multiplied by the share before the penalty is laid on all alike, so
    that they count only as far as they say much; a share of 0 leaves them out.

    Parameters
    ----------
    path : RidgePath
        Of all inputs and targets.
    owners : ndarray of int of shape (n_inputs,)
        The target whose past an input is; -1 where it is no target's.
    share : float
    """

    def __init__(self, path, owners, share):
        self.n_penalties = self.n_targets = owners.max() + 1
        self.n_inputs, self.n_outputs = path.projected.shape
        self.inputs, self.scales, self.paths = [], [], []
        for target in range(self.n_targets):
            scale = np.where((owners == target) | (owners < 0), 1.0, share)
            inputs = np.flatnonzero(scale)
            outputs = slice(target, None, self.n_targets)
            self.inputs.append(inputs)
            self.scales.append(scale[inputs])
            self.paths.append(path.part(inputs, outputs, scale[inputs]))

    def solution(self, penalty, left_out=()):
        """Return (kernel, bias) as a `RidgePath` does, with zeros for unread inputs.

        Each target may have a penalty of its own.
        """
        kernel, bias = np.zeros((self.n_inputs, self.n_outputs)), []
        penalties = np.broadcast_to(penalty, self.n_targets)
        each = zip(self.inputs, self.scales, self.paths, penalties, strict=True)
        for target, (inputs, scale, path, own) in enumerate(each):
            out = np.flatnonzero(np.isin(inputs, left_out))
            part, its_bias = path.solution(own, out)
            kernel[inputs, target :: self.n_targets] = scale[:, None] * part
            bias.append(its_bias)
        return kernel, np.stack(bias, axis=1).ravel()


@dataclass
class Choice:
    """The settings of the linear model that the validation block decides."""

    penalty: float | np.ndarray = DEFAULT_PENALTY
    left_out: tuple = ()
    share: float = 1.0

    @one_thread
    def solution(self, path, data):
        """Return (kernel, bias) from a `RidgePath` of all inputs."""
        if self.share != 1:
            path = SharedPaths(path, data.owners, self.share)
        return path.solution(self.penalty, self.left_out)


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
            mean = errors(data, train, [solution], metric).item()
            if mean == 0:
                break
            path = normal_equations(data, train, solution, SMALLEST_ERROR * mean)
    return path


def normal_equations(data, train, solution=None, smallest=None):
    """Return the `RidgePath` in which a solution's forecasts replace missing targets.

    Without a solution zeros replace them. With `smallest`, windows count by the inverse
    of their mean error under the solution, or of `smallest` if that is larger.
    """
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
        gram = gram + x.T @ (w * x)
        cross = cross + x.T @ (w * y)
    assert origin is not None, "there are windows to learn from"
    x_mean, y_mean = x_sum / weight_sum, y_sum / weight_sum
    gram = gram / weight_sum - np.outer(x_mean, x_mean)
    cross = cross / weight_sum - np.outer(x_mean, y_mean)
    values, vectors = np.linalg.eigh(gram)
    return RidgePath(
        np.maximum(values, 0.0),
        vectors,
        vectors.T @ cross,
        x_mean + origin[0],
        y_mean + origin[1],
        n_windows,
    )


def errors(data, indices, solutions, metric=np.square, n_targets=1):
    """Return the weighted mean error of each (kernel, bias), squared or absolute.

    Parameters
    ----------
    n_targets : int
        The number of targets, if the error of each is wanted.

    Returns
    -------
    ndarray of shape (n_solutions, n_targets)
    """
    total, weight_sum = np.zeros((len(solutions), n_targets)), 0.0
    for part in data.batches(indices, CHUNK):
        x = design(data, part)
        y = data.targets(part).reshape(len(part), -1)
        w = data.weights(part)
        weight_sum += w.sum()
        for i, (kernel, bias) in enumerate(solutions):
            off = metric(x @ kernel + bias - y)
            for k in range(n_targets):
                total[i, k] += w @ row_means(off[:, k::n_targets])
    return total / weight_sum


def choose_penalty(path, data, validation, left_out=(), metric=np.square):
    """Return the penalty of smallest error on the validation windows, and that error.

    A path for each target has a penalty for each target.
    """
    solutions = [path.solution(penalty, left_out) for penalty in PENALTIES]
    found = errors(data, validation, solutions, metric, path.n_penalties)
    best = np.argmin(found, axis=0)
    error = float(found.min(axis=0).mean())
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
    paths = {1.0: path}
    if data.owners is not None:
        paths[0.0] = SharedPaths(path, data.owners, 0.0)
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
        shared = paths[SMALL_SHARE] = SharedPaths(path, data.owners, SMALL_SHARE)
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
