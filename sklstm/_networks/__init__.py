"""Networks as specifications and weights: in Keras, in NumPy and in ONNX."""
