"""Series in time: windows of a table, recurrent layers, dropout in the recurrence."""

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(4)
steps = np.arange(600)
random = np.random.default_rng(0)
temperature = 10 * np.sin(2 * np.pi * steps / 24) + random.normal(size=600)
pressure = np.cos(2 * np.pi * steps / 24) + 0.1 * random.normal(size=600)
raw_data = np.stack([temperature, pressure], axis=1)
num_train, num_val = 300, 150
mean, std = raw_data[:num_train].mean(axis=0), raw_data[:num_train].std(axis=0)
raw_data = (raw_data - mean) / std

# What a window is.
int_sequence = np.arange(10)
dummy = keras.utils.timeseries_dataset_from_array(
    data=int_sequence[:-3], targets=int_sequence[3:], sequence_length=3, batch_size=2
)
seen = []
for inputs, targets in dummy:
    for i in range(inputs.shape[0]):
        seen.append(([int(x) for x in inputs[i]], int(targets[i])))
assert seen == [([i, i + 1, i + 2], i + 3) for i in range(5)]

sampling_rate, sequence_length = 2, 12
delay = sampling_rate * (sequence_length + 6 - 1)


def windows(start_index, end_index, shuffle):
    return keras.utils.timeseries_dataset_from_array(
        raw_data[:-delay],
        targets=raw_data[delay:, 0],
        sampling_rate=sampling_rate,
        sequence_length=sequence_length,
        shuffle=shuffle,
        batch_size=64,
        start_index=start_index,
        end_index=end_index,
    )


train_dataset = windows(0, num_train, True)
val_dataset = windows(num_train, num_train + num_val, False)
test_dataset = windows(num_train + num_val, None, False)
for samples, targets in train_dataset:
    assert samples.shape == (64, sequence_length, 2)
    assert targets.shape == (64,)
    break


def evaluate_naive_method(dataset):
    total_abs_err, samples_seen = 0.0, 0
    for samples, targets in dataset:
        preds = np.asarray(samples[:, -1, 0])
        total_abs_err += np.sum(np.abs(preds - np.asarray(targets)))
        samples_seen += samples.shape[0]
    return total_abs_err / samples_seen


naive = evaluate_naive_method(test_dataset)


def trained(*stack, epochs=2):
    model = keras.Sequential([keras.Input(shape=(sequence_length, 2)), *stack, layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse", metrics=["mae"])
    history = model.fit(train_dataset, epochs=epochs, validation_data=val_dataset, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    return model


lstm = trained(layers.LSTM(8), epochs=8)
assert lstm.evaluate(test_dataset, verbose=0)[1] < naive

gru = trained(layers.GRU(8, recurrent_dropout=0.2, return_sequences=True), layers.GRU(8, dropout=0.2))
assert gru.layers[0].output.shape == (None, sequence_length, 8)
both_ways = trained(layers.Bidirectional(layers.LSTM(4)))
assert both_ways.layers[0].output.shape == (None, 8)
plain = trained(
    layers.SimpleRNN(8, return_sequences=True), layers.TimeDistributed(layers.Dense(4)), layers.Flatten()
)
assert plain.layers[1].output.shape == (None, sequence_length, 4)
convolution = trained(
    layers.Conv1D(8, 5, activation="relu"), layers.MaxPooling1D(2), layers.GlobalAveragePooling1D()
)
assert np.isfinite(convolution.evaluate(test_dataset, verbose=0)).all()

# Dropout in the recurrence works while training alone: two predictions are the same.
batch = next(iter(test_dataset))[0]
assert np.array_equal(gru.predict(batch, verbose=0), gru.predict(batch, verbose=0))
assert not np.array_equal(gru(batch, training=True).detach(), gru(batch, training=True).detach())

# From a sequence to a sequence: one vector between an encoder and a decoder.
random = np.random.default_rng(1)
numbers = random.random((128, 4, 1)).astype("float32")
encoder_decoder = keras.Sequential(
    [
        keras.Input(shape=(4, 1)),
        layers.LSTM(16),
        layers.RepeatVector(4),
        layers.LSTM(16, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1)),
    ]
)
encoder_decoder.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))
losses = encoder_decoder.fit(numbers, numbers[:, ::-1], batch_size=32, epochs=6, verbose=0).history["loss"]
assert losses[-1] < 0.8 * losses[0]
assert encoder_decoder.predict(numbers[:2], verbose=0).shape == (2, 4, 1)

# The states of a recurrent layer, and padded steps that it passes over.
output, hidden, cell = layers.LSTM(3, return_state=True)(numbers[:2])
assert np.array_equal(output.detach(), hidden.detach())
assert cell.shape == (2, 3)
masked = layers.Masking(mask_value=0.0)
recurrent = layers.GRU(3)
padded = np.concatenate([numbers[:2], np.zeros((2, 3, 1), "float32")], axis=1)
assert np.allclose(recurrent(masked(padded)).detach(), recurrent(numbers[:2]).detach(), atol=1e-6)
