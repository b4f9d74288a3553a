"""Fine-tuning block by block: features by predict, a frozen base, its last layers, neocog's own recipe."""

import os
import tempfile

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(41)
rng = np.random.default_rng(41)


def pictures(count):
    """Dark pictures (0) and light ones (1)."""
    labels = np.arange(count) % 2
    return rng.integers(0, 120, size=(count, 32, 32, 3)).astype("float32") + 100 * labels[
        :, None, None, None
    ], labels


train_images, train_labels = pictures(16)
val_images, val_labels = pictures(8)

# Features by predict, a small network on them.
conv_base = keras.applications.vgg16.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
conv_base.trainable = False
train_features = conv_base.predict(keras.applications.vgg16.preprocess_input(train_images.copy()), verbose=0)
val_features = conv_base.predict(keras.applications.vgg16.preprocess_input(val_images.copy()), verbose=0)
inputs = keras.Input(shape=train_features.shape[1:])
x = layers.Flatten()(inputs)
x = layers.Dense(8)(x)
x = layers.Dropout(0.5)(x)
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
path = os.path.join(tempfile.mkdtemp(), "feature_extraction.keras")
callbacks = [keras.callbacks.ModelCheckpoint(filepath=path, save_best_only=True, monitor="val_loss")]
model.fit(
    train_features,
    train_labels,
    epochs=2,
    validation_data=(val_features, val_labels),
    callbacks=callbacks,
    verbose=0,
)
assert keras.models.load_model(path).evaluate(val_features, val_labels, verbose=0)[1] >= 0

# The whole model, the base frozen.
print(
    "trainable weights before freezing:",
    len(keras.applications.VGG16(weights=None, include_top=False).weights),
)
assert len(conv_base.trainable_weights) == 0
inputs = keras.Input(shape=(32, 32, 3))
x = keras.applications.vgg16.preprocess_input(inputs)
x = conv_base(x)
x = layers.Flatten()(x)
x = layers.Dense(8)(x)
x = layers.Dropout(0.5)(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(train_images, train_labels, epochs=1, batch_size=8, verbose=0)

# Its last layers learn too, at a low rate.
conv_base.trainable = True
for layer in conv_base.layers[:-4]:
    layer.trainable = False
assert [layer.name for layer in conv_base.layers if layer.trainable] == [
    "block5_conv1",
    "block5_conv2",
    "block5_conv3",
    "block5_pool",
]
before = conv_base.get_weights()
model.compile(
    loss="binary_crossentropy",
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-5),
    metrics=["accuracy"],
)
model.fit(train_images, train_labels, epochs=1, batch_size=8, verbose=0)
moved = [not np.array_equal(a, b) for a, b in zip(before, conv_base.get_weights(), strict=True)]
assert not any(moved[:-6])
assert any(moved[-6:])

# The same by name, and the whole recipe in one call.
conv_base.freeze()
conv_base.unfreeze(top="block5")
assert len(conv_base.trainable_weights) == 6
assert [block.name for block in keras.transfer.blocks(conv_base)] == [
    f"block{number}" for number in range(1, 6)
]
small = keras.applications.MobileNet(alpha=0.25, weights=None, include_top=False, input_shape=(32, 32, 3))
found = keras.transfer.finetune(
    small,
    (train_images / 127.5 - 1, train_labels),
    (val_images / 127.5 - 1, val_labels),
    top="block13",
    settings=keras.transfer.Settings(head_epochs=3, epochs=1),
)
assert found.opened == ("block13",)
assert found.model.predict(val_images / 127.5 - 1, verbose=0).shape == (8, 2)
