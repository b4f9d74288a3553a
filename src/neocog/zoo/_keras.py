"""The architectures of `neocog.applications` in the table of the zoo."""

from __future__ import annotations

from neocog import applications
from neocog.zoo._architecture import enter

_RESNET = "He et al., Deep Residual Learning for Image Recognition, 2016."
_RESNET_V2 = "He et al., Identity Mappings in Deep Residual Networks, 2016."
_VGG = "Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015."
_DENSE = "Huang et al., Densely Connected Convolutional Networks, 2017."
_EFFICIENT = "Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019."
_MOBILE_V3 = "Howard et al., Searching for MobileNetV3, 2019."
_NAS = "Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, 2018."

# name -> height and width, how pixels are prepared, values with the statistics as Keras counts them, paper
_ROWS = {
    "VGG16": (224, "caffe", 138_357_544, _VGG),
    "VGG19": (224, "caffe", 143_667_240, _VGG),
    "ResNet50": (224, "caffe", 25_636_712, _RESNET),
    "ResNet101": (224, "caffe", 44_707_176, _RESNET),
    "ResNet152": (224, "caffe", 60_419_944, _RESNET),
    "ResNet50V2": (224, "tf", 25_613_800, _RESNET_V2),
    "ResNet101V2": (224, "tf", 44_675_560, _RESNET_V2),
    "ResNet152V2": (224, "tf", 60_380_648, _RESNET_V2),
    "InceptionV3": (299, "tf", 23_851_784, "Szegedy et al., Rethinking the Inception Architecture, 2016."),
    "InceptionResNetV2": (299, "tf", 55_873_736, "Szegedy et al., Inception-v4, Inception-ResNet, 2017."),
    "Xception": (
        299,
        "tf",
        22_910_480,
        "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, 2017.",
    ),
    "MobileNet": (224, "tf", 4_253_864, "Howard et al., MobileNets, 2017."),
    "MobileNetV2": (224, "tf", 3_538_984, "Sandler et al., MobileNetV2, 2018."),
    "MobileNetV3Small": (224, "none", 2_554_968, _MOBILE_V3),
    "MobileNetV3Large": (224, "none", 5_507_432, _MOBILE_V3),
    "DenseNet121": (224, "torch", 8_062_504, _DENSE),
    "DenseNet169": (224, "torch", 14_307_880, _DENSE),
    "DenseNet201": (224, "torch", 20_242_984, _DENSE),
    "EfficientNetB0": (224, "none", 5_330_571, _EFFICIENT),
    "EfficientNetB1": (240, "none", 7_856_239, _EFFICIENT),
    "EfficientNetB2": (260, "none", 9_177_569, _EFFICIENT),
    "EfficientNetB3": (300, "none", 12_320_535, _EFFICIENT),
    "EfficientNetB4": (380, "none", 19_466_823, _EFFICIENT),
    "EfficientNetB5": (456, "none", 30_562_527, _EFFICIENT),
    "EfficientNetB6": (528, "none", 43_265_143, _EFFICIENT),
    "EfficientNetB7": (600, "none", 66_658_687, _EFFICIENT),
    "NASNetMobile": (224, "tf", 5_326_716, _NAS),
    "NASNetLarge": (331, "tf", 88_949_818, _NAS),
}

for _name, (_size, _pixels, _parameters, _reference) in _ROWS.items():
    enter(
        getattr(applications, _name),
        _name,
        form="Keras",
        image=(_size, _size, 3),
        pixels=_pixels,
        parameters=_parameters,
        reference=_reference,
    )
