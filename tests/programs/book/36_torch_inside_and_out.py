"""Modules of torch in a model, and a model for other programs."""
# needs: module onnx, module onnxruntime

import numpy as np
import torch

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(10)
random = np.random.default_rng(10)
x = random.random((64, 8, 8, 1)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 0.5).astype("int64")

# A module of torch's stands among the layers: its input has torch's order of axes.
inputs = keras.Input(shape=(8, 8, 1))
h = layers.Permute((3, 1, 2))(inputs)
h = layers.TorchModuleWrapper(torch.nn.Conv2d(1, 4, 3, padding=1), name="conv")(h)
h = layers.ReLU()(h)
h = layers.Flatten()(h)
outputs = layers.Dense(2, activation="softmax")(h)
model = keras.Model(inputs=inputs, outputs=outputs, name="half_torch")
assert model.output_shape == (None, 2)
assert sum(p.numel() for p in model.parameters()) == model.count_params()
model.compile(
    optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
history = model.fit(x, y, epochs=6, batch_size=16, verbose=0).history
assert history["loss"][-1] < history["loss"][0]


class Net(keras.Model):
    """Layers and torch's modules as attributes of one model."""

    def __init__(self):
        super().__init__()
        self.flat = torch.nn.Flatten()
        self.hidden = torch.nn.Linear(64, 8)
        self.out = layers.Dense(2)

    def call(self, images):
        return self.out(torch.relu(self.hidden(self.flat(images))))


net = Net()
net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
net.fit(x, y, epochs=1, verbose=0)
assert len(net.trainable_weights) == 4
state = net.state_dict()
assert all(isinstance(value, torch.Tensor) for value in state.values())

# As a plain module: torch's own optimizer trains it.
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
before = float(torch.nn.functional.nll_loss(torch.log(model(x)), torch.from_numpy(y)).detach())
for _ in range(5):
    optimizer.zero_grad()
    loss = torch.nn.functional.nll_loss(torch.log(model(x)), torch.from_numpy(y))
    loss.backward()
    optimizer.step()
assert float(loss.detach()) < before

# ONNX, for other programs; the size of the batch is free.
small = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(4, 3, activation="relu", padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, activation="softmax"),
    ]
)
small.export("model.onnx")
import onnxruntime  # noqa: E402

session = onnxruntime.InferenceSession("model.onnx")
name = session.get_inputs()[0].name
for rows in (1, 5):
    (found,) = session.run(None, {name: x[:rows]})
    assert np.allclose(found, small.predict(x[:rows], verbose=0), atol=1e-5)
small.export("model.pt2")
program = torch.export.load("model.pt2").module()
(found,) = program(torch.from_numpy(x[:3]))
assert np.allclose(found.detach(), small.predict(x[:3], verbose=0), atol=1e-5)

# A SavedModel is a program of TensorFlow's: the layer for it says what to do instead, and so does export.
refusals = []
for attempt in (lambda: layers.TFSMLayer("saved_model"), lambda: small.export("saved_model")):
    try:
        attempt()
    except ValueError as error:
        refusals.append(str(error))
assert ".keras" in refusals[0]
assert "load_model" in refusals[0]
assert "onnx" in refusals[1]
