"""`ExportArchive` writes a TensorFlow SavedModel; here it only says what to write instead."""

from __future__ import annotations

from typing import Any

from neocog.exceptions import ArgumentError


class ExportArchive:
    """Not available: an archive is a TensorFlow SavedModel. Use `model.export("model.onnx")`.

    Raises:
        ArgumentError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ArgumentError(
            "ExportArchive: expected a format that neocog writes, got TensorFlow's SavedModel. "
            'Write model.export("model.onnx"), or model.export("model.pt2") for torch.'
        )
