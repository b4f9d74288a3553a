"""Floor 4: the layers, one family a file."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.graph import Input
from neocog.layers._activations import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from neocog.layers._adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from neocog.layers._attention import AdditiveAttention, Attention
from neocog.layers._batch_norm import BatchNormalization
from neocog.layers._concatenate import Concatenate, concatenate
from neocog.layers._conv import Conv1D, Conv2D, Conv3D
from neocog.layers._conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from neocog.layers._cropping import Cropping1D, Cropping2D, Cropping3D
from neocog.layers._custom_scale import CustomScaleLayer as CustomScaleLayer  # for files alone
from neocog.layers._dense import Dense
from neocog.layers._depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from neocog.layers._dot import Dot, dot
from neocog.layers._dropout import AlphaDropout, Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from neocog.layers._einsum_dense import EinsumDense
from neocog.layers._embedding import Embedding
from neocog.layers._foreign import FlaxLayer, JaxLayer, TFSMLayer
from neocog.layers._gaussian import GaussianDropout, GaussianNoise
from neocog.layers._group_norm import GroupNormalization
from neocog.layers._grouped_query_attention import GroupedQueryAttention as GroupQueryAttention
from neocog.layers._identity import ActivityRegularization, Identity
from neocog.layers._images import CenterCrop, Resizing
from neocog.layers._input_layer import InputLayer
from neocog.layers._input_spec import InputSpec
from neocog.layers._lambda import Lambda
from neocog.layers._layer import Layer
from neocog.layers._layer_norm import LayerNormalization, RMSNormalization, UnitNormalization
from neocog.layers._local_response import LocalResponseNormalization
from neocog.layers._masking import Masking
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
from neocog.layers._multi_head_attention import MultiHeadAttention
from neocog.layers._normalization import Normalization
from neocog.layers._partial_conv import PartialConv2D
from neocog.layers._pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from neocog.layers._pooling_global import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from neocog.layers._rbf_output import RBFOutput
from neocog.layers._recurrent import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    ConvLSTM1D,
    ConvLSTM2D,
    ConvLSTM3D,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from neocog.layers._registry import LAYERS, deserialize, get, serialize
from neocog.layers._rescaling import Rescaling
from neocog.layers._reshaping import Flatten, Permute, RepeatVector, Reshape
from neocog.layers._reversible_embedding import ReversibleEmbedding
from neocog.layers._separable_conv import SeparableConv1D, SeparableConv2D
from neocog.layers._spectral_norm import SpectralNormalization
from neocog.layers._time_distributed import TimeDistributed
from neocog.layers._torch_module import TorchModuleWrapper
from neocog.layers._trainable_subsampling import TrainableSubsampling
from neocog.layers._upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from neocog.layers._weights import Variable, WeightView
from neocog.layers._wrapper import Wrapper
from neocog.layers._zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from neocog.layers.augment import (
    AugMix,
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    CutMix,
    Cutout,
    Equalization,
    GeometricLayer,
    MixUp,
    Pipeline,
    RandAugment,
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomCrop,
    RandomElasticTransform,
    RandomErasing,
    RandomFlip,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomPCALighting,
    RandomPerspective,
    RandomPosterization,
    RandomRotation,
    RandomSaturation,
    RandomSharpness,
    RandomShear,
    RandomStretch,
    RandomTranslation,
    RandomZoom,
    Solarization,
)
from neocog.layers.lookup import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    IntegerLookup,
    StringLookup,
    TextVectorization,
)

# Keras's other names.

__all__ = [
    "ELU",
    "GRU",
    "LAYERS",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Cutout",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Equalization",
    "Flatten",
    "FlaxLayer",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GeometricLayer",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "JaxLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocalResponseNormalization",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "PartialConv2D",
    "Permute",
    "Pipeline",
    "RBFOutput",
    "RMSNormalization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPCALighting",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomStretch",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TFSMLayer",
    "TextVectorization",
    "TimeDistributed",
    "TorchModuleWrapper",
    "TrainableSubsampling",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Variable",
    "WeightView",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
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

if not TYPE_CHECKING:
    __getattr__ = missing_name(
        __name__,
        __all__,
        {
            "AvgPool1D": "AveragePooling1D",
            "AvgPool2D": "AveragePooling2D",
            "AvgPool3D": "AveragePooling3D",
            "Convolution1D": "Conv1D",
            "Convolution1DTranspose": "Conv1DTranspose",
            "Convolution2D": "Conv2D",
            "Convolution2DTranspose": "Conv2DTranspose",
            "Convolution3D": "Conv3D",
            "Convolution3DTranspose": "Conv3DTranspose",
            "GlobalAvgPool1D": "GlobalAveragePooling1D",
            "GlobalAvgPool2D": "GlobalAveragePooling2D",
            "GlobalAvgPool3D": "GlobalAveragePooling3D",
            "GlobalMaxPool1D": "GlobalMaxPooling1D",
            "GlobalMaxPool2D": "GlobalMaxPooling2D",
            "GlobalMaxPool3D": "GlobalMaxPooling3D",
            "MaxPool1D": "MaxPooling1D",
            "MaxPool2D": "MaxPooling2D",
            "MaxPool3D": "MaxPooling3D",
            "SeparableConvolution1D": "SeparableConv1D",
            "SeparableConvolution2D": "SeparableConv2D",
        },
    )
