"""The verbs of training under the names that Keras 2 had for generators."""

from __future__ import annotations

from typing import Any

from neocog._old_spellings import warn_old
from neocog.models._retired import todays, whole_steps


class OlderVerbs:
    """`fit_generator` and its like: today `fit`, `evaluate` and `predict` take generators."""

    fit: Any
    evaluate: Any
    predict: Any

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: float | None = None,
        epochs: int = 1,
        verbose: int | str = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: float | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **older: Any,
    ) -> Any:
        """Train on a generator: `fit`'s older name; Keras 1's `nb_epoch` and the like count as today's."""
        del max_queue_size, workers, use_multiprocessing
        warn_old("Model", "fit_generator", "fit")
        arguments = {
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "validation_steps": validation_steps,
            **todays("fit_generator", older, generator, validation_data),
        }
        for name in ("steps_per_epoch", "validation_steps"):
            arguments[name] = whole_steps(arguments[name])
        return self.fit(
            generator,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_freq=validation_freq,
            class_weight=class_weight,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            **arguments,
        )

    def evaluate_generator(
        self,
        generator: Any,
        steps: float | None = None,
        callbacks: Any = None,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        verbose: int | str = 0,
        **older: Any,
    ) -> Any:
        """Return loss and metrics on what a generator gives: `evaluate`'s older name."""
        del max_queue_size, workers, use_multiprocessing
        warn_old("Model", "evaluate_generator", "evaluate")
        steps = todays("evaluate_generator", older, generator).get("steps", steps)
        return self.evaluate(generator, steps=whole_steps(steps), callbacks=callbacks, verbose=verbose)

    def predict_generator(
        self,
        generator: Any,
        steps: float | None = None,
        callbacks: Any = None,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        verbose: int | str = 0,
        **older: Any,
    ) -> Any:
        """Return the outputs for what a generator gives: `predict`'s older name."""
        del max_queue_size, workers, use_multiprocessing
        warn_old("Model", "predict_generator", "predict")
        steps = todays("predict_generator", older, generator).get("steps", steps)
        return self.predict(generator, steps=whole_steps(steps), callbacks=callbacks, verbose=verbose)
