"""Many steps of a Keras model in one compiled call, on JAX.

Keras calls its own step once a batch, and each call has a fixed cost, which is larger
than that of the arithmetic if networks are small.
"""

import functools

import jax
import jax.numpy as jnp

# XLA's options on a CPU that compile three times faster, to code that runs four times
# slower.
UNOPTIMISED = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}
# Steps of older versions of Keras place each variable as this method has recorded it.
RECORD = "_record_training_state_sharding_spec"


def values_of(variables):
    return [variable.value for variable in variables]


def in_order(model, logs):
    """Return loss and metrics of a step, in the order of Keras."""
    flat = model._flatten_metrics_in_order(logs)
    return jnp.stack([jnp.asarray(v, "float32") for v in jax.tree.leaves(flat)])


def loop(step, n_values):
    """Return `step` over the first `n` batches of a block, with and without optimising.

    ``step(changing, constant, batch)`` returns the changed variables, and loss and
    metrics of the step. The result is a pair of functions, which JAX compiles when they
    are first called: the first with XLA's optimisations, the second without.
    """

    def run(changing, constant, block, n):
        def body(i, carry):
            changing, values = carry
            batch = jax.tree.map(lambda steps: steps[i], block)
            changing, ours = step(changing, constant, batch)
            return changing, values.at[i].set(ours)

        n_steps = len(jax.tree.leaves(block)[0])
        values = jnp.zeros((n_steps, n_values), "float32")
        return jax.lax.fori_loop(0, n, body, (changing, values))

    if not compiles_unoptimised():
        return (jax.jit(run),) * 2
    return jax.jit(run), jax.jit(run, compiler_options=UNOPTIMISED)


@functools.cache
def compiles_unoptimised():
    """Return whether this backend and version of JAX know the options."""
    if jax.default_backend() != "cpu":
        return False
    try:
        jax.jit(lambda x: x, compiler_options=UNOPTIMISED).lower(0.0).compile()
    except (TypeError, ValueError, RuntimeError):  # JAX 0.4.34 raises the first
        return False
    return True


class StepLoops:
    """Training and validation steps of one compiled Keras model, a block at a time.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    n_values : int
        Loss and metrics.

    Attributes
    ----------
    unoptimised : bool
        Whether to compile fast rather than to fast code.
    """

    def __init__(self, model, n_values):
        self.model, self.built, self.unoptimised = model, False, False
        self._train = loop(self._train_step, n_values)
        self._test = loop(self._test_step, n_values)

    def _train_step(self, changing, metrics, batch):
        logs, (*changing, _) = self.model.train_step((*changing, metrics), batch)
        return tuple(changing), in_order(self.model, logs)

    def _test_step(self, changing, constant, batch):
        logs, _ = self.model.test_step(constant, batch)
        return changing, in_order(self.model, logs)

    def _metrics(self, batch):
        if not self.built:  # Metrics make their variables from the first batch.
            self.model._symbolic_build(data_batch=jax.tree.map(lambda a: a[0], batch))
            if hasattr(self.model, RECORD):
                getattr(self.model, RECORD)()
            self.built = True
        self.model.reset_metrics()
        return values_of(self.model.metrics_variables)

    def _changing(self):
        model = self.model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
        )

    def train(self, block, n):
        """Take `n` steps, and return loss and metrics before each of them."""
        metrics = self._metrics(block)
        variables = self._changing()
        changing = tuple(values_of(part) for part in variables)
        changed, values = self._train[self.unoptimised](changing, metrics, block, n)
        for part, new in zip(variables, changed, strict=True):
            for variable, value in zip(part, new, strict=True):
                variable.assign(value)
        return values[:n]

    def test(self, block, n):
        """Return loss and metrics of `n` batches."""
        metrics = self._metrics(block)
        trainable, others, _ = self._changing()
        constant = values_of(trainable), values_of(others), metrics
        return self._test[self.unoptimised]((), constant, block, n)[1][:n]
