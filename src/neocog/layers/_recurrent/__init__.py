"""Recurrent layers: cells, the layer that runs a cell over time, and both directions at once."""

from neocog.layers._recurrent._bidirectional import Bidirectional
from neocog.layers._recurrent._conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from neocog.layers._recurrent._gru import GRU, GRUCell
from neocog.layers._recurrent._lstm import LSTM, LSTMCell
from neocog.layers._recurrent._rnn import RNN
from neocog.layers._recurrent._simple_rnn import SimpleRNN, SimpleRNNCell
from neocog.layers._recurrent._stacked import StackedRNNCells

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
]
