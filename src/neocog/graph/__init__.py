"""Floor 3: symbolic tensors, the nodes between them, and the program that a graph becomes."""

from neocog.graph._input import Input, check_shape, module_call, record_module
from neocog.graph._masks import MASKS, mask_of, set_mask, with_mask_of
from neocog.graph._program import Call, Program, has_masks, order_nodes
from neocog.graph._remat import RematMode, RematScope, computed_again, remat, remat_mode
from neocog.graph._sources import get_source_inputs
from neocog.graph._spec import Shape, TensorSpec
from neocog.graph._symbolic import (
    Node,
    SymbolicTensor,
    infer_outputs,
    is_symbolic,
    record_function,
    symbolic_leaves,
)

__all__ = [
    "MASKS",
    "Call",
    "Input",
    "Node",
    "Program",
    "RematMode",
    "RematScope",
    "Shape",
    "SymbolicTensor",
    "TensorSpec",
    "check_shape",
    "computed_again",
    "get_source_inputs",
    "has_masks",
    "infer_outputs",
    "is_symbolic",
    "mask_of",
    "module_call",
    "order_nodes",
    "record_function",
    "record_module",
    "remat",
    "remat_mode",
    "set_mask",
    "symbolic_leaves",
    "with_mask_of",
]
