"""Regression: what a tractor uses, from six measurements of different sizes."""

import numpy as np

import neocog as keras

keras.utils.set_random_seed(42)
rng = np.random.default_rng(42)
scales = np.array([1000.0, 50.0, 5.0, 1.0, 0.1, 300.0])
X = rng.normal(size=(900, 6)) * scales + scales
y = X[:, 0] / 1000 + np.sin(X[:, 2] / 5) + 0.05 * rng.normal(size=900)
X_train, X_valid, X_test = X[:600], X[600:750], X[750:]
y_train, y_valid, y_test = y[:600], y[600:750], y[750:]

norm_layer = keras.layers.Normalization(input_shape=X_train.shape[1:])
model = keras.models.Sequential(
    [
        norm_layer,
        keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(1),
    ]
)
model.compile(
    loss="mse", optimizer=keras.optimizers.Adam(learning_rate=5e-3), metrics=["RootMeanSquaredError", "mae"]
)
norm_layer.adapt(X_train)
early_stopping_cb = keras.callbacks.EarlyStopping(
    monitor="val_loss", min_delta=1e-4, patience=5, mode="min", restore_best_weights=True, verbose=1
)
history = model.fit(
    X_train, y_train, epochs=40, validation_data=(X_valid, y_valid), callbacks=[early_stopping_cb], verbose=0
)
mse, rmse, mae = model.evaluate(X_test, y_test, verbose=0)
assert "val_RootMeanSquaredError" in history.history
assert abs(rmse - mse**0.5) < 1e-3
assert mae < rmse
assert min(history.history["val_loss"]) < 0.5 * history.history["val_loss"][0]
assert model.predict(X_test[:3]).shape == (3, 1)

# The normalised training data have mean 0 and variance 1 in every column, whatever their units were.
normalised = norm_layer(X_train).numpy()
np.testing.assert_allclose(normalised.mean(axis=0), 0, atol=1e-3)
np.testing.assert_allclose(normalised.std(axis=0), 1, atol=1e-3)
whole = keras.layers.Normalization(axis=None)
whole.adapt(X_train)
assert np.allclose(float(whole(X_train).mean()), 0, atol=1e-3)

# The same with the other losses that chapters on regression name.
for loss in (
    "mean_squared_error",
    "mean_absolute_error",
    "mae",
    keras.losses.Huber(),
    keras.losses.MeanSquaredError(),
    keras.losses.MeanAbsoluteError(),
):
    small = keras.Sequential([keras.Input(shape=(6,)), norm_layer, keras.layers.Dense(1)])
    small.compile(
        optimizer="rmsprop",
        loss=loss,
        metrics=[
            "mse",
            "mean_absolute_error",
            keras.metrics.MeanSquaredError(name="squared"),
            keras.metrics.MeanAbsoluteError(name="absolute"),
            keras.metrics.MeanAbsolutePercentageError(),
        ],
    )
    result = small.fit(X_train, y_train, epochs=2, verbose=0).history
    assert np.isfinite(result["loss"]).all()
    assert abs(result["mse"][-1] - result["squared"][-1]) < 1e-5
    assert abs(result["mean_absolute_error"][-1] - result["absolute"][-1]) < 1e-5

y_pred = model.predict(X_test, verbose=0)[:, 0]
by_hand = keras.losses.mean_squared_error(y_test, y_pred).numpy()
np.testing.assert_allclose(by_hand, ((y_test - y_pred) ** 2).mean(), rtol=1e-4)
by_hand = keras.losses.mean_absolute_error(y_test, y_pred).numpy()
np.testing.assert_allclose(by_hand, np.abs(y_test - y_pred).mean(), rtol=1e-4)
