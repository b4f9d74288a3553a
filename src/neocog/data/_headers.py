"""A quick look at an image's header: JPEG and PNG by hand, everything else and every doubt by Pillow.

Pillow takes ten times as long, which is felt with a hundred thousand files.
"""

from __future__ import annotations

from neocog.data._image_files import MAX_PIXELS, check_image, read_head

_BEGINNING = 1024  # bytes; most headers end before, and a longer one is left to Pillow
_PNG = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers: baseline, extended and progressive, Huffman coded.
_FRAMES = (0xC0, 0xC1, 0xC2)


def header_fault(path: str) -> str | None:
    """Return None for an image whose header is whole, else what is wrong with the file, as `check_image`."""
    try:
        head = read_head(path, _BEGINNING)
    except (OSError, ValueError):
        return check_image(path)
    size = _png_size(head) if head.startswith(_PNG) else _jpeg_size(head)
    if size is None or not 0 < size[0] * size[1] <= MAX_PIXELS:
        return check_image(path)
    return None


def _png_size(head: bytes) -> tuple[int, int] | None:
    if head[12:16] != b"IHDR" or len(head) < 40:
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the frame's marker, or None where it is not in plain sight."""
    if not head.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        if head[at + 1] in _FRAMES:
            # A frame of 8 bits and 1 or 3 channels; others are rare, and Pillow's to judge.
            usual = head[at + 4] == 8 and head[at + 9 : at + 10] in (b"\x01", b"\x03")
            height, width = int.from_bytes(head[at + 5 : at + 7]), int.from_bytes(head[at + 7 : at + 9])
            return (width, height) if usual else None
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None
