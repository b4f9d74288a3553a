"""Pictures in files: reading, writing, fetching, cutting to size, changing at random."""

import http.server
import os
import threading
import zipfile
from functools import partial

import numpy as np

import neocog as keras
from neocog import layers
from neocog.preprocessing import image

keras.utils.set_random_seed(21)
random = np.random.default_rng(21)

# To a file and back: arrays are height × width × channels.
array = np.zeros((20, 30, 3), dtype="float32")
array[:, :15, 0] = 255
array[5:15, :, 2] = 128
keras.utils.save_img("flag.png", array, scale=False)
img = keras.utils.load_img("flag.png")
assert img.size == (30, 20)
assert np.array_equal(keras.utils.img_to_array(img), array)
small = keras.utils.load_img("flag.png", target_size=(10, 15), interpolation="nearest")
assert keras.utils.img_to_array(small).shape == (10, 15, 3)
assert keras.utils.img_to_array(keras.utils.load_img("flag.png", color_mode="grayscale")).shape == (20, 30, 1)
back = keras.utils.array_to_img(array / 255)
assert back.size == (30, 20)
image.save_img("older.png", array)
older = image.img_to_array(image.load_img("older.png", target_size=(20, 30)))
assert older.shape == (20, 30, 3)
assert image.array_to_img(older).size == (30, 20)
keras.preprocessing.image.save_img("grey.png", random.random((6, 6, 1)))
batch = np.expand_dims(older, axis=0)
assert batch.shape == (1, 20, 30, 3)

# Fetch an archive, here from a server of our own, and unpack it.
os.makedirs("served/pictures/red")
os.makedirs("served/pictures/blue")
for color, channel in (("red", 0), ("blue", 2)):
    for number in range(8):
        picture = random.uniform(0, 90, (24, 24, 3))
        picture[..., channel] += 150
        keras.utils.save_img(f"served/pictures/{color}/{number}.png", picture, scale=False)
with zipfile.ZipFile("served/pictures.zip", "w") as archive:
    for folder, _, names in os.walk("served/pictures"):
        for name in names:
            path = os.path.join(folder, name)
            archive.write(path, os.path.relpath(path, "served"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory="served"))
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
try:
    fetched = keras.utils.get_file(fname="flag.zip", origin=f"{address}/pictures.zip", cache_dir="cache")
    assert zipfile.is_zipfile(fetched)
    folder = keras.utils.get_file(
        "pictures.zip", origin=f"{address}/pictures.zip", extract=True, cache_dir="cache"
    )
finally:
    server.shutdown()
    server.server_close()
root = next(path for path, folders, _ in os.walk(folder) if "red" in folders)
dataset = keras.utils.image_dataset_from_directory(root, image_size=(16, 16), batch_size=4, shuffle=False)
assert dataset.class_names == ["blue", "red"]
for images, labels in dataset:
    assert images.shape == (4, 16, 16, 3)
    break
train, valid = keras.utils.image_dataset_from_directory(
    root, image_size=(16, 16), batch_size=4, validation_split=0.25, subset="both", seed=1
)
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        layers.Rescaling(scale=1 / 127.5, offset=-1),
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=8, verbose=0)
assert model.evaluate(valid, verbose=0)[1] == 1.0

# Sizes: squeezed, or cut so that nothing is squeezed; the middle alone.
images = random.uniform(0, 255, (4, 20, 30, 3)).astype("float32")
assert layers.Resizing(10, 10)(images).shape == (4, 10, 10, 3)
cut = layers.Resizing(height=10, width=10, crop_to_aspect_ratio=True)(images)
assert np.allclose(cut, layers.Resizing(10, 10)(images[:, :, 5:25]), atol=1e-3)
near = layers.Resizing(40, 60, interpolation="nearest")(images)
assert np.array_equal(np.asarray(near)[:, ::2, ::2], images)
middle = layers.CenterCrop(height=10, width=20)(images)
assert np.array_equal(middle, images[:, 5:15, 5:25])
assert np.array_equal(layers.UpSampling2D(2, interpolation="nearest")(images)[:, 1::2, 1::2], images)

# Changes at random: in training, and where the layers are called by themselves.
augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(factor=0.1, seed=3),
        layers.RandomZoom(height_factor=(-0.1, 0.1), width_factor=(-0.1, 0.1)),
        layers.RandomContrast(factor=0.2, seed=4),
    ]
)
assert np.array_equal(augmentation(images, training=False), images)
changed = np.asarray(augmentation(images))
assert changed.shape == images.shape
assert not np.allclose(changed, images)
flip = layers.RandomFlip(mode="horizontal", seed=42)
flipped = np.asarray(flip(images, training=True))
for before, after in zip(images, flipped):
    assert np.array_equal(before, after) or np.array_equal(before[:, ::-1], after)
