"""Settings of training, which do not change the network's shape."""

from dataclasses import dataclass, field


@dataclass
class Settings:
    """How to train: what does not change the network's shape.

    Parameters
    ----------
    loss : str, keras.losses.Loss or callable
        A function takes and returns tensors: ``loss(y_true, y_pred)``.
    metrics : dict of str to callable
    callbacks : list of keras.callbacks.Callback
        Copied for each training run.
    verbose : int
        A progress bar is shown unless it is 0.
    waits_for_gain : bool
        Whether epochs without improvement count only after the first improvement.

    Other fields are parameters of the estimators.
    """

    epochs: int
    batch_size: int
    optimizer: object = "adam"
    learning_rate: float = 0.001
    learning_rate_schedule: object = None
    clipnorm: float | None = None
    loss: object = "mse"
    early_stopping: bool = True
    n_iter_no_change: int = 10
    tol: float = 1e-4
    min_skill: float = 0.01
    metrics: dict = field(default_factory=dict)
    callbacks: list = field(default_factory=list)
    verbose: int = 0
    waits_for_gain: bool = False
