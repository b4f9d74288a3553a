"""Keras's arguments that mean nothing here: accepted as None, refused with a reason otherwise."""

from __future__ import annotations

from typing import Any

from neocog.exceptions import ArgumentError


def refuse_adapters(where: str, lora_rank: Any, lora_alpha: Any, quantization_config: Any) -> None:
    """Raise ArgumentError where low-rank adapters or quantisation are asked for."""
    given = {"lora_rank": lora_rank, "lora_alpha": lora_alpha, "quantization_config": quantization_config}
    for name, value in given.items():
        if value is not None:
            raise ArgumentError(
                f"{where}: expected {name}=None, got {value!r}. Low-rank adapters and quantisation are not "
                "supported: every layer is an nn.Module, so torch's own tools for them apply."
            )
