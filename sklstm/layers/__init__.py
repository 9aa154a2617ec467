"""Keras layers with a fast loop: LSTM, GRU, SimpleRNN, and the sLSTM of xLSTM.

LSTM, GRU and SimpleRNN replace the Keras layers of the same names, with the same
arguments, weights, config and results. Keras has no SLSTM. With Keras on JAX and a CPU
a training step takes two thirds to three quarters of the time of Keras's own layers.
With torch on a CPU the kernels of torch run. With JAX and a GPU an LSTM reads padded
sequences in cuDNN, by their lengths. In all other cases, and with options that the fast
loop does not cover (other activations, unrolling, half precision, and recurrent dropout
on torch or a GPU), Keras's own loop runs.

Dropout masks are drawn once for each batch, as in Keras, but one mask serves all gates
instead of one mask for each gate (the tied weights of Gal and Ghahramani, 2016), so
that one product suffices.
"""

from sklstm.layers.recurrent import GRU, LSTM, SLSTM, SimpleRNN, SLSTMCell

__all__ = ["GRU", "LSTM", "SLSTM", "SLSTMCell", "SimpleRNN"]
