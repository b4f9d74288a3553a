"""Regression with few samples: prices of houses, validated k times.

One unit without activation gives the price. Few samples make one validation set a matter of luck, so each
quarter is held out once and the scores are averaged.
"""
# needs: california_housing, boston_housing

import numpy as np

import neocog as keras
from neocog import layers
from neocog.datasets import boston_housing, california_housing

keras.utils.set_random_seed(11)
(train_data, train_targets), (test_data, test_targets) = california_housing.load_data(version="small")
assert train_data.shape == (480, 8)
assert test_data.shape == (120, 8)

# Numbers of the same size, with the mean and deviation of the training data alone.
mean, std = train_data.mean(axis=0), train_data.std(axis=0)
x_train, x_test = (train_data - mean) / std, (test_data - mean) / std
y_train, y_test = train_targets / 100000, test_targets / 100000


def get_model():
    model = keras.Sequential(
        [
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.01),
        loss="mean_squared_error",
        metrics=["mean_absolute_error"],
    )
    return model


k = 4
num_val_samples = len(x_train) // k
all_scores, all_mae_histories = [], []
for i in range(k):
    fold_x_val = x_train[i * num_val_samples : (i + 1) * num_val_samples]
    fold_y_val = y_train[i * num_val_samples : (i + 1) * num_val_samples]
    fold_x_train = np.concatenate(
        [x_train[: i * num_val_samples], x_train[(i + 1) * num_val_samples :]], axis=0
    )
    fold_y_train = np.concatenate(
        [y_train[: i * num_val_samples], y_train[(i + 1) * num_val_samples :]], axis=0
    )
    model = get_model()
    history = model.fit(
        fold_x_train,
        fold_y_train,
        validation_data=(fold_x_val, fold_y_val),
        epochs=6,
        batch_size=32,
        verbose=0,
    )
    all_mae_histories.append(history.history["val_mean_absolute_error"])
    all_scores.append(model.evaluate(fold_x_val, fold_y_val, verbose=0)[1])
assert np.allclose([maes[-1] for maes in all_mae_histories], all_scores)
average = [np.mean([maes[epoch] for maes in all_mae_histories]) for epoch in range(6)]
assert average[-1] < average[0]

# All of the training data, and the test data once; guessing the mean is what it has to beat.
model = get_model()
model.fit(x_train, y_train, epochs=10, batch_size=16, verbose=0)
test_mse, test_mae = model.evaluate(x_test, y_test, verbose=0)
predictions = model.predict(x_test, verbose=0)
assert np.isclose(np.mean(np.abs(predictions[:, 0] - y_test)), test_mae, rtol=1e-4)
assert test_mae < np.mean(np.abs(y_test.mean() - y_test))

# An older set, its losses under other names; a Normalization layer learns mean and deviation.
(x, y), (x_later, y_later) = boston_housing.load_data()
assert x.shape == (404, 13)
normalization = layers.Normalization(input_shape=(13,), axis=-1)
normalization.adapt(x)
model = keras.Sequential([normalization, layers.Dense(16, activation="selu"), layers.Dense(1)])
model.compile(loss="mse", optimizer="rmsprop", metrics=["mae", "RootMeanSquaredError"])
history = model.fit(x, y, epochs=4, batch_size=16, validation_data=(x_later, y_later), verbose=0).history
assert history["mae"][-1] < history["mae"][0]
assert np.isclose(history["RootMeanSquaredError"][-1] ** 2, history["loss"][-1], rtol=1e-3)

# Other distances between price and guess, as classes and as functions.
price, guess = np.array([[20.0], [30.0]]), np.array([[22.0], [24.0]])
assert float(keras.losses.MeanAbsoluteError()(price, guess)) == 4.0
assert np.isclose(float(keras.losses.Huber(delta=1.0)(price, guess)), (1.5 + 5.5) / 2)
assert keras.losses.mean_absolute_error(price, guess).tolist() == [2.0, 6.0]
percent = keras.metrics.MeanAbsolutePercentageError()
percent.update_state(price, guess)
assert np.isclose(float(percent.result()), (10 + 20) / 2)
model.compile(loss="mae", optimizer="sgd", metrics=["mse", "mean_absolute_error"])
assert np.isfinite(model.evaluate(x_later, y_later, verbose=0)).all()
model.compile(loss="mean_absolute_error", optimizer="sgd")
assert np.isfinite(model.evaluate(x_later, y_later, verbose=0))
