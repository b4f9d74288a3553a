"""AlexNet's augmentation of colours: more or less light along the directions in which colours vary most."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_number
from neocog.data import as_source
from neocog.exceptions import ArgumentError, DataError, ShapeError, message
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range
from neocog.layers.augment._base import Draw, RandomImageLayer

# Of ImageNet's pixels on a scale from 0 to 1: what the published reimplementations of AlexNet use.
_IMAGENET_VALUES = (0.2175, 0.0188, 0.0045)
_IMAGENET_VECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
_LARGE_BATCH = 256


@LAYERS.register("random_pca_lighting")
class RandomPCALighting(RandomImageLayer):
    """Add to each image a random colour in training: `x + V (a · λ)`, `a` normal with deviation `factor`.

    λ and the columns of V are the eigenvalues and eigenvectors of the covariance of the pixels' red, green
    and blue, on a scale where the value range is 0 to 1; ImageNet's unless given or learned by `adapt`.

    Args:
        factor: standard deviation of the draws; 0 changes nothing.
        eigenvalues: as many numbers as there are channels; None takes ImageNet's.
        eigenvectors: a matrix whose columns belong to them; None takes ImageNet's.
        value_range: least and greatest value of a pixel; results are cut there.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> lighting = RandomPCALighting(0.1, seed=1)
        >>> lighting.adapt(np.random.default_rng(1).random((10, 8, 8, 3)) * 255)
        >>> lighting(torch.rand(2, 8, 8, 3) * 255, training=True).shape
        torch.Size([2, 8, 8, 3])

    Reference:
        Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 4.1.
    """

    def __init__(
        self,
        factor: float = 0.1,
        eigenvalues: Any = None,
        eigenvectors: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = check_number(self.label, "factor", factor, minimum=0.0)
        self.value_range = checked_range(self.label, value_range)
        if (eigenvalues is None) != (eigenvectors is None):
            expected = "eigenvalues and eigenvectors, both or none"
            raise ArgumentError(message(self.label, expected=expected, got="one of them"))
        given = eigenvalues is not None
        self._set(eigenvalues if given else _IMAGENET_VALUES, eigenvectors if given else _IMAGENET_VECTORS)

    def _set(self, values: Any, vectors: Any) -> None:
        try:
            numbers, matrix = np.asarray(values, "float64"), np.asarray(vectors, "float64")
        except (TypeError, ValueError) as error:
            expected = "eigenvalues and eigenvectors as numbers"
            raise ArgumentError(message(self.label, expected=expected, got=repr(values))) from error
        count = numbers.size
        good = numbers.shape == (count,) and count > 0 and matrix.shape == (count, count)
        if not good or not np.isfinite(numbers).all() or not np.isfinite(matrix).all() or numbers.min() < 0:
            expected = "eigenvalues (n,), none below 0, and eigenvectors (n, n)"
            got = f"shapes {numbers.shape} and {matrix.shape}"
            raise ArgumentError(message(self.label, expected=expected, got=got))
        self.eigenvalues = tuple(numbers.tolist())
        self.eigenvectors = tuple(tuple(row) for row in matrix.tolist())

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn eigenvalues and eigenvectors from images, in one pass.

        Args:
            data: images, or anything that `fit` takes as `x`; targets are left out.
            batch_size: images at a time, for arrays.
            steps: most batches; None takes all.

        Raises:
            DataError: there are fewer than two pixels.
            ShapeError: the data are no images.
        """
        low, high = self.value_range
        arrays = isinstance(data, (np.ndarray, torch.Tensor))
        source = as_source(data, batch_size=batch_size or (_LARGE_BATCH if arrays else None), shuffle=False)
        count = 0
        total = products = torch.zeros((), dtype=torch.float64)
        for number, batch in enumerate(source.batches(0)):
            if number == steps:
                break
            pixels = (self._pixels(batch.x) - low) / (high - low) - 0.5  # about the middle: sums stay small
            count, total = count + len(pixels), total + pixels.sum(0)
            products = products + pixels.T @ pixels
        if count < 2:
            raise DataError(message(self.label, expected="images to adapt to", got=f"{count} pixels"))
        mean = total / count
        values, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
        vectors = vectors.flip(1)
        signs = torch.where(vectors.sum(0) < 0, -1.0, 1.0)  # an eigenvector's sign is free: settle it
        self._set(values.flip(0).clamp(min=0.0).numpy(), (vectors * signs).numpy())

    def _pixels(self, images: Any) -> torch.Tensor:
        found = torch.as_tensor(images)
        if found.ndim != 4:
            expected = "images (batch, height, width, channels)"
            raise ShapeError(message(self.label, expected=expected, got=tuple(found.shape)))
        found = found if self._channels_last else found.movedim(1, -1)
        return found.reshape(-1, found.shape[-1]).cpu().double()

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw how far each image moves along each eigenvector."""
        size = (len(images), len(self.eigenvalues))
        generator = self.seed_generator.generator(images.device)
        drawn = torch.randn(size, generator=generator, device=images.device)
        return {"amounts": drawn * self.factor}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images in another light."""
        channels, (low, high) = images.shape[-1], self.value_range
        if channels != len(self.eigenvalues):
            expected = f"images with {len(self.eigenvalues)} channels, one for each eigenvalue"
            raise ShapeError(message(self.label, expected=expected, got=channels))
        amounts = drawn["amounts"]
        values = torch.tensor(self.eigenvalues, dtype=amounts.dtype, device=amounts.device)
        vectors = torch.tensor(self.eigenvectors, dtype=amounts.dtype, device=amounts.device)
        colors = (amounts * values) @ vectors.T * (high - low)
        lit: torch.Tensor = images + colors.to(images.dtype)[:, None, None, :]
        return lit.clamp_(low, high)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, with what `adapt` has learned."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "eigenvalues": self.eigenvalues,
            "eigenvectors": self.eigenvectors,
            "value_range": self.value_range,
        }
