"""A block of a transformer: positions, attention with several heads, normalisation, two dense layers."""

import numpy as np

import neocog as keras
from neocog import layers, ops

keras.utils.set_random_seed(8)


@keras.utils.register_keras_serializable(package="chapter26")
class PositionalEmbedding(layers.Layer):
    def __init__(self, sequence_length, input_dim, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.token_embeddings = layers.Embedding(input_dim=input_dim, output_dim=output_dim)
        self.position_embeddings = layers.Embedding(input_dim=sequence_length, output_dim=output_dim)
        self.sequence_length = sequence_length
        self.input_dim = input_dim
        self.output_dim = output_dim

    def call(self, inputs):
        length = inputs.shape[-1]
        positions = ops.arange(0, length, 1)
        return self.token_embeddings(inputs) + self.position_embeddings(positions)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "output_dim": self.output_dim,
                "sequence_length": self.sequence_length,
                "input_dim": self.input_dim,
            }
        )
        return config


@keras.utils.register_keras_serializable(package="chapter26")
class TransformerEncoder(layers.Layer):
    def __init__(self, embed_dim, dense_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.embed_dim = embed_dim
        self.dense_dim = dense_dim
        self.num_heads = num_heads
        self.attention = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.dense_proj = keras.Sequential(
            [layers.Dense(dense_dim, activation="gelu"), layers.Dense(embed_dim)]
        )
        self.layernorm_1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm_2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout = layers.Dropout(rate=0.1)

    def call(self, inputs, training=None):
        attention_output = self.attention(inputs, inputs)
        proj_input = self.layernorm_1(inputs + self.dropout(attention_output, training=training))
        return self.layernorm_2(proj_input + self.dense_proj(proj_input))

    def get_config(self):
        config = super().get_config()
        config.update({"embed_dim": self.embed_dim, "num_heads": self.num_heads, "dense_dim": self.dense_dim})
        return config


# Does the number 1 stand before the number 2? A bag of numbers cannot tell: the order is in the positions.
random = np.random.default_rng(2)
x = random.integers(3, 10, (384, 6))
y = random.integers(0, 2, 384)
for row, label in zip(x, y):
    first, second = np.sort(random.choice(6, 2, replace=False))
    row[first], row[second] = (1, 2) if label else (2, 1)

inputs = keras.Input(shape=(6,), dtype="int64")
h = PositionalEmbedding(6, 10, 16)(inputs)
h = TransformerEncoder(16, 16, 2)(h)
h = layers.Flatten()(h)
outputs = layers.Dense(1, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="binary_crossentropy", metrics=["accuracy"])
callbacks = [keras.callbacks.ModelCheckpoint("transformer_encoder.keras", save_best_only=True)]
model.fit(x[:320], y[:320], validation_data=(x[320:], y[320:]), epochs=8, callbacks=callbacks, verbose=0)
assert model.evaluate(x[320:], y[320:], verbose=0)[1] > 0.85

again = keras.models.load_model("transformer_encoder.keras")
assert again.evaluate(x[320:], y[320:], verbose=0)[1] > 0.8
by_hand = keras.models.load_model(
    "transformer_encoder.keras",
    custom_objects={"TransformerEncoder": TransformerEncoder, "PositionalEmbedding": PositionalEmbedding},
)
assert np.allclose(by_hand.predict(x[:4], verbose=0), again.predict(x[:4], verbose=0), atol=1e-6)

# What attention computes: with a causal mask the last output alone sees the last input.
attention = layers.MultiHeadAttention(num_heads=2, key_dim=3)
series = random.normal(size=(1, 5, 4)).astype("float32")
changed = series.copy()
changed[:, -1] += 1
before = attention(series, series, use_causal_mask=True).detach().numpy()
after = attention(changed, changed, use_causal_mask=True).detach().numpy()
assert np.allclose(before[:, :-1], after[:, :-1], atol=1e-6)
assert not np.allclose(before[:, -1], after[:, -1], atol=1e-3)
result, scores = attention(series, series, return_attention_scores=True)
assert scores.shape == (1, 2, 5, 5)
assert np.allclose(scores.detach().sum(-1), 1, atol=1e-5)
normal = layers.LayerNormalization()(series).detach().numpy()
assert np.allclose(normal.mean(axis=-1), 0, atol=1e-5)
