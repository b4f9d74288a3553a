"""Keras's `preprocessing.sequence`: re-exports of what lives in `neocog.data`."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.data import TimeseriesGenerator, make_sampling_table, pad_sequences, skipgrams

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
