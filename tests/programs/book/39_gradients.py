"""Gradients: torch's autograd does what TensorFlow's tape does, for weights and for pictures."""

import numpy as np
import torch

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(17)

# The tape of the books says where to look here.
refusals = []
x = torch.tensor(3.0, requires_grad=True)
try:
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = x**2
    print(tape.gradient(y, x))
except AttributeError as error:
    refusals.append(str(error))
assert "backward" in refusals[0]
assert "torch.autograd.grad" in refusals[0]

y = x**2
(slope,) = torch.autograd.grad(y, x)
assert slope.numpy() == 6.0
position = torch.tensor(1.5, requires_grad=True)
height = 4.9 * position**2
(speed,) = torch.autograd.grad(height, position, create_graph=True)
(acceleration,) = torch.autograd.grad(speed, position)
assert np.isclose(acceleration.numpy(), 9.8)

# A line between two clouds, step by step.
random = np.random.default_rng(17)
negative = random.multivariate_normal([0, 3], [[1, 0.5], [0.5, 1]], 100)
positive = random.multivariate_normal([3, 0], [[1, 0.5], [0.5, 1]], 100)
inputs = np.vstack([negative, positive]).astype("float32")
targets = np.vstack([np.zeros((100, 1)), np.ones((100, 1))]).astype("float32")
W = keras.Variable(initializer="uniform", shape=(2, 1))
b = keras.Variable(initializer="zeros", shape=(1,))


inputs, targets = keras.ops.convert_to_tensor(inputs), keras.ops.convert_to_tensor(targets)


def loss_of_line(inputs, targets):
    predictions = keras.ops.matmul(inputs, W) + b
    return keras.ops.mean(keras.ops.square(targets - predictions))


losses = []
for _ in range(40):
    loss = loss_of_line(inputs, targets)
    gradients = torch.autograd.grad(loss, [W.value, b.value])
    W.assign_sub(gradients[0] * 0.1)
    b.assign_sub(gradients[1] * 0.1)
    losses.append(loss.detach().numpy())
assert losses[-1] < 0.1 * losses[0] or losses[-1] < 0.06
answers = (keras.ops.matmul(inputs, W) + b > 0.5) == (targets > 0.5)
assert answers.float().mean().numpy() > 0.95

# The same with a model, torch's verbs and a Keras optimizer.
model = keras.Sequential([keras.Input(shape=(2,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
loss_fn = keras.losses.MeanSquaredError()
optimizer = keras.optimizers.Adam(learning_rate=0.05)
metric = keras.metrics.MeanAbsoluteError()
values = []
for _ in range(30):
    model.zero_grad()
    loss = loss_fn(targets, model(inputs, training=True))
    loss.backward()
    trainable_weights = list(model.trainable_weights)
    gradients = [weight.value.grad for weight in trainable_weights]
    with torch.no_grad():
        optimizer.apply(gradients, trainable_weights)
    metric.update_state(targets, model(inputs))
    values.append(loss.detach().numpy())
assert values[-1] < 0.3 * values[0]
assert float(metric.result()) < 0.5

# What a filter of a convolution looks for: climb from noise.
pictures = random.uniform(0, 1, (64, 12, 12, 1)).astype("float32")
pictures[:32, 6:] += 1  # brighter below
labels = np.repeat([1.0, 0.0], 32)
convnet = keras.Sequential(
    [
        keras.Input(shape=(12, 12, 1)),
        layers.Conv2D(4, 3, activation="tanh", padding="same", name="filters"),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
convnet.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
convnet.fit(pictures, labels, epochs=6, batch_size=16, verbose=0)
extractor = keras.Model(inputs=convnet.inputs, outputs=convnet.get_layer(name="filters").output)


def compute_loss(image, filter_index):
    activation = extractor(image)
    return keras.ops.mean(activation[:, 2:-2, 2:-2, filter_index])


image = torch.tensor(random.uniform(0.4, 0.6, (1, 12, 12, 1)).astype("float32"), requires_grad=True)
start = compute_loss(image, 0).detach().numpy()
for _ in range(20):
    loss = compute_loss(image, 0)
    (grads,) = torch.autograd.grad(loss, image)
    grads = grads / torch.linalg.vector_norm(grads)
    image = (image + 0.2 * grads).detach().requires_grad_()
assert compute_loss(image, 0).detach().numpy() > start

# Where the model looks: the gradient of its answer is large in the half that tells the classes apart.
picture = torch.tensor(pictures[:8], requires_grad=True)
convnet(picture).sum().backward()
saliency = picture.grad.abs().numpy()
assert saliency.shape == (8, 12, 12, 1)
assert saliency.max() > 0
