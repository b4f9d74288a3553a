"""A training step of your own inside fit, and losses and metrics of your own."""

import numpy as np
import torch

import neocog as keras
from neocog import layers, ops

keras.utils.set_random_seed(6)
rng = np.random.default_rng(6)
x = rng.normal(size=(320, 6)).astype("float32")
y = (x[:, :1] - 2 * x[:, 1:2] + 0.1 * rng.normal(size=(320, 1))).astype("float32")
weights = rng.random(320).astype("float32")


class CustomModel(keras.Model):
    """Gradients by hand, everything else as in every model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="own_loss")
        self.mae_metric = keras.metrics.MeanAbsoluteError(name="own_mae")
        self.loss_fn = keras.losses.MeanSquaredError()

    def train_step(self, data):
        inputs, targets = data
        self.zero_grad()
        predictions = self(inputs, training=True)
        loss = self.loss_fn(targets, predictions)
        loss.backward()
        trainable_weights = list(self.trainable_weights)
        gradients = [weight.value.grad for weight in trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable_weights)
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(targets, predictions)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    def test_step(self, data):
        inputs, targets = data
        predictions = self(inputs, training=False)
        self.loss_tracker.update_state(self.loss_fn(targets, predictions))
        self.mae_metric.update_state(targets, predictions)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


inputs = keras.Input(shape=(6,))
features = layers.Dense(16, activation="relu")(inputs)
features = layers.Dropout(rate=0.1)(features)
outputs = layers.Dense(1)(features)
model = CustomModel(inputs, outputs)
model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=1e-2))
history = model.fit(x, y, epochs=5, verbose=0)
assert set(history.history) == {"loss", "mae"}
assert history.history["loss"][-1] < history.history["loss"][0]
scores = model.evaluate(x, y, verbose=0, return_dict=True)
assert set(scores) == {"own_loss", "own_mae"}
# fit and evaluate reset the metrics at the start of every epoch; so may you.
model.reset_metrics()
assert float(model.loss_tracker.result()) == 0.0


class StepWithCompileSettings(keras.Model):
    """The loss and the metrics that compile was given, the step by hand."""

    def train_step(self, data):
        inputs, targets, sample_weight = data if len(data) == 3 else (*data, None)
        self.zero_grad()
        predictions = self(inputs, training=True)
        loss = self.compute_loss(y=targets, y_pred=predictions, sample_weight=sample_weight)
        loss.backward()
        self.optimizer.apply_gradients(
            zip([p.grad for p in self.parameters()], self.trainable_variables, strict=True)
        )
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(targets, predictions, sample_weight=sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}


inputs = keras.Input(shape=(6,))
model = StepWithCompileSettings(inputs, layers.Dense(1)(inputs))
model.compile(optimizer="sgd", loss="mse", weighted_metrics=["mae"], run_eagerly=True, jit_compile=False)
history = model.fit(x, y, epochs=4, sample_weight=weights, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert {"loss", "mae"} <= set(history.history)

# A loss as a function, a loss as a class, a metric as a class.


def huber_fn(y_true, y_pred):
    error = y_true - y_pred
    is_small_error = ops.abs(error) < 1
    return ops.where(is_small_error, ops.square(error) / 2, ops.abs(error) - 0.5)


class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        squared_loss = ops.square(error) / 2
        linear_loss = self.threshold * ops.abs(error) - self.threshold**2 / 2
        return ops.where(ops.abs(error) < self.threshold, squared_loss, linear_loss)

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "threshold": self.threshold}


class RootMeanSquare(keras.metrics.Metric):
    """The root of the mean square error, exact over the whole epoch."""

    def __init__(self, name="rms", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros", dtype="int32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.square(y_true - y_pred)))
        self.count.assign_add(ops.shape(y_pred)[0])

    def result(self):
        return ops.sqrt(self.total / ops.cast(self.count, dtype="float32"))

    def reset_state(self):
        self.total.assign(0.0)
        self.count.assign(0)


finals = []
for loss in (huber_fn, HuberLoss(threshold=1.0), keras.losses.Huber()):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape=(6,)), layers.Dense(1)])
    model.compile(optimizer="adam", loss=loss, metrics=[RootMeanSquare(), "RootMeanSquaredError"])
    record = model.fit(x, y, epochs=2, verbose=0).history
    np.testing.assert_allclose(record["rms"], record["RootMeanSquaredError"], rtol=1e-4)
    finals.append(record["loss"][-1])
np.testing.assert_allclose(finals, finals[0], rtol=1e-5)

model = keras.Sequential([keras.Input(shape=(6,)), layers.Dense(1)])
model.compile(optimizer="adam", loss=HuberLoss(threshold=2.0))
model.fit(x, y, verbose=0)
model.save("with_a_custom_loss.keras")
again = keras.models.load_model("with_a_custom_loss.keras", custom_objects={"HuberLoss": HuberLoss})
assert again.loss.threshold == 2.0
again.fit(x, y, verbose=0)


class ReconstructingRegressor(keras.Model):
    """A loss that depends on what happens inside: the hidden layer must tell the inputs again."""

    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [
            layers.Dense(12, activation="selu", kernel_initializer="lecun_normal") for _ in range(2)
        ]
        self.out = layers.Dense(output_dim)
        self.reconstruction_mean = keras.metrics.Mean(name="reconstruction_error")

    def build(self, batch_input_shape):
        self.reconstruct = layers.Dense(batch_input_shape[-1])
        super().build(batch_input_shape)

    def call(self, inputs, training=None):
        z = inputs
        for layer in self.hidden:
            z = layer(z)
        reconstruction = self.reconstruct(z)
        recon_loss = ops.mean(ops.square(reconstruction - inputs))
        self.add_loss(0.05 * recon_loss)
        if training:
            self.reconstruction_mean.update_state(recon_loss.detach())
        return self.out(z)


model = ReconstructingRegressor(1)
model.compile(loss="mse", optimizer="nadam")
history = model.fit(x, y, epochs=5, verbose=0)
assert history.history["reconstruction_error"][-1] < history.history["reconstruction_error"][0]
assert history.history["loss"][-1] < history.history["loss"][0]
