"""Models in files: whole, weights alone, an architecture alone; older formats too (older spellings)."""

import json
from pathlib import Path

import numpy as np

import neocog as keras
from neocog import layers
from neocog.models import clone_model, load_model, model_from_json

keras.utils.set_random_seed(18)
rng = np.random.default_rng(18)
x = rng.normal(size=(128, 10)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")


def make():
    model = keras.Sequential(
        [
            keras.Input(shape=(10,)),
            layers.Dense(12, activation="relu", name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(1, activation="sigmoid", name="output"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="binary_crossentropy", metrics=["accuracy"])
    return model


model = make()
model.fit(x, y, epochs=3, verbose=0)
expected = model.predict(x, verbose=0)

# The whole model: architecture, weights, settings of compile and the optimizer's state.
for name in ("my_model.keras", "my_model.h5", "my_model.hdf5"):
    model.save(name)
    loaded = load_model(name)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-6)
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    history = loaded.fit(x, y, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
keras.models.save_model(model, "again.keras")
assert keras.models.load_model(filepath="again.keras", compile=False).optimizer is None

# Training that stops and goes on is training that never stopped.
straight = make()
straight.set_weights(model.get_weights())
straight.fit(x, y, epochs=2, shuffle=False, verbose=0)
straight.save("halfway.keras")
resumed = load_model("halfway.keras")
straight.fit(x, y, epochs=2, shuffle=False, verbose=0)
resumed.fit(x, y, epochs=2, shuffle=False, verbose=0)
for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

# Weights alone.
for name in ("my.weights.h5", "my_weights.h5", "my_weights.hdf5", "my_weights.safetensors"):
    model.save_weights(name)
    other = make()
    assert not np.allclose(other.predict(x, verbose=0), expected)
    other.load_weights(name)
    np.testing.assert_allclose(other.predict(x, verbose=0), expected, rtol=1e-6)

# Architecture alone.
architecture = model.to_json()
assert json.loads(architecture)["class_name"] == "Sequential"
Path("model.json").write_text(architecture)
from_json = model_from_json(Path("model.json").read_text())
from_json.set_weights(model.get_weights())
np.testing.assert_allclose(from_json.predict(x, verbose=0), expected, rtol=1e-6)
rebuilt = keras.Sequential.from_config(model.get_config())
assert [layer.name for layer in rebuilt.layers] == ["hidden", "norm", "output"]

# A copy with new weights; a new model on old layers, first frozen, then free.
clone = clone_model(model)
clone.set_weights(model.get_weights())
np.testing.assert_allclose(clone.predict(x, verbose=0), expected, rtol=1e-6)
model_B = keras.Sequential([*clone.layers[:-1], layers.Dense(1, activation="sigmoid", name="new_output")])
for layer in model_B.layers[:-1]:
    layer.trainable = False
model_B.compile(
    loss="binary_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=1e-2), metrics=["accuracy"]
)
kept = clone.get_layer(name="hidden").get_weights()
model_B.fit(x, 1 - y, epochs=2, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(kept, model_B.layers[0].get_weights(), strict=True))
for layer in model_B.layers[:-1]:
    layer.trainable = True
model_B.compile(
    loss="binary_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=1e-2), metrics=["accuracy"]
)
model_B.fit(x, 1 - y, epochs=2, verbose=0)
assert not np.array_equal(kept[0], model_B.layers[0].get_weights()[0])
np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)

# Layers by name: what fits is read.
model.save_weights("by_name.h5")
partly = keras.Sequential(
    [
        keras.Input(shape=(10,)),
        layers.Dense(12, activation="relu", name="hidden"),
        layers.Dense(3, name="other"),
    ]
)
partly.load_weights("by_name.h5", by_name=True)
assert np.array_equal(partly.layers[0].get_weights()[0], model.layers[0].get_weights()[0])


# Names that the file cannot know.
class Scale(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def scaled_tanh(z):
    return 1.7 * keras.ops.tanh(z / 1.5)


custom = keras.Sequential([keras.Input(shape=(10,)), Scale(0.5), layers.Dense(2, activation=scaled_tanh)])
names = {"Scale": Scale, "scaled_tanh": scaled_tanh}
for suffix in ("keras", "h5"):
    custom.save(f"custom.{suffix}")
    with keras.utils.custom_object_scope(names):
        one = load_model(f"custom.{suffix}")
    two = load_model(f"custom.{suffix}", custom_objects=names)
    for loaded in (one, two):
        np.testing.assert_allclose(loaded.predict(x, verbose=0), custom.predict(x, verbose=0), rtol=1e-6)
    refused = ""
    try:
        load_model(f"custom.{suffix}")
    except ValueError as error:
        refused = str(error)
    assert "Scale" in refused
json_again = model_from_json(custom.to_json(), custom_objects=names)
assert json_again.layers[0].factor == 0.5

# A file that is there is not replaced, where that is asked for; and a model for other programs.
kept_bytes = Path("again.keras").read_bytes()
refused = ""
try:
    make().save("again.keras", overwrite=False)
except OSError as error:
    refused = str(error)
assert "again.keras" in refused
assert Path("again.keras").read_bytes() == kept_bytes
