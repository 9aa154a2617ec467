"""Solutions of ridge regression at any penalty, from one decomposition."""

from dataclasses import dataclass

import numpy as np

# Of the largest eigenvalue: smaller ones are rounding, far below any penalty.
SMALLEST_VALUE = 1e-13


def decompose(gram, cross):
    """Return (values, vectors, projected) of normal equations."""
    values, vectors = np.linalg.eigh(gram)
    return np.maximum(values, 0.0), vectors, vectors.T @ cross


def decompose_windows(x, y):
    """Return `decompose` of x.T @ x and x.T @ y, where rows are few.

    Eigenvectors of the value 0 are left out, because no solution contains them.
    """
    values, rotation = np.linalg.eigh(x @ x.T)
    kept = values > SMALLEST_VALUE * values[-1]
    values, rotation = values[kept], rotation[:, kept]
    root = np.sqrt(values)
    return values, x.T @ (rotation / root), root[:, None] * (rotation.T @ y)


def linear(solutions):
    """Return a function from inputs to the forecasts of each (kernel, bias)."""
    return lambda x: (x @ kernel + bias for kernel, bias in solutions)


@dataclass
class RidgePath:
    """Eigen-decomposed normal equations, from which any penalty's solution follows."""

    values: np.ndarray
    vectors: np.ndarray
    projected: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    weight_sum: float
    # What `rescaled` returned last.
    last: tuple | None = None
    n_penalties = 1

    def solution(self, penalty, left_out=()):
        """Return (kernel, bias) of one penalty; an infinite one shrinks the bias too.

        The solution is the one without the inputs that are left out.
        """
        if np.isinf(penalty):
            shape = len(self.vectors), len(self.y_mean)
            return np.zeros(shape), np.zeros_like(self.y_mean)
        mean_variance = self.values.sum() / len(self.vectors)
        ridge = penalty / self.weight_sum * max(mean_variance, 1e-12)
        kernel = self.vectors @ (self.projected / (self.values + ridge)[:, None])
        if len(left_out):
            # Lagrange multipliers hold their rows at zero, at no second decomposition.
            shares = self.vectors[left_out] / (self.values + ridge)
            inverse = self.vectors @ shares.T
            kernel -= inverse @ np.linalg.solve(inverse[left_out], kernel[left_out])
            kernel[left_out] = 0
        return kernel, self.y_mean - self.x_mean @ kernel

    def forecasts(self, penalties, left_out=()):
        """Return a function from inputs to the forecasts at each penalty."""
        return linear([self.solution(penalty, left_out) for penalty in penalties])

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

    def rescaled(self, scale):
        """Return (values, vectors, projected) of all inputs, each times its scale."""
        if (scale == 1).all():
            return self.values, self.vectors, self.projected
        if self.last is None or (self.last[0] != scale).any():
            kept = self.values > SMALLEST_VALUE * self.values.max()
            root = np.sqrt(self.values[kept])[:, None]
            x = root * (self.vectors[:, kept] * scale[:, None]).T
            self.last = scale, decompose_windows(x, self.projected[kept] / root)
        return self.last[1]


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
        self.n_inputs, self.n_outputs = len(path.vectors), len(path.y_mean)
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

    def forecasts(self, penalties, left_out=()):
        """Return a function from inputs to the forecasts at each penalty."""
        return linear([self.solution(penalty, left_out) for penalty in penalties])


class OwnPaths(SharedPaths):
    """`SharedPaths` of share 0 for many targets: forecasts take no kernel of zeros.

    Parameters
    ----------
    path : RidgePath
    owners : ndarray of int of shape (n_inputs,)
    """

    def __init__(self, path, owners):
        super().__init__(path, owners, 0.0)

    def forecasts(self, penalties, left_out=()):
        """Return a function from inputs to the forecasts at each penalty."""
        outs = [np.flatnonzero(np.isin(inputs, left_out)) for inputs in self.inputs]

        def each(x):
            columns = [x[:, inputs] for inputs in self.inputs]
            forecasts = np.empty((len(x), self.n_outputs))
            for penalty in penalties:
                for target, path in enumerate(self.paths):
                    kernel, bias = path.solution(penalty, outs[target])
                    forecasts[:, target :: self.n_targets] = (
                        columns[target] @ kernel + bias
                    )
                yield forecasts

        return each


