"""Models as estimators of scikit-learn: pipelines, cross-validation, searches; some older spellings."""
# needs: module sklearn

from sklearn.datasets import load_digits, make_regression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neocog as keras
from neocog import layers
from neocog.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

keras.utils.set_random_seed(30)
digits, labels = load_digits(n_class=4, return_X_y=True)
digits, labels = digits[:360], labels[:360]


def dynamic_model(X, y, hidden=16):
    model = keras.Sequential(
        [
            keras.Input(shape=(X.shape[1],)),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(y.shape[1], activation="softmax"),
        ]
    )
    model.compile(
        loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.01), metrics=["accuracy"]
    )
    return model


fit_kwargs = {"epochs": 4, "batch_size": 32, "verbose": 0}
classifier = SKLearnClassifier(model=dynamic_model, model_kwargs={"hidden": 24}, fit_kwargs=fit_kwargs)
classifier.fit(digits[:300], labels[:300])
assert classifier.score(digits[300:], labels[300:]) > 0.9
assert set(classifier.predict(digits[300:])) <= {0, 1, 2, 3}
assert len(classifier.history_.history["loss"]) == 4

pipeline = make_pipeline(StandardScaler(), SKLearnClassifier(model=dynamic_model, fit_kwargs=fit_kwargs))
assert cross_val_score(pipeline, digits, labels, cv=2).mean() > 0.8

search = GridSearchCV(
    SKLearnClassifier(model=dynamic_model, fit_kwargs=fit_kwargs),
    {"model_kwargs": [{"hidden": 1}, {"hidden": 32}]},
    cv=2,
)
search.fit(digits, labels)
assert search.best_params_ == {"model_kwargs": {"hidden": 32}}

# Regression; and a model whose outputs are the input of another estimator.
X, y = make_regression(n_samples=160, n_features=5, noise=1.0, random_state=0)
X, y = X.astype("float32"), (y / y.std()).astype("float32")


def linear_model(X, y):
    model = keras.Sequential([keras.Input(shape=(X.shape[1],)), layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    return model


regressor = SKLearnRegressor(model=linear_model, fit_kwargs={"epochs": 15, "verbose": 0})
assert regressor.fit(X[:120], y[:120]).score(X[120:], y[120:]) > 0.95
transformer = SKLearnTransformer(model=linear_model, fit_kwargs={"epochs": 1, "verbose": 0})
assert transformer.fit(X, y).transform(X).shape == (160, 1)


# The estimators of Keras 2: what the function that builds takes, they take.
def build_model(n_hidden=1, n_neurons=30, learning_rate=3e-3, input_shape=(5,)):
    model = keras.models.Sequential()
    model.add(keras.layers.InputLayer(input_shape=input_shape))
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(1))
    optimizer = keras.optimizers.SGD(learning_rate=learning_rate)
    model.compile(loss="mse", optimizer=optimizer)
    return model


keras_reg = keras.wrappers.scikit_learn.KerasRegressor(build_model)
keras_reg.fit(
    X[:120],
    y[:120],
    epochs=8,
    validation_data=(X[120:], y[120:]),
    callbacks=[keras.callbacks.EarlyStopping(patience=3)],
    verbose=0,
)
assert keras_reg.score(X[120:], y[120:], verbose=0) <= 0
assert keras_reg.predict(X[:3], verbose=0).shape == (3,)
param_distribs = {"n_hidden": [0, 1], "learning_rate": [0.03, 0.01], "n_neurons": [4, 8]}
rnd_search_cv = RandomizedSearchCV(keras_reg, param_distribs, n_iter=2, cv=2, random_state=0)
rnd_search_cv.fit(X, y, epochs=2, verbose=0)
assert set(rnd_search_cv.best_params_) == set(param_distribs)
assert rnd_search_cv.best_estimator_.model.predict(X[:2], verbose=0).shape == (2, 1)
