"""Networks that make things up: variational autoencoders, and adversaries (older spellings)."""

import numpy as np
import torch

import neocog as keras
from neocog import backend as K
from neocog import layers, ops

keras.utils.set_random_seed(19)
rng = np.random.default_rng(19)
digits = np.zeros((192, 16, 16, 1), dtype="float32")
rows, columns = np.mgrid[:16, :16]
for i, digit in enumerate(digits):
    digit[np.abs(rows - columns + i % 7 - 3) < 2] = 1.0  # a bar, in one of seven places
latent_dim = 2


def make_encoder():
    encoder_inputs = keras.Input(shape=(16, 16, 1))
    x = layers.Conv2D(8, 3, activation="relu", strides=2, padding="same")(encoder_inputs)
    x = layers.Conv2D(16, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
    return keras.Model(encoder_inputs, [z_mean, z_log_var], name="encoder")


def make_decoder():
    latent_inputs = keras.Input(shape=(latent_dim,))
    x = layers.Dense(4 * 4 * 16, activation="relu")(latent_inputs)
    x = layers.Reshape((4, 4, 16))(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(8, 3, activation="relu", strides=2, padding="same")(x)
    decoder_outputs = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x)
    return keras.Model(latent_inputs, decoder_outputs, name="decoder")


# First way: a layer that samples, and a train_step that knows both losses.
class Sampler(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(19)

    def call(self, z_mean, z_log_var):
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder, self.sampler = encoder, decoder, Sampler()
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.reconstruction_loss_tracker, self.kl_loss_tracker]

    def call(self, inputs):
        return self.decoder(self.sampler(*self.encoder(inputs)))

    def train_step(self, data):
        data = data[0] if isinstance(data, tuple) else data
        z_mean, z_log_var = self.encoder(data, training=True)
        reconstruction = self.decoder(self.sampler(z_mean, z_log_var), training=True)
        errors = keras.losses.binary_crossentropy(data, reconstruction)
        reconstruction_loss = ops.mean(ops.sum(errors, axis=(1, 2)))
        kl_loss = -0.5 * ops.mean(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        total_loss = reconstruction_loss + kl_loss
        self.zero_grad()
        total_loss.backward()
        weights = self.trainable_weights
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
        self.total_loss_tracker.update_state(total_loss)
        self.reconstruction_loss_tracker.update_state(reconstruction_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return {metric.name: metric.result() for metric in self.metrics}


vae = VAE(make_encoder(), make_decoder())
vae.compile(optimizer=keras.optimizers.Adam(learning_rate=5e-3))
history = vae.fit(digits, epochs=5, batch_size=32, verbose=0)
assert set(history.history) == {"total_loss", "reconstruction_loss", "kl_loss"}
assert history.history["total_loss"][-1] < history.history["total_loss"][0]
grid = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(1, -1, 5)), axis=-1).reshape(-1, 2)
made_up = vae.decoder.predict(grid, verbose=0)
assert made_up.shape == (25, 16, 16, 1)
assert 0 <= made_up.min() <= made_up.max() <= 1


# Second way: Keras 2's functional one, with the backend's functions and losses and metrics added by a layer.
class Sampling(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        return K.random_normal(shape=K.shape(log_var)) * K.exp(log_var / 2) + mean


class LatentLoss(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        latent_loss = -0.5 * ops.sum(1 + log_var - ops.exp(log_var) - ops.square(mean), axis=-1)
        self.add_loss(ops.mean(latent_loss) / 256.0)
        self.add_metric(ops.mean(latent_loss), name="latent_loss", aggregation="mean")
        return inputs


inputs = layers.Input(shape=[16, 16, 1])
z = layers.Flatten()(inputs)
z = layers.Dense(24, activation="selu", kernel_initializer="lecun_normal")(z)
codings_mean = layers.Dense(latent_dim)(z)
codings_log_var = layers.Dense(latent_dim)(z)
codings_mean, codings_log_var = LatentLoss()([codings_mean, codings_log_var])
codings = Sampling()([codings_mean, codings_log_var])
variational_encoder = keras.Model(inputs=[inputs], outputs=[codings_mean, codings_log_var, codings])
decoder = make_decoder()
_, _, codings = variational_encoder(inputs)
variational_ae = keras.Model(inputs=[inputs], outputs=[decoder(codings)])
variational_ae.compile(loss="binary_crossentropy", optimizer="rmsprop")
history = variational_ae.fit(digits, digits, epochs=3, batch_size=32, validation_split=0.1, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert {"latent_loss", "val_latent_loss"} <= set(history.history)
assert decoder(keras.random.normal(shape=(3, latent_dim), seed=42)).shape == (3, 16, 16, 1)


# Third way: a Lambda layer around a function, as the oldest programs do.
def sampling(args):
    z_mean, z_log_sigma = args
    epsilon = K.random_normal(shape=(K.shape(z_mean)[0], latent_dim), mean=0.0, stddev=1.0)
    return z_mean + K.exp(z_log_sigma) * epsilon


z_mean, z_log_sigma = make_encoder()(inputs)
z = layers.Lambda(sampling)([z_mean, z_log_sigma])
lambda_vae = keras.Model(inputs, make_decoder()(z))
lambda_vae.compile(loss="mse", optimizer="adam")
assert np.isfinite(lambda_vae.fit(digits, digits, epochs=1, verbose=0).history["loss"][0])


# Adversaries in one class: a compile of its own with two optimizers.
def make_discriminator():
    return keras.Sequential(
        [
            keras.Input(shape=(16, 16, 1)),
            layers.Conv2D(8, kernel_size=4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(16, kernel_size=4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        name="discriminator",
    )


class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator, self.generator, self.latent_dim = discriminator, generator, latent_dim
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def train_step(self, real_images):
        real_images = real_images[0] if isinstance(real_images, tuple) else real_images
        batch_size = ops.shape(real_images)[0]
        generated = self.generator(keras.random.normal(shape=(batch_size, self.latent_dim)))
        combined = ops.concatenate([generated.detach(), real_images], axis=0)
        labels = ops.concatenate([ops.ones((batch_size, 1)), ops.zeros((batch_size, 1))], axis=0)
        labels = labels + 0.05 * keras.random.uniform(shape=ops.shape(labels))
        d_loss = self.loss_fn(labels, self.discriminator(combined, training=True))
        self._step(d_loss, self.discriminator, self.d_optimizer)

        generated = self.generator(keras.random.normal(shape=(batch_size, self.latent_dim)), training=True)
        g_loss = self.loss_fn(ops.zeros((batch_size, 1)), self.discriminator(generated, training=True))
        self._step(g_loss, self.generator, self.g_optimizer)
        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}

    def _step(self, loss, network, optimizer):
        self.zero_grad()
        loss.backward()
        weights = network.trainable_weights
        with torch.no_grad():
            optimizer.apply_gradients([(weight.value.grad, weight) for weight in weights])


class GANMonitor(keras.callbacks.Callback):
    """Pictures after each epoch."""

    def __init__(self, num_img=2, latent_dim=latent_dim):
        super().__init__()
        self.num_img, self.latent_dim = num_img, latent_dim

    def on_epoch_end(self, epoch, logs=None):
        noise = keras.random.normal(shape=(self.num_img, self.latent_dim))
        generated = ops.convert_to_numpy(self.model.generator(noise)) * 255
        for i in range(self.num_img):
            keras.utils.array_to_img(generated[i]).save(f"generated_{epoch:03d}_{i}.png")


gan = GAN(discriminator=make_discriminator(), generator=make_decoder(), latent_dim=latent_dim)
gan.compile(
    d_optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.5),
    loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
)
before = gan.discriminator.get_weights(), gan.generator.get_weights()
history = gan.fit(digits, epochs=2, batch_size=32, callbacks=[GANMonitor()], verbose=0)
assert set(history.history) == {"d_loss", "g_loss"}
assert np.isfinite(history.history["d_loss"]).all()
after = gan.discriminator.get_weights(), gan.generator.get_weights()
assert all(not np.array_equal(a[0], b[0]) for a, b in zip(before, after, strict=True))
assert keras.utils.load_img("generated_001_1.png").size == (16, 16)

# Adversaries in two compiled models that share one network, trained batch by batch.
codings_size = 4
generator = keras.models.Sequential(
    [
        layers.Dense(24, activation="selu", input_shape=[codings_size]),
        layers.Dense(16 * 16, activation="sigmoid"),
        layers.Reshape([16, 16, 1]),
    ]
)
discriminator = keras.models.Sequential(
    [
        layers.Flatten(input_shape=[16, 16, 1]),
        layers.Dense(24),
        layers.LeakyReLU(alpha=0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
)
gan = keras.models.Sequential([generator, discriminator])
discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
discriminator.trainable = False
gan.compile(loss="binary_crossentropy", optimizer="rmsprop")
for start in range(0, len(digits), 32):
    X_batch = digits[start : start + 32]
    # Phase 1: the discriminator.
    noise = rng.normal(size=(len(X_batch), codings_size)).astype("float32")
    generated_images = generator.predict_on_batch(noise)
    X_fake_and_real = np.concatenate([generated_images, X_batch], axis=0)
    y1 = np.array([[0.0]] * len(X_batch) + [[1.0]] * len(X_batch), dtype="float32")
    discriminator.trainable = True
    frozen = generator.get_weights()
    d_loss = discriminator.train_on_batch(X_fake_and_real, y1)
    assert all(np.array_equal(a, b) for a, b in zip(frozen, generator.get_weights(), strict=True))
    # Phase 2: the generator.
    y2 = np.array([[1.0]] * len(X_batch), dtype="float32")
    discriminator.trainable = False
    frozen = discriminator.get_weights()
    g_loss = gan.train_on_batch(noise, y2)
    assert all(np.array_equal(a, b) for a, b in zip(frozen, discriminator.get_weights(), strict=True))
    assert np.isfinite([d_loss, g_loss]).all()
