"""The named forms of variance scaling: Glorot, He and LeCun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neocog.initializers._initializer import INITIALIZERS
from neocog.initializers._random import VarianceScaling

Axes = Sequence[int] | None


@INITIALIZERS.register("glorot_uniform")
class GlorotUniform(VarianceScaling):
    """Uniform in ±√(6 / (inputs + outputs)): the default of most layers.

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> GlorotUniform(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()


@INITIALIZERS.register("glorot_normal")
class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (inputs + outputs).

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> GlorotNormal(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()


@INITIALIZERS.register("he_uniform")
class HeUniform(VarianceScaling):
    """Uniform in ±√(6 / inputs): for relu.

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> HeUniform(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        He et al., Delving Deep into Rectifiers, 2015.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()


@INITIALIZERS.register("he_normal")
class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / inputs: for relu.

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> HeNormal(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        He et al., Delving Deep into Rectifiers, 2015.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()


@INITIALIZERS.register("lecun_uniform")
class LecunUniform(VarianceScaling):
    """Uniform in ±√(3 / inputs).

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> LecunUniform(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        LeCun et al., Efficient BackProp, 1998.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()


@INITIALIZERS.register("lecun_normal")
class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / inputs: for selu.

    Args:
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Example:
        >>> LecunNormal(seed=1)((3, 4)).shape
        torch.Size([3, 4])

    Reference:
        LeCun et al., Efficient BackProp, 1998.
    """

    def __init__(self, seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._fan_config()
