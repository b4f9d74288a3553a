"""A training loop in plain torch around a model of this library."""

# needs: module sklearn

import numpy as np
import torch

import neocog as keras
from neocog.datasets import digits

keras.utils.set_random_seed(7)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = (part.reshape(-1, 64).astype("float32") / 16 for part in (x_train, x_test))


def get_model():
    inputs = keras.Input(shape=(64,), name="digits")
    x = keras.layers.Dense(32, activation="relu", name="dense_1")(inputs)
    outputs = keras.layers.Dense(10, name="predictions")(x)
    return keras.Model(inputs=inputs, outputs=outputs)


def batches(size=64):
    order = torch.randperm(len(x_train))
    for start in range(0, len(order), size):
        rows = order[start : start + size].numpy()
        yield torch.from_numpy(x_train[rows]), torch.from_numpy(y_train[rows].astype("int64"))


# A torch optimizer, a loss and metrics of the library.
model = get_model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
mean_loss = keras.metrics.Mean(name="loss")
for epoch in range(3):
    for inputs, targets in batches():
        logits = model(inputs, training=True)
        loss = loss_fn(targets, logits)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        train_acc_metric.update_state(targets, logits)
        mean_loss.update_state(loss)
    status = f"loss: {mean_loss.result().numpy():.3f}  accuracy: {float(train_acc_metric.result()):.3f}"
    print(f"epoch {epoch + 1}  {status}")
    final_accuracy = float(train_acc_metric.result())
    train_acc_metric.reset_state()
    mean_loss.reset_state()
assert final_accuracy > 0.8

# An optimizer of the library, in both of its forms.
for form in ("apply", "apply_gradients"):
    model = get_model()
    optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)
    losses = []
    for _ in range(2):
        for inputs, targets in batches():
            loss = loss_fn(targets, model(inputs, training=True))
            model.zero_grad()
            loss.backward()
            trainable_weights = list(model.trainable_weights)
            gradients = [weight.value.grad for weight in trainable_weights]
            with torch.no_grad():
                if form == "apply":
                    optimizer.apply(gradients, trainable_weights)
                else:
                    optimizer.apply_gradients(zip(gradients, trainable_weights, strict=True))
            losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert int(optimizer.iterations) == len(losses)

# Without any optimizer: the weights are variables, and assign_sub takes a step.
w = keras.Variable(initializer=np.array([[5.0], [3.0]], dtype="float32"))
total = keras.Variable(0.0, trainable=False)
for _ in range(50):
    loss = keras.ops.sum(keras.ops.square(w))
    loss.backward()
    with torch.no_grad():
        gradient = w.value.grad
        w.assign_sub(0.1 * gradient)
        total.assign_add(1.0)
        w.value.grad = None
assert float(total.numpy()) == 50.0
assert np.abs(keras.ops.convert_to_numpy(w)).max() < 1e-3
total.assign(0.0)
assert float(total.value) == 0.0

# The model is an nn.Module: it nests in one, and a torch module is a layer of it.


class TorchClassifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = keras.Sequential(
            [keras.Input(shape=(64,)), keras.layers.Dense(16, activation="relu")]
        )
        self.head = torch.nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.features(x))


net = TorchClassifier()
assert len(list(net.parameters())) == 4
assert net(torch.zeros(2, 64)).shape == (2, 10)

wrapped = keras.layers.TorchModuleWrapper(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU()))
model = keras.Sequential([keras.Input(shape=(64,)), wrapped, keras.layers.Dense(10), keras.layers.Softmax()])
model.compile(
    optimizer=keras.optimizers.Adam(1e-2),
    loss="sparse_categorical_crossentropy",
    metrics=["sparse_categorical_accuracy"],
)
model.fit(x_train, y_train, epochs=3, verbose=0)
assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.75
assert model.predict_on_batch(x_test[:4]).shape == (4, 10)
