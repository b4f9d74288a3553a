"""Floor 3: files. Weights as HDF5 in Keras's layout and as safetensors, `.keras` archives, run folders.

Nothing here makes an object from a name in a file, and no pickle is ever opened.
"""

from neocog.files._assets import collect_assets, give_assets
from neocog.files._config_guard import check_config, check_config_once, config_faults, reading_config
from neocog.files._config_json import decode_config, encode_config
from neocog.files._export_onnx import export_onnx, onnx_bytes
from neocog.files._export_plan import ExportInput, ExportPlan, export_program
from neocog.files._export_torch import export_torch
from neocog.files._groups import WeightGroup, WeightLike, weight_groups
from neocog.files._h5_room import stored_weight_bytes, weight_budget
from neocog.files._keras_archive import KerasArchive, read_keras_archive, write_keras_archive
from neocog.files._legacy_h5 import (
    Leftover,
    LegacyModel,
    is_legacy_h5,
    legacy_h5_bytes,
    load_legacy_optimizer,
    load_legacy_weights,
    read_legacy_h5,
)
from neocog.files._model_folder import load_model_folder, read_model_config, save_model_folder
from neocog.files._refuse import Format, expect_format, format_of
from neocog.files._safetensors import LoadReport, load_state, read_metadata, save_state
from neocog.files._snapshot_file import (
    check_storable,
    file_digest,
    is_storable,
    read_snapshot,
    remove_unfinished,
    snapshots_in,
    steps_of_snapshot,
    write_snapshot,
)
from neocog.files._state_dict import StateFile, holds_state_dict, read_state_dict
from neocog.files._torch_state import NameMap, load_torch_state, read_torch_state
from neocog.files._weights_h5 import load_weights_h5, save_weights_h5, weights_h5_bytes

__all__ = [
    "ExportInput",
    "ExportPlan",
    "Format",
    "KerasArchive",
    "Leftover",
    "LegacyModel",
    "LoadReport",
    "NameMap",
    "StateFile",
    "WeightGroup",
    "WeightLike",
    "check_config",
    "check_config_once",
    "check_storable",
    "collect_assets",
    "config_faults",
    "decode_config",
    "encode_config",
    "expect_format",
    "export_onnx",
    "export_program",
    "export_torch",
    "file_digest",
    "format_of",
    "give_assets",
    "holds_state_dict",
    "is_legacy_h5",
    "is_storable",
    "legacy_h5_bytes",
    "load_legacy_optimizer",
    "load_legacy_weights",
    "load_model_folder",
    "load_state",
    "load_torch_state",
    "load_weights_h5",
    "onnx_bytes",
    "read_keras_archive",
    "read_legacy_h5",
    "read_metadata",
    "read_model_config",
    "read_snapshot",
    "read_state_dict",
    "read_torch_state",
    "reading_config",
    "remove_unfinished",
    "save_model_folder",
    "save_state",
    "save_weights_h5",
    "snapshots_in",
    "steps_of_snapshot",
    "stored_weight_bytes",
    "weight_budget",
    "weight_groups",
    "weights_h5_bytes",
    "write_keras_archive",
    "write_snapshot",
]
