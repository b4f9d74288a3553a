"""The data sets that are known by name."""

from neocog.data._datasets._table import DATASETS, DatasetInfo, dataset

__all__ = ["DATASETS", "DatasetInfo", "dataset"]
