"""Losses, metrics, activations, regularizers, constraints and schedules of one's own; ready-made metrics."""

import numpy as np

import neocog as keras
from neocog import layers, ops

keras.utils.set_random_seed(7)
random = np.random.default_rng(7)
x = random.normal(size=(128, 4)).astype("float32")
y = (x @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.1 * random.normal(size=128)).astype("float32")[:, None]


def huber_fn(y_true, y_pred):
    error = y_true - y_pred
    is_small_error = ops.abs(error) < 1
    return ops.where(is_small_error, ops.square(error) / 2, ops.abs(error) - 0.5)


@keras.utils.register_keras_serializable(package="chapter32")
class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        squared = ops.square(error) / 2
        linear = self.threshold * ops.abs(error) - self.threshold**2 / 2
        return ops.where(ops.abs(error) < self.threshold, squared, linear)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class HuberMetric(keras.metrics.Metric):
    def __init__(self, threshold=1.0, name="huber", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.total = self.add_weight(name="total", initializer="zeros", shape=())
        self.count = self.add_weight(name="count", initializer="zeros", shape=())

    def update_state(self, y_true, y_pred, sample_weight=None):
        loss = HuberLoss(self.threshold, reduction="sum")(y_true, y_pred)
        self.total.assign_add(loss)
        self.count.assign_add(ops.cast(ops.shape(y_true)[0], "float32"))

    def result(self):
        return self.total / self.count

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def my_softplus(z):
    return ops.log(1.0 + ops.exp(z))


def my_glorot_initializer(shape, dtype="float32"):
    stddev = np.sqrt(2.0 / (shape[0] + shape[1]))
    return keras.random.normal(shape, stddev=stddev, dtype=dtype)


def my_l1_regularizer(weights):
    return ops.sum(ops.abs(0.01 * weights))


def my_positive_weights(weights):
    return ops.relu(weights)


class MyL1Regularizer(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return ops.sum(ops.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start / ops.sqrt(ops.cast(step, "float32") + 1.0)

    def get_config(self):
        return {"start": self.start}


assert np.allclose(huber_fn(y, 0 * y), HuberLoss(reduction=None)(y, 0 * y))
assert np.isclose(float(keras.losses.Huber()(y, 0 * y)), float(HuberLoss()(y, 0 * y)), rtol=1e-5)

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        layers.Dense(
            8,
            activation=my_softplus,
            kernel_initializer=my_glorot_initializer,
            kernel_regularizer=my_l1_regularizer,
            kernel_constraint=my_positive_weights,
        ),
        layers.Dense(8, activation=keras.activations.relu, kernel_regularizer=MyL1Regularizer(0.001)),
        layers.Dense(1, kernel_constraint=keras.constraints.max_norm(1.0)),
    ]
)
model.compile(
    loss=HuberLoss(threshold=2.0),
    optimizer=keras.optimizers.Nadam(learning_rate=InverseSquareRoot(0.05)),
    metrics=[huber_fn, HuberMetric(), "mae"],
)
history = model.fit(x, y, epochs=3, verbose=0).history
assert {"loss", "huber_fn", "huber", "mae"} <= set(history)
assert history["loss"][-1] < history["loss"][0]
assert (model.layers[0].get_weights()[0] >= 0).all()
assert np.linalg.norm(model.layers[2].get_weights()[0]) <= 1 + 1e-5
assert np.isclose(history["huber"][-1], history["huber_fn"][-1], rtol=1e-4)

# Into a file and back: what is registered is found, the rest is named by the caller.
model.save("own_parts.keras")
mine = [my_softplus, my_glorot_initializer, my_l1_regularizer, my_positive_weights, huber_fn]
mine += [MyL1Regularizer, HuberMetric, InverseSquareRoot]
custom_objects = {part.__name__: part for part in mine}
again = keras.models.load_model("own_parts.keras", custom_objects=custom_objects)
assert np.allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
assert again.loss.threshold == 2.0
with keras.utils.custom_object_scope(custom_objects):
    assert keras.activations.get("my_softplus") is my_softplus
    clone = keras.models.clone_model(model)
assert clone.count_params() == model.count_params()
assert keras.activations.serialize(keras.activations.relu) == "relu"
assert keras.activations.deserialize("tanh") is keras.activations.tanh
assert keras.activations.get("gelu") is keras.activations.gelu
loss = keras.losses.deserialize(keras.losses.serialize(keras.losses.Huber(delta=3.0)))
assert loss.get_config()["delta"] == 3.0
l1_l2 = keras.regularizers.l1_l2(l1=0.1, l2=0.01)
penalty = float(l1_l2(ops.array([1.0, -2.0])))
assert np.isclose(penalty, 0.1 * 3 + 0.01 * 5)
assert np.isclose(float(keras.regularizers.l1(0.5)(ops.ones((2, 2)))), 2.0)

# A metric remembers from batch to batch until it is reset.
precision = keras.metrics.Precision()
precision([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1])
assert np.isclose(float(precision.result()), 0.8)
precision([0, 1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 0])
assert np.isclose(float(precision.result()), 0.5)
precision.reset_state()
assert float(precision.result()) == 0

truth, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
auc = keras.metrics.AUC(num_thresholds=1000)
auc.update_state(truth, scores)
assert abs(float(auc.result()) - 0.75) < 1e-3
binary = keras.metrics.BinaryAccuracy()
binary.update_state(truth, scores, sample_weight=[1, 1, 2, 1])
assert np.isclose(float(binary.result()), 3 / 5)
one_hot = np.eye(4, dtype="float32")[[0, 1, 2]]
guesses = np.array([[0.1, 0.4, 0.3, 0.2], [0.1, 0.7, 0.1, 0.1], [0.6, 0.3, 0.05, 0.05]])
top = keras.metrics.TopKCategoricalAccuracy(k=3, name="top_3")
top.update_state(one_hot, guesses)
assert np.isclose(float(top.result()), 2 / 3)
hit = keras.metrics.CategoricalAccuracy(name="hit")
hit.update_state(one_hot, guesses)
assert np.isclose(float(hit.result()), 1 / 3)
entropy = keras.metrics.BinaryCrossentropy(name="entropy", from_logits=True)
entropy.update_state([[1.0]], [[0.0]])
assert np.isclose(float(entropy.result()), np.log(2))
root = keras.metrics.RootMeanSquaredError()
root.update_state([[3.0], [4.0]], [[0.0], [0.0]])
assert np.isclose(float(root.result()), np.sqrt(12.5))
mean = keras.metrics.Mean(name="mean")
for value in (1.0, 2.0, 6.0):
    mean.update_state(value)
assert float(mean.result()) == 3.0
for metric, expected in (
    (keras.metrics.MeanAbsoluteError(name="mae"), 2.0),
    (keras.metrics.MeanSquaredError(name="mse"), 4.0),
):
    assert float(metric([[1.0]], [[3.0]])) == expected

# Losses as functions, one number a sample.
labels = np.array([0, 2])
rows = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]], dtype="float32")
expected = -np.log([0.5, 0.8])
assert np.allclose(keras.losses.sparse_categorical_crossentropy(labels, rows), expected, atol=1e-5)
assert np.isclose(
    float(keras.losses.SparseCategoricalCrossentropy()(labels, rows)), expected.mean(), rtol=1e-4
)
smooth = keras.losses.CategoricalCrossentropy(from_logits=False, label_smoothing=0.1)
assert float(smooth(np.eye(3)[labels], rows)) > expected.mean()
assert keras.losses.mean_squared_error([[1.0, 2.0]], [[0.0, 0.0]]).tolist() == [2.5]
assert np.isclose(float(keras.losses.MeanSquaredError()([[1.0, 2.0]], [[0.0, 0.0]])), 2.5)
assert np.isclose(float(keras.losses.binary_crossentropy([1.0], [0.5])), np.log(2), rtol=1e-4)
assert np.asarray(keras.metrics.binary_accuracy([1.0, 0.0], [0.7, 0.6])).tolist() == [1.0, 0.0]
assert np.asarray(keras.metrics.sparse_categorical_accuracy(labels, rows)).tolist() == [1.0, 1.0]
