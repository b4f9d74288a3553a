"""Floor 4: the layers, one family a file."""

from neocog.graph import Input
from neocog.layers._activations import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from neocog.layers._batch_norm import BatchNormalization
from neocog.layers._concatenate import Concatenate, concatenate
from neocog.layers._dense import Dense
from neocog.layers._dot import Dot, dot
from neocog.layers._dropout import AlphaDropout, Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from neocog.layers._einsum_dense import EinsumDense
from neocog.layers._embedding import Embedding
from neocog.layers._gaussian import GaussianDropout, GaussianNoise
from neocog.layers._group_norm import GroupNormalization
from neocog.layers._identity import ActivityRegularization, Identity
from neocog.layers._images import CenterCrop, Resizing
from neocog.layers._input_layer import InputLayer
from neocog.layers._input_spec import InputSpec
from neocog.layers._lambda import Lambda
from neocog.layers._layer import Layer
from neocog.layers._layer_norm import LayerNormalization, RMSNormalization, UnitNormalization
from neocog.layers._merge import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from neocog.layers._normalization import Normalization
from neocog.layers._registry import LAYERS, deserialize, get, serialize
from neocog.layers._rescaling import Rescaling
from neocog.layers._reshaping import Flatten, Permute, RepeatVector, Reshape
from neocog.layers._spectral_norm import SpectralNormalization
from neocog.layers._weights import Variable, WeightView
from neocog.layers.augment import (
    GeometricLayer,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)

__all__ = [
    "ELU",
    "LAYERS",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CenterCrop",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GeometricLayer",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "UnitNormalization",
    "Variable",
    "WeightView",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "get",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
