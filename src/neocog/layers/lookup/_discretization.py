"""Numbers into bins, whose boundaries are given or learned as quantiles of data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_number, check_one_of, to_tensor, torch_dtype
from neocog.data import Source
from neocog.exceptions import ArgumentError, DataError, NotBuiltError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._encoding import encode, encoded_shape
from neocog.layers.lookup._raw_inputs import OUTPUT_MODES, RawInputLayer, refuse_sparse


@LAYERS.register("discretization")
class Discretization(RawInputLayer):
    """Put numbers into bins: below the first boundary bin 0, then one bin from each boundary to the next.

    Args:
        bin_boundaries: rising boundaries; a number equal to one belongs to the bin above it.
        num_bins: number of bins whose boundaries `adapt` finds, in place of `bin_boundaries`.
        epsilon: how exactly `adapt` looks for quantiles: it keeps about 1 / epsilon values of the data.
        output_mode: `"int"` the bins' numbers; others as in `CategoryEncoding`.
        sparse: not supported; must be False.
        dtype: type of the outputs of the modes other than `"int"` (which gives int32).
        name: name of the layer.

    Shapes:
        Any; `"int"` keeps it.

    Example:
        >>> Discretization(bin_boundaries=[0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]])
        tensor([[0, 2, 3, 1]], dtype=torch.int32)
    """

    takes_text = False

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        if (num_bins is None) == (bin_boundaries is None):
            got = f"bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}"
            raise ArgumentError(
                message(self.label, expected="bin_boundaries or num_bins, one of them", got=got)
            )
        self.summary: Any = None
        self.output_mode = check_one_of(self.label, "output_mode", output_mode, OUTPUT_MODES)
        refuse_sparse(self.label, sparse)
        self.sparse = False
        self.num_bins = None if num_bins is None else check_int(self.label, "num_bins", num_bins, minimum=0)
        self.epsilon = check_number(self.label, "epsilon", epsilon, minimum=1e-12, maximum=1)
        self.bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            self.bin_boundaries = [float(item) for item in np.asarray(bin_boundaries).ravel()]
        self.reset_state()

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Find the bin of each number."""
        if self.bin_boundaries is None:
            do = "Call adapt(data) first, or give bin_boundaries."
            raise NotBuiltError(message(self.label, expected="to know its boundaries", got="none", do=do))
        inputs = self.as_float(inputs).to(torch.float32)
        boundaries = torch.tensor(self.bin_boundaries, dtype=inputs.dtype, device=inputs.device)
        numbers = torch.bucketize(inputs, boundaries, right=True)
        dtype = torch.int32 if self.output_mode == "int" else torch_dtype(self._dtype)
        return encode(numbers, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the inputs' shape, or that of the rows."""
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return int32 for the bins' numbers, else the layer's type."""
        return "int32" if self.output_mode == "int" else self._dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn boundaries that give bins of about equal size.

        Args:
            data: an array, or an iterable of batches; of (inputs, targets) the inputs.
            steps: how many batches to read.

        Raises:
            ArgumentError: the layer was given its boundaries.
        """
        if self.num_bins is None:
            raise ArgumentError(f"{self.label}: expected num_bins to adapt to data, got bin_boundaries.")
        self.reset_state()
        if isinstance(data, Source) and not isinstance(data, Iterable):
            data = (batch.x for batch in data.batches(0))
        single = hasattr(data, "__array__") or isinstance(data, torch.Tensor)
        for number, item in enumerate([data] if single else data):
            if number == steps:
                break
            pair = isinstance(item, (tuple, list)) and len(item) > 0 and hasattr(item[0], "shape")
            self.update_state(item[0] if pair else item)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take in one batch of numbers."""
        values = to_tensor(data).detach().cpu().to(torch.float32).numpy()
        self.summary = _compressed(_merged(_summary(values, self.epsilon), self.summary), self.epsilon)

    def finalize_state(self) -> None:
        """Turn what `update_state` has seen into boundaries."""
        if self.num_bins is None:
            return
        if self.summary.shape[1] == 0:
            raise DataError(f"{self.label}: expected data to adapt to, got none.")
        self.bin_boundaries = _compressed(self.summary, 1.0 / max(self.num_bins, 1))[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget what `update_state` has seen."""
        self.summary = np.zeros((2, 0), dtype=np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and the boundaries that were learned, as plain values."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self._dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer; boundaries beside `num_bins` are those that were learned."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = [float(item) for item in config["bin_boundaries"]]
        return layer


def _summary(values: Any, epsilon: float) -> Any:
    """Return about 1 / epsilon values of the data at even distances in their order, and their weights."""
    ordered = np.sort(values.ravel())
    step = max(ordered.size * epsilon, 1)
    kept = ordered[int(step - 1) :: int(step)]
    return np.stack([kept, np.ones_like(kept) * step])


def _merged(first: Any, second: Any) -> Any:
    together = np.concatenate((first, second), axis=1)
    return together[:, np.argsort(together[0])]


def _compressed(summary: Any, epsilon: float) -> Any:
    """Return a summary of 1 / epsilon values, interpolated in the cumulated weights."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    cumulated = summary[1].cumsum()
    known = cumulated / cumulated[-1]
    values = np.interp(shares, known, summary[0])
    at_shares = np.interp(shares, known, cumulated)
    weights = at_shares - np.concatenate((np.zeros(1), at_shares[:-1]))
    return np.stack((values, weights)).astype(np.float32)
