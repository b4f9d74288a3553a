"""Floor 6: the classic architectures as papers and torchvision have them; Keras's forms beside them."""

from neocog.applications import (
    VGG16,
    VGG19,
    DenseNet121,
    DenseNet169,
    DenseNet201,
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
    InceptionResNetV2,
    InceptionV3,
    MobileNet,
    MobileNetV2,
    MobileNetV3Large,
    MobileNetV3Small,
    NASNetLarge,
    NASNetMobile,
    ResNet50,
    ResNet50V2,
    ResNet101,
    ResNet101V2,
    ResNet152,
    ResNet152V2,
    Xception,
)
from neocog.applications.imagenet_utils import decode_predictions
from neocog.zoo import _keras as _keras  # enters them into the table
from neocog.zoo._alexnet import alexnet, alexnet_one_tower, alexnet_two_towers
from neocog.zoo._architecture import Architecture, build, get, list_models
from neocog.zoo._backbones import Backbone, backbone
from neocog.zoo._cifar_resnet import resnet20, resnet32, resnet44, resnet56, resnet110
from neocog.zoo._googlenet import googlenet, without_aux
from neocog.zoo._googlenet_bn import googlenet_bn
from neocog.zoo._inception_v3 import inception_v3
from neocog.zoo._lenet import LENET5_CONNECTIONS, lenet5, lenet5_modern, lenet5_tanh
from neocog.zoo._mobilenet_v2 import mobilenet_v2
from neocog.zoo._preprocessing import preprocess_input
from neocog.zoo._resnet import plain18, plain34, resnet18, resnet34, resnet50, resnet101, resnet152
from neocog.zoo._small import cats_and_dogs_cnn, fashion_cnn, mnist_cnn
from neocog.zoo._squeezenet import squeezenet1_0, squeezenet1_1
from neocog.zoo._text_cnn import text_cnn
from neocog.zoo._vgg import vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from neocog.zoo._weights import find_weights

__all__ = [
    "LENET5_CONNECTIONS",
    "VGG16",
    "VGG19",
    "Architecture",
    "Backbone",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "Xception",
    "alexnet",
    "alexnet_one_tower",
    "alexnet_two_towers",
    "backbone",
    "build",
    "cats_and_dogs_cnn",
    "decode_predictions",
    "fashion_cnn",
    "find_weights",
    "get",
    "googlenet",
    "googlenet_bn",
    "inception_v3",
    "lenet5",
    "lenet5_modern",
    "lenet5_tanh",
    "list_models",
    "mnist_cnn",
    "mobilenet_v2",
    "plain18",
    "plain34",
    "preprocess_input",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
    "resnet152",
    "squeezenet1_0",
    "squeezenet1_1",
    "text_cnn",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "without_aux",
]
