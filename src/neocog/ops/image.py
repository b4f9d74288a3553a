"""The operations on images (Keras's `ops.image`)."""

from neocog.ops._image_colors import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from neocog.ops._image_filters import gaussian_blur, sobel_edges, ssim
from neocog.ops._image_patches import extract_patches, extract_patches_3d
from neocog.ops._image_scale import scale_and_translate
from neocog.ops._image_sizes import crop_images, pad_images, resize
from neocog.ops._image_warps import (
    affine_transform,
    elastic_transform,
    map_coordinates,
    perspective_transform,
)

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]
