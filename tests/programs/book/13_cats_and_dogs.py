"""Cats and dogs from a folder, with few pictures: augmentation and dropout."""

# needs: cats-vs-dogs

import os
import pathlib
import shutil

import numpy as np

import neocog as keras
from neocog import layers
from neocog.utils import image_dataset_from_directory

keras.utils.set_random_seed(13)
original_dir = keras.datasets.cats_vs_dogs.path("train")
new_base_dir = pathlib.Path("cats_vs_dogs_small")


def make_subset(subset_name, start_index, end_index):
    for category in ("cat", "dog"):
        folder = new_base_dir / subset_name / category
        os.makedirs(folder)
        names = sorted(path.name for path in (original_dir / category).iterdir())
        for name in names[start_index:end_index]:
            shutil.copyfile(src=original_dir / category / name, dst=folder / name)


make_subset("train", start_index=0, end_index=40)
make_subset("validation", start_index=40, end_index=56)
make_subset("test", start_index=56, end_index=72)

train_dataset = image_dataset_from_directory(new_base_dir / "train", image_size=(64, 64), batch_size=16)
validation_dataset = image_dataset_from_directory(
    new_base_dir / "validation", image_size=(64, 64), batch_size=16
)
test_dataset = image_dataset_from_directory(
    new_base_dir / "test", image_size=(64, 64), batch_size=16, shuffle=False
)
assert train_dataset.class_names == ["cat", "dog"]
for data_batch, labels_batch in train_dataset:
    assert data_batch.shape == (16, 64, 64, 3)
    assert labels_batch.shape == (16,)
    assert data_batch.max() > 1
    break

# The two ways to hold a part back: by the folder, or by a share.
training = keras.utils.image_dataset_from_directory(
    new_base_dir / "train",
    validation_split=0.25,
    subset="training",
    seed=1337,
    image_size=(64, 64),
    batch_size=20,
)
validation = keras.preprocessing.image_dataset_from_directory(
    new_base_dir / "train",
    validation_split=0.25,
    subset="validation",
    seed=1337,
    image_size=(64, 64),
    batch_size=20,
)
assert [len(training), len(validation)] == [3, 1]
both = keras.utils.image_dataset_from_directory(
    new_base_dir / "train", validation_split=0.25, subset="both", seed=1337, image_size=(64, 64)
)
assert len(both) == 2

# A first convnet.
inputs = keras.Input(shape=(64, 64, 3))
x = layers.Rescaling(1.0 / 255)(inputs)
for filters in (8, 16):
    x = layers.Conv2D(filters=filters, kernel_size=3, activation="relu")(x)
    x = layers.MaxPooling2D(pool_size=2)(x)
x = layers.Conv2D(filters=16, kernel_size=3, activation="relu")(x)
x = layers.Flatten()(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
callbacks = [
    keras.callbacks.ModelCheckpoint(
        filepath="convnet_from_scratch.keras", save_best_only=True, monitor="val_loss"
    )
]
history = model.fit(
    train_dataset, epochs=2, validation_data=validation_dataset, callbacks=callbacks, verbose=0
)
assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
test_model = keras.models.load_model("convnet_from_scratch.keras")
test_loss, test_acc = test_model.evaluate(test_dataset)
print(f"Test accuracy: {test_acc:.3f}")
np.testing.assert_allclose(
    test_model.evaluate(validation_dataset, verbose=0)[0], min(history.history["val_loss"]), rtol=1e-3
)

# Augmentation: other pictures at each epoch, in training alone.
data_augmentation = keras.Sequential(
    [
        layers.RandomFlip(mode="horizontal", seed=1),
        layers.RandomRotation(factor=0.1, seed=1),
        layers.RandomZoom(height_factor=0.2, width_factor=0.2),
        layers.RandomContrast(factor=0.1, seed=1),
        layers.RandomTranslation(0.1, 0.1),
    ],
    name="data_augmentation",
)
images = next(iter(train_dataset))[0]
augmented = data_augmentation(images, training=True)
assert augmented.shape == images.shape
assert not np.array_equal(np.asarray(augmented), np.asarray(images))
assert np.array_equal(np.asarray(data_augmentation(images, training=False)), np.asarray(images))

inputs = keras.Input(shape=(64, 64, 3))
x = data_augmentation(inputs)
x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
for filters in (8, 16):
    x = layers.Conv2D(filters=filters, kernel_size=3, use_bias=False)(x)
    x = layers.MaxPooling2D(pool_size=3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.25)(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    optimizer=keras.optimizers.Adam(learning_rate=3e-3),
    metrics=[
        keras.metrics.BinaryAccuracy(name="accuracy"),
        keras.metrics.BinaryCrossentropy(name="ce", from_logits=True),
    ],
)
history = model.fit(train_dataset, epochs=2, validation_data=validation_dataset, verbose=0)
np.testing.assert_allclose(history.history["loss"], history.history["ce"], rtol=1e-3)

# One file: load it, make a batch of one, ask the network.
path = next((new_base_dir / "test" / "cat").iterdir())
img = keras.utils.load_img(path, target_size=(64, 64))
img_array = keras.utils.img_to_array(img)
img_array = np.expand_dims(img_array, axis=0)
score = model.predict(img_array, verbose=0)
assert score.shape == (1, 1)
together = model.predict(test_dataset, verbose=0)
assert together.shape == (32, 1)

# Pictures of other sizes.
assert layers.Resizing(height=32, width=48)(img_array).shape == (1, 32, 48, 3)
assert layers.Resizing(height=32, width=32, crop_to_aspect_ratio=True)(img_array).shape == (1, 32, 32, 3)
assert layers.CenterCrop(height=30, width=20)(img_array).shape == (1, 30, 20, 3)
