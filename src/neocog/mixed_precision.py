"""Keras's `mixed_precision`: policies, the global one, and loss scaling."""

from neocog.core import DTypePolicy, dtype_policy, set_dtype_policy
from neocog.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
