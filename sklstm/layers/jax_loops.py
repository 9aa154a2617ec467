"""Recurrent loops in JAX, with gradients written by hand.

The gradient that JAX derives from a scan adds to the weights' gradients at every step
and computes every gate again. Here the forward pass keeps the gates, and one product
over all steps after the backward scan gives the weights' gradients. All gates of an
LSTM go through one tanh, for sigmoid(x) = (tanh(x / 2) + 1) / 2. The barriers keep the
compiler from splitting the gates before it, which would compute them one by one.

Every loop takes time-major inputs, `gates` of shape (n_steps, batch, n_gates * units),
and masks of shape (n_steps, batch, 1), or None; a masked step leaves the state alone.
`drop` of shape (batch, units), or None, scales the state before the recurrent product.
If `table_rows` of shape (n_steps, batch) is not None, `gates` is a table, and
`table_rows` are the rows of it that each step reads; see `words`.
"""

import jax
import jax.numpy as jnp
from jax.lax import optimization_barrier, scan

from sklstm.layers import native


def dropped(state, drop):
    return state if drop is None else state * drop


def hold(mask, new, old):
    return new if mask is None else jnp.where(mask, new, old)


def shifted(start, states):
    """Return the state before each step."""
    return jnp.concatenate([start[None], states[:-1]])


def over_steps(states, gradients):
    """Return a weight's gradient: the outer products, summed over steps and rows."""
    rows = (-1, states.shape[-1])
    return states.reshape(rows).T @ gradients.reshape(-1, gradients.shape[-1])


@jax.custom_vjp
def project(steps, kernel, bias):
    """Return the input's share of the gates, for all steps."""
    return steps @ kernel + bias


def project_forward(steps, kernel, bias):
    return project(steps, kernel, bias), (steps, kernel)


def project_backward(kept, d_gates):
    steps, kernel = kept
    # One product for both weights: XLA would transpose the gradients of all gates for a
    # kernel of one row, and pass over them once more for the bias.
    ones = jnp.ones((*steps.shape[:-1], 1), steps.dtype)
    both = over_steps(jnp.concatenate([steps, ones], -1), d_gates)
    return d_gates @ kernel.T, both[:-1], both[-1]


project.defvjp(project_forward, project_backward)


def look_up(gates, table_rows):
    """Return the gates of each step, which may be rows of a table."""
    return gates if table_rows is None else gates[table_rows]


def table_of(gates, table_rows):
    """Return what the backward pass needs to know of a table."""
    return None if table_rows is None else (gates, table_rows)


def sum_by_row(gradients, table):
    """Return the gradients of a table's rows from those of the steps that read them."""
    if table is None:
        return gradients
    gates, table_rows = table
    if native.serves(gradients):
        return native.sum_rows(gradients, table_rows, len(gates))
    return jnp.zeros_like(gates).at[table_rows].add(gradients)


@jax.custom_vjp
def lstm(gates, table_rows, mask, drop, kernel, h, c):
    """Return the states of every step, and the last cell state, of an LSTM.

    The weights of the gates i, f and o are those of `halved`.
    """
    return lstm_forward(gates, table_rows, mask, drop, kernel, h, c)[0]


def halved(weights):
    """Halve the weights of the gates i, f and o, for a tanh in place of a sigmoid."""
    units = weights.shape[-1] // 4
    half = jnp.repeat(jnp.array([0.5, 0.5, 1, 0.5], weights.dtype), units)
    return weights * half


def lstm_forward(gates, table_rows, mask, drop, kernel, h0, c0):
    table = table_of(gates, table_rows)
    if native.serves(gates):
        t, h, c = native.lstm_forward(gates, table_rows, mask, drop, kernel, h0, c0)
        return (h, c[-1]), (t, h, c, mask, drop, kernel, h0, c0, table)

    def step(carry, inputs):
        h, c = carry
        z, m = inputs
        z = z + dropped(h, drop) @ kernel
        t = optimization_barrier(jnp.tanh(z))
        i, f, g, o = jnp.split(t, 4, axis=1)
        c = hold(m, 0.5 * ((f + 1) * c + (i + 1) * g), c)
        h = hold(m, 0.5 * (o + 1) * jnp.tanh(c), h)
        return (h, c), (t, h, c)

    (_, last), (t, h, c) = scan(step, (h0, c0), (look_up(gates, table_rows), mask))
    return (h, last), (t, h, c, mask, drop, kernel, h0, c0, table)


