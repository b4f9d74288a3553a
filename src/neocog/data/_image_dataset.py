"""Images from a folder as a data set that people iterate over, map and give to `fit`."""

from __future__ import annotations

from neocog.data._image_source import ImageFolderSource
from neocog.data._pipeline import Dataset
from neocog.data._pipeline._images import ImageStage


class ImageDataset(Dataset):
    """Batches of images and labels from a folder: a `Dataset` whose first step decodes files.

    Iterating gives float32 images from 0 to 255, as in Keras; inside `fit` they stay uint8 until they are on
    the device. Each pass draws a new order when the data set is shuffled.

    Attributes:
        class_names: names of the classes, in the order of the labels (None without labels).
        file_paths: the image files.
        source: the files as a source.
    """

    def __init__(
        self,
        source: ImageFolderSource,
        class_names: list[str] | None,
        *,
        batched: bool = True,
        channels_first: bool = False,
    ) -> None:
        stage = ImageStage(source, batched=batched, channels_first=channels_first)
        super().__init__(stage, class_names, list(source.files))
        self.source = source
