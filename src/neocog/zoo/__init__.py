"""Floor 6: the classic architectures as papers and torchvision have them; Keras's forms beside them."""

from neocog.zoo._alexnet import alexnet, alexnet_one_tower, alexnet_two_towers
from neocog.zoo._architecture import Architecture, build, get, list_models
from neocog.zoo._backbones import Backbone, backbone
from neocog.zoo._cifar_resnet import resnet20, resnet32, resnet44, resnet56, resnet110
from neocog.zoo._googlenet import googlenet, without_aux
from neocog.zoo._mobilenet_v2 import mobilenet_v2
from neocog.zoo._resnet import plain18, plain34, resnet18, resnet34, resnet50, resnet101, resnet152
from neocog.zoo._squeezenet import squeezenet1_0, squeezenet1_1
from neocog.zoo._vgg import vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from neocog.zoo._weights import find_weights

__all__ = [
    "Architecture",
    "Backbone",
    "alexnet",
    "alexnet_one_tower",
    "alexnet_two_towers",
    "backbone",
    "build",
    "find_weights",
    "get",
    "googlenet",
    "list_models",
    "mobilenet_v2",
    "plain18",
    "plain34",
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
