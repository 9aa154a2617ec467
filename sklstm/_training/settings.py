"""How to train: what does not change the network's shape."""

from dataclasses import dataclass, field


@dataclass
class Settings:
    """How to train: what does not change the network's shape."""

    epochs: int
    batch_size: int
    optimizer: object
    learning_rate: float
    learning_rate_schedule: object
    clipnorm: float | None
    loss: object
    early_stopping: bool
    n_iter_no_change: int
    tol: float
    min_skill: float
    metrics: dict = field(default_factory=dict)
    callbacks: list = field(default_factory=list)
    verbose: int = 0
