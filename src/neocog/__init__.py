"""neocog: the Keras API on PyTorch, for people who train image classifiers."""

from neocog._version import __version__ as __version__