def lstm_backward(kept, gradients):
    t, h, c, mask, drop, kernel, h0, c0, table = kept
    dh_steps, dc_last = gradients
    transposed = kernel.T

    def step(carry, inputs):
        dh, dc = carry
        t, c, c_before, dh_step, m = inputs
        dh = dh + dh_step
        i, f, g, o = jnp.split(t, 4, axis=1)
        tanh_c = jnp.tanh(c)
        dc_in = dc + 0.5 * dh * (o + 1) * (1 - tanh_c**2)
        # All four gates in one product each: four times as fast as one by one.
        outer = jnp.concatenate([dc_in, dc_in, dc_in, dh], axis=1)
        inner = jnp.concatenate([g, c_before, i + 1, tanh_c], axis=1)
        dz = optimization_barrier(hold(m, 0.5 * outer * inner * (1 - t**2), 0))
        dh = hold(m, dropped(dz @ transposed, drop), dh)
        dc = hold(m, 0.5 * dc_in * (f + 1), dc)
        return (dh, dc), dz

    if native.serves(t):
        given = t, c, mask, drop, kernel, c0, dh_steps, dc_last
        dz, dh0, dc0 = native.lstm_backward(*given)
    else:
        steps = (t, c, shifted(c0, c), dh_steps, mask)
        start = (jnp.zeros_like(h0), dc_last)
        (dh0, dc0), dz = scan(step, start, steps, reverse=True)
    d_kernel = over_steps(dropped(shifted(h0, h), drop), dz)
    return sum_by_row(dz, table), None, None, None, d_kernel, dh0, dc0


lstm.defvjp(lstm_forward, lstm_backward)


@jax.custom_vjp
def gru(gates, table_rows, mask, drop, kernel, bias, h):
    """Return the states of every step of a GRU that resets after the product."""
    return gru_forward(gates, table_rows, mask, drop, kernel, bias, h)[0]


def gru_forward(gates, table_rows, mask, drop, kernel, bias, h0):
    table = table_of(gates, table_rows)
    if native.serves(gates):
        *kept, h = native.gru_forward(gates, table_rows, mask, drop, kernel, bias, h0)
        return h, (*kept, h, mask, drop, kernel, h0, table)

    def step(h, inputs):
        x, m = inputs
        xz, xr, xh = jnp.split(x, 3, axis=1)
        rz, rr, rh = jnp.split(dropped(h, drop) @ kernel + bias, 3, axis=1)
        t = optimization_barrier(jnp.tanh(0.5 * jnp.concatenate([xz + rz, xr + rr], 1)))
        z, r = jnp.split(0.5 * (t + 1), 2, axis=1)
        g = jnp.tanh(xh + r * rh)
        h = hold(m, z * h + (1 - z) * g, h)
        return h, (z, r, g, rh, h)

    _, (z, r, g, rh, h) = scan(step, h0, (look_up(gates, table_rows), mask))
    return h, (z, r, g, rh, h, mask, drop, kernel, h0, table)


def gru_backward(kept, dh_steps):
    *kept, h, mask, drop, kernel, h0, table = kept
    transposed = kernel.T

    def step(dh, inputs):
        z, r, g, rh, h_before, dh_step, m = inputs
        dh = dh + dh_step
        dg = (1 - z) * dh * (1 - g**2)
        dz = (h_before - g) * dh * z * (1 - z)
        dr = dg * rh * r * (1 - r)
        d_inner = jnp.concatenate([dz, dr, dg * r], axis=1)
        d_inner = optimization_barrier(hold(m, d_inner, 0))
        dh_before = z * dh + dropped(d_inner @ transposed, drop)
        return hold(m, dh_before, dh), (d_inner, hold(m, dg, 0))

    if native.serves(h):
        given = kept, h, mask, drop, kernel, h0, dh_steps
        d_inner, dg, dh0 = native.gru_backward(*given)
    else:
        steps = (*kept, shifted(h0, h), dh_steps, mask)
        dh0, (d_inner, dg) = scan(step, jnp.zeros_like(h0), steps, reverse=True)
    d_kernel = over_steps(dropped(shifted(h0, h), drop), d_inner)
    units = h0.shape[1]
    d_gates = jnp.concatenate([d_inner[..., : 2 * units], dg], axis=2)
    d_gates = sum_by_row(d_gates, table)
    return d_gates, None, None, None, d_kernel, d_inner.sum((0, 1)), dh0


gru.defvjp(gru_forward, gru_backward)


@jax.custom_vjp
def rnn(gates, table_rows, mask, drop, kernel, h):
    """Return the states of every step of a simple recurrent network."""
    return rnn_forward(gates, table_rows, mask, drop, kernel, h)[0]


def rnn_forward(gates, table_rows, mask, drop, kernel, h0):
    table = table_of(gates, table_rows)
    if native.serves(gates):
        h = native.rnn_forward(gates, table_rows, mask, drop, kernel, h0)
        return h, (h, mask, drop, kernel, h0, table)

    def step(h, inputs):
        x, m = inputs
        h = hold(m, jnp.tanh(x + dropped(h, drop) @ kernel), h)
        return h, h

    _, h = scan(step, h0, (look_up(gates, table_rows), mask))
    return h, (h, mask, drop, kernel, h0, table)


