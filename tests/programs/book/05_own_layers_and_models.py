"""Layers and models of your own, and how files find them again."""

import numpy as np

import neocog as keras
from neocog import activations, layers, ops

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
x = rng.normal(size=(256, 8)).astype("float32")
y = np.tanh(x[:, :1] - x[:, 1:2])


class SimpleDense(layers.Layer):
    """A Dense layer, written by hand."""

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=[batch_input_shape[-1], self.units], initializer="he_normal", trainable=True
        )
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros", dtype="float32")
        self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False)
        super().build(batch_input_shape)

    def call(self, inputs):
        return self.activation(ops.matmul(inputs, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        base_config = super().get_config()
        return {
            **base_config,
            "units": self.units,
            "activation": activations.serialize(self.activation),
        }


class AddNoise(keras.Layer):
    """Noise while training, nothing afterwards."""

    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, inputs, training=None):
        if not training:
            return inputs
        return inputs + self.stddev * keras.random.normal(shape=ops.shape(inputs), seed=self.seed_generator)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class ResidualBlock(layers.Layer):
    """Layers that make one layer together."""

    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.n_layers, self.n_neurons = n_layers, n_neurons
        self.hidden = [layers.Dense(n_neurons, activation="relu") for _ in range(n_layers)]

    def call(self, inputs):
        z = inputs
        for layer in self.hidden:
            z = layer(z)
        return inputs + z

    def get_config(self):
        return {**super().get_config(), "n_layers": self.n_layers, "n_neurons": self.n_neurons}


model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        SimpleDense(16, activation="relu"),
        AddNoise(0.05),
        ResidualBlock(2, 16),
        SimpleDense(1),
    ]
)
model.compile(loss="mse", optimizer="nadam", metrics=["mae"])
history = model.fit(x, y, epochs=10, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert len(model.layers[0].trainable_weights) == 2
assert len(model.layers[0].non_trainable_weights) == 1
noise = model.layers[1]
assert np.array_equal(noise(x[:2], training=False).numpy(), x[:2])
assert not np.array_equal(noise(x[:2], training=True).numpy(), x[:2])

# Saved, and read again with the classes that the file cannot know.
model.save("own.keras")
own = {"SimpleDense": SimpleDense, "AddNoise": AddNoise, "ResidualBlock": ResidualBlock}
again = keras.models.load_model("own.keras", custom_objects=own)
np.testing.assert_allclose(again.predict(x[:8], verbose=0), model.predict(x[:8], verbose=0), rtol=1e-6)
with keras.utils.custom_object_scope(own):
    third = keras.models.load_model("own.keras")
    twin = keras.models.clone_model(model)
np.testing.assert_allclose(third.predict(x[:8], verbose=0), model.predict(x[:8], verbose=0), rtol=1e-6)
assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]

config = keras.layers.serialize(model.layers[0])
layer = keras.layers.deserialize(config, custom_objects=own)
assert layer.units == 16
assert layer.activation is activations.relu
assert keras.layers.Dense.from_config(keras.layers.Dense(3, activation="elu").get_config()).units == 3
stack = keras.Sequential.from_config(model.get_config(), custom_objects=own)
assert len(stack.layers) == 4
functional = keras.Model(model.inputs, model.outputs)
rebuilt = keras.Model.from_config(functional.get_config(), custom_objects=own)
assert rebuilt.outputs[0].shape == (None, 1)


@keras.utils.register_keras_serializable(package="chapter5")
class WideAndDeepModel(keras.Model):
    """A model as a class: any Python between the inputs and the outputs."""

    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.units, self.activation = units, activation
        self.norm_layer_wide = layers.Normalization()
        self.norm_layer_deep = layers.Normalization()
        self.hidden1 = layers.Dense(units, activation=activation)
        self.hidden2 = layers.Dense(units, activation=activation)
        self.main_output = layers.Dense(1)
        self.aux_output = layers.Dense(1)

    def call(self, inputs):
        input_wide, input_deep = inputs
        norm_wide = self.norm_layer_wide(input_wide)
        norm_deep = self.norm_layer_deep(input_deep)
        hidden2 = self.hidden2(self.hidden1(norm_deep))
        output = self.main_output(layers.concatenate([norm_wide, hidden2]))
        return output, self.aux_output(hidden2)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "activation": self.activation}


wide, deep = x[:, :5], x[:, 2:]
model = WideAndDeepModel(30, activation="relu", name="my_cool_model")
model.norm_layer_wide.adapt(wide)
model.norm_layer_deep.adapt(deep)
model.compile(loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer="adam")
history = model.fit((wide, deep), (y, y), epochs=6, validation_split=0.1, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
before = model.predict((wide[:4], deep[:4]), verbose=0)
model.save("wide_and_deep.keras")
after = keras.models.load_model("wide_and_deep.keras").predict((wide[:4], deep[:4]), verbose=0)
for a, b in zip(before, after, strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

# A class inside a functional model, and a functional model inside a class.
inputs = keras.Input(shape=(8,))
outputs = SimpleDense(4, activation=activations.softmax)(inputs)
inner = keras.Model(inputs=inputs, outputs=outputs)


class Outer(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = inner
        self.head = layers.Dense(1)

    def call(self, inputs):
        return self.head(self.inner(inputs))


outer = Outer()
outer.build(input_shape=(None, 8))
assert len(outer.trainable_weights) == 4
assert outer(x[:3]).shape == (3, 1)
