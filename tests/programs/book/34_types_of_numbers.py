"""Types of numbers: half precision where it is enough, and the settings of a process."""

import numpy as np

import neocog as keras
from neocog import layers, mixed_precision

keras.utils.set_random_seed(1)
assert keras.config.backend() == "torch"
assert keras.backend.backend() == "torch"
assert keras.config.floatx() == "float32"
print(keras.__version__)
assert int(keras.__version__.split(".")[0]) >= 0

x = np.random.default_rng(1).normal(size=(96, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")

# Computations in bfloat16, weights in float32: for a whole process, and back.
try:
    mixed_precision.set_global_policy("mixed_bfloat16")
    inputs = keras.Input(shape=(6,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    outputs = layers.Dense(1, activation="sigmoid", dtype="float32")(hidden)
    model = keras.Model(inputs, outputs)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
finally:
    keras.mixed_precision.set_global_policy("float32")
first, last = model.layers[1], model.layers[2]
assert (first.compute_dtype, first.variable_dtype) == ("bfloat16", "float32")
assert (last.compute_dtype, last.variable_dtype) == ("float32", "float32")
assert all(weight.dtype == np.float32 for weight in model.get_weights())
model.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=5, verbose=0)
assert model.evaluate(x, y, verbose=0)[1] > 0.85
assert model.predict(x, verbose=0).dtype == np.float32
full = keras.Sequential([layers.Dense(2)])
assert full(x).dtype == keras.ops.ones(2).dtype

# For one layer, as a name or as a policy.
half = layers.Dense(3, dtype="bfloat16")
assert keras.backend.standardize_dtype(half(x).dtype) == "bfloat16"
mixed = layers.Dense(3, dtype=keras.DTypePolicy("mixed_bfloat16"))
mixed.build((None, 6))
assert mixed.variable_dtype == "float32"
double = keras.Sequential([keras.Input(shape=(6,), dtype="float64"), layers.Dense(2, dtype="float64")])
assert double.predict(x.astype("float64"), verbose=0).dtype == np.float64
assert layers.Dense.from_config(mixed.get_config()).compute_dtype == "bfloat16"

# Other settings, each put back.
keras.config.set_floatx("float64")
assert keras.backend.standardize_dtype(keras.ops.ones((2, 3)).dtype) == "float64"
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-5)
assert keras.backend.epsilon() == 1e-5
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_first")
assert layers.Conv2D(4, 3)(np.zeros((1, 3, 8, 8), "float32")).shape == (1, 4, 6, 6)
keras.config.set_image_data_format("channels_last")
keras.config.disable_traceback_filtering()
assert not keras.config.is_traceback_filtering_enabled()
keras.config.enable_traceback_filtering()
