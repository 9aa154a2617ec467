"""The architecture of a network as a frozen value, which serves as a cache key."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sklstm._networks.keras_models import (
    build_network,
    build_pretrained,
    build_text_network,
)
from sklstm._networks.pretrained_inputs import Architecture
from sklstm._utils.archive import storable
from sklstm._utils.cells import CELLS

POOLINGS = ("last", "max", "mean", "attention")
Shapes = dict[str, tuple[int, ...]]


@storable
@dataclass(frozen=True)
class NetworkSpec:
    """The architecture of a forecaster; equal specs share one compiled network."""

    bidirectional = False  # The future of a window is what is forecast.
    _renamed_fields = {"n_levels": "n_last_values"}

    window_shape: tuple
    n_context: int
    output_shape: tuple
    n_last_values: int = 0
    cell: str = "lstm"
    units: tuple = (32,)
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    linear_skip: bool = True
    recurrent_length: int | None = None
    network: Any = None
    n_static: int = 0

    def build(self, plain=False):
        return build_network(self, plain)

    def weight_shapes(self) -> Shapes:
        """Return the shapes of a standard network's weights by name."""
        shapes: Shapes = {}
        width = self.window_shape[1] + self.n_static
        for i, units in enumerate(self.units):
            shapes |= cell_shapes(self.cell, f"recurrent_{i}", width, units)
            width = units
        n_outputs = int(np.prod(self.output_shape))
        if self.n_context > self.n_last_values:
            ahead = self.n_context - self.n_last_values
            shapes |= dense_shapes("context_hidden", ahead, width)
            width *= 2
        shapes |= dense_shapes("head", width, n_outputs)
        if self.linear_skip:
            n_inputs = int(np.prod(self.window_shape)) + self.n_context
            shapes |= dense_shapes("skip", n_inputs, n_outputs)
        return shapes

    @property
    def starts_linear(self) -> bool:
        """Whether the network before its first step is the linear model."""
        return self.linear_skip and self.network is None


@storable
@dataclass(frozen=True)
class TextNetworkSpec:
    """The architecture of a text classifier, of token ids and linear logits."""

    network = None  # Only forecasters take networks of the user's own.

    n_tokens: int
    n_outputs: int
    embedding_dim: int
    exclusive: bool = True
    trainable_embeddings: bool = True
    cell: str = "lstm"
    units: tuple = (64,)
    bidirectional: bool = True
    pooling: str = "max"
    word_dropout: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    linear_skip: bool = True

    def build(self, plain=False):
        return build_text_network(self, plain)

    def layer_names(self, i: int) -> list[str]:
        """Return the recurrent layers at depth `i`; a second one reads backwards."""
        if not self.bidirectional:
            return [f"recurrent_{i}"]
        return [f"both_{i}/forward_recurrent_{i}", f"both_{i}/backward_{i}"]

    def weight_shapes(self) -> Shapes:
        """Return the shapes of the network's weights by name."""
        width = self.embedding_dim
        shapes: Shapes = {"embedding/embeddings": (self.n_tokens, width)}
        for i, units in enumerate(self.units):
            names = self.layer_names(i)
            for name in names:
                shapes |= cell_shapes(self.cell, name, width, units)
            width = units * len(names)
        if self.pooling == "attention":
            shapes["attention/kernel"] = (width, 1)
        return shapes | dense_shapes("head", width, self.n_outputs)

    @property
    def starts_linear(self) -> bool:
        return self.linear_skip


@dataclass(frozen=True)
class PretrainedSpec:
    """The architecture of the pretrained network, as training asks for it."""

    network = None
    starts_linear = False

    arch: Architecture

    def build(self):
        return build_pretrained(self.arch)

    def weight_shapes(self) -> Shapes:
        """Return the shapes of the network's weights by name."""
        arch = self.arch
        shapes = dense_shapes("embedding", arch.n_features, arch.units)
        for k in range(arch.n_layers):
            shapes |= cell_shapes("lstm", f"lstm_{k}", arch.units, arch.units)
        shapes |= dense_shapes("hidden", arch.units + arch.n_features, arch.hidden)
        shapes |= dense_shapes("head", arch.hidden, arch.n_outputs)
        return shapes | {"skip/kernel": (arch.n_features, arch.n_outputs)}


def differences(spec, other) -> str:
    """Say in words how two specs of one class differ."""
    pairs = (
        (f.name, getattr(spec, f.name), getattr(other, f.name)) for f in fields(spec)
    )
    return ", ".join(f"{name} was {a} and is {b}" for name, a, b in pairs if a != b)


def dense_shapes(name: str, n_inputs: int, n_outputs: int) -> Shapes:
    return {f"{name}/kernel": (n_inputs, n_outputs), f"{name}/bias": (n_outputs,)}


def cell_shapes(cell: str, name: str, n_inputs: int, units: int) -> Shapes:
    record = CELLS[cell]
    prefix, width = f"{name}/{record.weight_prefix}", record.n_gates * units
    return {
        f"{prefix}/kernel": (n_inputs, width),
        f"{prefix}/recurrent_kernel": (units, width),
        f"{prefix}/bias": (record.n_biases, width) if record.n_biases > 1 else (width,),
    }
