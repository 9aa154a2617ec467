"""Keras layers with a fast loop: LSTM, GRU, SimpleRNN, and the sLSTM of xLSTM.

Each but SLSTM, which Keras lacks, takes the place of the Keras layer of its name: same
arguments, weights, config and results. With Keras on JAX and a CPU a training step
takes two thirds to three quarters of the time, and with torch on a CPU its own kernels
run; with JAX and a GPU an LSTM reads padded sequences in cuDNN, by their lengths.
Elsewhere, and with options that the fast loop does not cover (other activations,
unrolling, half precision, and on torch or a GPU recurrent dropout), the loop is Keras's
own.

Dropout masks are drawn once a batch, as Keras does, but one for all gates instead of
one for each: the tied weights of Gal and Ghahramani (2016), which one product serves.
"""

from sklstm.layers.recurrent import GRU, LSTM, SLSTM, SimpleRNN, SLSTMCell

__all__ = ["GRU", "LSTM", "SLSTM", "SLSTMCell", "SimpleRNN"]
