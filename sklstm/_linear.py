"""The linear model beside the network: ridge regression on windows, in chunks."""

import numpy as np

# Of a sum of squares over windows, relative to the inputs' mean variance.
PENALTIES = 10.0 ** np.arange(-3, 9.5, 0.5)
DEFAULT_PENALTY = 1.0
CHUNK = 8192
MAX_FEATURES = 4096
MAX_WINDOWS = 200_000


def design(data, indices):
    """The linear model's inputs: every value the network sees, in one row."""
    window, context = data.inputs(indices)
    flat = window.reshape(len(window), -1)
    return np.concatenate([flat, context], axis=1).astype(np.float64)


def chunks(indices):
    return (indices[i : i + CHUNK] for i in range(0, len(indices), CHUNK))


def fit_path(data, train):
    """Eigen-decomposition of the weighted normal equations.

    Returns
    -------
    tuple
        (eigenvalues, eigenvectors, projected targets, input means, target means, sum of
        weights),
        from which `coefficients` gives the solution of any penalty; None where the
        window is too wide for normal equations.
    """
    n_features = design(data, train[:1]).shape[1]
    if n_features > MAX_FEATURES:
        return None
    # Beyond this many windows the solution no longer moves; time still grows.
    train = train[:: max(1, len(train) // MAX_WINDOWS)]
    weight_sum, x_sum, y_sum, gram, cross = 0.0, 0.0, 0.0, 0.0, 0.0
    origin = None
    for part in chunks(train):
        x = design(data, part)
        y = data.targets(part).reshape(len(part), -1).astype(np.float64)
        w = data.weights(part).astype(np.float64)[:, None]
        if origin is None:  # shifted sums keep their digits
            origin = x[:1], y[:1]
        x, y = x - origin[0], y - origin[1]
        weight_sum += w.sum()
        x_sum = x_sum + (w * x).sum(axis=0)
        y_sum = y_sum + (w * y).sum(axis=0)
        gram = gram + x.T @ (w * x)
        cross = cross + x.T @ (w * y)
    x_mean, y_mean = x_sum / weight_sum, y_sum / weight_sum
    gram = gram / weight_sum - np.outer(x_mean, x_mean)
    cross = cross / weight_sum - np.outer(x_mean, y_mean)
    values, vectors = np.linalg.eigh(gram)
    return (
        np.maximum(values, 0.0),
        vectors,
        vectors.T @ cross,
        x_mean + origin[0][0],
        y_mean + origin[1][0],
        weight_sum,
    )


def coefficients(path, penalty):
    """(kernel, bias) of the ridge solution for one penalty."""
    values, vectors, projected, x_mean, y_mean, weight_sum = path
    ridge = penalty / weight_sum * max(values.mean(), 1e-12)
    kernel = vectors @ (projected / (values + ridge)[:, None])
    return kernel, y_mean - x_mean @ kernel


def errors(data, indices, solutions):
    """Weighted mean squared error of each (kernel, bias)."""
    total, weight_sum = np.zeros(len(solutions)), 0.0
    for part in chunks(indices):
        x = design(data, part)
        y = data.targets(part).reshape(len(part), -1)
        w = data.weights(part)
        weight_sum += w.sum()
        for i, (kernel, bias) in enumerate(solutions):
            total[i] += w @ ((x @ kernel + bias - y) ** 2).mean(axis=1)
    return total / weight_sum


def choose_penalty(path, data, validation):
    """The penalty with the smallest error on the validation windows."""
    solutions = [coefficients(path, penalty) for penalty in PENALTIES]
    return PENALTIES[int(np.argmin(errors(data, validation, solutions)))]
