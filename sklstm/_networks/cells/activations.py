"""Functions that several cells apply to their gates."""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    # tanh does not overflow.
    return 0.5 * (np.tanh(0.5 * x) + 1.0)
