"""Overfitting, and what helps against it."""

import numpy as np
import torch

import neocog as keras
from neocog import layers, ops, regularizers

keras.utils.set_random_seed(9)
rng = np.random.default_rng(9)
x = rng.normal(size=(400, 20)).astype("float32")
y = (x[:, :3].sum(axis=1) + 0.5 * rng.normal(size=400) > 0).astype("float32")
x_train, y_train, x_val, y_val = x[:150], y[:150], x[150:], y[150:]


def fit(*inner, optimizer="rmsprop", epochs=4):
    model = keras.Sequential([keras.Input(shape=(20,)), *inner, layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x_train, y_train, epochs=epochs, batch_size=50, validation_data=(x_val, y_val), verbose=0
    )
    assert np.isfinite(history.history["val_loss"]).all()
    return model, history.history


# A network too large, one too small, one with weight decay.
_, large = fit(layers.Dense(256, activation="relu"), layers.Dense(256, activation="relu"), epochs=8)
fit(layers.Dense(2, activation="relu"))
_, decayed = fit(
    layers.Dense(256, kernel_regularizer=regularizers.l2(0.02), activation="relu"),
    layers.Dense(256, kernel_regularizer=keras.regularizers.l2(0.02), activation="relu"),
    epochs=8,
)
assert decayed["loss"][0] > large["loss"][0]
gap = large["val_loss"][-1] - large["loss"][-1]
assert gap > 0

# L1 and both; the penalty is part of the loss, and can be asked for.
model, _ = fit(
    layers.Dense(16, activation="relu", kernel_regularizer=regularizers.l1(0.001)),
    layers.Dense(16, activation="relu", kernel_regularizer=regularizers.l1_l2(l1=0.001, l2=0.001)),
)
kernel1, kernel2 = model.layers[0].get_weights()[0], model.layers[1].get_weights()[0]
np.testing.assert_allclose(ops.convert_to_numpy(model.losses[0]), 0.001 * np.abs(kernel1).sum(), rtol=1e-4)
np.testing.assert_allclose(
    ops.convert_to_numpy(model.losses[1]), 0.001 * (np.abs(kernel2).sum() + (kernel2**2).sum()), rtol=1e-4
)


class MyL1Regularizer(keras.regularizers.Regularizer):
    """A regularizer of one's own, with the number that files keep."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return ops.sum(ops.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


model, _ = fit(layers.Dense(8, activation="relu", kernel_regularizer=MyL1Regularizer(0.01)))
model.save("regularized.keras")
again = keras.models.load_model("regularized.keras", custom_objects={"MyL1Regularizer": MyL1Regularizer})
assert again.layers[0].kernel_regularizer.factor == 0.01


def my_positive_weights(weights):
    return ops.where(weights < 0, ops.zeros_like(weights), weights)


model, _ = fit(layers.Dense(8, activation="relu", kernel_constraint=my_positive_weights))
assert (model.layers[0].get_weights()[0] >= 0).all()

# Dropout, with a bound on the length of each unit's weights.
model, _ = fit(
    layers.Dense(
        64,
        activation="relu",
        kernel_initializer="he_normal",
        kernel_constraint=keras.constraints.max_norm(1.0),
    ),
    layers.Dropout(0.5),
    layers.Dense(
        64,
        activation="relu",
        kernel_initializer="he_normal",
        kernel_constraint=keras.constraints.max_norm(1.0),
    ),
    layers.Dropout(rate=0.2),
)
assert np.linalg.norm(model.layers[0].get_weights()[0], axis=0).max() < 1.0 + 1e-5
dropout = layers.Dropout(0.5)
ones = np.ones((1000, 10), dtype="float32")
assert np.array_equal(dropout(ones, training=False).numpy(), ones)
dropped = dropout(ones, training=True).numpy()
assert set(np.unique(dropped)) == {0.0, 2.0}
assert 0.45 < (dropped == 0).mean() < 0.55
noisy = layers.GaussianNoise(0.1)(ones, training=True).numpy()
np.testing.assert_allclose(noisy.std(), 0.1, rtol=0.1)

# Batch normalization before and after the activation; without a bias, which it has itself.
model, record = fit(
    layers.BatchNormalization(),
    layers.Dense(32, kernel_initializer="he_normal", use_bias=False),
    layers.BatchNormalization(),
    layers.Activation("relu"),
    layers.Dense(16, activation="relu", kernel_initializer="he_normal"),
    layers.BatchNormalization(),
)
assert record["loss"][-1] < record["loss"][0]
bn1 = model.layers[0]
names = [variable.name for variable in bn1.variables]
assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
assert [variable.trainable for variable in bn1.variables] == [True, True, False, False]
assert len(model.layers[1].get_weights()) == 1
normalized = ops.convert_to_numpy(layers.LayerNormalization(epsilon=1e-6)(x))
np.testing.assert_allclose(normalized.std(axis=1), 1, rtol=1e-3)

# Clipped gradients: every component, or the whole length.
for optimizer in (keras.optimizers.SGD(clipvalue=0.01), keras.optimizers.SGD(clipnorm=0.01)):
    weight = keras.Variable(initializer=np.array([3.0, -4.0], dtype="float32"))
    with torch.no_grad():
        optimizer.apply([torch.tensor([300.0, -400.0])], [weight])
    step = (np.array([3.0, -4.0]) - keras.ops.convert_to_numpy(weight)) / 0.01
    wanted = [0.01, -0.01] if optimizer.clipvalue else [0.006, -0.008]
    np.testing.assert_allclose(step, wanted, rtol=2e-2)
fit(layers.Dense(8, activation="relu"), optimizer=keras.optimizers.SGD(learning_rate=0.1, clipvalue=1.0))
fit(layers.Dense(8, activation="relu"), optimizer=keras.optimizers.SGD(learning_rate=0.1, clipnorm=1.0))

# A layer taken out of an optimizer's reach, and weights set by hand.
frozen = layers.Dense(8, activation="relu")
frozen.trainable = False
model, _ = fit(frozen)
before = frozen.get_weights()
model.fit(x_train, y_train, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(before, frozen.get_weights(), strict=True))
frozen.set_weights([np.zeros_like(weight) for weight in before])
assert not frozen(x_val).numpy().any()
