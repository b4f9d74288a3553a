"""Looking inside: intermediate activations, pictures that filters like, and where a class was seen."""

# needs: module matplotlib

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

import neocog as keras
from neocog import layers, ops

keras.utils.set_random_seed(17)
rng = np.random.default_rng(17)

# A network for bright squares on the left or on the right.
images = rng.normal(size=(120, 32, 32, 3)).astype("float32") * 10 + 60
labels = np.arange(120) % 2
for image, label in zip(images, labels, strict=True):
    row, column = rng.integers(2, 20), rng.integers(0, 6) + 18 * label
    image[row : row + 8, column : column + 8, label] = 255
inputs = keras.Input(shape=(32, 32, 3), name="picture")
x = layers.Rescaling(1.0 / 255, name="rescale")(inputs)
x = layers.Conv2D(8, 3, activation="relu", name="conv1")(x)
x = layers.MaxPooling2D(2, name="pool1")(x)
x = layers.Conv2D(16, 3, activation="relu", name="conv2")(x)
x = layers.GlobalAveragePooling2D(name="average")(x)
outputs = layers.Dense(2, activation="softmax", name="predictions")(x)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(images, labels, epochs=10, batch_size=20, verbose=0)
assert model.evaluate(images, labels, verbose=0)[1] > 0.9

# Every layer's answer to one picture.
layer_outputs = [
    layer.output for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))
]
layer_names = [
    layer.name for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))
]
activation_model = keras.Model(inputs=model.input, outputs=layer_outputs)
activations = activation_model.predict(images[:1], verbose=0)
assert layer_names == ["conv1", "pool1", "conv2"]
assert [activation.shape for activation in activations] == [(1, 30, 30, 8), (1, 15, 15, 8), (1, 13, 13, 16)]
assert (activations[0] >= 0).all()
columns = 4
rows = math.ceil(activations[0].shape[-1] / columns)
grid = np.zeros((rows * 31, columns * 31))
for channel in range(activations[0].shape[-1]):
    row, column = divmod(channel, columns)
    channel_image = activations[0][0, :, :, channel].copy()
    if channel_image.sum() != 0:
        channel_image -= channel_image.mean()
        channel_image /= channel_image.std() + 1e-6
        channel_image = np.clip(64 * channel_image + 128, 0, 255)
    grid[row * 31 : row * 31 + 30, column * 31 : column * 31 + 30] = channel_image
plt.imshow(grid, aspect="auto", cmap="viridis")
plt.savefig("activations.png")
plt.close()

# Gradient ascent: the picture that a filter answers to most.
layer = model.get_layer(name="conv2")
feature_extractor = keras.Model(inputs=model.input, outputs=layer.output)
assert len(model.get_layer(index=2).get_weights()) == 2


def compute_loss(image, filter_index):
    activation = feature_extractor(image)
    return ops.mean(activation[:, 2:-2, 2:-2, filter_index])


def gradient_ascent_step(image, filter_index, learning_rate):
    image = image.detach().clone().requires_grad_()
    loss = compute_loss(image, filter_index)
    (grads,) = torch.autograd.grad(loss, image)
    grads = torch.nn.functional.normalize(grads.flatten(), dim=0).reshape(grads.shape)
    return (image + learning_rate * grads).detach(), float(loss.detach())


def generate_filter_pattern(filter_index, steps=15, learning_rate=40.0):
    image = keras.random.uniform(minval=100.0, maxval=156.0, shape=(1, 32, 32, 3), seed=1)
    losses = []
    for _ in range(steps):
        image, loss = gradient_ascent_step(image, filter_index, learning_rate)
        losses.append(loss)
    return ops.convert_to_numpy(image[0]), losses


def deprocess_image(image):
    image = image - image.mean()
    image = image / (image.std() + 1e-6) * 64 + 128
    return np.clip(image, 0, 255).astype("uint8")[2:-2, 2:-2]


strongest = int(activations[2].mean(axis=(0, 1, 2)).argmax())
pattern, losses = generate_filter_pattern(strongest)
assert losses[-1] > losses[0]
keras.utils.save_img("filter.png", deprocess_image(pattern))
assert keras.utils.load_img("filter.png").size == (28, 28)
picture = keras.utils.array_to_img(images[0])
picture.save("picture.png")
again = keras.utils.img_to_array(keras.utils.load_img("picture.png", target_size=(32, 32)))
assert again.shape == (32, 32, 3)
keras.preprocessing.image.save_img("again.png", again)
assert keras.preprocessing.image.array_to_img(again).size == (32, 32)
assert Path("again.png").stat().st_size > 0

# Where was it seen? The gradient of a class at the last convolution weighs its channels.
last_conv_layer_model = keras.Model(model.inputs, layer.output)
classifier_input = keras.Input(shape=layer.output.shape[1:])
x = classifier_input
for layer_name in ["average", "predictions"]:
    x = model.get_layer(layer_name)(x)
classifier_model = keras.Model(classifier_input, x)


def heatmap_of(image):
    last_conv_layer_output = last_conv_layer_model(image).detach().requires_grad_()
    preds = classifier_model(last_conv_layer_output)
    top_pred_index = int(ops.argmax(preds[0]))
    top_class_channel = preds[:, top_pred_index].sum()
    top_class_channel.backward()
    pooled_grads = ops.mean(last_conv_layer_output.grad, axis=(0, 1, 2))
    heatmap = ops.mean(last_conv_layer_output[0].detach() * pooled_grads, axis=-1)
    heatmap = ops.relu(heatmap)
    return ops.convert_to_numpy(heatmap / (ops.max(heatmap) + 1e-9)), top_pred_index


np.testing.assert_allclose(
    ops.convert_to_numpy(classifier_model(last_conv_layer_model(images[:2]))),
    model.predict(images[:2], verbose=0),
    rtol=1e-5,
    atol=1e-6,
)
sides = []
for image, label in zip(images[:10], labels[:10], strict=True):
    heatmap, predicted = heatmap_of(image[None])
    assert heatmap.shape == (13, 13)
    sides.append(int(heatmap[:, 7:].sum() > heatmap[:, :6].sum()) == label == predicted)
assert np.mean(sides) >= 0.7

# A dream: the same climb, from a photograph, towards what several layers like.
layer_settings = {"conv1": 1.0, "conv2": 2.0}
outputs_dict = {name: model.get_layer(name).output for name in layer_settings}
dreamer = keras.Model(inputs=model.inputs, outputs=outputs_dict)
image = ops.convert_to_tensor(images[:1], dtype="float32")
track = []
for _ in range(5):
    image.requires_grad_()
    features = dreamer(image)
    loss = sum(coeff * ops.mean(ops.square(features[name])) for name, coeff in layer_settings.items())
    grads = torch.autograd.grad(loss, image)[0]
    image = (image + 20.0 * grads / ops.max(ops.abs(grads))).detach()
    track.append(float(loss.detach()))
assert track[-1] > track[0]