class WidePaths:
    """What `SharedPaths` are, of any share but 0, from one decomposition for all.

    To read others' pasts at a share is to have a larger penalty on them. A target's own
    past, a few inputs, has the smaller one, so that Woodbury's identity leads to its
    solution from that of one penalty on all. Its kernel is the eigenvectors times
    some weights, and more weights on its own past. Forecasts of the validation block
    follow from the weights, because a kernel for each penalty would take longer.

    Parameters
    ----------
    path : RidgePath
        Of all inputs and targets.
    owners : ndarray of int of shape (n_inputs,)
    share : float
    """

    def __init__(self, path, owners, share):
        self.path, self.share = path, share
        self.n_targets = owners.max() + 1
        self.n_penalties = 1 if share == 1 else self.n_targets
        self.own = [np.flatnonzero(owners == t) for t in range(self.n_targets)]
        # No target's inputs are read wholly: the scale undoes the penalty of others'.
        common = owners < 0
        self.scale = np.where(common, 1 / share, 1.0)
        variances = path.vectors**2 @ path.values
        wholly = np.array([variances[own].sum() for own in self.own])
        wholly += variances[common].sum()
        means = (wholly + share**2 * (variances.sum() - wholly)) / len(owners)
        # Of a penalty of 1 on others' inputs.
        self.ridges = np.maximum(means, 1e-12) / share**2 / path.weight_sum

    def _without(self, left_out):
        """Return the decomposition without some inputs, whose vectors are zero."""
        scale = self.scale.copy()
        scale[np.asarray(left_out, int)] = 0
        return self.path.rescaled(scale)

    def _weights(self, parts, penalty):
        """Return weights of eigenvectors, and for each target those of its own past."""
        values, vectors, projected = parts
        n = self.n_targets
        ridges = self.ridges * np.broadcast_to(penalty, n)
        if self.share == 1:
            return projected / (values + ridges[0])[:, None], []
        weights, own_weights = np.empty_like(projected), []
        for target, (own, ridge) in enumerate(zip(self.own, ridges, strict=True)):
            past = vectors[own]
            shrunk = projected[:, target::n] / (values + ridge)[:, None]
            moved = past * (values / (values + ridge))
            inner = moved @ past.T
            inner[np.diag_indices_from(inner)] += self.share**2 / (1 - self.share**2)
            more = np.linalg.solve(inner, past @ shrunk)
            weights[:, target::n] = shrunk - moved.T @ more
            own_weights.append(more)
        return weights, own_weights

    def solution(self, penalty, left_out=()):
        """Return (kernel, bias) as `SharedPaths` do."""
        path = self.path
        if np.isinf(penalty).all():
            return path.solution(np.inf)
        parts = self._without(left_out)
        weights, own_weights = self._weights(parts, penalty)
        kernel = parts[1] @ weights
        for target, (own, more) in enumerate(zip(self.own, own_weights, strict=False)):
            kernel[own, target :: self.n_targets] += more
        kernel *= self.scale[:, None]
        return kernel, path.y_mean - path.x_mean @ kernel

    def forecasts(self, penalties, left_out=()):
        """Return a function from inputs to the forecasts at each penalty."""
        parts = self._without(left_out)

        def each(x):
            x = (x - self.path.x_mean) * self.scale
            rotated, columns = x @ parts[1], [x[:, own] for own in self.own]
            for penalty in penalties:
                weights, own_weights = self._weights(parts, penalty)
                forecasts = rotated @ weights + self.path.y_mean
                for target, more in enumerate(own_weights):
                    forecasts[:, target :: self.n_targets] += columns[target] @ more
                yield forecasts

        return each
