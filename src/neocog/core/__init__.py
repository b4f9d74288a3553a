"""Floor 0: shapes, types, randomness, devices, names, registries and argument checks."""

from neocog.core._atomic import atomic_path, write_bytes, write_text
from neocog.core._budget import free_memory, memory_budget, spend
from neocog.core._checks import check_int, check_ntuple, check_number, check_one_of
from neocog.core._config_values import Config
from neocog.core._cpu import (
    doubles_with_bfloat16,
    has_bfloat16_products,
    has_working_amx,
    limit_broken_amx,
    processor_name,
    processor_vendor,
    start_flushing_workers,
    subnormals_flushed,
)
from neocog.core._custom import (
    custom_object,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    registered_name,
)
from neocog.core._described import add_special, describe, is_special, read_special, refused_code
from neocog.core._device import default_device
from neocog.core._dtype_policy import (
    DTypePolicy,
    dtype_policy,
    get_dtype_policy,
    serialize_dtype_policy,
    set_dtype_policy,
)
from neocog.core._dtypes import dtype_name, to_tensor, torch_dtype
from neocog.core._file_lock import end_file_lock, file_lock, try_file_lock
from neocog.core._generators import (
    generator_state,
    is_generator,
    new_generator,
    same_kind,
    set_generator_state,
)
from neocog.core._gradients import backward, no_gradients
from neocog.core._home import neocog_home
from neocog.core._kept_states import keeping_states
from neocog.core._memory import keep_freed_memory, pages_apart
from neocog.core._naming import auto_name, reset_names, to_snake_case
from neocog.core._one_thread import work_alone
from neocog.core._optional import optional_import
from neocog.core._own_rows import (
    OwnRows,
    common_state,
    drawing_again,
    drawn,
    draws_for_all,
    for_all_rows,
    on_rows,
    own_part,
    own_rows,
)
from neocog.core._promotion import result_type, standardize_dtype
from neocog.core._registry import Registry
from neocog.core._rng import draw_seed, make_generator, set_random_seed
from neocog.core._session import (
    bounded,
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from neocog.core._settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_data_format,
)
from neocog.core._sharing import sharing_objects
from neocog.core._text import TEXT, is_text, is_text_list, to_text, value_type
from neocog.core._tree import tree_any, tree_flatten, tree_map, tree_pack

limit_broken_amx()  # before anything uses oneDNN
start_flushing_workers()  # before anything starts them

__all__ = [
    "TEXT",
    "Config",
    "DTypePolicy",
    "OwnRows",
    "Registry",
    "add_special",
    "atomic_path",
    "auto_name",
    "backward",
    "bounded",
    "check_int",
    "check_ntuple",
    "check_number",
    "check_one_of",
    "common_state",
    "custom_object",
    "custom_object_scope",
    "default_device",
    "describe",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "doubles_with_bfloat16",
    "draw_seed",
    "drawing_again",
    "drawn",
    "draws_for_all",
    "dtype_name",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "end_file_lock",
    "epsilon",
    "file_lock",
    "floatx",
    "for_all_rows",
    "free_memory",
    "generator_state",
    "get_custom_objects",
    "get_dtype_policy",
    "get_registered_name",
    "get_registered_object",
    "has_bfloat16_products",
    "has_working_amx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_generator",
    "is_interactive_logging_enabled",
    "is_special",
    "is_text",
    "is_text_list",
    "is_traceback_filtering_enabled",
    "keep_freed_memory",
    "keeping_states",
    "make_generator",
    "max_epochs",
    "max_steps_per_epoch",
    "memory_budget",
    "neocog_home",
    "new_generator",
    "no_gradients",
    "on_rows",
    "optional_import",
    "own_part",
    "own_rows",
    "pages_apart",
    "processor_name",
    "processor_vendor",
    "read_special",
    "refused_code",
    "register_keras_serializable",
    "registered_name",
    "reset_names",
    "result_type",
    "same_kind",
    "serialize_dtype_policy",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_generator_state",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_random_seed",
    "sharing_objects",
    "spend",
    "standardize_data_format",
    "standardize_dtype",
    "subnormals_flushed",
    "to_snake_case",
    "to_tensor",
    "to_text",
    "torch_dtype",
    "tree_any",
    "tree_flatten",
    "tree_map",
    "tree_pack",
    "try_file_lock",
    "value_type",
    "work_alone",
    "write_bytes",
    "write_text",
]
