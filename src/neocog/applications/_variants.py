"""Functions with Keras's common signature, made from what differs between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from neocog.applications._request import Request

_ARGUMENTS = """
    Args:
        include_top: end with the classifier; False ends with the features.
        weights: `"imagenet"` fetches those that Keras publishes, checked by their hash; None draws them at
            random; the path of a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        input_shape: shape of one image; {size}×{size} with 3 channels by default, at least {least}×{least}.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        {reference}
"""


class Application(Protocol):
    """A function with the arguments that most applications have."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = ...,
    ) -> Any:
        """Return the model."""


def variant(
    function: str,
    default_name: str,
    sentence: str,
    reference: str,
    sizes: tuple[int, int],
    build: Callable[[Request, Any], Any],
    *,
    module: str,
    needs_size: bool | None = None,
) -> Application:
    """Return an application as a function of its own.

    Args:
        function: its name.
        default_name: of its models.
        sentence: first line of its docstring.
        reference: the paper.
        sizes: default and smallest height and width.
        build: makes the model from the request and the image.
        module: where the function lies.
        needs_size: whether the images' size must be known; `include_top` when None.
    """

    def application(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = default_name,
    ) -> Any:
        request = Request(
            where=function,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            name=name,
        )
        return build(request, request.image(request.shape(*sizes, needs_size)))

    application.__name__ = application.__qualname__ = function
    application.__module__ = module
    arguments = _ARGUMENTS.format(size=sizes[0], least=sizes[1], reference=reference)
    application.__doc__ = f"{sentence}\n{arguments}"
    return application
