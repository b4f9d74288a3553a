"""Pictures from folders through a generator, in older spellings."""

# needs: cats-vs-dogs

import os
import shutil

import numpy as np

import neocog as keras
from neocog.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from neocog.models import Sequential
from neocog.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, load_img

keras.utils.set_random_seed(14)
source = keras.datasets.cats_vs_dogs.path("train")
for part, start, stop in (("train", 0, 24), ("validation", 24, 36)):
    for category in ("cat", "dog"):
        folder = os.path.join("data", part, category)
        os.makedirs(folder)
        for name in sorted(os.listdir(source / category))[start:stop]:
            shutil.copyfile(source / category / name, os.path.join(folder, name))

# One picture, moved about: what the network will see of it.
datagen = ImageDataGenerator(
    rotation_range=40,
    width_shift_range=0.2,
    height_shift_range=0.2,
    rescale=1.0 / 255,
    shear_range=0.2,
    zoom_range=0.2,
    horizontal_flip=True,
    fill_mode="nearest",
)
first = sorted(os.listdir("data/train/cat"))[0]
img = load_img(os.path.join("data/train/cat", first), target_size=(64, 64))
x = img_to_array(img)
assert x.shape == (64, 64, 3)
x = x.reshape((1, *x.shape))
os.mkdir("preview")
for i, batch in enumerate(datagen.flow(x, batch_size=1)):
    array_to_img(batch[0]).save(f"preview/cat_{i}.png")
    if i == 3:
        break
assert sorted(os.listdir("preview")) == ["cat_0.png", "cat_1.png", "cat_2.png", "cat_3.png"]
assert batch.shape == (1, 64, 64, 3)
assert 0 <= batch.min() <= batch.max() <= 1

# A network for it, layer by layer.
img_width, img_height = 64, 64
batch_size, nb_train_samples, nb_validation_samples = 16, 48, 24
model = Sequential()
model.add(Conv2D(8, (3, 3), input_shape=(img_width, img_height, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(16, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(16))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(lr=1e-3), metrics=["acc"])

train_datagen = ImageDataGenerator(
    rescale=1.0 / 255,
    shear_range=0.2,
    zoom_range=0.2,
    width_shift_range=0.1,
    height_shift_range=0.1,
    horizontal_flip=True,
)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)
train_generator = train_datagen.flow_from_directory(
    "data/train", target_size=(img_width, img_height), batch_size=batch_size, class_mode="binary"
)
validation_generator = test_datagen.flow_from_directory(
    "data/validation", target_size=(img_width, img_height), batch_size=batch_size, class_mode="binary"
)
assert train_generator.class_indices == {"cat": 0, "dog": 1}
for data_batch, labels_batch in train_generator:
    assert data_batch.shape == (16, 64, 64, 3)
    assert labels_batch.shape == (16,)
    break

history = model.fit_generator(
    train_generator,
    steps_per_epoch=nb_train_samples // batch_size,
    epochs=2,
    validation_data=validation_generator,
    validation_steps=nb_validation_samples // batch_size,
    verbose=1,
)
assert set(history.history) == {"loss", "acc", "val_loss", "val_acc"}
assert len(history.history["val_acc"]) == 2
loss, accuracy = model.evaluate_generator(validation_generator, steps=2)
assert np.isfinite(loss)
assert 0 <= accuracy <= 1
probabilities = model.predict_generator(validation_generator, steps=2)
assert probabilities.shape == (24, 1)
model.save_weights("first_try.h5")
model.load_weights("first_try.h5")

# The number of epochs under Keras 1's name.
x_all = np.concatenate([validation_generator[i][0] for i in range(len(validation_generator))])
y_all = np.concatenate([validation_generator[i][1] for i in range(len(validation_generator))])
history = model.fit(x_all, y_all, nb_epoch=2, batch_size=8, verbose=0)
assert history.epoch == [0, 1]