def rnn_backward(kept, dh_steps):
    h, mask, drop, kernel, h0, table = kept
    transposed = kernel.T

    def step(dh, inputs):
        h, dh_step, m = inputs
        dh = dh + dh_step
        dz = hold(m, dh * (1 - h**2), 0)
        return hold(m, dropped(dz @ transposed, drop), dh), dz

    if native.serves(h):
        dz, dh0 = native.rnn_backward(h, mask, drop, kernel, h0, dh_steps)
    else:
        dh0, dz = scan(step, jnp.zeros_like(h0), (h, dh_steps, mask), reverse=True)
    d_kernel = over_steps(dropped(shifted(h0, h), drop), dz)
    return sum_by_row(dz, table), None, None, None, d_kernel, dh0


rnn.defvjp(rnn_forward, rnn_backward)


@jax.custom_vjp
def slstm(gates, table_rows, mask, drop, kernel, h, c, n):
    """Return the states of every step, and the last cell and normalizer, of an sLSTM.

    The normalizer is its logarithm; see `SLSTM`.
    """
    return slstm_forward(gates, table_rows, mask, drop, kernel, h, c, n)[0]


def one_minus_sigmoid(x, decay):
    """Return sigmoid(-x) from exp(-abs(x)), which no x overflows."""
    return jnp.where(x > 0, decay, 1) / (1 + decay)


def slstm_forward(gates, table_rows, mask, drop, kernel, h0, c0, n0):
    table = table_of(gates, table_rows)
    if native.serves(gates):
        given = gates, table_rows, mask, drop, kernel, h0, c0, n0
        kept, h, c, n = native.slstm_forward(*given)
        return (h, c[-1], n), (kept, h, c, mask, drop, kernel, h0, c0, table)

    def step(carry, inputs):
        h, c, n = carry
        x, m = inputs
        raw = optimization_barrier(x + dropped(h, drop) @ kernel)
        i, f, z, o = jnp.split(raw, 4, axis=1)
        z, o = jnp.tanh(z), 0.5 * (jnp.tanh(0.5 * o) + 1)
        decay = jnp.exp(-jnp.abs(f))
        old = n + jnp.minimum(f, 0) - jnp.log1p(decay)
        lost = one_minus_sigmoid(f, decay)
        decay = jnp.exp(-jnp.abs(old - i))
        share = one_minus_sigmoid(old - i, decay)
        n = hold(m, jnp.maximum(old, i) + jnp.log1p(decay), n)
        c = hold(m, c + share * (z - c), c)
        h = hold(m, o * c, h)
        return (h, c, n), (jnp.concatenate([lost, z, o, share], axis=1), h, c)

    steps = look_up(gates, table_rows), mask
    (_, c_last, n_last), (kept, h, c) = scan(step, (h0, c0, n0), steps)
    return (h, c_last, n_last), (kept, h, c, mask, drop, kernel, h0, c0, table)


def slstm_backward(kept, gradients):
    kept, h, c, mask, drop, kernel, h0, c0, table = kept
    dh_steps, *last = gradients
    transposed = kernel.T

    def step(carry, inputs):
        dh, dc, dn = carry
        gates, c, c_before, dh_step, m = inputs
        lost, z, o, share = jnp.split(gates, 4, axis=1)
        dh = dh + dh_step
        dc_in = dc + dh * o
        d_old = (1 - share) * (dn - share * dc_in * (z - c_before))
        parts = [
            dn - d_old,
            d_old * lost,
            dc_in * share * (1 - z**2),
            dh * c * o * (1 - o),
        ]
        d_raw = jnp.concatenate(parts, axis=1)
        d_raw = optimization_barrier(hold(m, d_raw, 0))
        dh = hold(m, dropped(d_raw @ transposed, drop), dh)
        dc = hold(m, dc_in * (1 - share), dc)
        return (dh, dc, hold(m, d_old, dn)), d_raw

    if native.serves(kept):
        given = kept, c, mask, drop, kernel, c0, dh_steps, last
        d_raw, dh0, dc0, dn0 = native.slstm_backward(*given)
    else:
        steps = (kept, c, shifted(c0, c), dh_steps, mask)
        start = (jnp.zeros_like(h0), *last)
        (dh0, dc0, dn0), d_raw = scan(step, start, steps, reverse=True)
    d_kernel = over_steps(dropped(shifted(h0, h), drop), d_raw)
    d_gates = sum_by_row(d_raw, table)
    return d_gates, None, None, None, d_kernel, dh0, dc0, dn0


slstm.defvjp(slstm_forward, slstm_backward)
