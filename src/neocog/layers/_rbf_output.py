"""Distances to one code a class: the output of LeNet-5."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import known_size

# The ten digits on 7×12 dots, as in the stylised set of the paper's figure 3: one line a row of dots.
_DIGITS = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...##..  .#####.  #######  ....##.  ######.  ..####.  #######  .#####.  .#####.
.##.##.  ..###..  ##...##  .....##  ...###.  ##.....  .##....  .....##  ##...##  ##...##
##...##  .####..  .....##  ....##.  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  ...##..  .##.##.  #####..  ##.....  ....##.  .#####.  ##...##
##...##  ...##..  ....##.  ..####.  ##..##.  ....##.  ######.  ...##..  ##...##  .######
##...##  ...##..  ...##..  .....##  #######  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  ..##...  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
.##.##.  ...##..  .##....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ....##.
..###..  .######  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .####..
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


@LAYERS.register("rbf_output")
class RBFOutput(Layer):
    """Compare the features with one code a class: how near they are, 0 at most.

        outputs_i = - Σ_j (inputs_j - codes_ij)²

    With softmax after it, sparse cross-entropy is the paper's loss, `distance of the right class + log Σ e^(-
    distance)`, without the constant inside the logarithm.

    Args:
        units: classes.
        codes: "digits": the ten digits drawn on 7×12 dots, for 84 features and up to ten classes; "random": 1
            and -1 by a fixed seed; None (the default): digits where they fit, "random" elsewhere; or numbers
            of shape (units, features).
        codes_trainable: whether the codes are trained as well; default False.

    Shapes:
        (batch, …, features) to (batch, …, units).

    Raises:
        ArgumentError: codes of another shape, or digits for other sizes.

    Example:
        >>> RBFOutput(2, codes=[[1.0, 1.0], [-1.0, -1.0]])(torch.tensor([[1.0, 0.0]])).tolist()
        [[-1.0, -5.0]]

    Reference:
        LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, equations 7 to 9.
    """

    weight: torch.Tensor

    def __init__(self, units: int, codes: Any = None, codes_trainable: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = check_int(self.label, "units", units, minimum=1)
        self.codes = codes if codes is None or isinstance(codes, str) else np.asarray(codes, float).tolist()
        if isinstance(codes, str) and codes not in ("digits", "random"):
            raise ArgumentError(
                message(self.label, expected='codes "digits", "random", None or numbers', got=repr(codes))
            )
        self.codes_trainable = bool(codes_trainable)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make the codes."""
        features = known_size(self.label, input_shape, -1)
        values = self._values(features)
        if values.shape != (self.units, features):
            raise ArgumentError(
                message(
                    self.label,
                    expected=f"codes of shape {(self.units, features)}, one row for each class",
                    got=values.shape,
                    do='Pass codes=None, or the numbers of features that they need (84 for "digits").',
                )
            )
        self.make_weight(
            "codes",
            "weight",
            values.shape,
            lambda shape, dtype=None: torch.from_numpy(values),
            trainable=self.codes_trainable,
        )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def _values(self, features: int) -> Any:
        codes = self.codes
        if codes is None:
            codes = "digits" if features == 84 and self.units <= 10 else "random"
        if codes == "digits":
            return digit_codes()[: self.units]
        if codes == "random":
            return np.random.default_rng(5).choice(np.array([-1.0, 1.0]), (self.units, features))
        return np.asarray(codes, float)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        x = self.as_float(inputs)
        return -torch.square(x.unsqueeze(-2) - self.weight).sum(-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with `units` in the last place."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "units": self.units,
            "codes": self.codes,
            "codes_trainable": self.codes_trainable,
        }


def digit_codes() -> Any:
    """Return the codes of the digits, (10, 84): 1 for a dot, -1 for none, row by row.

    Example:
        >>> digit_codes()[7].reshape(12, 7)[1]
        array([1., 1., 1., 1., 1., 1., 1.])
    """
    rows = [line.split() for line in _DIGITS.split("\n") if line]
    drawn = [[dot == "#" for row in rows for dot in row[digit]] for digit in range(10)]
    return np.where(np.array(drawn), 1.0, -1.0)
