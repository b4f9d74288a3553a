"""Photographs of cats and dogs, which each user has to get."""

from __future__ import annotations

from pathlib import Path

from neocog.core import check_one_of
from neocog.data._datasets._home import find, search_folders
from neocog.exceptions import DataError, message

CLASS_NAMES = ("cat", "dog")


def path(split: str | None = None) -> Path:
    """Return the folder of the photographs, or of one part.

    Args:
        split: `"train"`, `"validation"`, `"test"`, or None for the folder that holds them.

    Raises:
        DataError: it is not on this machine; the text says where to put it (the licence allows no download).
    """
    check_one_of("cats_vs_dogs", "split", split, ("train", "validation", "test", None))
    root = find("cats-vs-dogs", ("train/cat", "train/dog"))
    if root is None:
        places = " or ".join(str(folder / "cats-vs-dogs") for folder in search_folders()[:2])
        raise DataError(
            message(
                "cats_vs_dogs",
                expected=f"photographs in train/cat, train/dog, … below {places}",
                got="none (their licence does not allow neocog to download them)",
                do="Get them from https://www.kaggle.com/c/dogs-vs-cats, one folder a class.",
            )
        )
    wanted = root if split is None else root / split
    if not wanted.is_dir():
        raise DataError(message(str(wanted), expected=f"the {split} photographs", got="no such folder"))
    return wanted


def load_data() -> tuple[Path, Path, Path]:
    """Return the folders of the training, validation and test photographs (paths, as their sizes differ).

    Raises:
        DataError: they are not on this machine.
    """
    return path("train"), path("validation"), path("test")
