"""Texts and sequences of whole numbers, as Keras's older preprocessing functions take them."""
