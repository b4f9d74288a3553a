"""The learning-rate range test as a callback."""

from __future__ import annotations

from neocog.callbacks._callback import Callback
from neocog.training import RangeTest


class LearningRateFinder(RangeTest, Callback):
    """Raise the learning rate step by step, note each batch's loss, and put the model back as it was.

    At step i of n the rate is  lowest · (highest / lowest)^(i / (n - 1)).  The run ends after `steps` steps
    or when the loss has clearly gone up; weights, optimizer, metrics and random generators are then what they
    were before, bit for bit, and `result` says what was found.

    Args:
        lowest: first rate.
        highest: last rate.
        steps: how many, 20 or more.
        stop_factor: the test ends where the smoothed loss has risen by so many times what it had fallen to.

    Raises:
        ArgumentError: rates or steps that make no test; an optimizer whose rate cannot be set.

    Example:
        >>> finder = LearningRateFinder(1e-5, 1.0, steps=50)
        >>> f"{finder.rate_at(0):.0e} {finder.rate_at(49):.0e}"
        '1e-05 1e+00'

    Reference:
        Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """
