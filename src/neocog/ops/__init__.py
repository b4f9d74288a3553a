"""Keras's `ops`: functions of tensors that also join a graph."""
