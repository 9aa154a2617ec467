"""Recurrent loops in torch: its own fused kernels, with Keras's weights.

Keras on torch makes a Python call for every step of a layer; torch's kernels take one
call for all steps. They have the gates in another order, and take lengths instead of
masks. So they serve a mask of one block of steps in each row, as padding leaves it.

Inputs are time-major, masks of shape (n_steps, batch, 1).
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def on_gpu():
    return torch.get_default_device().type == "cuda"


def serves(sequences, mask):
    """Return whether values are there, and the unmasked steps of a row are one block.

    Parameters
    ----------
    sequences : tensor of shape (batch, n_steps, n_features)
    mask : tensor of shape (batch, n_steps) or None
    """
    if sequences.device.type == "meta":  # Keras asks for shapes alone
        return False
    if mask is None:
        return True
    mask = torch.as_tensor(mask).bool()
    starts = mask[:, 0].int() + (mask[:, 1:] & ~mask[:, :-1]).sum(1)
    return bool((starts <= 1).all())


def in_order(weights, cell):
    """Return the gates along the last axis in the order of torch."""
    gates = weights.chunk(cell.n_gates, dim=-1)
    return torch.cat([gates[gate] for gate in cell.torch_gates], dim=-1)


def run(cell, steps, mask, kernel, recurrent_kernel, biases, state):
    """Return the outputs of every step, then the last states.

    Parameters
    ----------
    cell : sklstm._utils.cells.Cell
        With a torch_operator.
    steps : tensor of shape (n_steps, batch, n_features)
    mask : tensor of bool of shape (n_steps, batch, 1) or None
        For which `serves` holds.
    biases : tuple of tensor
        Of the input's share and the state's.
    state : tuple of tensor of shape (batch, units)
    """
    parts = [kernel.T, recurrent_kernel.T, *biases]
    parts = [in_order(part.movedim(0, -1), cell).movedim(-1, 0) for part in parts]
    first = [part[None].contiguous() for part in state]
    kernel_of_torch = getattr(torch, cell.torch_operator)
    hidden = first if cell.n_states > 1 else first[0]
    options = True, 1, 0.0, False, False  # biases, layers, dropout, training, two ways
    if mask is None:
        states, *last = kernel_of_torch(steps, hidden, parts, *options, False)
        return states, *(part[0] for part in last)
    n_steps, batch, _ = steps.shape
    mask = mask[..., 0]
    lengths, start = mask.sum(0), mask.int().argmax(0)
    empty = (lengths == 0)[:, None]
    step = torch.arange(n_steps, device=steps.device)[:, None]
    rows = torch.arange(batch, device=steps.device)
    shifted = steps[(step + start).clamp(max=n_steps - 1), rows]
    # torch packs no empty row: `empty` rows read one step, whose result is dropped.
    packed = pack_padded_sequence(
        shifted, lengths.clamp(min=1).cpu(), enforce_sorted=False
    )
    order = packed.sorted_indices
    hidden = [part[:, order] for part in first]
    hidden = hidden if cell.n_states > 1 else hidden[0]
    data, *last = kernel_of_torch(
        packed.data, packed.batch_sizes, hidden, parts, *options
    )
    states, _ = pad_packed_sequence(packed._replace(data=data), total_length=n_steps)
    last = [part[0][packed.unsorted_indices] for part in last]
    last = [torch.where(empty, old, new) for old, new in zip(state, last, strict=True)]
    # Before a row's first step stand zeros, as in Keras on torch; after its last one
    # the last output is held.
    held = (step - start).clamp(max=lengths - 1)
    outputs = states[held.clamp(min=0), rows]
    return torch.where((held >= 0)[..., None], outputs, 0.0), *last
