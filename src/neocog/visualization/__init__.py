"""Pictures of data: galleries of images, with labels, predictions and masks."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.visualization._gallery import plot_image_gallery
from neocog.visualization._masks import draw_segmentation_masks, plot_segmentation_mask_gallery

__all__ = ["draw_segmentation_masks", "plot_image_gallery", "plot_segmentation_mask_gallery"]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
