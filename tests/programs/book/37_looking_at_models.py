"""Models from outside: summaries, plots, configurations; layers and models made again from these."""

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(13)
inputs = keras.Input(shape=(16,), name="features")
h = layers.Dense(8, activation="relu", name="hidden")(inputs)
left = layers.Dense(4, activation="tanh", name="left")(h)
right = layers.Dense(4, name="right")(h)
both = layers.add([left, right], name="sum")
outputs = layers.Dense(3, activation="softmax", name="answer")(both)
model = keras.Model(inputs=inputs, outputs=outputs, name="fork")

lines = []
model.get_layer("left").trainable = False
model.summary(line_length=100, show_trainable=True, print_fn=lambda line, **kwargs: lines.append(line))
text = "\n".join(lines)
for word in ("fork", "features", "hidden", "sum", "answer", "Total params", "Non-trainable params"):
    assert word in text
assert max(len(line) for line in text.splitlines()) <= 110
model.summary(line_length=64)

# Plots need no Graphviz: a file, and the graph as text for those who have it.
keras.utils.plot_model(model, "model.png", show_shapes=True, show_layer_names=True)
with open("model.png", "rb") as file:
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
keras.utils.plot_model(model, to_file="other.png", show_shapes=True, show_layer_activations=True)
dot = str(keras.utils.model_to_dot(model, show_shapes=True))
assert all(layer.name in dot for layer in model.layers)

# What a layer was made with, and the layer again.
config = model.get_layer(name="hidden").get_config()
assert (config["units"], config["name"]) == (8, "hidden")
dense = keras.layers.Dense.from_config(config)
assert dense.units == 8
assert not dense.built
packed = layers.serialize(dense)
assert packed["class_name"] == "Dense"
assert layers.deserialize(packed).get_config() == dense.get_config()

# Models, likewise; the weights are not in a configuration.
again = keras.Model.from_config(model.get_config())
assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
again.set_weights(model.get_weights())
x = np.random.default_rng(0).normal(size=(5, 16)).astype("float32")
assert np.allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
stack = keras.Sequential(
    [keras.Input(shape=(16,)), layers.Dense(4, activation="elu"), layers.Dense(1)], name="stack"
)
same = keras.Sequential.from_config(stack.get_config())
assert same.name == "stack"
assert same.output_shape == (None, 1)


class Doubled(layers.Layer):
    """A layer of one's own: whoever opens its configuration says where the class is."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


own = keras.Sequential([keras.Input(shape=(16,)), Doubled(3.0), layers.Dense(1)])
functional = keras.Model(own.inputs, own.outputs)
opened = keras.Model.from_config(functional.get_config(), custom_objects={"Doubled": Doubled})
assert opened.layers[1].factor == 3.0
packed = layers.serialize(Doubled(4.0))
assert layers.deserialize(packed, custom_objects={"Doubled": Doubled}).factor == 4.0
refusal = ""
try:
    keras.Model.from_config(functional.get_config())
except (TypeError, ValueError) as error:
    refusal = str(error)
assert "Doubled" in refusal

# Pieces of models: another model that shares the layers.
features = keras.Model(
    inputs=model.inputs, outputs=[model.get_layer("left").output, model.get_layer(index=1).output]
)
left_output, hidden_output = features.predict(x, verbose=0)
assert left_output.shape == (5, 4)
assert hidden_output.shape == (5, 8)
kernel, bias = features.get_layer("hidden").get_weights()
assert np.allclose(hidden_output, np.maximum(x @ kernel + bias, 0), atol=1e-5)
clone = keras.models.clone_model(model)
assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
built = keras.Sequential([layers.Dense(2), layers.Dense(1)])
built.build(input_shape=(None, 3))
assert [weight.shape for weight in built.get_weights()] == [(3, 2), (2,), (2, 1), (1,)]
