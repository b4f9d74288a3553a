"""Residual blocks, and networks whose output is a picture."""

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(16)
rng = np.random.default_rng(16)

# The shortcut: where the size changes, a convolution of width 1 makes it fit.
inputs = keras.Input(shape=(32, 32, 3))
x = layers.Rescaling(1.0 / 255)(inputs)


def residual_block(x, filters, pooling=False):
    residual = x
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    if pooling:
        x = layers.MaxPooling2D(2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2)(residual)
    elif filters != residual.shape[-1]:
        residual = layers.Conv2D(filters, 1)(residual)
    return layers.add([x, residual])


x = residual_block(x, filters=8, pooling=True)
x = residual_block(x, filters=16, pooling=True)
x = residual_block(x, filters=16)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
images = rng.integers(0, 255, size=(48, 32, 32, 3)).astype("float32")
labels = (np.arange(48) % 2).astype("float32")
images[labels == 1, 8:24, 8:24] = 255
model.compile(
    loss="binary_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=5e-3), metrics=["accuracy"]
)
history = model.fit(images, labels, batch_size=16, epochs=5, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]


# The block as a class, and a ResNet from it.
@keras.utils.register_keras_serializable(package="chapter16")
class ResidualUnit(keras.layers.Layer):
    def __init__(self, filters, strides=1, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.strides = filters, strides
        self.activation = keras.activations.get(activation)
        convolution = {"padding": "same", "kernel_initializer": "he_normal", "use_bias": False}
        self.main_layers = [
            layers.Conv2D(filters, kernel_size=3, strides=strides, **convolution),
            layers.BatchNormalization(),
            self.activation,
            layers.Conv2D(filters, kernel_size=3, strides=1, **convolution),
            layers.BatchNormalization(),
        ]
        self.skip_layers = []
        if strides > 1:
            self.skip_layers = [
                layers.Conv2D(filters, kernel_size=1, strides=strides, **convolution),
                layers.BatchNormalization(),
            ]

    def call(self, inputs):
        Z = inputs
        for layer in self.main_layers:
            Z = layer(Z)
        skip_Z = inputs
        for layer in self.skip_layers:
            skip_Z = layer(skip_Z)
        return self.activation(Z + skip_Z)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "activation": activation,
        }


model = keras.Sequential(
    [
        layers.Conv2D(8, kernel_size=7, strides=2, padding="same", use_bias=False, input_shape=[32, 32, 3]),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(3, 2, "same"),
    ]
)
prev_filters = 8
for filters in [8] * 2 + [16] * 2:
    strides = 1 if filters == prev_filters else 2
    model.add(ResidualUnit(filters, strides=strides))
    prev_filters = filters
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Flatten())
model.add(layers.Dense(2, activation="softmax"))
assert model.output_shape == (None, 2)
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(images / 255, labels, epochs=2, verbose=0)
model.save("resnet.keras")
again = keras.models.load_model("resnet.keras")
np.testing.assert_allclose(
    again.predict(images[:4] / 255, verbose=0), model.predict(images[:4] / 255, verbose=0), rtol=1e-5
)

# Segmentation: down with strides, up with transposed convolutions, one class a pixel.
num_classes = 3
targets = np.zeros((48, 32, 32, 1), dtype="uint8")
targets[labels == 1, 8:24, 8:24] = 1
targets[:, :2] = 2
inputs = keras.Input(shape=(32, 32, 3))
x = layers.Rescaling(1.0 / 255)(inputs)
x = layers.Conv2D(8, 3, strides=2, activation="relu", padding="same")(x)
x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
x = layers.Conv2DTranspose(16, 3, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(16, 3, activation="relu", padding="same", strides=2)(x)
x = layers.Conv2DTranspose(8, 3, activation="relu", padding="same", strides=2)(x)
outputs = layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(x)
model = keras.Model(inputs, outputs)
assert model.output_shape == (None, 32, 32, 3)
model.compile(
    optimizer=keras.optimizers.Adam(5e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
history = model.fit(images, targets, epochs=6, batch_size=16, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
mask = model.predict(images[:1], verbose=0)[0].argmax(axis=-1)
assert mask.shape == (32, 32)

# A U: what was lost on the way down comes back from the side.
inputs = keras.Input(shape=(32, 32, 3))
down1 = layers.SeparableConv2D(8, 3, padding="same", activation="relu")(inputs)
down2 = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(down1))
up = layers.UpSampling2D(2)(down2)
up = layers.Concatenate()([up, down1])
outputs = layers.Conv2D(num_classes, 1, activation="softmax")(up)
unet = keras.Model(inputs, outputs, name="small_unet")
unet.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy")
unet.fit(images / 255, targets, epochs=1, verbose=0)
assert unet.predict(images[:2] / 255, verbose=0).shape == (2, 32, 32, 3)

# Autoencoders: dense, and convolutional; from noisy pictures to clean ones.
pictures = np.zeros((64, 28, 28), dtype="float32")
rows, columns = np.mgrid[:28, :28]
for i, picture in enumerate(pictures):
    picture[(rows - 14) ** 2 + (columns - 14) ** 2 < (4 + i % 8) ** 2] = 1.0
encoder = keras.Sequential(
    [
        layers.Flatten(input_shape=[28, 28]),
        layers.Dense(32, activation="relu"),
        layers.Dense(8, activation="relu"),
    ]
)
decoder = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        layers.Dense(32, activation="relu"),
        layers.Dense(28 * 28, activation="sigmoid"),
        layers.Reshape([28, 28]),
    ]
)
stacked = keras.Sequential([encoder, layers.GaussianNoise(0.1), decoder])
stacked.compile(loss="binary_crossentropy", optimizer="nadam")
history = stacked.fit(pictures, pictures, epochs=10, batch_size=16, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]

conv_encoder = keras.Sequential(
    [
        layers.Reshape([28, 28, 1], input_shape=[28, 28]),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(pool_size=2),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(pool_size=2),
    ]
)
conv_decoder = keras.Sequential(
    [
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu", input_shape=(7, 7, 16)),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
        layers.Reshape([28, 28]),
    ]
)
conv_ae = keras.Sequential([conv_encoder, conv_decoder])
conv_ae.compile(loss="mse", optimizer=keras.optimizers.Nadam(learning_rate=5e-3))
noisy = pictures + 0.2 * rng.normal(size=pictures.shape)
history = conv_ae.fit(noisy, pictures, epochs=6, batch_size=16, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert conv_encoder.predict(noisy[:2], verbose=0).shape == (2, 7, 7, 16)
