"""Keras's `preprocessing.text`: re-exports of what lives in `neocog.data`."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.data import Tokenizer, hashing_trick, one_hot, text_to_word_sequence, tokenizer_from_json

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
