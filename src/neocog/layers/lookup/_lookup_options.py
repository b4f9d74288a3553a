"""The options that the lookup layers share, checked in one place."""

from __future__ import annotations

from typing import Any

from neocog.core import check_int, check_one_of
from neocog.exceptions import ArgumentError, message
from neocog.layers.lookup._raw_inputs import checked_salt, refuse_sparse

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_OWN = (
    *("max_tokens", "num_oov_indices", "mask_token", "oov_token", "invert", "output_mode", "sparse"),
    *("pad_to_max_tokens", "oov_method", "salt"),
)


def checked_mode(where: str, mode: Any) -> str:
    """Return an output mode by its present name."""
    known = _OLD_MODES.get(mode, mode) if isinstance(mode, str) else mode
    return str(check_one_of(where, "output_mode", known, _MODES))


def checked_options(where: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the lookup's own options, checked, and the rest.

    Raises:
        ArgumentError: a value that cannot be, or options that exclude each other.
    """
    own = {name: options.pop(name) for name in _OWN if name in options}
    own["output_mode"] = mode = checked_mode(where, own["output_mode"])
    method = own.get("oov_method", "floormod")
    own["oov_method"] = check_one_of(where, "oov_method", method, ("floormod", "farmhash"))
    own["num_oov_indices"] = check_int(where, "num_oov_indices", own["num_oov_indices"], minimum=0)
    if own["max_tokens"] is not None:
        own["max_tokens"] = check_int(where, "max_tokens", own["max_tokens"], minimum=2)
    elif own["pad_to_max_tokens"]:
        raise ArgumentError(
            message(where, expected="max_tokens beside pad_to_max_tokens", got="max_tokens=None")
        )
    if own["invert"] and mode != "int":
        raise ArgumentError(message(where, expected='output_mode "int" with invert=True', got=repr(mode)))
    refuse_sparse(where, own["sparse"])
    own["sparse"] = False
    own["salt"] = checked_salt(where, own.get("salt"))
    return own, options
