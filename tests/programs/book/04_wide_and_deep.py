"""The functional API: wide and deep networks with several inputs and outputs."""

import numpy as np

import neocog as keras

keras.utils.set_random_seed(42)
rng = np.random.default_rng(0)
X = rng.normal(size=(600, 8)).astype("float32")
y = X[:, 0] + 0.5 * X[:, 1] * X[:, 2] + 0.3 * X[:, 5]
X_train, y_train, X_valid, y_valid = X[:500], y[:500], X[500:], y[500:]

# One input takes two ways: straight to the output, and through the hidden layers.
normalization_layer = keras.layers.Normalization()
hidden_layer1 = keras.layers.Dense(30, activation="relu")
hidden_layer2 = keras.layers.Dense(30, activation="relu")
concat_layer = keras.layers.Concatenate()
output_layer = keras.layers.Dense(1)

input_ = keras.layers.Input(shape=X_train.shape[1:])
normalized = normalization_layer(input_)
hidden1 = hidden_layer1(normalized)
hidden2 = hidden_layer2(hidden1)
concat = concat_layer([normalized, hidden2])
output = output_layer(concat)
model = keras.Model(inputs=[input_], outputs=[output])
model.summary(line_length=90, show_trainable=True)
model.compile(loss="mse", optimizer="adam", metrics=["RootMeanSquaredError"])
normalization_layer.adapt(X_train)
first = model.fit(X_train, y_train, epochs=4, validation_data=(X_valid, y_valid), verbose=0)
assert first.history["loss"][-1] < first.history["loss"][0]

# Two inputs with some columns in both, and a second output that keeps the deep part honest.
input_wide = keras.layers.Input(shape=[5], name="input_wide")
input_deep = keras.layers.Input(shape=[6], name="input_deep")
norm_layer_wide = keras.layers.Normalization()
norm_layer_deep = keras.layers.Normalization()
norm_wide = norm_layer_wide(input_wide)
norm_deep = norm_layer_deep(input_deep)
hidden1 = keras.layers.Dense(30, activation="relu")(norm_deep)
hidden2 = keras.layers.Dense(30, activation="relu")(hidden1)
concat = keras.layers.concatenate([norm_wide, hidden2])
output = keras.layers.Dense(1, name="main")(concat)
aux_output = keras.layers.Dense(1, name="aux")(hidden2)
model = keras.models.Model(inputs=[input_wide, input_deep], outputs=[output, aux_output])
model.compile(
    loss=("mse", "mse"),
    loss_weights=(0.9, 0.1),
    optimizer=keras.optimizers.Adam(learning_rate=1e-2),
    metrics=["RootMeanSquaredError", "RootMeanSquaredError"],
)
X_train_wide, X_train_deep = X_train[:, :5], X_train[:, 2:]
X_valid_wide, X_valid_deep = X_valid[:, :5], X_valid[:, 2:]
norm_layer_wide.adapt(X_train_wide)
norm_layer_deep.adapt(X_train_deep)
history = model.fit(
    (X_train_wide, X_train_deep),
    (y_train, y_train),
    epochs=5,
    validation_data=((X_valid_wide, X_valid_deep), (y_valid, y_valid)),
    verbose=0,
)
assert {"loss", "main_loss", "aux_loss", "main_RootMeanSquaredError", "val_aux_loss"} <= set(history.history)
assert history.history["main_loss"][-1] < history.history["main_loss"][0]
results = model.evaluate((X_valid_wide, X_valid_deep), (y_valid, y_valid), verbose=0, return_dict=True)
np.testing.assert_allclose(results["loss"], 0.9 * results["main_loss"] + 0.1 * results["aux_loss"], rtol=1e-4)
y_main, y_aux = model.predict((X_valid_wide[:3], X_valid_deep[:3]))
assert y_main.shape == y_aux.shape == (3, 1)

# The same model with data, losses, weights and metrics by name.
model.compile(
    optimizer="rmsprop",
    loss={"main": "mean_squared_error", "aux": "mae"},
    loss_weights={"main": 1.0, "aux": 0.25},
    metrics={"main": ["mse"], "aux": ["mean_absolute_error"]},
)
by_name = {"input_wide": X_train_wide, "input_deep": X_train_deep}
history = model.fit(by_name, {"main": y_train, "aux": y_train}, epochs=2, batch_size=50, verbose=0)
assert {"main_mse", "aux_mean_absolute_error"} <= set(history.history)

# A ticket desk: words, title and tags in; a priority and a department out, named by a dict.
num_samples, vocabulary, num_tags, num_departments = 256, 60, 20, 4
title = keras.Input(shape=(vocabulary,), name="title")
text_body = keras.Input(shape=(vocabulary,), name="text_body")
tags = keras.Input(shape=(num_tags,), name="tags", dtype="float32")
features = keras.layers.Concatenate()([title, text_body, tags])
features = keras.layers.Dense(32, activation="relu")(features)
priority = keras.layers.Dense(1, activation="sigmoid", name="priority")(features)
department = keras.layers.Dense(num_departments, activation="softmax", name="department")(features)
desk = keras.Model(inputs=[title, text_body, tags], outputs=[priority, department], name="desk")

title_data = rng.integers(0, 2, size=(num_samples, vocabulary))
text_data = rng.integers(0, 2, size=(num_samples, vocabulary))
tags_data = rng.integers(0, 2, size=(num_samples, num_tags))
priority_data = rng.random(size=(num_samples, 1))
department_data = rng.integers(0, num_departments, size=(num_samples, 1))
desk.compile(
    optimizer="adam",
    loss={"priority": "mean_squared_error", "department": "sparse_categorical_crossentropy"},
    metrics={"priority": ["mean_absolute_error"], "department": ["accuracy"]},
)
inputs = {"title": title_data, "text_body": text_data, "tags": tags_data}
targets = {"priority": priority_data, "department": department_data}
desk.fit(inputs, targets, epochs=2, verbose=0)
scores = desk.evaluate(inputs, targets, verbose=0, return_dict=True)
assert {"priority_mean_absolute_error", "department_accuracy"} <= set(scores)
priority_preds, department_preds = desk.predict(inputs, verbose=0)
assert priority_preds.shape == (256, 1)
assert department_preds.shape == (256, 4)

# Features of one model become the inputs of another.
difficulty = keras.layers.Dense(3, activation="softmax", name="difficulty")(desk.layers[4].output)
longer = keras.Model(inputs=desk.inputs, outputs=[*desk.outputs, difficulty])
assert [output.shape for output in longer.outputs] == [(None, 1), (None, 4), (None, 3)]

# Layers that merge, as functions and as layers; batches of a fixed size.
left = keras.Input(batch_shape=(4, 5))
right = keras.Input(batch_shape=(4, 5), name="right")
merged = keras.Model(
    [left, right],
    [
        keras.layers.add([left, right]),
        keras.layers.average([left, right]),
        keras.layers.concatenate([left, right]),
    ],
)
a, b = rng.normal(size=(2, 4, 5)).astype("float32")
total, mean, both = merged.predict([a, b], verbose=0)
np.testing.assert_allclose(total, a + b, rtol=1e-6)
np.testing.assert_allclose(mean, (a + b) / 2, rtol=1e-6)
np.testing.assert_allclose(both, np.concatenate([a, b], axis=-1))
