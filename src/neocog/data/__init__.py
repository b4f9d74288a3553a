"""Floor 3: what models read. Sources, image folders, splits, data sets and their downloads."""

from neocog.data._adapt import as_source
from neocog.data._arrays import ArraySource, split_validation
from neocog.data._datasets import DATASETS, DatasetInfo, dataset
from neocog.data._download import download, file_sha256
from neocog.data._folder import scan_folder
from neocog.data._from_directory import image_dataset_from_directory
from neocog.data._get_file import check_known_file, get_file
from neocog.data._image_dataset import ImageDataset
from neocog.data._image_files import check_image
from neocog.data._image_source import ImageFolderSource
from neocog.data._images import load_image
from neocog.data._keras_images import array_to_img, img_to_array, load_img, save_img, smart_resize
from neocog.data._labels import normalize, to_categorical
from neocog.data._pipeline import (
    AUTOTUNE,
    INFINITE,
    UNKNOWN,
    Cardinality,
    Dataset,
    TensorSpec,
    Text,
    TextArray,
)
from neocog.data._prefetch import ordered_map, prefetch
from neocog.data._pydataset import PyDataset, PyDatasetSource, Sequence
from neocog.data._scan import TASKS, BrokenFile, FolderScan, ImageFile
from neocog.data._scan_images import scan_images
from neocog.data._source import Batch, MappedSource, Source
from neocog.data._split import stratified_split
from neocog.data._split_dataset import (
    audio_dataset_from_directory,
    pack_x_y_sample_weight,
    split_dataset,
    unpack_x_y_sample_weight,
)
from neocog.data._split_groups import grouped_split, kfold, multilabel_split, quantile_split
from neocog.data._streams import DatasetSource, GeneratorSource, IterableSource, LoaderSource, as_batch
from neocog.data._text._sequences import make_sampling_table, pad_sequences, skipgrams
from neocog.data._text._timeseries_generator import TimeseriesGenerator
from neocog.data._text._tokenizer import Tokenizer, tokenizer_from_json
from neocog.data._text._words import hashing_trick, one_hot, text_to_word_sequence
from neocog.data._text_directory import text_dataset_from_directory
from neocog.data._timeseries import timeseries_dataset_from_array
from neocog.data._weights import class_weights_to_sample_weights

__all__ = [
    "AUTOTUNE",
    "DATASETS",
    "INFINITE",
    "TASKS",
    "UNKNOWN",
    "ArraySource",
    "Batch",
    "BrokenFile",
    "Cardinality",
    "Dataset",
    "DatasetInfo",
    "DatasetSource",
    "FolderScan",
    "GeneratorSource",
    "ImageDataset",
    "ImageFile",
    "ImageFolderSource",
    "IterableSource",
    "LoaderSource",
    "MappedSource",
    "PyDataset",
    "PyDatasetSource",
    "Sequence",
    "Source",
    "TensorSpec",
    "Text",
    "TextArray",
    "TimeseriesGenerator",
    "Tokenizer",
    "array_to_img",
    "as_batch",
    "as_source",
    "audio_dataset_from_directory",
    "check_image",
    "check_known_file",
    "class_weights_to_sample_weights",
    "dataset",
    "download",
    "file_sha256",
    "get_file",
    "grouped_split",
    "hashing_trick",
    "image_dataset_from_directory",
    "img_to_array",
    "kfold",
    "load_image",
    "load_img",
    "make_sampling_table",
    "multilabel_split",
    "normalize",
    "one_hot",
    "ordered_map",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "prefetch",
    "quantile_split",
    "save_img",
    "scan_folder",
    "scan_images",
    "skipgrams",
    "smart_resize",
    "split_dataset",
    "split_validation",
    "stratified_split",
    "text_dataset_from_directory",
    "text_to_word_sequence",
    "timeseries_dataset_from_array",
    "to_categorical",
    "tokenizer_from_json",
    "unpack_x_y_sample_weight",
]
