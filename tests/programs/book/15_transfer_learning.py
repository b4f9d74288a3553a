"""Transfer learning: a network that has seen many pictures, and a new head.

Where no pretrained weights are at hand the same lines run with `weights=None`; what is frozen stays as it is.
"""

import os
from pathlib import Path

import numpy as np

import neocog as keras
from neocog import layers
from neocog.exceptions import NeocogError

keras.utils.set_random_seed(15)
rng = np.random.default_rng(15)
images = rng.integers(0, 256, size=(12, 64, 64, 3)).astype("float32")
labels = np.arange(12) % 2

# First way: the base turns pictures into features once, and a small network learns from these.
conv_base = keras.applications.vgg16.VGG16(weights=None, include_top=False, input_shape=(64, 64, 3))
conv_base.trainable = False
assert conv_base.output.shape == (None, 2, 2, 512)


def get_features_and_labels(count):
    preprocessed = keras.applications.vgg16.preprocess_input(images[:count].copy())
    return conv_base.predict(preprocessed, batch_size=6, verbose=0), labels[:count]


train_features, train_labels = get_features_and_labels(6)
assert train_features.shape == (6, 2, 2, 512)
inputs = keras.Input(shape=(2, 2, 512))
x = layers.Flatten()(inputs)
x = layers.Dense(16)(x)
x = layers.Dropout(0.5)(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
history = model.fit(train_features, train_labels, epochs=2, verbose=0)
assert np.isfinite(history.history["loss"]).all()

# Second way: base and head in one model, the base frozen, with augmentation in front.
data_augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(64, 64, 3))
base.trainable = False
assert len(base.trainable_weights) == 0
inputs = keras.Input(shape=(64, 64, 3))
x = data_augmentation(inputs)
x = keras.applications.mobilenet_v2.preprocess_input(x)
x = base(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
assert len(model.trainable_weights) == 2
frozen = base.get_weights()
model.compile(
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    optimizer=keras.optimizers.Adam(),
    metrics=[keras.metrics.BinaryAccuracy()],
)
model.fit(images, labels, epochs=1, batch_size=6, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(frozen, base.get_weights(), strict=True))

# Fine-tuning: the last layers of the base learn too, slowly; batch normalization stays as it is.
base.trainable = True
for layer in base.layers[:-4]:
    layer.trainable = False
assert 0 < len(base.trainable_weights) < 10
model.compile(
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-5),
)
model.fit(images, labels, epochs=1, batch_size=6, verbose=0)
changed = [not np.array_equal(a, b) for a, b in zip(frozen, base.get_weights(), strict=True)]
assert any(changed)
assert not all(changed)
model.summary(line_length=100, show_trainable=True)

# Other bases; a head by hand on the features that a pooling gives.
base_model = keras.applications.xception.Xception(weights=None, include_top=False)
avg = layers.GlobalAveragePooling2D()(base_model.output)
output = layers.Dense(5, activation="softmax")(avg)
model = keras.Model(inputs=base_model.input, outputs=output)
for layer in base_model.layers:
    layer.trainable = False
assert [len(model.trainable_weights), model.output_shape] == [2, (None, 5)]
pixels = keras.applications.xception.preprocess_input(images[:2].copy())
assert -1 <= pixels.min() <= pixels.max() <= 1
assert model.predict(np.repeat(np.repeat(pixels, 2, axis=1), 2, axis=2), verbose=0).shape == (2, 5)

extractor = keras.applications.ResNet50V2(
    weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3)
)
assert extractor.output_shape == (None, 2048)
assert (
    keras.applications.Xception(weights=None, include_top=False, input_shape=(96, 96, 3)).output_shape[-1]
    == 2048
)
small = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=7)
assert small.output_shape == (None, 7)
rows = keras.applications.resnet50.preprocess_input(images[:1].copy())
assert rows.shape == (1, 64, 64, 3)
assert [layer.name for layer in keras.applications.VGG16(weights=None, include_top=False).layers][
    1
] == "block1_conv1"
assert keras.applications.VGG19(weights=None, include_top=False).output_shape == (None, None, None, 512)

# What a thousand probabilities mean.
guess = np.zeros((1, 1000), dtype="float32")
guess[0, 386] = 0.9
try:
    by_xception = keras.applications.xception.decode_predictions(guess, top=1)[0]
    by_resnet = keras.applications.resnet50.decode_predictions(guess, top=1)[0]
except (NeocogError, OSError):
    print("the names of the thousand classes are not at hand")
else:
    ((wordnet_id, name, probability),) = by_xception
    assert by_xception == by_resnet
    assert (wordnet_id, name) == ("n02504458", "African_elephant")
    assert abs(probability - 0.9) < 1e-6

# Pretrained weights: fetched once into the cache, and here used where they lie there already.
cache = Path(os.environ.get("NEOCOG_HOME", Path.home() / ".neocog"), "models")
if (cache / "resnet50_weights_tf_dim_ordering_tf_kernels.h5").exists():
    pretrained = keras.applications.ResNet50(weights="imagenet")
    assert pretrained.predict(np.zeros((1, 224, 224, 3)), verbose=0).shape == (1, 1000)

# The names that torchvision has for its weights are not Keras's: the error says what is.
refused = ""
try:
    keras.applications.ResNet50(weights="IMAGENET1K_V1")
except ValueError as error:
    refused = str(error)
assert '"imagenet"' in refused
