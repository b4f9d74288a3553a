"""A last chapter: photographs of a hundred kinds, a network of the zoo untrained, medians of columns."""
# needs: cifar10, cifar100, module pandas
# slow: CIFAR-10 may lie there as sixty thousand JPEG files

import numpy as np
import pandas as pd

import neocog as keras
from neocog import layers
from neocog.applications import VGG16
from neocog.datasets import cifar10, cifar100

keras.utils.set_random_seed(99)
(x_train, y_train), (x_test, y_test) = cifar10.load_data()
assert x_train.shape[1:] == (32, 32, 3)
assert y_train.shape[1:] == (1,)
x_train, y_train = x_train[:64] / 255.0, y_train[:64]

# How bright are photographs of each kind? A table says so.
table = pd.DataFrame({"kind": y_train[:, 0], "brightness": x_train.mean(axis=(1, 2, 3))})
median = table["brightness"].quantile(0.5, interpolation="linear")
assert np.isclose(median, np.median(x_train.mean(axis=(1, 2, 3))))
assert 0.2 < median < 0.8

# The stack of a known architecture, small pictures, starting weights: its last block alone learns.
base = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
assert base.output_shape == (None, 1, 1, 512)
assert base.get_layer("block5_conv3").kernel.shape == (3, 3, 512, 512)
base.trainable = False
for layer in base.layers[-4:]:
    layer.trainable = True
model = keras.Sequential([base, layers.Flatten(), layers.Dense(10, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
before = base.get_layer("block1_conv1").get_weights()[0].copy()
history = model.fit(x_train, y_train, epochs=1, batch_size=32, verbose=0).history
assert np.isfinite(history["loss"][0])
assert np.array_equal(before, base.get_layer("block1_conv1").get_weights()[0])
assert len(model.trainable_weights) == 8

# A hundred kinds in twenty groups: the labels are fine or coarse.
(pictures, fine), (later, _) = cifar100.load_data()
assert pictures.shape[1:] == later.shape[1:] == (32, 32, 3)
assert set(np.unique(fine)) <= set(range(100))
(same, coarse), _ = cifar100.load_data(label_mode="coarse")
assert np.array_equal(same, pictures)
assert set(np.unique(coarse)) <= set(range(20))
