"""Keras's `export`: models for other programs. `model.export("model.onnx")` does the work."""

from neocog.export._archive import ExportArchive
from neocog.models import export_model

__all__ = ["ExportArchive", "export_model"]
