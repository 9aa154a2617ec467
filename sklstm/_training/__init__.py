"""How networks are trained: epochs, validation, checkpoints."""
