"""Models as drawings: boxes and lines, where they go, and how they become an image, SVG or DOT text."""

from neocog.models._diagram._dot import Dot
from neocog.models._diagram._plot import model_to_dot, plot_model

__all__ = ["Dot", "model_to_dot", "plot_model"]
