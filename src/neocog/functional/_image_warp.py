"""Affine warps of whole batches of images, one matrix an image.

A matrix (2, 3) says where each output pixel (x, y) looks in the input: `x_in = m00 x + m01 y + m02`,
`y_in = m10 x + m11 y + m12`, in pixels, pixel centres at whole numbers. Consecutive warps are one warp by the
product of their matrices (`compose`): each further one saves a pass over the images, and a blur.

Letters: B images, H height, W width, C channels.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("nearest", "bilinear")

_PADDING = {
    "constant": "zeros",
    "nearest": "border",
    "reflect": "reflection",
    "wrap": "border",
    "mirror": "border",
}


def warp(
    images: torch.Tensor,
    matrices: torch.Tensor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> torch.Tensor:
    """Return the images, each looked up through its matrix.

    Args:
        images: float images, (B, H, W, C).
        matrices: output pixel to input pixel, (B, 2, 3).
        fill_mode: what lies outside: `"constant"` (`fill_value`), `"nearest"` (the edge), `"reflect"`
            (d c b a | a b c d | d c b a) or `"wrap"` (a b c d | a b c d).
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: for `"constant"`.

    Example:
        >>> shift = torch.tensor([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
        >>> warp(torch.arange(3.0).reshape(1, 1, 3, 1), shift, "nearest").flatten()
        tensor([1., 2., 2.])
    """
    if interpolation == "nearest":
        return _nearest(images, matrices, fill_mode, fill_value)
    return _bilinear(images, matrices, fill_mode, fill_value)


def look_up(
    images: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> torch.Tensor:
    """Return the images, each pixel looked up at a place of its own.

    Args:
        images: images, (B, H, W, C); floats for `"bilinear"`.
        x: places along the width, in pixels, (B, H, W).
        y: places along the height.
        fill_mode: as for `warp`, or `"mirror"` (d c b | a b c d | c b a).
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: for `"constant"`.

    Example:
        >>> x = torch.tensor([[[0.5, 1.0, 2.0]]])
        >>> look_up(torch.arange(3.0).reshape(1, 1, 3, 1), x, torch.zeros(1, 1, 3)).flatten()
        tensor([0.5000, 1.0000, 2.0000])
    """
    by = _picked if interpolation == "nearest" else _sampled
    return by(images, x, y, fill_mode, fill_value)


def compose(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the matrices (B, 2, 3) of one warp that does what `first` and then `second` do.

    Example:
        >>> turn = rotation_matrices(torch.tensor([0.3]), 5, 7)
        >>> back = rotation_matrices(torch.tensor([-0.3]), 5, 7)
        >>> torch.allclose(compose(turn, back), torch.eye(3)[None, :2], atol=1e-5)
        True
    """
    product = first[:, :, :2] @ second  # where the second looks is where the first has put it
    return torch.cat([product[:, :, :2], product[:, :, 2:] + first[:, :, 2:]], dim=2)


def rotation_matrices(angles: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return matrices (B, 2, 3) that turn images counterclockwise by `angles` (B,), in radians."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    rows = [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]
    return torch.stack(rows, dim=1).reshape(-1, 2, 3)


def scale_matrices(scale_x: torch.Tensor, scale_y: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return matrices (B, 2, 3) that show `scale` (B,) times as much about the centre; -1 mirrors."""
    zero = torch.zeros_like(scale_x)
    dx, dy = (width - 1) / 2 * (1 - scale_x), (height - 1) / 2 * (1 - scale_y)
    return torch.stack([scale_x, zero, dx, zero, scale_y, dy], dim=1).reshape(-1, 2, 3)


def translation_matrices(shift_x: torch.Tensor, shift_y: torch.Tensor) -> torch.Tensor:
    """Return matrices (B, 2, 3) that move images right and down by `shift` (B,) pixels."""
    one, zero = torch.ones_like(shift_x), torch.zeros_like(shift_x)
    return torch.stack([one, zero, -shift_x, zero, one, -shift_y], dim=1).reshape(-1, 2, 3)


def _bilinear(
    images: torch.Tensor, matrices: torch.Tensor, fill_mode: str, fill_value: float
) -> torch.Tensor:
    height, width = images.shape[1:3]
    if fill_mode == "wrap":
        x = _looked_up(matrices[:, 0], height, width)
        return _sampled(images, x, _looked_up(matrices[:, 1], height, width), fill_mode, fill_value)
    return _by_kernel(
        images, _grid(matrices.to(_computed(images.dtype)), height, width), fill_mode, fill_value
    )


def _grid(matrices: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return where each output pixel looks, (B, H, W, 2), in torch's coordinates: -1 and 1 are the borders.

    x and y lie in planes of their own, which torch's kernel reads as fast as pairs; a row of each is made
    from two numbers, in one pass.
    """
    sizes = matrices.new_full((2, 1), width)
    if height != width:
        sizes[1].fill_(height)  # no copy from the host, which a GPU would wait for
    scaled = matrices * (2.0 / sizes)
    x = torch.arange(width, device=matrices.device, dtype=matrices.dtype)
    y = torch.arange(height, device=matrices.device, dtype=matrices.dtype)
    rows = scaled[:, :, 1, None] * y + (scaled[:, :, 2, None] + (1.0 / sizes - 1.0))
    columns = scaled[:, :, 0, None] * x
    return (columns[:, :, None] + rows[..., None]).permute(0, 2, 3, 1)


def _computed(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _sampled(
    images: torch.Tensor, x: torch.Tensor, y: torch.Tensor, fill_mode: str, fill_value: float
) -> torch.Tensor:
    """Return images (B, H, W, C) interpolated at places (B, H, W), in pixels."""
    height, width = images.shape[1:3]
    dtype = _computed(images.dtype)
    x, y = x.to(dtype), y.to(dtype)
    if fill_mode == "wrap":  # torch does not wrap: one more row and column stand for the other side
        x, y = x.remainder(width), y.remainder(height)
        images = F.pad(images.permute(0, 3, 1, 2), (0, 1, 0, 1), mode="circular").permute(0, 2, 3, 1)
        height, width = height + 1, width + 1
    if fill_mode == "mirror":
        x, y = mirrored(x, width), mirrored(y, height)
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=3)
    return _by_kernel(images, grid, fill_mode, fill_value)


def _by_kernel(images: torch.Tensor, grid: torch.Tensor, fill_mode: str, fill_value: float) -> torch.Tensor:
    """One kernel of torch's: it folds coordinates where Keras folds indices, to the same effect."""
    work = images.permute(0, 3, 1, 2).to(_computed(images.dtype))  # (B, C, H, W), a view
    shifted = fill_mode == "constant" and fill_value != 0
    if shifted:
        work = work - fill_value
    outputs = F.grid_sample(work, grid, "bilinear", _PADDING[fill_mode], align_corners=False)
    if shifted:
        outputs = outputs + fill_value
    return outputs.to(images.dtype).permute(0, 2, 3, 1)


def _looked_up(rows: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return `row · (x, y, 1)` for each output pixel: rows (B, 3) to (B, H, W)."""
    x = torch.arange(width, device=rows.device, dtype=rows.dtype)
    y = torch.arange(height, device=rows.device, dtype=rows.dtype)[:, None]
    rows = rows[:, :, None, None]
    return (y * rows[:, 1] + x * rows[:, 0]) + rows[:, 2]  # in Keras's order: ties of "nearest" fall alike


def _nearest(images: torch.Tensor, matrices: torch.Tensor, fill_mode: str, fill_value: float) -> torch.Tensor:
    height, width = images.shape[1:3]
    x, y = (_looked_up(matrices[:, row], height, width) for row in (0, 1))
    return _picked(images, x, y, fill_mode, fill_value)


def _picked(
    images: torch.Tensor, places_x: torch.Tensor, places_y: torch.Tensor, fill_mode: str, fill_value: float
) -> torch.Tensor:
    """A gather of whole pixels: exact, also where a coordinate falls between two."""
    batch, height, width, channels = images.shape
    across, down = torch.round(places_x).to(torch.int64), torch.round(places_y).to(torch.int64)
    x, y = _folded(across, width, fill_mode), _folded(down, height, fill_mode)
    first = torch.arange(batch, device=images.device)[:, None, None] * (height * width)
    rows = images.reshape(-1, channels).index_select(0, (first + y * width + x).flatten())
    outputs = rows.reshape(batch, height, width, channels)
    if fill_mode != "constant":
        return outputs
    inside = (across == x) & (down == y)
    return torch.where(inside[..., None], outputs, fill_value)


def _folded(index: torch.Tensor, size: int, fill_mode: str) -> torch.Tensor:
    """Return indices inside 0 … size - 1 for any index."""
    if fill_mode == "wrap":
        return index.remainder(size)
    if fill_mode == "mirror":
        return mirrored(index, size)
    if fill_mode == "reflect":
        return reflected(index, size)
    return index.clamp(0, size - 1)


def mirrored(place: torch.Tensor, size: int) -> torch.Tensor:
    """Return places inside 0 … size - 1: d c b | a b c d | c b a, the edge not repeated."""
    last = max(size - 1, 1)
    return ((place + last).remainder(2 * last) - last).abs().clamp(max=size - 1)


def reflected(index: torch.Tensor, size: int) -> torch.Tensor:
    """Return indices inside 0 … size - 1: d c b a | a b c d | d c b a."""
    place = index.remainder(2 * size)
    return torch.minimum(place, 2 * size - 1 - place)
